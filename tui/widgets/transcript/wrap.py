"""Wrapping of styled text to a width in cells.

ASCII text, nearly all of what is streamed, takes a path of `str.rfind`; the rest is measured by
grapheme, so that an emoji sequence or a base with its combining marks is never torn, and lines may
break between wide characters (CJK has no blanks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len, split_graphemes

from tui.widgets.transcript.rows import HARD, Row, Span

__all__ = ["breaks", "fold", "glue", "settled", "wrap", "wrap_but_last"]

# Not at the start of a line (closing punctuation, small kana) and not at its end (opening brackets).
_NOT_FIRST = frozenset(
    "、。，．！？：；）」』】〉》〕］｝ーぁぃぅぇぉっゃゅょァィゥェォッャュョ…‥・%,.!?:;)]}"
)
_NOT_LAST = frozenset("（「『【〈《〔［｛([{")


def breaks(text: str, width: int) -> list[tuple[int, int, str]]:
    """Cut one line of text so that each part is at most `width` cells wide.

    Args:
        text: Without newlines or tabs.
        width: In cells, at least 1.

    Returns:
        For each part its start and end index and what was dropped before it ("" or " ").
    """
    if text.isascii():
        return _ascii_breaks(text, width)
    if cell_len(text) <= width:
        return [(0, len(text.rstrip(" ")) if text.strip(" ") else len(text), "")]
    return _wide_breaks(text, width)


def _ascii_breaks(text: str, width: int) -> list[tuple[int, int, str]]:
    parts: list[tuple[int, int, str]] = []
    start, size, join = 0, len(text), ""
    while size - start > width:
        space = text.rfind(" ", start, start + width + 1)
        if space > start and text[start:space].strip(" "):
            parts.append((start, len(text[:space].rstrip(" ")), join))
            start = space + 1
            while start < size and text[start] == " ":
                start += 1
            join = " "
            if start >= size:
                return parts
        else:
            parts.append((start, start + width, join))
            start += width
            join = ""
    parts.append((start, max(start, len(text.rstrip(" "))), join))
    return parts


def _wide_breaks(text: str, width: int) -> list[tuple[int, int, str]]:
    parts: list[tuple[int, int, str]] = []
    start = cells = 0
    join = next_join = ""
    candidate: tuple[int, int, int, str] | None = None  # end of part, next start, cells up to it, join
    previous = ""
    previous_size = 0
    for begin, end, size in _graphemes(text):
        char = text[begin:end]
        if char == " ":
            if begin > start:
                candidate = (begin, end, cells + 1, " ")
            elif parts:
                # Blanks at the start of a continued row are dropped with the break.
                start = end
                previous, previous_size = char, 1
                continue
        elif (
            begin > start
            and previous != " "
            and (size == 2 or previous_size == 2)
            and char not in _NOT_FIRST
            and previous not in _NOT_LAST
        ):
            candidate = (begin, begin, cells, "")
        if cells + size > width and char != " " and begin > start:
            if candidate is None:
                candidate = (begin, begin, cells, "")
            stop, following, used, next_join = candidate
            parts.append((start, start + len(text[start:stop].rstrip(" ")), join))
            start, cells, join = following, cells - used, next_join
            candidate = None
        cells += size
        previous, previous_size = char, size
    parts.append((start, max(start, len(text.rstrip(" "))), join))
    return parts


def _slices(spans: Sequence[Span], cuts: Sequence[tuple[int, int, str]]) -> list[list[Span]]:
    """Take the parts named by `cuts` (ascending character ranges) out of `spans`."""
    result: list[list[Span]] = []
    index, offset = 0, 0  # spans[index] begins at character `offset`
    for start, end, _ in cuts:
        part: list[Span] = []
        while index < len(spans):
            text, style = spans[index]
            low, high = max(start, offset), min(end, offset + len(text))
            if low < high:
                part.append((text[low - offset : high - offset], style))
            if offset + len(text) > end:
                break
            offset += len(text)
            index += 1
        result.append(part)
    return result


# Joiners, selectors of a glyph, soft hyphens, the tags of sub-national flags.
_UNSETTLED: Final = re.compile("[\u00ad\u200d\ufe0e\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]+")
_TONES: Final = re.compile("(?<=[\u2600-\u27bf\U0001f300-\U0001faff])[\U0001f3fb-\U0001f3ff]+")
_LONE_TONE: Final = re.compile("[\U0001f3fb-\U0001f3ff]")


def settled(text: str) -> str:
    """Leave out what terminals do not agree on how wide it is, so that no row is ever torn.

    A heart with a selector is 1 cell wide in one half of the terminals and 2 in the other, a family of
    joined emoji 2 to 8, a thumb with a skin tone 2 or 4. Without joiner, selector and tone all of them
    agree, rich included: the heart has 1, the family is shown as its members, the thumb has 2. A skin
    tone that stands alone becomes U+FFFD. Only what is drawn is changed, never what is copied as source.
    """
    if text.isascii() or not (_UNSETTLED.search(text) or _LONE_TONE.search(text)):
        return text
    return _LONE_TONE.sub("\N{REPLACEMENT CHARACTER}", _TONES.sub("", _UNSETTLED.sub("", text)))


_JOINED: Final = re.compile("[\u0300-\u036f]+")


def glue(spans: Sequence[Span]) -> list[Span]:
    """Settle the text; combining marks go to the span of their base: apart, they would have none."""
    if all(text.isascii() for text, _ in spans):
        return list(spans)
    glued: list[Span] = []
    for raw, style in spans:
        text = settled(raw)
        if glued and (match := _JOINED.match(text)):
            before, before_style = glued[-1]
            glued[-1] = (before + match.group(), before_style)
            text = text[match.end() :]
        if text:
            glued.append((text, style))
    return glued


def _graphemes(text: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and cells of each grapheme; the two letters of a flag are one."""
    spans, _ = split_graphemes(text)
    index = 0
    while index < len(spans):
        start, end, size = spans[index]
        following = text[end : end + 1]
        if index + 1 < len(spans) and _is_flag_letter(text[start]) and _is_flag_letter(following):
            index += 1
            end, size = spans[index][1], size + spans[index][2]
        yield start, end, size
        index += 1


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def wrap(spans: Sequence[Span], width: int) -> list[Row]:
    r"""Wrap styled text; `\n` in it is a hard break.

    Args:
        spans: Text and styles.
        width: In cells; anything below 1 counts as 1.
    """
    width = max(1, width)
    rows: list[Row] = []
    for line in _lines(glue(spans)):
        text = "".join(part for part, _ in line)
        cuts = breaks(text, width)
        if len(cuts) == 1 and cuts[0][1] == len(text):
            rows.append(Row.of(line))
            continue
        for number, (cut, part) in enumerate(zip(cuts, _slices(line, cuts), strict=True)):
            rows.append(Row.of(part, join=cut[2] if number else HARD))
    return rows


def wrap_but_last(spans: Sequence[Span], width: int) -> tuple[list[Row], list[Span], str]:
    """Wrap text that will be gone on with.

    Returns:
        All rows but the last, the spans of that one (with any blanks at its end), and its `Row.join`.
    """
    rows = wrap(spans, width)
    line = _lines(glue(spans))[-1]
    text = "".join(part for part, _ in line)
    cuts = breaks(text, max(1, width))
    start, _, join = cuts[-1]
    return rows[:-1], _slices(line, [(start, len(text), "")])[0], join if len(cuts) > 1 else HARD


def fold(spans: Sequence[Span], width: int) -> list[list[Span]]:
    """Cut one line of code at `width` cells, wherever that falls: blanks matter in code."""
    width = max(1, width)
    text = "".join(part for part, _ in spans)
    if text.isascii():
        if len(text) <= width:
            return [list(spans)]
        starts = range(0, len(text), width)
        return _slices(spans, [(start, min(start + width, len(text)), "") for start in starts])
    cuts: list[tuple[int, int, str]] = []
    start = cells = 0
    for begin, _, size in _graphemes(text):
        if cells + size > width and begin > start:
            cuts.append((start, begin, ""))
            start, cells = begin, 0
        cells += size
    cuts.append((start, len(text), ""))
    return _slices(spans, cuts)


def _lines(spans: Sequence[Span]) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    for text, style in spans:
        if "\n" not in text:
            if text:
                lines[-1].append((text, style))
            continue
        first, *others = text.split("\n")
        if first:
            lines[-1].append((first, style))
        for other in others:
            lines.append([(other, style)] if other else [])
    return lines
