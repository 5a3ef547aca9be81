"""Real PDFs for tests, made by reportlab; the same bytes each time."""

from __future__ import annotations

import io

from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

__all__ = ["make_pdf"]


def make_pdf(*pages: str) -> bytes:
    """A PDF with one page per text; a text's lines are lines of the page."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A5, invariant=1)
    for text in pages:
        for number, line in enumerate(text.splitlines()):
            canvas.drawString(40, 540 - 16 * number, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()
