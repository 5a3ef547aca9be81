"""A tool call that wants to run: its arguments to be read and changed, and the answers there are."""

from __future__ import annotations

import json
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Checkbox, Input, Static, TextArea

from tui.core.text import storable, visible, visible_line
from tui.core.tools import Answer, Question, Verdict, exact_pattern
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog

__all__ = ["ApprovalScreen", "OutputScreen"]

_BUTTONS: Final[tuple[tuple[Verdict, str], ...]] = (
    ("once", "Run once"),
    ("conversation", "In this conversation"),
    ("always", "Always, these"),
    ("refuse", "Refuse"),
    ("never", "Never, these"),
)


class ApprovalScreen(ModalScreen[Answer]):
    """Gives the user's answer; Esc refuses.

    Args (of the constructor):
        question: The call.
        source: What would run, in a line.
        where: The conversation's title, where it is not the one that is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "Refuse", show=False, id="tool.refuse"),
    ]
    DEFAULT_CSS = """
    ApprovalScreen {
        align: center middle;
        & Dialog { max-width: 100; height: auto; max-height: 90%; padding: 0 1; }
        & Static { height: auto; color: $text-muted; padding: 0 1; }
        & .approval--title { color: $text-primary; text-style: bold; }
        & TextArea { height: auto; min-height: 3; max-height: 14; border: none; padding: 0 1;
            background: $panel; }
        & TextArea:focus { border: none; background: $surface-lighten-1; }
        & Input { margin-bottom: 1; }
        & Checkbox { border: none; padding: 0 1; background: $surface; }
        & #approval-problem { color: $text-error; display: none; }
        & Horizontal { height: 1; margin-top: 1; }
        & Button { margin-right: 1; min-width: 8; }
    }
    """

    def __init__(self, question: Question, source: str, where: str = "") -> None:
        super().__init__()
        self._question = question
        self._source = source
        self._where = where
        given = question.call.arguments
        if question.call.kind == "function":
            given = json.dumps(dict(question.arguments), ensure_ascii=False, indent=2)
        self._given = visible(given)
        self._area = TextArea(
            self._given,
            id="approval-arguments",
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
        )
        pattern = json.dumps(exact_pattern(question.arguments), ensure_ascii=False)
        self._pattern = Input(visible_line(pattern), id="approval-pattern", select_on_focus=False)
        self._review = Checkbox(Content("Show the output before it goes back"), id="approval-review")

    def compose(self) -> ComposeResult:
        """Arguments, the pattern of lasting answers, and the answers."""
        question = self._question
        custom = question.call.kind == "custom"
        what = "The text as it will be given" if custom else "The arguments as they will be given"
        lines = [Content.styled(f"The model calls it with what is below. It runs {self._source}.", "")]
        if self._where:
            lines.insert(0, Content(f"In the conversation “{self._where}”."))
        of = f"  {question.number} of {question.of}" if question.of > 1 else ""
        yield Dialog(
            Static(Content("\n").join(lines)),
            Static(Content(what), classes="approval--title"),
            self._area,
            Static(Content("“These”: the arguments that match, * for anything"), classes="approval--title"),
            self._pattern,
            self._review,
            Static("", id="approval-problem", markup=False),
            Horizontal(
                *(
                    Button(
                        Content(words),
                        id=f"approval-{verdict}",
                        variant="primary" if verdict == "once" else "default",
                        compact=True,
                    )
                    for verdict, words in _BUTTONS
                )
            ),
            title=f"Tool call: {visible_line(question.call.name)}{of}",
            keys="Tab next   Enter chooses   Esc refuses",
        )

    def on_mount(self) -> None:
        """Nothing runs by an Enter that was meant for the composer: who wants it to run goes there."""
        self._area.focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        verdict: Verdict = next(name for name, _ in _BUTTONS if event.button.id == f"approval-{name}")
        arguments: str | None = None
        if verdict not in ("refuse", "never") and self._area.text != self._given:
            arguments = storable(self._area.text)
            if self._question.call.kind == "function" and (problem := _not_an_object(arguments)):
                self._complain(f"The arguments {problem}.")
                return
        pattern = None
        if verdict in ("always", "never"):
            if problem := _not_an_object(self._pattern.value):
                self._complain(f"The pattern {problem}.")
                return
            pattern = {str(name): str(value) for name, value in json.loads(self._pattern.value).items()}
        self.dismiss(Answer(verdict, arguments, pattern, self._review.value))

    def action_refuse(self) -> None:
        """Do not run it."""
        self.dismiss(Answer("refuse"))

    def _complain(self, sentence: str) -> None:
        problem = self.query_one("#approval-problem", Static)
        problem.update(Content(sentence))
        problem.display = True


def _not_an_object(text: str) -> str:
    """What is wrong with a text that is to be a JSON object; empty where nothing is."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"are no valid JSON: {visible_line(str(error))}"
    return "" if isinstance(value, dict) else "are no JSON object"


class OutputScreen(ModalScreen[str]):
    """A tool's output before it goes back to the model; gives it as it was changed.

    Args (of the constructor):
        name: The tool's.
        output: What it gave.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "take", "Send it", show=False, id="tool.send"),
    ]
    DEFAULT_CSS = """
    OutputScreen {
        align: center middle;
        & Dialog { max-width: 110; padding: 0 1; }
        & Static { height: auto; color: $text-muted; padding: 0 1; }
        & TextArea { height: 1fr; min-height: 3; border: none; padding: 0 1; background: $panel; }
        & TextArea:focus { border: none; background: $surface-lighten-1; }
        & Horizontal { height: 1; align-horizontal: right; margin-top: 1; }
    }
    """

    def __init__(self, name: str, output: str) -> None:
        super().__init__()
        self._name = name
        self._output = output
        self._shown = visible(output)
        self._area = TextArea(self._shown, id="output-text", soft_wrap=True, tab_behavior="focus")

    def compose(self) -> ComposeResult:
        """The output, and the button that sends it."""
        yield Dialog(
            Static(Content("This goes back to the model as the output of the call; it can be changed.")),
            self._area,
            Horizontal(Button(Content("Send it"), id="output-take", variant="primary", compact=True)),
            title=f"Output of {visible_line(self._name)}",
            keys="Tab to the button   Esc sends it as it is here",
        )

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_take()

    def action_take(self) -> None:
        """Send it: what was not changed, byte for byte."""
        text = self._area.text
        self.dismiss(self._output if text == self._shown else storable(text))
