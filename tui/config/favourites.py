"""The pairings that the user marked as favourites: a small file beside the history.

A file that cannot be read counts as empty, and is replaced only when a favourite is chosen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from tui.private_files import make_private_folder, open_private

__all__ = ["load_favourites", "save_favourites"]

_NAME: Final = "favourites.json"
_FIELDS: Final = (3, 4)
"""Files of versions that knew one API only have three."""


def load_favourites(folder: Path) -> tuple[tuple[str, str, str, str], ...]:
    """Model id, region, endpoint and API of each favourite, in the order in which they were marked.

    The API is empty where the file does not say it.
    """
    with suppress(OSError, ValueError):
        rows: object = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        found = cast("list[object]", rows) if isinstance(rows, list) else []
        lists = [cast("list[object]", row) for row in found if isinstance(row, list)]
        texts = [[*(str(part) for part in row), ""] for row in lists if len(row) in _FIELDS]
        return tuple(dict.fromkeys((row[0], row[1], row[2], row[3]) for row in texts))
    return ()


def save_favourites(folder: Path, favourites: Iterable[tuple[str, str, str, str]]) -> None:
    """Write them all, in place of those before.

    Raises:
        OSError: The file cannot be written; the one before stays.
    """
    make_private_folder(folder)
    new = folder / f"{_NAME}.new"
    with os.fdopen(open_private(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8") as file:
        json.dump([list(row) for row in favourites], file, ensure_ascii=False)
    new.replace(folder / _NAME)
