"""The styles of the transcript, taken from the theme through the pane's component classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rich.style import Style

if TYPE_CHECKING:
    from tui.widgets.transcript.block import BlockKind

__all__ = ["COMPONENTS", "PANE_CSS", "Palette"]

COMPONENTS: Final = frozenset(
    {
        "pane--text",
        "pane--muted",
        "pane--faint",
        "pane--user",
        "pane--user-bar",
        "pane--assistant",
        "pane--error",
        "pane--notice",
        "pane--heading",
        "pane--heading-low",
        "pane--marker",
        "pane--quote",
        "pane--quote-bar",
        "pane--link",
        "pane--code",
        "pane--code-title",
        "pane--code-inline",
        "pane--table-line",
        "pane--code-keyword",
        "pane--code-name",
        "pane--code-type",
        "pane--code-string",
        "pane--code-number",
        "pane--code-comment",
        "pane--code-operator",
        "pane--code-added",
        "pane--code-removed",
    }
)

PANE_CSS: Final = """
ConversationPane {
    background: $background;
    color: $foreground;
    overflow-x: hidden;
    overflow-y: scroll;
    scrollbar-size-vertical: 1;
    scrollbar-background: $background;
    scrollbar-background-hover: $background;
    scrollbar-background-active: $background;
    & > .pane--muted { color: $text-muted; }
    & > .pane--faint { color: $foreground 34%; }
    & > .pane--user { color: $text-primary; text-style: bold; }
    & > .pane--user-bar { color: $primary; }
    & > .pane--assistant { color: $text-muted; text-style: bold; }
    & > .pane--error { color: $text-error; text-style: bold; }
    & > .pane--notice { color: $text-warning; }
    & > .pane--heading { color: $text-primary; text-style: bold; }
    & > .pane--heading-low { color: $foreground; text-style: bold; }
    & > .pane--marker { color: $text-primary; }
    & > .pane--quote { color: $foreground 80%; }
    & > .pane--quote-bar { color: $primary 70%; }
    & > .pane--link { color: $text-primary; text-style: underline; }
    & > .pane--table-line { color: $foreground 34%; }
    & > .pane--code-inline { color: $text-accent; background: $foreground 7%; }
    & > .pane--code { background: $foreground 6%; }
    & > .pane--code-title { color: $text-muted; background: $foreground 6%; }
    & > .pane--code-keyword { color: $text-primary; background: $foreground 6%; text-style: bold; }
    & > .pane--code-name { color: $text-accent; background: $foreground 6%; }
    & > .pane--code-type { color: $text-primary; background: $foreground 6%; }
    & > .pane--code-string { color: $text-success; background: $foreground 6%; }
    & > .pane--code-number { color: $text-warning; background: $foreground 6%; }
    & > .pane--code-comment { color: $text-muted; background: $foreground 6%; text-style: italic; }
    & > .pane--code-operator { color: $foreground 78%; background: $foreground 6%; }
    & > .pane--code-added { color: $text-success; background: $foreground 6%; }
    & > .pane--code-removed { color: $text-error; background: $foreground 6%; }
}
"""


@dataclass(frozen=True, slots=True)
class Palette:
    """Rich styles, complete with the background, for each role.

    Attributes:
        plain: There are no colours (NO_COLOR): marks must say what colours would.
    """

    text: Style
    muted: Style
    faint: Style
    user: Style
    user_bar: Style
    assistant: Style
    error: Style
    notice: Style
    heading: Style
    heading_low: Style
    marker: Style
    quote: Style
    quote_bar: Style
    link: Style
    code: Style
    code_title: Style
    code_inline: Style
    table_line: Style
    code_keyword: Style
    code_name: Style
    code_type: Style
    code_string: Style
    code_number: Style
    code_comment: Style
    code_operator: Style
    code_added: Style
    code_removed: Style
    plain: bool = False

    @classmethod
    def read(cls, component: Callable[[str], Style], *, plain: bool) -> Palette:
        """Read the styles of a mounted pane; `component` is its `get_component_rich_style`."""
        return cls(
            **{name.removeprefix("pane--").replace("-", "_"): component(name) for name in COMPONENTS},
            plain=plain,
        )

    def dimmed(self) -> Palette:
        """The same with quieter prose, for reasoning."""
        return replace(self, text=self.muted, heading=self.muted + _BOLD, heading_low=self.muted + _BOLD)

    def bar_of(self, kind: BlockKind) -> tuple[str, Style]:
        """The character and style that runs down the left side of a block of this kind."""
        match kind.value:
            case "user":
                return "▌", self.user_bar
            case "error":
                return "▌", self.error
            case "reasoning" | "tool":
                return "│", self.faint
            case _:
                return " ", self.text


_BOLD = Style(bold=True)
