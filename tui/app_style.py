"""Styles of what Textual brings along: toasts, the command palette, selections without colour."""

from __future__ import annotations

from typing import Final

__all__ = ["APP_CSS"]

APP_CSS: Final = """
ToastRack { dock: top; align: right top; margin: 1 1 0 0; }
Toast { background: $panel; width: 52; max-width: 80%; }
ModalScreen { background: $background 70%; }
WhichKey, ThemePicker { background: transparent; }
CommandPalette #--container { width: 100; max-width: 100%; margin-top: 2; background: transparent; }
CommandPalette #--input { border: none; border-left: outer $primary; background: $panel; height: 3; }
CommandPalette SearchIcon { display: none; }
CommandPalette CommandInput, CommandPalette CommandInput:focus {
    border: none;
    height: 1;
    margin: 1 0;
    padding: 0 2;
}
CommandPalette CommandList, CommandPalette CommandList:focus {
    border: none;
    border-left: outer $primary;
    padding: 1 0;
    background: $surface;
    text-wrap: nowrap;
    text-overflow: ellipsis;
    scrollbar-size-vertical: 1;
    scrollbar-background: $surface;
}
OptionList:ansi > .option-list--option-highlighted {
    color: $block-cursor-foreground;
    background: $block-cursor-background;
    text-style: $block-cursor-text-style;
}
CommandPalette CommandList > .option-list--option { text-style: none; }
CommandPalette CommandList > .option-list--option-highlighted {
    color: $block-cursor-foreground;
    background: $block-cursor-background;
    text-style: $block-cursor-text-style;
}
Screen:nocolor > .screen--selection { text-style: reverse; }
TextArea:nocolor > .text-area--selection { text-style: reverse; }
Input:nocolor > .input--selection { text-style: reverse; }
VirtualLines:nocolor > .virtual-lines--cursor { text-style: bold reverse; }
"""
