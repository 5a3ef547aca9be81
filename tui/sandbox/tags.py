"""`<reasoning>…</reasoning>` in the text of an answer, in every form that was seen or must be feared.

Section 5: in front of the answer, VERIFIED (ren8k, seed2); in August 2025 each delta of a stream had tags of
its own, VERIFIED (ren8k). The other forms are ASSUMED, for clients to be tested with.
"""

from __future__ import annotations

from collections.abc import Sequence

OPEN, CLOSE = "<reasoning>", "</reasoning>"
FORMS = ("whole", "deltas", "cut", "nested", "late", "open", "none")
"""One pair around all of it; a pair around each delta; one pair, its tags cut across deltas; a second pair
inside of it; the pair amid the answer; opened and never closed; no tags and no reasoning."""
_SHORT = 3  # characters of a delta that cuts a tag


def deltas(form: str, reasoning: Sequence[str], text: Sequence[str], *, closed: bool = True) -> list[str]:
    """The pieces of a message's content.

    Args:
        form: one of `FORMS`.
        reasoning: the pieces of the reasoning; with none there are no tags.
        text: the pieces of the answer.
        closed: False where the answer ended within the reasoning.
    """
    if not reasoning or form == "none":
        return list(text)
    end = CLOSE if closed else ""
    if form == "deltas":
        return [*(f"{OPEN}{piece}{CLOSE}" for piece in reasoning), *text]
    if form == "open":
        return [OPEN, *reasoning, *text]
    if form == "cut":
        head = OPEN + "".join(reasoning) + end
        tail = "".join(text[:2])
        return [*_short(head + tail), *text[2:]]
    if form == "nested":
        third = len(reasoning) // 3
        inner = [OPEN, *reasoning[third : 2 * third], CLOSE]
        return [OPEN, *reasoning[:third], *inner, *reasoning[2 * third :], end, *text]
    pair = [OPEN, *reasoning, end]
    if form == "late":
        half = len(text) // 2
        return [*text[:half], *pair, *text[half:]]
    return [*pair, *text]


def _short(text: str) -> list[str]:
    return [text[at : at + _SHORT] for at in range(0, len(text), _SHORT)]
