"""What a conversation asks of the model beside its text, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from tui.core.api_rules import API_NAMES, PARAMETERS, ApiRules
from tui.core.catalogue import Model
from tui.core.controls import LEAST_OUTPUT, SERVICE_TIERS, SUMMARIES, VERBOSITIES, Controls
from tui.core.text import visible, visible_line
from tui.screens.base import ModalScreen
from tui.session.instructions import Library
from tui.widgets.choice_line import LABEL_WIDTH, ChoiceLine
from tui.widgets.dialog import Dialog
from tui.widgets.safe_text_area import SafeTextArea
from tui.widgets.sampling_line import SamplingLine

__all__ = ["Chosen", "SettingsScreen", "effort_choices"]

_UNSET: Final = ""
_NONE, _OWN = "-", "+"  # no name in a library is one of these: a name is a word or more
_NAMED: Final = "="
_WORDS: Final = {
    "effort": "How much the model reasons before it answers. * is what it takes when nothing is chosen.",
    "verbosity": "How long answers are. Nothing is sent when it is unset.",
    "service_tier": "flex is cheaper and slower, priority the reverse. Not every model has each of them.",
    "summary": "A summary of the reasoning, shown here. Some models refuse it; then it is dropped.",
    "temperature": "How far answers vary, from 0 to 2. GPT takes it with effort none only, gpt-oss always.",
    "top_p": "Which share of the likely words is looked at, from 0 to 1. GPT takes it with effort none only.",
    "stop": "Texts at which the answer ends: up to 4, commas between them; \\n is a new line.",
    "max": "Most output tokens of one answer, reasoning included; always sent, as admission counts it.",
    "names": "By name from the TOML files in the config folder's 'instructions', or your own text below.",
    "text": "Sent with each request of this conversation; the server does not inherit them.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the page holds.

    Attributes:
        controls: Effort and the like; `instructions_name` names the library's instructions.
        instructions: The text; empty sends none.
    """

    controls: Controls
    instructions: str


def effort_choices(model: Model | None, known: Sequence[Model]) -> list[tuple[str, str]]:
    """`(value, words)` that can be offered; for a model nobody knows, what any model takes."""
    if model is not None:
        values = list(model.effort_values)
    else:
        values = list(dict.fromkeys(value for other in known for value in other.effort_values))
    default = model.default_effort or model.recommended.get("effort") if model is not None else None
    return [(value, f"{value}*" if value == default else value) for value in values]


class SettingsScreen(ModalScreen[Chosen | None]):
    """Gives what is chosen, or `None` where nothing was changed.

    Args (of the constructor):
        before: As it is.
        model: The catalogue's row of the model in force.
        efforts: `(value, words)` that the model takes.
        limit: What `max_output_tokens` is when none is chosen.
        library: The named instructions.
        rules: What the API takes that the turns go over; by default all of it.
        sampling: What is sent as temperature, top_p and stop where nothing is chosen here, as texts.
        guardrail: What there is to say of the guardrail that is configured; empty where none is.
        summary_refused: Whether the model refused a reasoning summary here before.
        unsent: A sentence for each control that is chosen and not sent.
        focus: Id of the part that has the focus at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f10", "keep", "Keep and close", show=False, priority=True, id="settings.keep"),
        Binding("ctrl+s", "keep", "Keep and close", show=False, priority=True, id="settings.keep"),
        Binding("ctrl+r", "restore", "As it was", show=False, priority=True, id="settings.restore"),
    ]
    DEFAULT_CSS = f"""
    SettingsScreen {{
        align: center middle;
        & Dialog {{ max-width: 110; max-height: 36; }}
        & #settings-limit {{ height: 1; padding: 0 1; }}
        & #settings-limit > Static {{ width: {LABEL_WIDTH}; color: $text-muted; }}
        & #settings-limit:focus-within > Static {{ color: $foreground; text-style: bold; }}
        & #settings-limit > Input {{ width: 24; }}
        & #settings-guardrail {{ height: auto; max-height: 2; padding: 0 1; color: $text-muted; }}
        & TextArea {{
            height: 1fr; min-height: 3; margin: 0 1; padding: 0 1; border: none; background: $panel;
            border-left: thick $panel;
        }}
        & TextArea:focus {{ border: none; border-left: thick $primary; }}
        & .dialog--detail {{ min-height: 3; }}
    }}
    """

    def __init__(
        self,
        before: Chosen,
        model: Model | None,
        efforts: Sequence[tuple[str, str]],
        limit: int,
        library: Library,
        *,
        rules: ApiRules | None = None,
        sampling: Mapping[str, str] | None = None,
        guardrail: str = "",
        summary_refused: bool = False,
        unsent: Sequence[str] = (),
        focus: str = "",
    ) -> None:
        super().__init__()
        self._before = before
        self._model = model
        self._rules = rules
        self._guardrail = guardrail
        self._library = library
        self._summary_refused = summary_refused
        self._unsent = tuple(unsent)
        self._first = focus
        self._warned = False
        self._own = before.instructions
        controls = before.controls
        self._lines = {
            name: _line(label, values if self._taken(name) else [], getattr(controls, name), name)
            for name, label, values in (
                ("effort", "Effort", efforts),
                ("verbosity", "Verbosity", _same(VERBOSITIES)),
                ("service_tier", "Service tier", _same(SERVICE_TIERS)),
                ("summary", "Summary", _same(SUMMARIES)),
            )
        }
        self._sampling = SamplingLine(controls, sampling or {}, id="settings-sampling")
        names = [(_NAMED + entry.name, entry.name) for entry in library.entries]
        options = [(_NONE, "none"), (_OWN, "own"), *names]
        self._names = ChoiceLine("Instructions", options, self._source(before), id="settings-names")
        self._limit = Input(
            "" if controls.max_output_tokens is None else str(controls.max_output_tokens),
            placeholder=f"{limit:,}",
            id="settings-max",
            select_on_focus=False,
        )
        self._text = SafeTextArea(
            before.instructions, soft_wrap=True, show_line_numbers=False, id="settings-text"
        )

    def compose(self) -> ComposeResult:
        """A line for each control, the instructions, and what there is to say."""
        title = "Settings of this conversation"
        title += f" · {visible_line(self._model.label)}" if self._model else ""
        if self._rules is not None and self._rules.api != "responses":
            title += f" · {API_NAMES[self._rules.api]}"
        guardrail = Static(
            visible_line(f"Guardrail{'':6}{self._guardrail}"), id="settings-guardrail", markup=False
        )
        yield Dialog(
            *self._lines.values(),
            self._sampling,
            *([guardrail] if self._guardrail else []),
            Horizontal(Static("Most tokens", markup=False), self._limit, id="settings-limit"),
            self._names,
            self._text,
            Static("", id="settings-detail", classes="dialog--detail", markup=False),
            title=title,
            keys="Tab ↑↓ move   ←→ choose   Ctrl+R as before   Esc keep",
        )

    def on_mount(self) -> None:
        """The first line has the focus, or what was asked for."""
        (self._text if self._first == "instructions" else self._lines["effort"]).focus()
        self._say()

    # ---- what is chosen

    def _source(self, chosen: Chosen) -> str:
        """Where the instructions come from: nowhere, the library, or the user."""
        if not chosen.instructions:
            return _NONE
        entry = self._library.named(chosen.controls.instructions_name)
        return _NAMED + entry.name if entry is not None and entry.text == chosen.instructions else _OWN

    def _chosen(self) -> tuple[Chosen, list[str]]:
        """What the page holds, and a sentence for each thing that cannot be kept."""
        values = {name: line.value or None for name, line in self._lines.items()}
        typed = self._limit.value.strip().replace(",", "").replace("_", "")
        source = self._names.value
        name = source.removeprefix(_NAMED) if source.startswith(_NAMED) else ""
        sampling, wrong = self._sampling.chosen()
        controls = replace(self._before.controls, **values, **sampling, instructions_name=name)
        text = self._text.text if source != _NONE else ""
        if typed and not typed.isdecimal():
            wrong = [*wrong, f"The limit must be a whole number, {LEAST_OUTPUT} or more."]
        if wrong:
            return Chosen(controls, text), wrong
        controls = replace(controls, max_output_tokens=int(typed) if typed else None)
        changed = controls.changed_from(self._before.controls)
        if changed.samples:
            changed = replace(changed, effort=controls.effort)
        _, said = changed.checked(self._model, self._rules)
        return Chosen(controls, text), said

    def _taken(self, name: str) -> bool:
        return self._rules is None or self._rules.takes(name)

    @on(ChoiceLine.Changed, "#settings-names")
    def _named(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        if event.value == _NONE:
            self._show_text("")
        elif event.value == _OWN:
            self._show_text(self._own)
        elif entry := self._library.named(event.value.removeprefix(_NAMED)):
            self._show_text(entry.text)
        self._say()

    def _show_text(self, text: str) -> None:
        with self.prevent(TextArea.Changed):
            self._text.load_text(visible(text))

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        """What is typed is one's own, also when it began as something named."""
        event.stop()
        self._own = self._text.text
        self._names.value = _OWN if self._own else _NONE

    @on(ChoiceLine.Changed)
    def _changed(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self._say()

    @on(Input.Changed)
    def _limited(self, event: Input.Changed) -> None:
        event.stop()
        self._say()

    # ---- what is said

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Explain the part that has the focus."""
        self._say()

    def _say(self) -> None:
        if not self.query("#settings-detail"):
            return  # the first focus can come before the last line; on_mount says it then
        focused = self.focused.id or "" if self.focused is not None else ""
        topic = focused.removeprefix("settings-")
        words = _WORDS.get(topic, "")
        if self._rules is not None and topic in PARAMETERS and not self._taken(topic):
            words = f"{API_NAMES[self._rules.api]} takes no {PARAMETERS[topic]}."
        lines = [Content.styled(words, "$text-muted")]
        if topic == "summary" and self._summary_refused:
            lines.append(
                Content.styled("This model refused it here before: none is asked for.", "$text-warning")
            )
        chosen, problems = self._chosen()
        if not problems and chosen.controls == self._before.controls:
            problems = [*self._unsent, *self._library.complaints] if topic == "names" else list(self._unsent)
        lines += [Content.styled(visible_line(sentence), "$text-warning") for sentence in problems]
        self.query_one("#settings-detail", Static).update(Content("\n").join(lines))

    # ---- the end

    def on_click(self, event: events.Click) -> None:
        """A click beside the page keeps and closes."""
        if event.widget is self:
            self.action_keep()

    def action_keep(self) -> None:
        """Close; what cannot be kept is said first, and a second time everything stays as it was."""
        chosen, problems = self._chosen()
        if problems and not self._warned:
            self._warned = True
            again = "Mend it, or press Esc again to leave everything as it was."
            lines = [visible_line(sentence) for sentence in (*problems, again)]
            self.query_one("#settings-detail", Static).update(
                Content("\n").join(Content.styled(line, "$text-error") for line in lines)
            )
        elif problems or chosen == self._before:
            self.dismiss(None)
        else:
            self.dismiss(chosen)

    def action_restore(self) -> None:
        """Put everything back as it was when the page was opened."""
        controls = self._before.controls
        for name, line in self._lines.items():
            line.value = str(getattr(controls, name) or _UNSET)
        self._sampling.restore(controls)
        limit = controls.max_output_tokens
        self._limit.value = "" if limit is None else str(limit)
        self._own = self._before.instructions
        self._names.value = self._source(self._before)
        self._show_text(self._before.instructions)
        self._warned = False
        self._say()


def _same(values: Sequence[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


def _line(label: str, options: Sequence[tuple[str, str]], value: str | None, name: str) -> ChoiceLine:
    return ChoiceLine(label, [(_UNSET, "unset"), *options], value or _UNSET, id=f"settings-{name}")
