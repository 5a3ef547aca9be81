"""How linear mode says things: sentences made of turns, conversations, requests."""

from __future__ import annotations

import time
from typing import Final

from tui.core.api_rules import API_NAMES
from tui.core.apis import RESPONSES, mode_in_force
from tui.core.attachments import Attachment
from tui.core.conversation import Conversation, ConversationSummary
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Target, Turn
from tui.core.text import visible_line
from tui.core.way_on import WayOn

__all__ = [
    "counted",
    "ending",
    "listed",
    "request_lines",
    "summary_line",
    "target_words",
    "turn_line",
    "way_words",
]

_COMMANDS: Final = {
    "turn.regenerate": "/regenerate",
    "turn.edit": "/edit",
    "attachments.open": "/edit, then /detach,",
    "target.pick": "/model",
    "conversation.compact": "/compact",
    "conversation.maxtokens": "/maxtokens NUMBER",
    "token.enter": "`outcrop token set`",
    "checks.open": "`outcrop check`",
}
"""What linear mode has for the commands of the full screen that lead on."""


def counted(number: int, word: str) -> str:
    """A number and its noun: `1 token`, `1,200 tokens`."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def target_words(target: Target, conversation: Conversation) -> str:
    """Where the next turn goes, and how."""
    mode = mode_in_force(conversation.continuation, target.api)
    over = "" if target.api == RESPONSES else f"{API_NAMES.get(target.api, target.api)}, "
    where = f"model {target.model}, region {target.region}, {over}{mode}"
    return visible_line(where + (", sandbox: offline" if target.sandbox else ""))


def ending(turn: Turn, seconds: float) -> str:
    """How an answer ended, with its figures: "End of answer: 120 tokens, 2.1 s."."""
    tokens = turn.usage.output_tokens if turn.usage else None
    figures = f"{'' if tokens is None else counted(tokens, 'token') + ', '}{seconds:.1f} s"
    match turn.outcome:
        case Outcome.COMPLETED:
            return f"End of answer: {figures}."
        case Outcome.CANCELLED:
            kept = "what came is kept" if turn.text else "nothing had come"
            return f"Answer stopped, {kept}: {figures}."
        case Outcome.INCOMPLETE:
            return f"Answer incomplete, what came is kept: {figures}. {turn.error or ''}".rstrip()
        case _:
            return f"Answer failed: {turn.error or 'no reason was given.'}"


def way_words(way: WayOn | None) -> str:
    """How to go on: "/regenerate answers once more; …."; empty where nothing needs to be done."""
    return f"{_COMMANDS[way.command]} {way.words}." if way is not None else ""


def _first_words(text: str, count: int = 60) -> str:
    line = visible_line(" ".join(text.split()))
    return line if len(line) <= count else line[: count - 1].rstrip() + "…"


def turn_line(number: int, turn: Turn, branch: str = "") -> str:
    """One turn in a list: its number, the prompt, how it ended, which branch of how many it is."""
    prompt = _first_words(turn.prompt) or ("a summary" if turn.summary else "files only")
    outcome = "running" if turn.outcome is None else str(turn.outcome)
    words = counted(len(turn.text.split()), "word")
    return f"{number}. {prompt}: {outcome}, {words}{f', branch {branch}' if branch else ''}."


def summary_line(number: int, summary: ConversationSummary) -> str:
    """One conversation in a list."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(summary.updated_at))
    title = _first_words(summary.title) or "Untitled"
    return f"{number}. {title}, {counted(summary.turns, 'turn')}, {when}."


def listed(files: list[Attachment]) -> list[str]:
    """The files that go with the next prompt, numbered."""
    return [
        f"{number}. {visible_line(file.name)}: "
        f"{_extent(file)}, {file.size / 1000:,.1f} kB, about {counted(file.estimated_tokens, 'token')}."
        for number, file in enumerate(files, 1)
    ]


def _extent(file: Attachment) -> str:
    if file.kind == "image":
        return f"{file.width} by {file.height} pixels"
    return "pages unknown" if file.pages is None else counted(file.pages, "page")


def request_lines(exchange: Exchange) -> list[str]:
    """A request and its response, as a few sentences."""
    timings = exchange.timings
    lines = [
        f"Request {exchange.number}, attempt {exchange.attempt}: {exchange.method} {exchange.url}",
        f"Body: {len(exchange.sent):,} bytes.",
        f"Status: {exchange.status or 'no response'}. Outcome: {exchange.outcome or 'running'}."
        f" Events: {len(exchange.events)}.",
    ]
    spans = [
        f"{name} after {value:.2f} s"
        for name, value in (
            ("headers", timings.headers),
            ("first text", timings.first_text),
            ("end", timings.ended),
        )
        if value is not None
    ]
    if spans:
        lines.append(f"Time: {', '.join(spans)}.")
    if exchange.usage_line:
        lines.append(f"Tokens: {visible_line(exchange.usage_line)}.")
    if exchange.error:
        lines.append(f"Error: {exchange.error}")
    return lines
