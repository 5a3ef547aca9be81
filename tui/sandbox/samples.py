"""Pieces of markdown that the answers are made of."""

from __future__ import annotations

import hashlib
import re

from .recall import one_line, words

_ENOUGH = 2000  # characters of a prompt; a pasted book says what it is about at its beginning


def pick(text: str, count: int) -> int:
    """A number below `count` that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4], "big") % count


def topic(text: str) -> str:
    """Two or three words of a prompt, as a title."""
    found = list(dict.fromkeys(word for word in re.findall(r"[^\W_]+", text[:_ENOUGH]) if words(word)))
    longest = sorted(sorted(found, key=len, reverse=True)[:3], key=found.index)
    return " ".join(longest)[:60] or "your message"


def table(subject: str, rows: int = 4) -> str:
    """A table with as many rows."""
    names = [*dict.fromkeys(words(subject[:_ENOUGH])), "granite", "basalt", "slate", "quartz", "marble"]
    lines = ["| Item | Kind | Share | Note |", "|:-----|:----:|------:|:-----|"]
    notes = ("where to *start*", "`measured`", "see [the map](https://example.com/map)", "**mind this**")
    for n in range(rows):
        share = 7 + pick(f"{subject}{n}", 60)
        lines.append(f"| {names[n % len(names)]} | {'ABC'[n % 3]} | {share} % | {notes[n % 4]} |")
    return "\n".join(lines)


def code(subject: str, language: str = "python") -> str:
    """A fenced block that really is in the language."""
    name = "_".join(w for w in words(subject)[:2] if w.isascii() and w.isidentifier()) or "outcrop"
    if language in ("rust", "rs"):
        body = f"fn {name}(layers: &[u32]) -> u32 {{\n    layers.iter().filter(|d| **d > 3).sum()\n}}"
    elif language in ("javascript", "js", "typescript", "ts"):
        body = f"export function {name}(layers) {{\n  return layers.filter((d) => d > 3).length;\n}}"
    elif language in ("bash", "shell", "sh"):
        body = f'#!/bin/bash\n# count the layers of {name}\ngrep -c "^layer" "${{1:-survey.txt}}"'
    elif language == "sql":
        body = f"SELECT name, depth\nFROM {name}\nWHERE depth > 3\nORDER BY depth DESC;"
    elif language == "json":
        body = f'{{\n  "name": "{name}",\n  "layers": [3, 5, 8],\n  "open": true\n}}'
    else:
        language = "python"
        body = (
            f"def {name}(layers: list[int], deepest: int = 8) -> list[str]:\n"
            '    """Name each layer down to `deepest`."""\n'
            '    return [f"layer {n}: {depth} m" for n, depth in enumerate(layers) if depth <= deepest]\n\n\n'
            f"print({name}([3, 5, 8, 13]))  # two lines are enough"
        )
    return f"```{language}\n{body}\n```"


def bullets(subject: str) -> str:
    """A nested list."""
    name = topic(subject)
    return (
        f"- **First**, say what *{name}* has to do\n  - in one sentence\n  - without the word “and”\n"
        f"- Then try it on something real\n  - `small`, so that you can check it by hand\n"
        "    - twice, with the same result\n- **Last**, write down what surprised you"
    )


def steps(subject: str) -> str:
    """A numbered list."""
    return (
        f"1. Collect what you know about {topic(subject)}.\n2. Sort it: *certain*, *likely*, *guessed*.\n"
        "3. Test the likely part first:\n   - it costs least,\n"
        "   - it changes most.\n4. Repeat until nothing moves."
    )


def quote(text: str) -> str:
    """A block quote of one line."""
    return f"> {one_line(text, 200)}"
