"""One line with temperature, top_p and stop sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from tui.core.controls import Controls
from tui.core.text import visible_line
from tui.widgets.choice_line import LABEL_WIDTH

__all__ = ["SamplingLine", "stop_words"]


def stop_words(stop: tuple[str, ...]) -> str:
    """Stop sequences as they are typed, with commas between them; a new line is a backslash and an n."""
    return ",".join(visible_line(text.replace("\n", "\\n")) for text in stop)


class SamplingLine(Horizontal):
    """Three fields; an empty one chooses nothing.

    Args (of the constructor):
        controls: What is chosen.
        unset: By name, what is sent where nothing is chosen; empty where that is the server's own.
    """

    DEFAULT_CSS = f"""
    SamplingLine {{
        height: 1; padding: 0 1;
        & > Static {{ width: {LABEL_WIDTH}; color: $text-muted; }}
        &:focus-within > Static {{ color: $foreground; text-style: bold; }}
        & > Input {{ width: 19; margin-right: 1; }}
        & > #settings-top_p {{ width: 13; }}
        & > #settings-stop {{ width: 1fr; max-width: 30; margin-right: 0; }}
    }}
    """

    def __init__(self, controls: Controls, unset: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._stop = controls.stop
        self._fields = {
            name: Input(
                "",
                placeholder=" ".join(filter(None, (words, unset.get(name, "")))),
                id=f"settings-{name}",
                select_on_focus=False,
            )
            for name, words in (
                ("temperature", "temperature"),
                ("top_p", "top_p"),
                ("stop", "stop sequences"),
            )
        }
        self.restore(controls)

    def compose(self) -> ComposeResult:
        """The name, and the fields."""
        yield Static("Sampling", markup=False)
        yield from self._fields.values()

    def restore(self, controls: Controls) -> None:
        """Show what is chosen."""
        for name in ("temperature", "top_p"):
            value = getattr(controls, name)
            self._fields[name].value = "" if value is None else f"{value:g}"
        self._stop = controls.stop
        self._fields["stop"].value = stop_words(controls.stop)

    def chosen(self) -> tuple[dict[str, Any], list[str]]:
        """The values by `Controls`' names, and a sentence for each that is no number."""
        values: dict[str, Any] = {"temperature": None, "top_p": None}
        said: list[str] = []
        for name in values:
            typed = self._fields[name].value.strip()
            try:
                values[name] = float(typed) if typed else None
            except ValueError:
                said.append(f"{name} must be a number.")
        typed = self._fields["stop"].value
        texts = (text.strip().replace("\\n", "\n") for text in typed.split(","))
        same = typed == stop_words(self._stop)
        values["stop"] = self._stop if same else tuple(text for text in texts if text)
        return values, said
