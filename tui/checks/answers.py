"""Checks of a plain answer: that it comes, its shape, its usage, its stream, and how a refusal reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any, Final, cast

from tui.checks.definition import CheckFailed, CheckSkipped, Found
from tui.core.checks.samples import NO_MODEL
from tui.core.errors import HttpStatusError, TokenError
from tui.core.figures import seconds
from tui.core.items import user_message
from tui.core.text import visible_line

if TYPE_CHECKING:
    from tui.checks.context import Answer, CheckContext

__all__ = ["error", "preflight", "responsiveness", "schema", "stream", "usage"]

_LINES: Final = "Count from 1 to 20 in words, one number on each line."
_TIMES: Final = 3
_SLOW: Final = 15.0
_PASSING: Final = frozenset({408, 409, 425, 429})
_NOT_IN_SHAPE: Final = (
    "What answers there is not the API that was asked for: check the base URL and the API, and look at the "
    "answer in the inspector."
)


async def preflight(context: CheckContext) -> Found:
    """The smallest request that is an answer at all."""
    answer = await context.preflight()
    said = visible_line(" ".join(answer.text.split()))[:80]
    if not said:
        raise CheckFailed(
            "The server completed the answer without any text.",
            "Run it again; reasoning may have used up the tokens: a lower effort leaves more for the text.",
        )
    return Found(f'It answered "{said}" in {seconds(answer.seconds)}.', {"text": said})


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _typed(value: object) -> bool:
    """Whether it is a list of items that each have a type."""
    if not isinstance(value, list):
        return False
    items = cast("list[object]", value)
    return all(isinstance(item, Mapping) and _is_text(cast("Any", item).get("type")) for item in items)


# OpenAI's API reference, "The response object": what every completed one has.
_RESPONSE: Final[dict[str, Callable[[object], bool]]] = {
    "id": _is_text,
    "object": lambda value: value == "response",
    "created_at": _is_number,
    "status": lambda value: value == "completed",
    "model": _is_text,
    "output": _typed,
    "usage": lambda value: isinstance(value, Mapping),
}
# Of other APIs it is what this program makes of their answers.
_TRANSLATED: Final = {name: _RESPONSE[name] for name in ("status", "usage")}


async def schema(context: CheckContext) -> Found:
    """The response object has every field with its type."""
    answer = await context.preflight()
    rules = _RESPONSE if context.target.api == "responses" else _TRANSLATED
    wrong = [name for name, holds in rules.items() if not holds(answer.response.get(name))]
    facts = {"fields": sorted(answer.response), "wrong": wrong}
    if wrong:
        said = f"The response object lacks, or has otherwise than documented: {', '.join(wrong)}."
        raise CheckFailed(said, _NOT_IN_SHAPE, facts)
    model = answer.response.get("model")
    by = f"; answered by {visible_line(str(model))}" if model else ""
    return Found(f"{', '.join(rules)} are as documented{by}.", facts)


async def usage(context: CheckContext) -> Found:
    """The counts are there and add up."""
    answer = await context.preflight()
    counted = answer.usage
    facts: dict[str, object] = dict(counted.as_dict()) if counted is not None else {}
    needed = ("input_tokens", "output_tokens", "total_tokens")
    missing = [name for name in needed if facts.get(name) is None]
    step = "Costs and budgets cannot be reckoned without them: look at the answer in the inspector."
    if counted is None or missing:
        raise CheckFailed(f"The server did not count {', '.join(missing)}.", step, facts)
    inside, outside, total = (counted.input_tokens or 0, counted.output_tokens or 0, counted.total_tokens)
    if inside + outside != total:
        raise CheckFailed(f"{inside:,} in and {outside:,} out are not {total:,} in total.", step, facts)
    unsaid = [name for name, count in facts.items() if count is None]
    note = f" Not reported: {', '.join(unsaid)}." if unsaid else ""
    parts = {"cached in": counted.cached_tokens, "reasoning out": counted.reasoning_tokens}
    known = ", ".join(f"{count:,} {name}" for name, count in parts.items() if count is not None)
    detail = f" ({known})" if known else ""
    return Found(f"{inside:,} tokens in, {outside:,} out{detail}.{note}", facts)


async def error(context: CheckContext) -> Found:
    """A wrong model, on purpose: how the refusal reads here."""
    target = replace(context.target, model=NO_MODEL)
    try:
        await context.ask((user_message("Reply with exactly: ok"),), target=target)
    except HttpStatusError as refused:
        status = refused.status or 0
        denied = "not authorized to perform" in str(refused)
        if not 400 <= status < 500 or status in _PASSING or (isinstance(refused, TokenError) and not denied):
            raise
        facts: dict[str, object] = {**refused.as_dict(), "request_id": refused.request_id}
        code = visible_line(refused.code)[:40]
        said = visible_line(str(refused)).rpartition("It said: ")[2][:160]
        return Found(f"A wrong model is refused with {status} {code}: {said}", facts)
    raise CheckFailed(
        f"The model {NO_MODEL}, which there is not, was answered.",
        "What is at this base URL does not look at the model: be sure which one answers there.",
    )


async def stream(context: CheckContext) -> Found:
    """Text comes in pieces, and how soon."""
    answer = await context.ask((user_message(_LINES),))
    events = len(answer.exchange.events)
    first = answer.exchange.timings.first_text
    if not answer.deltas or first is None:
        raise CheckFailed(
            "The answer came whole: no piece of text came before the end.",
            "A proxy on the way, or the server, gathers the stream: try without HTTPS_PROXY.",
            {"events": events},
        )
    facts = {"first_text_seconds": round(first, 4), "seconds": answer.seconds, "events": events}
    pieces = "1 piece" if answer.deltas == 1 else f"{answer.deltas:,} pieces"
    said = f"First text after {seconds(first)}, {pieces} in {seconds(answer.seconds)}."
    return Found(said, {**facts, "pieces": answer.deltas})


async def responsiveness(context: CheckContext) -> Found:
    """Several short answers: the middle time to the first text."""
    answers = [await context.ask((user_message("Reply with exactly: ok"),)) for _ in range(_TIMES)]
    firsts = [_first_text(answer) for answer in answers]
    middle = median(firsts)
    facts = {"first_text_seconds": [round(first, 4) for first in firsts], "median_seconds": round(middle, 4)}
    said = f"First text after {seconds(middle)} in the middle of {_TIMES} answers"
    if middle > _SLOW:
        raise CheckFailed(
            f"{said}, later than {_SLOW:g} s.",
            "Choose a lower effort, a smaller model or a nearer region; BEDROCK_RESPONSIVENESS_CHECK=0 "
            "leaves this check out.",
            facts,
        )
    return Found(f"{said}, from {seconds(min(firsts))} to {seconds(max(firsts))}.", facts)


def _first_text(answer: Answer) -> float:
    first = answer.exchange.timings.first_text
    if first is None:
        raise CheckSkipped("The answers do not stream here, so there is no first piece to wait for.")
    return first
