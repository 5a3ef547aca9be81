"""Inline markdown (emphasis, code, links …) to styled text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.style import Style

from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import Span

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["inline_spans", "link_style"]

_BOLD: Final = Style(bold=True)
_ITALIC: Final = Style(italic=True)
_STRIKE: Final = Style(strike=True)
_MODIFIERS: Final = {"strong": _BOLD, "em": _ITALIC, "s": _STRIKE}
_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_URL: Final = re.compile(r"https?://[^\s<>\"'`|]*[^\s<>\"'`|.,:;!?]")


def link_style(palette: Palette, base: Style, href: str) -> Style:
    """The style of a link: its target travels in the style's meta, so that a click finds it."""
    return base + palette.link + Style.from_meta({"href": href})


def _text(text: str, style: Style, palette: Palette) -> list[Span]:
    """Plain text; bare URLs in it become links."""
    if "://" not in text:
        return [(text, style)]
    spans: list[Span] = []
    position = 0
    for match in _URL.finditer(text):
        url = match.group()
        while url.endswith(")") and url.count(")") > url.count("("):
            url = url[:-1]
        start, end = match.start(), match.start() + len(url)
        if start > position:
            spans.append((text[position:start], style))
        spans.append((url, link_style(palette, style, url)))
        position = end
    if position < len(text):
        spans.append((text[position:], style))
    return spans


def inline_spans(tokens: Sequence[Token], palette: Palette, base: Style) -> list[Span]:
    r"""Style the children of an `inline` token; hard breaks are `\n`, soft ones blanks.

    Args:
        tokens: The children, flat.
        palette: The styles.
        base: The style of unmarked text.
    """
    spans: list[Span] = []
    styles = [base]
    in_link = 0
    for token in tokens:
        kind = token.type
        style = styles[-1]
        if kind == "text":
            if token.content:
                if in_link:
                    spans.append((token.content, style))
                else:
                    spans.extend(_text(token.content.replace("\t", " "), style, palette))
        elif kind == "softbreak":
            spans.append((" ", style))
        elif kind == "hardbreak":
            spans.append(("\n", style))
        elif kind == "code_inline":
            code = f"`{token.content}`" if palette.plain else token.content
            inner = style + palette.code_inline
            spans.append((code.replace("\t", " "), inner))
        elif kind == "link_open":
            in_link += 1
            styles.append(link_style(palette, style, str(token.attrGet("href") or "")))
        elif kind == "link_close":
            in_link -= 1
            styles.pop()
        elif kind == "image":
            href = str(token.attrGet("src") or "")
            spans.append((f"[image: {token.content or href}]", link_style(palette, style, href)))
        elif kind == "html_inline":
            literal = "\n" if _BREAK.fullmatch(token.content) else token.content.replace("\n", " ")
            spans.append((literal, style))
        elif token.nesting == 1:
            styles.append(style + _MODIFIERS.get(token.tag if token.tag != "del" else "s", Style()))
        elif token.nesting == -1 and len(styles) > 1:
            styles.pop()
    return spans
