"""What a conversation asks of the prompt cache, on one page: key, how long, where it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui.core.cache_controls import BREAKPOINTS, NO_KEY, OPTIONS, keep_values
from tui.core.catalogue import Model
from tui.core.controls import Controls
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.choice_line import LABEL_WIDTH, ChoiceLine
from tui.widgets.dialog import Dialog

__all__ = ["CacheControlsScreen", "cache_words"]

_WORDS: Final = {
    "key": (
        "Requests with the same key are sent where the same cache is. Empty is this conversation's own; "
        f"'{NO_KEY}' sends none; conversations that begin alike may share one."
    ),
    "keep": "How long what was written is kept. Unset leaves it to the server.",
    "breakpoints": (
        "Unset lets the server choose, and it writes up to the newest message. With breakpoints it writes "
        "only up to them: writes are billed above plain input (1.25 times, from gpt-5.6 on)."
    ),
}
_NO_TIME: Final = "This model takes no time to keep."
_NO_POINTS: Final = "This model takes no breakpoints: the server decides what it caches."


def cache_words(controls: Controls, model: Model | None, own: bool) -> str:
    """What is asked of the cache, in a few words, for a line.

    Args:
        controls: As checked against the model.
        model: The catalogue's row.
        own: Whether the conversation's own key is sent where none is chosen.
    """
    if model is not None and not model.cache and controls.cache_key is None:
        return "none known"
    key = controls.cache_key
    words = [("own key" if own else "no key") if key is None else "no key" if key == NO_KEY else f"key {key}"]
    if controls.cache_keep:
        words.append(f"kept {controls.cache_keep}")
    if controls.cache_breakpoints:
        words.append(f"breakpoints: {controls.cache_breakpoints}")
    return ", ".join(words)


class CacheControlsScreen(ModalScreen[Controls | None]):
    """Gives the controls as chosen, or `None` where nothing was changed.

    Args (of the constructor):
        before: As they are.
        model: The catalogue's row of the model in force.
        own_key: The key that is sent where none is chosen; empty where none is.
        unsent: A sentence for each control that is chosen and not sent.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "keep", "Keep and close", show=False, priority=True, id="cache.keep"),
        Binding("ctrl+r", "restore", "As it was", show=False, priority=True, id="cache.restore"),
    ]
    DEFAULT_CSS = f"""
    CacheControlsScreen {{
        align: center middle;
        & Dialog {{ max-width: 100; height: auto; }}
        & #cache-key-line {{ height: 1; padding: 0 1; }}
        & #cache-key-line > Static {{ width: {LABEL_WIDTH}; color: $text-muted; }}
        & #cache-key-line:focus-within > Static {{ color: $foreground; text-style: bold; }}
        & .dialog--detail {{ height: 5; margin-top: 1; }}
    }}
    """

    def __init__(
        self, before: Controls, model: Model | None, own_key: str, *, unsent: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._before = before
        self._model = model
        self._unsent = tuple(unsent)
        self._warned = False
        self._key = Input(
            before.cache_key or "",
            placeholder=f"{own_key} (this conversation's own)" if own_key else "none",
            id="cache-key",
            select_on_focus=False,
        )
        keep = keep_values(model)
        points = BREAKPOINTS if model is None or "cache_breakpoints" in model.features else ()
        self._keep = _line("Kept", keep, before.cache_keep, "keep")
        self._points = _line("Breakpoints", points, before.cache_breakpoints, "breakpoints")

    def compose(self) -> ComposeResult:
        """A line for each, and what there is to say of it."""
        name = f" · {visible_line(self._model.label)}" if self._model else ""
        yield Dialog(
            Horizontal(Static("Key", markup=False), self._key, id="cache-key-line"),
            self._keep,
            self._points,
            Static("", id="cache-detail", classes="dialog--detail", markup=False),
            title=f"Prompt cache{name}",
            keys="Tab ↑↓ move   ←→ choose   Ctrl+R as before   Esc keep",
        )

    def on_mount(self) -> None:
        """The first thing that can be chosen has the focus."""
        self._key.focus()
        self._say()

    @property
    def chosen(self) -> Controls:
        """What the page holds."""
        return replace(
            self._before,
            cache_key=self._key.value.strip() or None,
            cache_keep=self._keep.value or None,
            cache_breakpoints=self._points.value or None,
        )

    def _problems(self) -> list[str]:
        return self.chosen.changed_from(self._before).checked(self._model)[1]

    @on(ChoiceLine.Changed)
    @on(Input.Changed)
    def _changed(self, event: ChoiceLine.Changed | Input.Changed) -> None:
        event.stop()
        self._warned = False
        self._say()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._keep.focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Explain the line that has the focus."""
        self._say()

    def _say(self) -> None:
        focused = self.focused.id or "" if self.focused is not None else ""
        topic = focused.removeprefix("cache-")
        lines = [Content.styled(_WORDS.get(topic, ""), "$text-muted")]
        if topic == "keep" and self._model is not None:
            name = "prompt_cache_options.ttl" if self._model.cache == OPTIONS else "prompt_cache_retention"
            words = f"Sent as {name}." if keep_values(self._model) else _NO_TIME
            lines.append(Content.styled(words, "$text-muted"))
        if topic == "breakpoints" and self._model and "cache_breakpoints" not in self._model.features:
            lines.append(Content.styled(_NO_POINTS, "$text-muted"))
        said = self._problems() or (self._unsent if self.chosen == self._before else ())
        lines += [Content.styled(visible_line(sentence), "$text-warning") for sentence in said]
        self.query_one("#cache-detail", Static).update(Content("\n").join(lines))

    def on_click(self, event: events.Click) -> None:
        """A click beside the page keeps and closes."""
        if event.widget is self:
            self.action_keep()

    def action_keep(self) -> None:
        """Close; what cannot be kept is said first, and a second time everything stays as it was."""
        problems = self._problems()
        if problems and not self._warned:
            self._warned = True
            text = " ".join([*problems, "Mend it, or press Esc again to leave everything as it was."])
            self.query_one("#cache-detail", Static).update(Content.styled(visible_line(text), "$text-error"))
        else:
            self.dismiss(None if problems or self.chosen == self._before else self.chosen)

    def action_restore(self) -> None:
        """Put everything back as it was when the page was opened."""
        self._key.value = self._before.cache_key or ""
        self._keep.value = self._before.cache_keep or ""
        self._points.value = self._before.cache_breakpoints or ""
        self._say()


def _line(label: str, values: Sequence[str], value: str | None, name: str) -> ChoiceLine:
    options = [("", "unset"), *((one, one) for one in values)]
    return ChoiceLine(label, options, value or "", id=f"cache-{name}")
