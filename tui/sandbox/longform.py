"""Long answers of a wanted size: words, lines or tokens of varied markdown."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator

from . import oneblock, tokens

_NOUN_LIST = """
granite basalt ridge seam fault layer river delta sediment quartz slate valley shelf cavern spring mineral
fossil boulder summit gully terrace crater plateau moraine limestone ledge
"""
_VERB_LIST = "carries folds covers exposes erodes lifts crosses holds splits feeds shapes follows"
_ADJECTIVE_LIST = "old grey folded weathered steep narrow deep bright coarse fine hidden broad"
_NOUNS, _VERBS, _ADJECTIVES = _NOUN_LIST.split(), _VERB_LIST.split(), _ADJECTIVE_LIST.split()
END = "ENDOFANSWER"


def _sentence(rng: random.Random) -> str:
    noun = rng.choice(_NOUNS)
    marked = rng.choice((noun, noun, noun, f"**{noun}**", f"*{noun}*", f"`{noun}`"))
    tail = rng.choice(
        (
            f"under the {rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}",
            f"near [the {rng.choice(_NOUNS)}](https://example.com/{rng.choice(_NOUNS)})",
            f"for {rng.randint(2, 900)} metres",
        )
    )
    head = rng.choice(_ADJECTIVES)
    return (
        f"The {head} {marked} {rng.choice(_VERBS)} a {rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)} {tail}."
    )


def _paragraph(rng: random.Random) -> str:
    return " ".join(_sentence(rng) for _ in range(rng.randint(2, 4)))


def _blocks(seed: int) -> Iterator[str]:
    """Blocks without end; each is complete markdown by itself."""
    rng = random.Random(seed)
    number = 0
    while True:
        number += 1
        yield f"## {number}. The {rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}"
        yield _paragraph(rng)
        yield "\n".join(f"- {_sentence(rng)}" for _ in range(3)) + f"\n  - {_sentence(rng)}"
        yield _paragraph(rng)
        yield "\n".join(
            ["```python", f"def survey_{number}(depth: int = {rng.randint(2, 90)}) -> float:"]
            + [f"    sample_{n} = depth * {rng.randint(2, 99)}  # {rng.choice(_NOUNS)}" for n in range(4)]
            + ["    return sample_0 / (sample_3 + 1)", "```"]
        )
        yield f"> {_sentence(rng)}"
        yield "\n".join(
            ["| layer | depth | note |", "|---|---:|---|"]
            + [
                f"| {rng.choice(_NOUNS)} | {rng.randint(1, 900)} m | {rng.choice(_ADJECTIVES)} |"
                for _ in range(4)
            ]
        )
        yield "\n".join(f"{n}. {_sentence(rng)}" for n in range(1, 4))


def long_text(size: int, unit: str, seed: int, split: tokens.Split) -> str:
    """Markdown of about `size` words, lines, paragraphs or tokens, ending with a whole block."""
    if unit == "line":
        rng = random.Random(seed)
        return "\n".join(f"{n}. {_sentence(rng)}" for n in range(1, size + 1))
    out: list[str] = []
    have = 0
    for block in _blocks(seed):
        if have >= size:
            break
        if unit == "paragraph":
            block = _paragraph(random.Random(seed + have))
        cost = {"word": len(block.split()), "paragraph": 1}.get(unit) or len(split(block))
        if unit == "word" and have + cost > size:
            block = (
                " ".join(block.split()[: size - have]) if not block.startswith(("|", "`")) else "and so on"
            )
            cost = size - have
        out.append(block)
        have += cost
    return "\n\n".join(out)


@functools.lru_cache(maxsize=4)
def benchmark(model: str) -> tuple[str, ...]:
    """Exactly as many deltas as `fake-TOKENS-RATE[-SHAPE]` says; the last word is ENDOFANSWER.

    Without a shape it is varied markdown, and the end stands outside any open fence. The deltas are cut by
    `tokens.words` on every machine, so that benchmarks compare.
    """
    _, count, _, *shape = model.split("-")
    size = int(count)
    tail = ["\n\n", "That", " is", " all", ". ", "ENDOF", "ANSWER"]
    if not size:
        return ()
    if shape:
        close = ["\n", "```"] if shape[0] == "fence" else []
        room = max(size - len(tail) - len(close), 0)
        cut = tokens.words(oneblock.one_block(shape[0], room * 8, _sentence))[:room]
        return tuple([*cut, *close, *tail][-size:])
    out: list[str] = []
    for block in _blocks(7):
        cut = [*tokens.words(block), "\n\n"]
        room = size - len(tail) - len(out)
        if len(cut) > room:
            # Plain words fill what is left, so that no table or fence is cut open.
            out += [" rock"] * max(room, 0)
            break
        out += cut
    return tuple((out + tail)[-size:])
