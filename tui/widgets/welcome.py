"""What an empty conversation shows: what this is, where it will send, and the keys worth knowing."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Middle
from textual.content import Content
from textual.widgets import Static

from tui.core.text import visible_line

__all__ = ["Welcome"]

# Strata that come to the surface.
_ROCK = (
    ("              ▂▄▅▆▅▃▁            ", "$primary"),
    ("        ▁▃▅▆▇█████████▇▅▃▁       ", "$primary"),
    ("   ▁▂▄▆▇███████████████████▆▄▂▁  ", "$secondary"),
)
_HINTS = (
    ("turn.attach", "attach a PDF", "or drop it here"),
    ("target.pick", "model and region", ""),
    ("continuation.toggle", "stateful / stateless", ""),
    ("inspector.toggle", "see what is sent", ""),
    ("history.open", "earlier conversations", ""),
    ("palette.open", "everything else", ""),
)


class Welcome(Middle):
    """Shown in place of the conversation while it has no turn."""

    DEFAULT_CSS = """
    Welcome {
        height: 1fr;
        width: 1fr;
        background: $background;
        & > Static { width: 1fr; height: auto; text-align: center; color: $foreground; }
        & > #welcome-hints { width: 100%; padding-top: 1; }
    }
    """

    def __init__(self, *, keys: Mapping[str, str], id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._place = Static("", markup=False)

    def compose(self) -> ComposeResult:
        """Rock, name, place, keys."""
        rock = Content("\n").join([Content.styled(line, style) for line, style in _ROCK])
        yield Static(rock, markup=False)
        yield Static(
            Content.assemble(
                "\n",
                ("O U T C R O P", "bold $text-primary"),
                "\n",
                ("Chat with OpenAI models on Amazon Bedrock, and see every byte of it.", "$text-muted"),
            ),
            markup=False,
        )
        yield self._place
        yield Static(self._hints(), markup=False, id="welcome-hints")

    def show_place(self, *, sandbox: bool, base_url: str) -> None:
        """Say who will answer."""
        if sandbox:
            text = Content.assemble(
                "\n",
                ("SANDBOX", "bold $text-warning"),
                (
                    "  an endpoint inside this program answers: no account, no network, no model",
                    "$text-muted",
                ),
            )
        else:
            text = Content.assemble(
                "\n", ("Requests go to ", "$text-muted"), (visible_line(base_url), "$text-secondary")
            )
        self._place.update(text)

    def _hints(self) -> Content:
        rows: list[Content] = []
        for command, words, more in _HINTS:
            key = self._keys.get(command, "")
            if key:
                line = Content.assemble(
                    (f"{key:>8}", "bold $text-primary"), f"   {words}", (f"  {more}" if more else "", "dim")
                )
                rows.append(line + Content(" " * max(0, 44 - line.cell_length)))
        return Content("\n").join(rows)
