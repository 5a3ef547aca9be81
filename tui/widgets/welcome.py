"""What an empty conversation shows: what this is, where it will send, and the keys worth knowing."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.widget import Widget

from tui.core.text import visible_line

__all__ = ["Welcome"]

# Strata that come to the surface.
_ROCK = (
    ("             ▂▄▆▇▅▃▁           ", "$primary"),
    ("      ▁▃▅▆▇██████████▇▅▂▁      ", "$primary"),
    ("▁▂▄▅▇█████████████████████▇▅▃▁ ", "$secondary"),
)
_HINTS = (
    ("turn.attach", "attach files", "or drop them here"),
    ("target.pick", "model and region", ""),
    ("continuation.toggle", "stateful / stateless", ""),
    ("inspector.toggle", "see what is sent", ""),
    ("history.open", "earlier conversations", ""),
    ("palette.open", "everything else", ""),
)


_PURPOSE = "Chat with OpenAI models on Amazon Bedrock, and see every byte of it."
_OPENING = "Opening the conversation …"
_REPLAY = "what was recorded answers; nothing is sent"
_SANDBOX = "an endpoint inside this program answers; no model, no network"


class Welcome(Widget):
    """Shown in place of the conversation while it has no turn; one widget, as each costs start-up time."""

    DEFAULT_CSS = """
    Welcome {
        height: 1fr;
        width: 1fr;
        padding: 0 1;
        background: $background;
        color: $foreground;
    }
    """

    def __init__(self, *, keys: Mapping[str, str], id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys = keys
        self._place = Content("")
        self._opening = False

    def opening(self, opening: bool) -> None:
        """Say that a conversation is being opened, in the place of everything; or no longer."""
        if opening != self._opening:
            self._opening = opening
            self.refresh()

    def show_place(self, *, sandbox: bool, base_url: str, replays: str = "") -> None:
        """Say who will answer; `replays` is the name of a cassette that is played."""
        if replays:
            place = Content.assemble(
                ("REPLAY", "bold $text-warning"), (f" · {visible_line(replays)}: {_REPLAY}", "$text-muted")
            )
        elif sandbox:
            place = Content.assemble(("SANDBOX", "bold $text-warning"), (f" · {_SANDBOX}", "$text-muted"))
        else:
            place = Content.assemble(
                ("Requests go to ", "$text-muted"), (visible_line(base_url), "$text-secondary")
            )
        if place.plain != self._place.plain:
            self._place = place
            self.refresh()

    def render(self) -> Content:
        """Rock, name, place, keys, in the middle; the rock gives way where there is no room."""
        width, height = self.content_size
        blank = Content("")
        if self._opening:
            return self._middle([Content.styled(_OPENING, "$text-muted")], width, height)
        rock = [Content.styled(line, style) for line, style in _ROCK]
        name = [
            Content.styled("O U T C R O P", "bold $text-primary"),
            Content.styled(_PURPOSE, "$text-muted"),
        ]
        lines = [*name, blank, self._place, blank, *self._hints()]
        if len(lines) + len(rock) + 1 <= height:
            lines = [*rock, blank, *lines]
        return self._middle(lines, width, height)

    @staticmethod
    def _middle(lines: list[Content], width: int, height: int) -> Content:
        above = max(0, (height - len(lines)) // 2)
        centred = [Content(" " * max(0, (width - line.cell_length) // 2)) + line for line in lines]
        return Content("\n").join([*([Content("")] * above), *(line.truncate(width) for line in centred)])

    def _hints(self) -> list[Content]:
        rows = [
            Content.assemble(
                (f"{key:>8}", "bold $text-primary"), f"   {words}", (more and f"  {more}", "dim")
            )
            for command, words, more in _HINTS
            if (key := self._keys.get(command, ""))
        ]
        widest = max((row.cell_length for row in rows), default=0)
        return [row + Content(" " * (widest - row.cell_length)) for row in rows]
