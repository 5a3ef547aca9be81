"""The pictures in screenshots/ are what the program draws today."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "screenshots"
MAKE = runpy.run_path(str(FOLDER / "make.py"))


def words_of(picture: str) -> list[str]:
    """What stands in a picture, a line for each piece of one colour."""
    return re.findall(r"<text [^>]*>([^<]*)</text>", picture)


@pytest.mark.parametrize("scene", MAKE["SCENES"], ids=lambda scene: scene[0])
async def test_a_picture_is_not_stale(
    scene: tuple[str, tuple[int, int], object, str], tmp_path: Path
) -> None:
    name, size, play, theme = scene
    await MAKE["picture"](name, size, play, theme, tmp_path)
    made = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    kept = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    # The words first: of two whole pictures that differ, no line tells what is to be seen.
    assert words_of(made) == words_of(kept)
    assert made == kept, f"screenshots/{name}.svg is stale: run `uv run python screenshots/make.py`"
