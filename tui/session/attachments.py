"""Reading a file that is to be sent: opened once, checked, and what was checked is what is sent."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tui.core.attachments import Attachment, file_kinds
from tui.core.errors import AttachmentError
from tui.core.images import image_info, image_tokens
from tui.core.items import Item
from tui.core.text import storable, visible_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pypdf import PdfReader

__all__ = ["attachment_of", "attachments_in", "read_attachment"]

_PDF_TYPE: Final = "application/pdf"
_SIGNATURE: Final = b"%PDF-"
_SIGNATURE_WITHIN: Final = 1024  # PDF readers accept some bytes before it (ISO 32000-1, annex H.3.4.1)
_MEGABYTE: Final = 1_000_000
# The model gets a page's text and an image of it (bedrock-facts.md 4). The cookbook's one-page PDF of eight
# lines came to about 560 tokens over the 150 of any request; text adds a token for each four characters.
_TOKENS_PER_PAGE: Final = 500
_TEXT_PAGES: Final = 5  # pages whose text is looked at for the estimate; the rest is extrapolated


def read_attachment(path: str | Path, *, limit: int) -> Attachment:
    """Read a PDF or a picture, once, from one descriptor.

    Args:
        path: As typed, dropped or pasted: `~` and surrounding quotes are understood.
        limit: Largest size in bytes, before base64.

    Raises:
        AttachmentError: There is no such file, it is no regular file, no PDF and no picture, it is empty, too
            large, encrypted, damaged or unreadable. The sentence names the file and what to do.
    """
    place = _place(path)
    name = _visible_name(place)
    data = _read(place, name, limit)
    return _checked(data, name, storable(place.name), storable(str(place)))


def attachment_of(name: str, data: bytes, *, limit: int) -> Attachment:
    """Check a file that is in memory already, such as a picture from the clipboard.

    Raises:
        AttachmentError: As `read_attachment`.
    """
    shown = visible_line(name)
    _check_size(len(data), shown, limit)
    return _checked(data, shown, storable(name), "")


def _checked(data: bytes, shown: str, name: str, path: str) -> Attachment:
    digest = hashlib.sha256(data).hexdigest()
    if found := image_info(data):
        if found.animated:
            raise AttachmentError(f"{shown} is animated, which models do not read; save one frame of it.")
        tokens = image_tokens(found.width, found.height)
        return Attachment(name, path, found.media_type, data, digest, None, tokens, found.width, found.height)
    if _SIGNATURE not in data[:_SIGNATURE_WITHIN]:
        raise AttachmentError(
            f"{shown} is not a PDF, and no PNG, JPEG, WebP or GIF image; other files cannot be attached."
        )
    pages, characters = _look_inside(data, shown)
    tokens = pages * _TOKENS_PER_PAGE + characters // 4
    return Attachment(name, path, _PDF_TYPE, data, digest, pages, tokens)


def attachments_in(item: Item) -> list[Attachment]:
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
        found.append(_sent_before(entry, head.removeprefix("data:"), data, len(found) + 1))
    return found


def _sent_before(entry: Mapping[str, object], media_type: str, data: bytes, number: int) -> Attachment:
    digest = hashlib.sha256(data).hexdigest()
    if entry.get("type") == "input_image":
        # A picture is sent without a name.
        name = f"image {number}.{media_type.removeprefix('image/')}"
        info = image_info(data)
        width, height = (info.width, info.height) if info else (0, 0)
        tokens = image_tokens(width, height) if info else 0
        return Attachment(name, "", media_type, data, digest, None, tokens, width, height)
    name = str(entry.get("filename") or "file.pdf")
    try:
        pages, characters = _look_inside(data, name)
    except AttachmentError:
        pages, characters = None, 0
    estimate = (pages or 1) * _TOKENS_PER_PAGE + characters // 4
    return Attachment(name, "", media_type, data, digest, pages, estimate)


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


def _read(place: Path, name: str, limit: int) -> bytes:
    """The bytes of a regular file. Opening does not wait for a pipe's writer, nor is a device read."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        descriptor = os.open(place, flags)
    except OSError as error:
        raise AttachmentError(_cannot_open(name, error)) from None
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise AttachmentError(f"{name} is a folder; give the path of a file in it.")
        if not stat.S_ISREG(status.st_mode):
            raise AttachmentError(f"{name} is no regular file (a pipe, socket or device); copy it to a file.")
        _check_size(status.st_size, name, limit)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)  # it may have grown since
    except OSError as error:
        raise AttachmentError(_cannot_open(name, error)) from None
    finally:
        os.close(descriptor)
    _check_size(len(data), name, limit)
    return data


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


def _look_inside(data: bytes, name: str) -> tuple[int, int]:
    """How many pages it has and about how many characters of text.

    pypdf raises errors of its own and, for hostile files, nearly every other kind (RecursionError,
    KeyError, AssertionError, ...): this is an edge, hence the broad except.
    """
    import logging

    import pypdf

    # pypdf logs what it mends; a file is no reason to write to the terminal under the TUI.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        encrypted = bool(reader.is_encrypted)
        pages = 0 if encrypted else len(reader.pages)
    except Exception:
        raise AttachmentError(f"{name} is a damaged PDF; open it and export it again.") from None
    if encrypted:
        raise AttachmentError(f"{name} is encrypted; save a copy without a password and attach that.")
    if pages == 0:
        raise AttachmentError(f"{name} has no pages; there is nothing to send.")
    return pages, _characters(reader, pages)


def _characters(reader: PdfReader, pages: int) -> int:
    """About how many characters of text there are; 0 for scans, and where the text cannot be read."""
    looked_at = min(pages, _TEXT_PAGES)
    try:
        found = sum(len(reader.pages[index].extract_text()) for index in range(looked_at))
    except Exception:  # the estimate is a courtesy; the pages are counted, so the file can be sent
        return 0
    return found * pages // looked_at
