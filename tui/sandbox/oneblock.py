"""Benchmark answers of one kind of block only: what a client that parses the open block again cannot bear."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

__all__ = ["SHAPES", "one_block"]

_CHINESE: Final = "岩石层在深谷之上露出地表，河流把细沙带到平原。花岗岩很硬；页岩容易裂开！"
_JAPANESE: Final = "地層の上に古い岩が見えます。川は砂を運び、谷を深くします。カタカナも混ざる。"
_KOREAN: Final = ("바위는", "오래된", "지층", "위에", "드러나고", "강은", "모래를", "나른다.")
_EMOJI: Final = ("👩‍💻", "👍🏽", "🏔️", "❤️", "🇨🇦", "é", "naïve", "עברית", "🪨", "stone", "✅")


def _paragraph(rng: random.Random, sentence: Callable[[random.Random], str], row: int) -> str:
    return sentence(rng) + " "


def _list(rng: random.Random, sentence: Callable[[random.Random], str], row: int) -> str:
    return f"- {sentence(rng)}\n"


def _table(rng: random.Random, sentence: Callable[[random.Random], str], row: int) -> str:
    head = "| layer | depth | note |\n|---|---:|---|\n" if row == 0 else ""
    return f"{head}| **layer** {row} | {rng.randint(1, 900)} m | {sentence(rng)} |\n"


def _fence(rng: random.Random, sentence: Callable[[random.Random], str], row: int) -> str:
    head = "```python\n" if row == 0 else ""
    return f"{head}    sample_{row} = survey({rng.randint(2, 99)}, 'quartz') + {row}  # why\n"


def _cjk(rng: random.Random, sentence: Callable[[random.Random], str], row: int) -> str:
    text = rng.choice((_CHINESE, _JAPANESE, " ".join(rng.choices(_KOREAN, k=12)) + " "))
    return (f"## {text[:9]}\n\n", f"- **{text}**\n", f"{text}\n\n", text)[rng.randrange(4)]


def _emoji(rng: random.Random, sentence: Callable[[random.Random], str], row: int) -> str:
    text = " ".join(rng.choices(_EMOJI, k=14))
    return (f"- {text}\n", f"{text}\n\n", f"{text} ")[rng.randrange(3)]


SHAPES: Final[dict[str, Callable[[random.Random, Callable[[random.Random], str], int], str]]] = {
    "paragraph": _paragraph,
    "list": _list,
    "table": _table,
    "fence": _fence,
    "cjk": _cjk,
    "emoji": _emoji,
}
"""What comes row after row, by the name of the shape (`cjk` and `emoji`: of several small blocks)."""


def one_block(shape: str, characters: int, sentence: Callable[[random.Random], str]) -> str:
    """At least `characters` of one shape, the same each time; a fence is closed at the end.

    Args:
        shape: A key of `SHAPES`.
        characters: How long.
        sentence: Makes a sentence.
    """
    rng = random.Random(11)
    rows: list[str] = []
    size = 0
    while size < characters:
        rows.append(SHAPES[shape](rng, sentence, len(rows)))
        size += len(rows[-1])
    return "".join(rows)
