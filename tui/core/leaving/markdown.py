r"""A conversation's path as Markdown that people read, and back.

Before each part stands a comment that no Markdown reader shows and that tells where the part begins:

    <!-- outcrop: user -->

    ## You

    What is the basalt for?

    <!-- outcrop: assistant -->

    ## openai.gpt-5.4

    For the terrace.

A line of a message that looks like such a comment gets a backslash before it, which Markdown does not show
either. The messages come back as they were; tool calls, reasoning, settings, usage and other branches do not:
JSON has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.export.request import Export, Packed, SideFile, unpacked
from tui.core.items import Item, Outcome, Turn, assistant_message, user_message
from tui.core.leaving.parting import branches_note
from tui.core.text import storable, visible_line
from tui.core.tool_calls import CallRecord
from tui.core.tools import calls_of, carries_prompt, told

__all__ = ["FileReader", "Message", "as_markdown", "messages_of", "read_markdown"]

_MARK: Final = re.compile(r"^<!-- outcrop: ([a-z]+) -->$", re.MULTILINE | re.ASCII)
_LOOKS_LIKE: Final = re.compile(r"^(\\*<!-- outcrop:)", re.MULTILINE | re.ASCII)
_ESCAPED: Final = re.compile(r"^\\(\\*<!-- outcrop:)", re.MULTILINE | re.ASCII)
_FILE: Final = re.compile(r"^- \[[^\]\n]*\]\(([\w.-]+)\)$", re.MULTILINE)
_UNNAMED: Final = "attachment"
_UNANSWERED: Final = "In the file that this was imported from there is no answer here."
_NO_FENCE: Final = re.compile(r"^(`{3,})", re.MULTILINE)

FileReader = Callable[[str], "dict[str, Any] | None"]
"""Gives the content part of a file that lies beside the Markdown, by its name; `None` where there is none."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said.

    Attributes:
        role: `user` or `assistant`.
        text: All of it.
        files: How many files go with it.
    """

    role: str
    text: str
    files: int = 0


def messages_of(turns: Iterable[Turn]) -> tuple[Message, ...]:
    """What was said on a path; tools' outputs are not, and neither is an answer of nothing."""
    messages: list[Message] = []
    for turn in turns:
        files = sum(len(_file_parts(item)) for item in turn.input)
        if carries_prompt(turn.input) and (turn.prompt or files):
            messages.append(Message("user", turn.prompt, files))
        messages += [Message("assistant", text) for text in _answers(turn)]
    return tuple(messages)


def _answers(turn: Turn) -> list[str]:
    """The texts of a turn's finished messages, then of one that never finished."""
    texts = [replace(turn, output=(item,), partial_text="").text for item in turn.output]
    return [text for text in (*texts, turn.partial_text) if text]


def _file_parts(item: Item) -> list[dict[str, Any]]:
    if '"input_file"' not in item.text and '"input_image"' not in item.text:
        return []
    content: object = item.payload.get("content")
    parts = cast("list[object]", content) if isinstance(content, list) else []
    objects = [cast("dict[str, Any]", part) for part in parts if isinstance(part, dict)]
    return [part for part in objects if part.get("type") in ("input_file", "input_image")]


# -- writing ---------------------------------------------------------------------------------------------


def as_markdown(conversation: Conversation, beginning: str = "") -> Export:
    """The current path as Markdown, its attachments as files beside it.

    Args:
        conversation: What to write.
        beginning: Of the names of the files beside it.
    """
    files: dict[str, SideFile] = {}
    parts = [_part("conversation", f"# {_heading(conversation.title) or 'A conversation'}", "")]
    if conversation.instructions:
        parts.append(_part("instructions", "## Instructions", conversation.instructions))
    path = conversation.path()
    for turn in path:
        parts += _turn_parts(turn, files, beginning)
    notes = list(branches_note(conversation))
    if any(turn.calls or calls_of(turn.output) for turn in path):
        notes.append("tool calls can be read in it, but are not imported again (JSON brings them back)")
    return Export(storable("".join(parts)).encode(), "md", tuple(files.values()), tuple(notes))


def _part(kind: str, heading: str, text: str) -> str:
    escaped = _LOOKS_LIKE.sub(r"\\\1", text)
    return f"<!-- outcrop: {kind} -->\n\n{heading}\n\n" + (f"{escaped}\n\n" if text else "")


def _heading(text: str) -> str:
    """A title as one line that is no mark and no markup of its own."""
    line = " ".join(visible_line(text).split())
    return re.sub(r"([\\`*_<>\[\]#])", r"\\\1", line)


def _turn_parts(turn: Turn, files: dict[str, SideFile], beginning: str) -> list[str]:
    parts: list[str] = []
    linked = [line for item in turn.input for line in _links(item, files, beginning)]
    if carries_prompt(turn.input) and (turn.prompt or linked):
        parts.append(_part("user", "## Summary so far" if turn.summary else "## You", turn.prompt))
    if linked:
        parts.append(_part("files", "### Files", "\n".join(linked)))
    if turn.reasoning:
        parts.append(_part("reasoning", "### Reasoning", turn.reasoning))
    name = turn.target.model if turn.target else ""
    heading = f"## {_heading(name) or 'Assistant'}"
    parts += [_part("assistant", heading, text) for text in _answers(turn)]
    parts += _call_parts(turn)
    if turn.error:
        parts.append(_part("note", "### Note", turn.error))
    return parts


def _links(item: Item, files: dict[str, SideFile], beginning: str) -> list[str]:
    lines: list[str] = []
    for part in _file_parts(item):
        value, _ = unpacked(part, _UNNAMED, beginning, files, 0)
        held = [inner for inner in cast("dict[str, object]", value).values() if isinstance(inner, Packed)]
        name = _heading(str(part.get("filename") or (held[0].file.name if held else "a file")))
        lines.append(f"- [{name.replace(']', '')}]({held[0].file.name})" if held else f"- {name}")
    return lines


def _call_parts(turn: Turn) -> list[str]:
    records: dict[str, CallRecord] = {record.call_id: record for record in turn.calls}
    parts: list[str] = []
    for call in calls_of(turn.output):
        record = records.get(call.call_id)
        arguments = (
            record.arguments if record is not None and record.arguments is not None else call.arguments
        )
        text = f"{_fenced(arguments)}\n\nOutput:\n\n{_fenced(told(record))}"
        parts.append(_part("call", f"### Tool call: {_heading(call.name)}", text))
    return parts


def _fenced(text: str) -> str:
    """A code block with a fence that is longer than any in it."""
    longest = max((len(run) for run in _NO_FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text}\n{fence}"


# -- reading ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Said:
    """A message of a file: who said it, what, and the content parts of its files."""

    role: str
    text: str
    parts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass(slots=True)
class _Read:
    """What has been read of a file.

    Attributes:
        title: Of the conversation.
        instructions: For the model.
        said: The messages.
        missing: Names of files that did not lie beside it.
    """

    title: str = ""
    instructions: str = ""
    said: list[_Said] = field(default_factory=list[_Said])
    missing: list[str] = field(default_factory=list[str])


def read_markdown(
    data: bytes, conversation_id: str, new_id: Callable[[], str], now: float, file: FileReader
) -> tuple[Conversation, tuple[str, ...]]:
    """The conversation of a file that `as_markdown` made, or that was written like it.

    Args:
        data: The file.
        conversation_id: Its id here.
        new_id: Gives the ids of its turns.
        now: Seconds since the epoch.
        file: Reads what lies beside it.

    Returns:
        The conversation, and the names of files that were not there.

    Raises:
        InputError: It is no such file; the sentence says why.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"It is no UTF-8: byte {error.start:,} is none.") from None
    read = _Read()
    for kind, heading, body in _sections(text):
        _take(read, kind, heading, body, file)
    # A part with nothing in it says nothing: no model takes an empty message.
    read.said = [said for said in read.said if said.text or said.parts]
    if not read.said:
        raise InputError("No message is in it: they begin with <!-- outcrop: user --> or assistant.")
    if read.said[0].role != "user":
        raise InputError("Its first message must be the user's.")
    conversation = Conversation(
        conversation_id, now, title=read.title, continuation="stateless", instructions=read.instructions
    )
    for turn in _turns(read.said, new_id, now):
        conversation = conversation.append(turn)
    return conversation, tuple(read.missing)


def _sections(text: str) -> Iterator[tuple[str, str, str]]:
    """Kind, heading and text of each part."""
    if re.search(r"^<!-- outcrop: [^\n]*-->\r$", text, re.MULTILINE):
        text = text.replace("\r\n", "\n")  # an editor's doing: nothing here writes it after a mark
    marks = list(_MARK.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):
        body = text[mark.end() : end].removeprefix("\n").removeprefix("\n")
        heading = ""
        if body.startswith("#"):
            heading, _, body = body.partition("\n")
            body = body.removeprefix("\n")
        body = body.removesuffix("\n").removesuffix("\n")
        yield mark[1], heading.lstrip("#").strip(), _ESCAPED.sub(r"\1", body)


def _take(read: _Read, kind: str, heading: str, body: str, file: FileReader) -> None:
    match kind:
        case "conversation":
            read.title = re.sub(r"\\(.)", r"\1", heading)
        case "instructions":
            read.instructions = body
        case "user" | "assistant":
            read.said.append(_Said(kind, body))
        case "files" if read.said and read.said[-1].role == "user":
            for name in _FILE.findall(body):
                part = file(name)
                if part is None:
                    read.missing.append(name)
                else:
                    read.said[-1].parts.append(part)
        case _:
            pass  # for readers only


def _turns(said: Sequence[_Said], new_id: Callable[[], str], now: float) -> Iterator[Turn]:
    parent: str | None = None
    at = 0
    while at < len(said):
        prompt = said[at]
        at += 1
        answers: list[Item] = []
        while at < len(said) and said[at].role == "assistant":
            answers.append(assistant_message(said[at].text))
            at += 1
        turn = Turn(
            new_id(),
            parent,
            (user_message(prompt.text, prompt.parts),),
            now,
            tuple(answers),
            outcome=Outcome.COMPLETED if answers else Outcome.FAILED,
            continuation="stateless",
            error=None if answers else _UNANSWERED,
            ended_at=now,
        )
        parent = turn.id
        yield turn
