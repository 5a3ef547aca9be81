"""What checks send: a one-page PDF, a long prefix, a schema, a tool."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["CODE_WORD", "NO_MODEL", "ORDER_TOOL", "TICKET_SCHEMA", "long_prefix", "sample_pdf"]

CODE_WORD: Final = "granite"
"""The word in the PDF."""

NO_MODEL: Final = "openai.outcrop-checks-no-such-model"
"""A model that nobody serves, to see how that is refused."""

TICKET_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "urgency": {"type": "string", "enum": ["low", "medium", "high"]},
    },
    "required": ["subject", "urgency"],
    "additionalProperties": False,
}

ORDER_TOOL: Final[dict[str, Any]] = {
    "type": "function",
    "name": "get_order_status",
    "description": "Looks up where an order is.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"order_id": {"type": "string"}},
        "required": ["order_id"],
        "additionalProperties": False,
    },
}


def long_prefix(sentences: int = 140) -> str:
    """A text of about twelve tokens a sentence, the same each time: the cache works on exact prefixes."""
    lines = (
        f"Rule {number}: an order above {number * 7} crowns is packed twice." for number in range(sentences)
    )
    return "These are the rules of a shop.\n" + "\n".join(lines)


def sample_pdf(line: str) -> bytes:
    """A PDF with one page and one line of ASCII text on it (ISO 32000-1, 7.5)."""
    text = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    drawn = f"BT /F1 18 Tf 40 540 Td ({text}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    body = b"%PDF-1.4\n"
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, rows)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + table + trailer
