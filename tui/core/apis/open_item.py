"""An output item that is being written, whichever API its pieces come over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["OpenItem"]


@dataclass(slots=True)
class OpenItem:
    """An output item that is being written.

    Attributes:
        index: Its place in the output.
        kind: `message`, `reasoning` or `function_call`.
        call_id: Of a call.
        name: Of a call's tool.
        pieces: Of its text, or of a call's arguments.
        refusal: Pieces of what a message refuses with.
    """

    index: int
    kind: str
    call_id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list[str])
    refusal: list[str] = field(default_factory=list[str])

    def payload(self, mask: Callable[[str], str]) -> dict[str, Any]:
        """The finished item in the form in which it may go back to any of the APIs.

        Args:
            mask: Masks the token, which pieces put together may hold.
        """
        text, refusal = (mask("".join(pieces)) for pieces in (self.pieces, self.refusal))
        if self.kind == "reasoning":
            return {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": text}]}
        if self.kind == "message":
            parts: list[dict[str, Any]] = []
            if text or not refusal:
                parts.append({"type": "output_text", "text": text, "annotations": []})
            if refusal:
                parts.append({"type": "refusal", "refusal": refusal})
            return {"type": "message", "role": "assistant", "status": "completed", "content": parts}
        return {
            "type": "function_call",
            "call_id": self.call_id,
            "name": self.name,
            "arguments": text or "{}",
            "status": "completed",
        }
