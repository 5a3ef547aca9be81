"""What an empty conversation shows: what this is, where it will send, and the keys worth knowing."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Center, Middle
from textual.content import Content
from textual.widgets import Static

from tui.core.text import visible_line

__all__ = ["Welcome"]

# Strata that come to the surface.
_ROCK = (
    ("             ▂▄▆▇▅▃▁           ", "$primary"),
    ("      ▁▃▅▆▇██████████▇▅▂▁      ", "$primary"),
    ("▁▂▄▅▇█████████████████████▇▅▃▁ ", "$secondary"),
)
_HINTS = (
    ("turn.attach", "attach a PDF", "or drop it here"),
    ("target.pick", "model and region", ""),
    ("continuation.toggle", "stateful / stateless", ""),
    ("inspector.toggle", "see what is sent", ""),
    ("history.open", "earlier conversations", ""),
    ("palette.open", "everything else", ""),
)


_PURPOSE = "Chat with OpenAI models on Amazon Bedrock, and see every byte of it."
_SANDBOX = "an endpoint inside this program answers; no model, no network"


class Welcome(Middle):
    """Shown in place of the conversation while it has no turn."""

    DEFAULT_CSS = """
    Welcome {
        height: 1fr;
        width: 1fr;
        background: $background;
        & > Center { height: auto; }
        & Static { width: auto; height: auto; max-width: 100%; color: $foreground; text-align: center; }
        & #welcome-rock, & #welcome-hints { text-align: left; }
        & #welcome-hints { padding-top: 1; }
        & #welcome-place { padding-top: 1; }
        &.-low #welcome-rock { display: none; }
    }
    """

    def __init__(self, *, keys: Mapping[str, str], id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._place = Static("", markup=False, id="welcome-place")

    def compose(self) -> ComposeResult:
        """Rock, name, place, keys."""
        rock = Content("\n").join([Content.styled(line, style) for line, style in _ROCK])
        name = Content.assemble(("\nO U T C R O P\n", "bold $text-primary"), (_PURPOSE, "$text-muted"))
        for part in (
            Static(rock, markup=False, id="welcome-rock"),
            Static(name, markup=False),
            self._place,
            Static(self._hints(), markup=False, id="welcome-hints"),
        ):
            with Center():
                yield part

    def on_resize(self) -> None:
        """The rock gives way first."""
        self.set_class(self.size.height < 16, "-low")

    def show_place(self, *, sandbox: bool, base_url: str) -> None:
        """Say who will answer."""
        if sandbox:
            text = Content.assemble(("SANDBOX", "bold $text-warning"), (f" · {_SANDBOX}", "$text-muted"))
        else:
            text = Content.assemble(
                ("Requests go to ", "$text-muted"), (visible_line(base_url), "$text-secondary")
            )
        self._place.update(text)

    def _hints(self) -> Content:
        rows: list[Content] = []
        for command, words, more in _HINTS:
            if key := self._keys.get(command, ""):
                rows.append(
                    Content.assemble(
                        (f"{key:>8}", "bold $text-primary"), f"   {words}", (more and f"  {more}", "dim")
                    )
                )
        return Content("\n").join(rows)
