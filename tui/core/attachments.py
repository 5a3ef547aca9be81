"""A file that goes with a prompt, read once: what was checked is what is sent."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tui.core.text import visible_line

if TYPE_CHECKING:
    from tui.core.catalogue import Model
    from tui.core.items import Item, Turn

__all__ = ["Attachment", "Later", "doubts", "file_kinds", "later_turns", "why_not_in_path", "why_not_taken"]

_MARKS: Final = (('"input_file"', "pdf"), ('"input_image"', "image"))
_WORDS: Final = {"pdf": "PDFs", "image": "images"}
_AN: Final = {"pdf": "a PDF", "image": "an image"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A PDF or a picture in memory.

    Attributes:
        name: File name without folders, safe to send; a PDF's is sent as `filename`.
        path: Where it was read, for the user's eyes; empty for what came from the clipboard or a turn.
        media_type: `application/pdf`, `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
        data: The file's bytes.
        sha256: Hex digest of `data`.
        pages: How many pages it has; `None` where that could not be told, and for a picture.
        estimated_tokens: What it is likely to add to the input, text and page images together; an estimate.
        width: Of a picture, in pixels; else 0.
        height: Of a picture, in pixels; else 0.
        doubt: What could not be told of it, in a sentence; empty when all is known.
    """

    name: str
    path: str
    media_type: str
    data: bytes = field(repr=False)
    sha256: str
    pages: int | None
    estimated_tokens: int
    width: int = 0
    height: int = 0
    doubt: str = ""

    @property
    def size(self) -> int:
        """Size in bytes, before base64 adds a third."""
        return len(self.data)

    @property
    def sent_size(self) -> int:
        """Bytes in a request: base64 makes four of three."""
        return (len(self.data) + 2) // 3 * 4

    @property
    def kind(self) -> str:
        """`image` or `pdf`, as the catalogue names what a model takes."""
        return "image" if self.media_type.startswith("image/") else "pdf"

    def content_part(self) -> dict[str, Any]:
        """The `input_file` or `input_image` part with a data URL, never `file_url` (bedrock-facts.md 2).

        Source of the picture's form: OpenAI's guide, "Images and vision".
        """
        url = f"data:{self.media_type};base64,{base64.b64encode(self.data).decode('ascii')}"
        if self.kind == "image":
            return {"type": "input_image", "image_url": url, "detail": "auto"}
        return {"type": "input_file", "filename": self.name, "file_data": url}


def file_kinds(item: Item) -> tuple[str, ...]:
    """Which kinds of files a message carries, without reading megabytes of JSON."""
    return tuple(kind for mark, kind in _MARKS if mark in item.text)


def why_not_taken(model: Model | None, attachments: Iterable[Attachment]) -> str:
    """Why a model cannot be sent these files; empty when it can, as far as the catalogue knows."""
    if model is None:
        return ""
    for attachment in attachments:
        if attachment.kind not in model.inputs:
            what, name = _WORDS[attachment.kind], visible_line(attachment.name)
            return f"{model.label} takes no {what}: remove {name}, or choose another model."
    return ""


def why_not_in_path(model: Model | None, path: Sequence[Turn], new: Iterable[Item]) -> str:
    """Why a model cannot answer here: files that it does not take, sent now or with an earlier turn.

    Earlier files count in both modes: the model reads the whole path, kept by the server or sent again.
    """
    if model is None or {"pdf", "image"} <= model.inputs:
        return ""
    for item in new:
        for kind in file_kinds(item):
            if kind not in model.inputs:
                return f"{model.label} takes no {_WORDS[kind]}: remove them, or choose another model."
    for number, turn in enumerate(path, 1):
        for kind in (kind for item in turn.input for kind in file_kinds(item)):
            if kind not in model.inputs:
                return (
                    f"{model.label} takes no {_WORDS[kind]}, and turn {number} of this conversation holds "
                    f"{_AN[kind]}: choose another model, fork before that turn, or go on from a summary."
                )
    return ""


def doubts(attachments: Iterable[Attachment]) -> list[str]:
    """A sentence for each file of which not all is known, to be said before it is sent."""
    return [f"{visible_line(file.name)} is attached. {file.doubt}" for file in attachments if file.doubt]


@dataclass(frozen=True, slots=True)
class Later:
    """What files add to each turn after the one they are sent with; estimates.

    Attributes:
        stateless_bytes: Sent again with each request, base64 included.
        stateful_bytes: 0: the server has them.
        tokens: Input tokens of each later turn in both modes: the model reads the whole path either way.
    """

    stateless_bytes: int
    stateful_bytes: int
    tokens: int


def later_turns(attachments: Iterable[Attachment]) -> Later:
    """What these files add to each later turn, in each continuation mode (bedrock-facts.md 2, "Stateful")."""
    files = tuple(attachments)
    return Later(sum(file.sent_size for file in files), 0, sum(file.estimated_tokens for file in files))
