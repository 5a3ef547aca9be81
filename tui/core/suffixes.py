"""By which names files that can be attached are known, before anyone opens them."""

from __future__ import annotations

from typing import Final

__all__ = ["IMAGE_SUFFIXES", "PDF_SUFFIX"]

PDF_SUFFIX: Final = ".pdf"
IMAGE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp")
