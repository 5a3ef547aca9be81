"""What is read as markdown: CommonMark, tables, strikethrough, footnotes, and LaTeX left as it is.

Footnotes and formulas have rules of their own here, because an answer is parsed in pieces while it
streams: each rule can tell from the lines so far what it has, and no later line changes that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tui.core.once import Once

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block.state_block import StateBlock
    from markdown_it.rules_inline.state_inline import StateInline

__all__ = ["References", "parser"]

References = dict[str, dict[str, Any]]
"""Link reference definitions, as markdown-it keeps them: label -> title, href, map.

Footnotes that are defined are in it too, under `_note_key`."""

_NOTE: Final = re.compile(r"\[\^([^\s\]\[]+)\]")
_NOTE_HEAD: Final = re.compile(r"\[\^([^\s\]\[]+)\]:[ \t]*")
_CLOSERS: Final = {"$$": "$$", "\\[": "\\]"}
_ENDS: Final = re.compile(r"[\s.,;:]*")
_DOLLARS: Final = re.compile(r"\$(?=[^\s$])((?:[^$\\]|\\.)*?)(?<=\S)\$(?![\d$])", re.DOTALL)
_FORMULA: Final = re.compile(r"[\\^_=+<>]| [*/] ")
_EACH_TABLE: Final = "*a* | b\n--|--\n`c` | [d](e)\n\n<https://f>\n"
_INLINE_CLOSERS: Final = {"$$": "$$", "\\(": "\\)", "\\[": "\\]"}


@Once
def parser() -> MarkdownIt:
    """The parser, for any thread. It is imported when the first markdown is drawn."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    # The preset's 20 is ten lists in each other; what is deeper is left out of the tokens.
    markdown.options["maxNesting"] = 100
    markdown.block.ruler.before("table", "math_block", _math_block, {"alt": ["paragraph", "blockquote"]})
    markdown.block.ruler.before("reference", "footnote", _footnote, {"alt": ["paragraph"]})
    markdown.block.ruler.at("reference", _definition)
    markdown.inline.ruler.before("escape", "math", _math)
    markdown.inline.ruler.before("link", "footnote_reference", _footnote_reference)
    # The library fills its tables at the first use, in the sight of other threads: half of the rules are
    # applied then, or a link raises IndexError.
    markdown.parse(_EACH_TABLE)
    return markdown


def _note_key(label: str) -> str:
    # A link's label is kept in upper case, so that no link finds this.
    return "note:" + label


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    from markdown_it.rules_block.reference import reference

    # "[^a b]: https://…" is meant as a footnote too; it must stay legible.
    position = state.bMarks[start] + state.tShift[start]
    return not state.src.startswith("[^", position) and reference(state, start, end, silent)


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`[^label]: …` with what is indented under it."""
    if state.is_code_block(start):
        return False
    match = _NOTE_HEAD.match(state.src, state.bMarks[start] + state.tShift[start], state.eMarks[start])
    if match is None:
        return False
    if silent:
        return True
    references = state.env.setdefault("references", {})
    references.setdefault(_note_key(match[1]), {"title": "", "href": "", "map": [start, start + 1]})
    token = state.push("footnote_open", "div", 1)
    token.content = match[1]
    before = state.bMarks[start], state.tShift[start], state.sCount[start], state.parentType
    state.blkIndent += 4
    state.bMarks[start], state.tShift[start], state.sCount[start] = match.end(), 0, state.blkIndent
    state.parentType = "footnote"
    state.md.block.tokenize(state, start, end)
    state.bMarks[start], state.tShift[start], state.sCount[start], state.parentType = before
    state.blkIndent -= 4
    last = max(state.line, start + 1)
    while last > start + 1 and state.isEmpty(last - 1):
        last -= 1
    state.line = last
    token.map = [start, last]
    state.push("footnote_close", "div", -1)
    return True


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Lines from `$$` or `\[` to what closes it, or to a blank line, which TeX does not allow in one."""
    if state.is_code_block(start):
        return False
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    closer = _CLOSERS.get(first[:2])
    if closer is None or first[2:3] == "$":
        return False
    last = start
    place = first.find(closer, 2)
    if place < 0:
        for line in range(start + 1, end):
            if state.sCount[line] < state.blkIndent or state.isEmpty(line):
                break
            last = line
            if closer in state.src[state.bMarks[line] : state.eMarks[line]]:
                break
    elif not _ENDS.fullmatch(first, place + 2) or not first[2:place].strip():
        return False
    if not silent:
        token = state.push("math_block", "div", 0)
        token.content = state.getLines(start, last + 1, state.blkIndent, False)
        token.map = [start, last + 1]
        state.line = last + 1
    return True


def _math(state: StateInline, silent: bool) -> bool:
    r"""`$…$`, `$$…$$`, `\(…\)` and `\[…\]`: nothing in them is emphasis or an escape."""
    source, start = state.src, state.pos
    if source[start] not in "$\\":
        return False
    closer = _INLINE_CLOSERS.get(source[start : start + 2])
    if closer is not None:
        end = source.find(closer, start + 2, state.posMax)
        if end < 0 or not source[start + 2 : end].strip():
            return False
        end += 2
    else:
        end = _dollars_end(source, start, state.posMax)
        if not end:
            return False
    if not silent:
        state.push("math_inline", "", 0).content = source[start:end]
    state.pos = end
    return True


def _dollars_end(source: str, start: int, limit: int) -> int:
    """Where a formula between single dollars ends; 0 where they are money or a variable of a shell."""
    if start and (source[start - 1].isalnum() or source[start - 1] == "$"):
        return 0
    match = _DOLLARS.match(source, start, limit)
    if match is None or (" " in match[1] and not _FORMULA.search(match[1])):
        return 0
    return match.end()


def _footnote_reference(state: StateInline, silent: bool) -> bool:
    """`[^label]`, if that footnote is defined anywhere."""
    match = _NOTE.match(state.src, state.pos, state.posMax)
    if match is None or _note_key(match[1]) not in state.env.get("references", ()):
        return False
    if not silent:
        state.push("footnote_reference", "", 0).content = match[1]
    state.pos = match.end()
    return True
