"""A file that goes with a prompt, read once: what was checked is what is sent."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Attachment"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A PDF in memory.

    Attributes:
        name: File name without folders, safe to send; sent as `filename`.
        path: Where it was read, for the user's eyes.
        media_type: `application/pdf`.
        data: The file's bytes.
        sha256: Hex digest of `data`.
        pages: How many pages it has; `None` where that could not be told.
        estimated_tokens: What it is likely to add to the input, text and page images together; an estimate.
    """

    name: str
    path: str
    media_type: str
    data: bytes = field(repr=False)
    sha256: str
    pages: int | None
    estimated_tokens: int

    @property
    def size(self) -> int:
        """Size in bytes, before base64 adds a third."""
        return len(self.data)

    def content_part(self) -> dict[str, Any]:
        """The `input_file` part with `file_data` as a data URL, never `file_url` (bedrock-facts.md 2)."""
        encoded = base64.b64encode(self.data).decode("ascii")
        return {
            "type": "input_file",
            "filename": self.name,
            "file_data": f"data:{self.media_type};base64,{encoded}",
        }
