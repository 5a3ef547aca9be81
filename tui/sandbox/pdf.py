"""The text of an attached PDF (bedrock-facts.md section 2 "PDF" and section 4 "PDF")."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from .errors import ApiError

LARGEST = 50 * 1024 * 1024  # section 4, VERIFIED for OpenAI (oai-pdf copies), ASSUMED for Bedrock
_DATA_URL = "data:application/pdf;base64,"
_MOST_KNOWN = 32
_SECONDS = 20.0
_known: dict[bytes, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Pdf:
    """A document as read: its name and the text of each page."""

    filename: str
    pages: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """All lines with text, stripped, in order."""
        return [line.strip() for page in self.pages for line in page.splitlines() if line.strip()]


def _refused(message: str, status: int = 400) -> ApiError:
    # Section 4 "Oversized PDF/body": ASSUMED 400 or 413.
    return ApiError(status, "invalid_file", message, param="input")


def read(filename: str, file_data: str) -> Pdf:
    """Decode a data URL and read the PDF in it.

    Args:
        filename: as the request names it.
        file_data: `data:application/pdf;base64,…` (section 2, VERIFIED, cb).

    Raises:
        ApiError: 400 for another media type, broken base64, no PDF, an encrypted or an empty one;
            413 above 50 MB.
    """
    if not file_data.startswith(_DATA_URL):
        raise _refused("Invalid file data: 'file_data' must be a data URL 'data:application/pdf;base64,…'.")
    # A document comes again with every replay and every turn of its chain; it is read once.
    digest = hashlib.sha256(file_data.encode("utf-8", "replace")).digest()
    pages = _known.get(digest)
    if pages is None:
        pages = _pages(file_data[len(_DATA_URL) :])
        if len(_known) >= _MOST_KNOWN:
            _known.pop(next(iter(_known)))
        _known[digest] = pages
    return Pdf(filename, pages)


def _pages(encoded: str) -> tuple[str, ...]:
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise _refused("Invalid file data: the base64 of 'file_data' cannot be decoded.") from None
    if len(data) > LARGEST:
        raise _refused("The file is larger than 50 MB.", 413)
    if not data.startswith(b"%PDF-"):
        raise _refused("Invalid file data: the file is not a PDF.")
    # In a process of its own: what is sent here may have been made to break who reads it.
    from tui.pdf.reading import Limits, read_pdf

    facts = read_pdf(data, text_pages=-1, texts=True, limits=Limits(_SECONDS))
    if facts.encrypted:
        raise _refused("The PDF is encrypted and cannot be read.")
    if facts.trouble in ("time", "memory"):
        raise _refused("The PDF takes too much time or memory to read.")
    if facts.trouble:
        raise _refused("The PDF is damaged and cannot be read.")
    if not facts.pages:
        raise _refused("The PDF has no pages.")
    return facts.texts
