"""What is said when the program is about to end, and on the terminal when it has."""

from __future__ import annotations

from typing import Final

__all__ = ["UNSAVED", "after_leaving", "before_leaving"]

UNSAVED: Final = "What was said is not saved: the history cannot be written. /export keeps this conversation"


def before_leaving(arriving: int, unsaved: bool, key: str) -> str:
    """Why somebody who wants to quit is asked for the key once more; empty where there is no reason.

    Args:
        arriving: How many answers the end would stop.
        unsaved: Whether something that was said is in memory only.
        key: The key that quits.
    """
    if unsaved:
        return f"{UNSAVED}; {key} again quits, and what is not saved is lost."
    if arriving:
        what = "An answer is" if arriving == 1 else f"{arriving} answers are"
        return f"{what} still arriving. {key} again stops and quits; all is kept."
    return ""


def after_leaving(running: int, unsaved: bool, unsent: str = "") -> str:
    """What is said after the end; empty where there is nothing to say.

    Args:
        running: How many turns go on in the background.
        unsaved: Whether something that was said could not be written to the last.
        unsent: What was written for the composer and could not be kept there.
    """
    words: list[str] = []
    if unsaved:
        words.append("What was said last is lost: the history could not be written.")
    if running:
        what = "1 answer is" if running == 1 else f"{running} answers are"
        words.append(
            f"{what} still being made in the background; the next start of Outcrop brings what came of it."
        )
    if unsent:
        words.append(f"The history did not open, so what you had written is not kept; here it is: {unsent}")
    return " ".join(words)
