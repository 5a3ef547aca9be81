"""Inline markdown (emphasis, code, links …) to styled text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.style import Style

from tui.core.text import visible_line
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import Span
from tui.widgets.transcript.wrap import settled

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["inline_spans", "link_style", "math_style"]

_BOLD: Final = Style(bold=True)
_ITALIC: Final = Style(italic=True)
_STRIKE: Final = Style(strike=True)
_MODIFIERS: Final = {"strong": _BOLD, "em": _ITALIC, "s": _STRIKE}
_LONGEST: Final = 60
"""Targets of links are written out up to this many characters; what is clicked is the whole."""
_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_URL: Final = re.compile(r"https?://[^\s<>\"'`|]*[^\s<>\"'`|.,:;!?]")


def link_style(palette: Palette, base: Style, href: str) -> Style:
    """The style of a link: its target travels in the style's meta, so that a click finds it."""
    return base + palette.link + Style.from_meta({"href": href})


def math_style(palette: Palette, base: Style) -> Style:
    """The style of a formula, which is shown as it was written."""
    return base + Style(color=palette.code_inline.color)


def _clean(text: str) -> str:
    """Text for one line; entities in it may have stood for controls, which `visible` never saw."""
    return visible_line(settled(text.replace("\t", " ").replace("\n", " ")))


def shown_target(href: str) -> str:
    """Where a link leads, as it is written after its text; long ones end in "…"."""
    target = _clean(href).removeprefix("https://").removeprefix("mailto:")
    return target if len(target) <= _LONGEST else target[: _LONGEST - 1] + "…"


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
    links: list[tuple[str, int]] = []  # target, and where in `spans` the link's text begins
    for token in tokens:
        kind = token.type
        style = styles[-1]
        if kind == "text":
            text = visible_line(settled(token.content).replace("\t", " "))
            if links:
                spans.append((text, style))
            elif text:
                spans.extend(_text(text, style, palette))
        elif kind == "softbreak":
            spans.append((" ", style))
        elif kind == "hardbreak":
            spans.append(("\n", style))
        elif kind == "code_inline":
            code = f"`{token.content}`" if palette.plain else token.content
            spans.append((_clean(code), style + palette.code_inline))
        elif kind == "math_inline":
            spans.append((_clean(token.content), math_style(palette, style)))
        elif kind == "footnote_reference":
            spans.append((f"[{_clean(token.content)}]", style + palette.marker))
        elif kind == "link_open":
            href = str(token.attrGet("href") or "")
            links.append((href, len(spans)))
            styles.append(link_style(palette, style, href))
        elif kind == "link_close":
            href, start = links.pop()
            spans.extend(_target(href, spans[start:], styles.pop(), palette))
        elif kind == "image":
            href = str(token.attrGet("src") or "")
            linked = link_style(palette, style, href)
            text = (f"[image: {_clean(token.content)}]" if token.content else "[image]", linked)
            spans += [text, *_target(href, [text], linked, palette)]
        elif kind == "html_inline":
            literal = "\n" if _BREAK.fullmatch(token.content) else _clean(token.content)
            spans.append((literal, style))
        elif token.nesting == 1:
            styles.append(style + _MODIFIERS.get(token.tag if token.tag != "del" else "s", Style()))
        elif token.nesting == -1 and len(styles) > 1:
            styles.pop()
    return spans


def _target(href: str, spans: Sequence[Span], style: Style, palette: Palette) -> list[Span]:
    """What follows a link's text: where it leads, unless the text says just that."""
    text = "".join(part for part, _ in spans)
    target = shown_target(href)
    if not target or shown_target(text) == target or shown_target(text) == shown_target(_decoded(href)):
        return []
    if not text.strip():
        return [(target, style)]
    return [(f" ({target})", palette.muted + Style.from_meta({"href": href}))]


def _decoded(href: str) -> str:
    from markdown_it.common.normalize_url import normalizeLinkText

    return normalizeLinkText(href)
