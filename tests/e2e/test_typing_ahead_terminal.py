"""Keys that are in the terminal before the program is: none is lost, each is for what it was meant for."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.programs import OUTCROP, Program
from support.terminal import have_tmux, terminal

pytestmark = pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")


@pytest.mark.parametrize(
    ("key", "comes"),
    [
        ("k", ("kyanites", "stateful")),
        ("F1", ("Help", "Nothing here has “yanites” in it.")),
        ("C-o", ("Model, region, endpoint and API", "│  yanites ")),
    ],
    ids=["a letter", "help", "the picker"],
)
def test_what_is_typed_before_the_first_picture_is_there(
    key: str, comes: tuple[str, ...], program: Program, tmp_path: Path
) -> None:
    with terminal(
        tmp_path / "t", [*OUTCROP, "--sandbox"], program.environ(), cwd=program.cwd, columns=110
    ) as window:
        window.press(key, *"yanites")
        window.wait_for(*comes, timeout=30)
        window.press("Escape", "Escape", "C-q")
        assert window.status() == 0
