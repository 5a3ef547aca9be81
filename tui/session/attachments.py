"""Reading a file that is to be sent: opened once, checked, and what was checked is what is sent.

What a PDF says of itself is read in a process of its own (`tui.pdf`); of a picture only the header is read,
here, and nothing is ever decoded.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from tui.core.attachments import Attachment, file_kinds
from tui.core.daemon import in_daemon
from tui.core.errors import AttachmentError
from tui.core.images import image_info, image_tokens
from tui.core.items import Item
from tui.core.text import storable, visible_line
from tui.pdf.reading import DEFAULT_LIMITS, Limits, PdfFacts, Stop, Trouble, read_pdf

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["attach", "attach_data", "attachment_of", "attachments_in", "read_attachment", "sent_before"]

_PDF_TYPE: Final = "application/pdf"
_SIGNATURE: Final = b"%PDF-"
_SIGNATURE_WITHIN: Final = 1024  # PDF readers accept some bytes before it (ISO 32000-1, annex H.3.4.1)
_OBJECT: Final = re.compile(rb"\d\s+\d+\s+obj\b")
_ENCRYPTED: Final = re.compile(rb"/Encrypt\s*(?:<<|\d+\s+\d+\s+R\b)")
_MEGABYTE: Final = 1_000_000
# The model gets a page's text and an image of it (bedrock-facts.md 4). The cookbook's one-page PDF of eight
# lines came to about 560 tokens over the 150 of any request; text adds a token for each four characters.
_TOKENS_PER_PAGE: Final = 500
_BYTES_PER_PAGE: Final = 50_000  # for an estimate where the pages are not known; a scan's page has more
# The largest sensors have 200 megapixels. A picture that says it is larger is made to break who decodes it.
_MOST_PIXELS: Final = 250_000_000
_PART: Final = 1 << 20
_SECONDS: Final = 60.0
"""Within which a file is to be read. A disk or network that hangs must not hang the program."""
_SECONDS_FOR_MANY: Final = 600.0
_T = TypeVar("_T")

_DOUBTS: Final[Mapping[Trouble, str]] = {
    "damaged": "the PDF is damaged or unusual, and the service may refuse it",
    "time": "counting them took too long, so that the service may refuse it",
    "memory": "counting them took too much memory, so that the service may refuse it",
    "crash": "the PDF broke the process that counts them, so that the service may refuse it",
    "unavailable": "no process could be started to count them",
}


async def attach(path: str, *, limit: int) -> Attachment:
    """Read a file off the event loop; who is cancelled ends the reading, and the process that takes part.

    Raises:
        AttachmentError: As `read_attachment`; also when the file is not there within a minute.
    """
    return await _beside_the_loop(
        lambda stop: read_attachment(path, limit=limit, stop=stop), visible_line(str(path)), _SECONDS
    )


async def attach_data(name: str, data: bytes, *, limit: int) -> Attachment:
    """Check a file that is in memory, off the event loop, as `attach`."""
    return await _beside_the_loop(
        lambda stop: attachment_of(name, data, limit=limit, stop=stop), visible_line(name), _SECONDS
    )


async def sent_before(items: Sequence[Item]) -> list[Attachment]:
    """The files that went with messages, as `attachments_in`, off the event loop; ends when cancelled."""

    def read(stop: Stop) -> list[Attachment]:
        return [attachment for item in items for attachment in attachments_in(item, stop=stop)]

    return await _beside_the_loop(read, "what was sent", _SECONDS_FOR_MANY)


async def _beside_the_loop(work: Callable[[Stop], _T], shown: str, seconds: float) -> _T:
    stop = Stop()
    try:
        # A daemon: a read that hangs in a dead network mount cannot be ended, and must not hold the exit.
        found = await in_daemon(lambda: work(stop), seconds, name="outcrop-attach")
    finally:
        stop.set()
    if found is None:
        raise AttachmentError(
            f"{shown} cannot be read: nothing came for {seconds:.0f} s. Is its disk or network there?"
        )
    return found[0]


def read_attachment(
    path: str | Path, *, limit: int, limits: Limits | None = None, stop: Stop | None = None
) -> Attachment:
    """Read a PDF or a picture, once, from one descriptor.

    Args:
        path: As typed, dropped or pasted: `~` and surrounding quotes are understood.
        limit: Largest size in bytes, before base64.
        limits: What counting a PDF's pages may take, if not the usual; past them it is attached, its pages
            unknown.
        stop: Ends it before its time.

    Raises:
        AttachmentError: There is no such file, it is no regular file, no PDF and no picture, it is empty, too
            large, encrypted, unreadable or changes meanwhile. The sentence names the file and what to do.
    """
    place = _place(path)
    name = _visible_name(place)
    stop = stop or Stop()
    data = _read(place, name, limit, stop)
    if stop.is_set:
        raise _stopped(name)
    return _checked(data, name, storable(place.name), storable(str(place)), limits, stop)


def attachment_of(
    name: str, data: bytes, *, limit: int, limits: Limits | None = None, stop: Stop | None = None
) -> Attachment:
    """Check a file that is in memory already, such as a picture from the clipboard.

    Raises:
        AttachmentError: As `read_attachment`.
    """
    shown = visible_line(name)
    _check_size(len(data), shown, limit)
    return _checked(data, shown, storable(name), "", limits, stop)


def _checked(
    data: bytes, shown: str, name: str, path: str, limits: Limits | None, stop: Stop | None
) -> Attachment:
    digest = hashlib.sha256(data).hexdigest()
    if found := image_info(data):
        if found.animated:
            raise AttachmentError(f"{shown} is animated, which models do not read; save one frame of it.")
        if found.width * found.height > _MOST_PIXELS:
            raise AttachmentError(
                f"{shown} says it has {found.width:,} × {found.height:,} pixels, which no service reads; "
                "make it smaller."
            )
        tokens = image_tokens(found.width, found.height)
        return Attachment(name, path, found.media_type, data, digest, None, tokens, found.width, found.height)
    begins = data.find(_SIGNATURE, 0, _SIGNATURE_WITHIN)
    if begins < 0:
        raise AttachmentError(
            f"{shown} is not a PDF, and no PNG, JPEG, WebP or GIF image; other files cannot be attached."
        )
    facts = read_pdf(data, limits=limits or DEFAULT_LIMITS, stop=stop)
    _check_pdf(facts, data, shown)
    doubt = ""
    if facts.pages is None:
        doubt = f"Its pages are unknown: {_DOUBTS[facts.trouble]}."
    elif begins:
        doubt = f"It begins with {begins} bytes that belong to no PDF; the service may refuse it."
    return Attachment(
        name, path, _PDF_TYPE, data, digest, facts.pages, _pdf_tokens(facts, len(data)), doubt=doubt
    )


def _stopped(shown: str) -> AttachmentError:
    return AttachmentError(f"{shown} is not attached: reading it was stopped.")


def _check_pdf(facts: PdfFacts, data: bytes, shown: str) -> None:
    """Refuse what is certain not to be read: what is encrypted, and what holds nothing."""
    if facts.trouble == "stopped":
        raise _stopped(shown)
    if facts.encrypted or (facts.pages is None and _ENCRYPTED.search(data)):
        raise AttachmentError(f"{shown} is encrypted; save a copy without a password and attach that.")
    if facts.pages == 0:
        raise AttachmentError(f"{shown} has no pages; there is nothing to send.")
    if facts.pages is None and not _OBJECT.search(data):
        raise AttachmentError(f"{shown} is a damaged PDF; open it and export it again.")


def _pdf_tokens(facts: PdfFacts, size: int) -> int:
    """The estimate, from the pages that were looked at; from the size where none could be."""
    if facts.pages is None:
        return max(1, size // _BYTES_PER_PAGE) * _TOKENS_PER_PAGE
    characters = facts.characters * facts.pages // max(1, facts.looked_at)
    return facts.pages * _TOKENS_PER_PAGE + characters // 4


def attachments_in(item: Item, *, stop: Stop | None = None) -> list[Attachment]:
    """The files that went with a message that was sent, for sending them again; off the event loop.

    A file that cannot be read any longer is no error: its pages are unknown, and it is sent as it is.
    """
    if not file_kinds(item):
        return []
    content: object = item.payload.get("content")
    parts = cast("list[object]", content) if isinstance(content, list) else []
    found: list[Attachment] = []
    for part in parts:
        entry = cast("dict[str, object]", part) if isinstance(part, dict) else {}
        field = {"input_file": "file_data", "input_image": "image_url"}.get(str(entry.get("type")), "")
        head, comma, encoded = str(entry.get(field) or "").partition(";base64,")
        if not field or not comma:
            continue
        try:
            data = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        found.append(_sent_before(entry, head.removeprefix("data:"), data, len(found) + 1, stop))
    return found


def _sent_before(
    entry: Mapping[str, object], media_type: str, data: bytes, number: int, stop: Stop | None
) -> Attachment:
    digest = hashlib.sha256(data).hexdigest()
    if entry.get("type") == "input_image":
        # A picture is sent without a name.
        name = f"image {number}.{media_type.removeprefix('image/')}"
        info = image_info(data)
        width, height = (info.width, info.height) if info else (0, 0)
        tokens = image_tokens(width, height) if info else 0
        return Attachment(name, "", media_type, data, digest, None, tokens, width, height)
    name = str(entry.get("filename") or "file.pdf")
    facts = read_pdf(data, stop=stop)
    return Attachment(name, "", media_type, data, digest, facts.pages, _pdf_tokens(facts, len(data)))


def _place(path: str | Path) -> Path:
    text = str(path).strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    if not text or "\0" in text:
        raise AttachmentError("There is no file name; give the path of a PDF or an image.")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~someone who does not exist
        return Path(text)


def _visible_name(place: Path) -> str:
    # A file name may hold anything but "/" and NUL, control characters and broken UTF-8 included.
    return visible_line(str(place))


def _read(place: Path, name: str, limit: int, stop: Stop) -> bytes:
    """The bytes of a regular file. Opening does not wait for a pipe's writer, nor is a device read."""
    flags = os.O_RDONLY
    for flag in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
        flags |= getattr(os, flag, 0)
    try:
        # Told from outside where that is enough: to open a device or a pipe is to do something with it, a
        # tape is wound and a writer is woken. What counts is what is open.
        _check_kind(os.stat(place), name)
        descriptor = os.open(place, flags)
        try:
            before = os.fstat(descriptor)
            _check_kind(before, name)
            _check_size(before.st_size, name, limit)
            data = _all_of(descriptor, limit, stop)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise AttachmentError(_cannot_open(name, error)) from None
    _check_size(len(data), name, limit)
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise AttachmentError(f"{name} changed while it was read; attach it again when it is complete.")
    return data


def _all_of(descriptor: int, limit: int, stop: Stop) -> bytes:
    """What the file holds, up to one byte more than the limit: it may grow meanwhile."""
    parts: list[bytes] = []
    size = 0
    while size <= limit and not stop.is_set:
        part = os.read(descriptor, min(_PART, limit + 1 - size))
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _check_kind(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise AttachmentError(f"{name} is a folder; give the path of a file in it.")
    if not stat.S_ISREG(status.st_mode):
        raise AttachmentError(f"{name} is no regular file (a pipe, socket or device); copy it to a file.")


def _check_size(size: int, name: str, limit: int) -> None:
    if size == 0:
        raise AttachmentError(f"{name} is empty; there is nothing to send.")
    if size > limit:
        # Rounded up, so that a file one byte too large does not read "20.0 MB; at most 20 MB".
        shown = -(-size * 10 // _MEGABYTE) / 10
        raise AttachmentError(
            f"{name} has {shown:,} MB; at most {limit / _MEGABYTE:g} MB are sent. "
            "Split it, or raise attachment_limit_mb in the config file."
        )


def _cannot_open(name: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"There is no file {name}."
    if isinstance(error, PermissionError):
        return f"{name} cannot be read: you have no permission."
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder; give the path of a file in it."
    reason = os.strerror(error.errno).lower() if error.errno else "the system gives no reason"
    return f"{name} cannot be read: {reason}."
