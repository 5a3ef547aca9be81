"""Editing the body of a recorded request: checked as it is typed, then sent as it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static, TextArea

from tui.core.body_text import EditableBody
from tui.core.errors import OutcropError
from tui.core.request_check import Finding, check_body
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.choice_line import ChoiceLine
from tui.widgets.dialog import Dialog
from tui.widgets.json_area import JsonArea
from tui.widgets.rows import Row, RowList, row
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["EditRequest", "Edited", "Editing"]

_PAUSE: Final = 0.15
"""Seconds after a key before the body is checked."""

_LARGEST: Final = 400_000
"""Characters that are edited in place; more belong into an editor."""

_LINES_OF_FINDINGS: Final = 4
_PLACES: Final = (
    ("inspector", "to the inspector alone"),
    ("branch", "there and into a branch"),
)


@dataclass(frozen=True, slots=True)
class Edited:
    """What is to be sent.

    Attributes:
        body: Byte for byte.
        keep: Whether it is to become a branch of the conversation.
        anyway: Whether it is sent in spite of what the check found.
    """

    body: bytes
    keep: bool
    anyway: bool


@dataclass(frozen=True, slots=True)
class Editing:
    """What the screen edits, and who helps.

    Attributes:
        title: Which request it is.
        body: As it was sent.
        text: Where the user left off; `None` to begin with what was sent.
        price: What sending costs, as a sentence.
        outside: Has the user's editor change a text.
        why_not_kept: Why a body cannot become a branch; empty when it can.
        keep_text: Keeps the text for the next time; `None` forgets it.
        api: The API it goes over.
    """

    title: str
    body: EditableBody
    text: str | None
    price: str
    outside: Callable[[str], Awaitable[str]]
    why_not_kept: Callable[[bytes], Awaitable[str]]
    keep_text: Callable[[str | None], None]
    api: str = "responses"


class EditRequest(ModalScreen[Edited | None]):
    """Gives what is to be sent, or `None`; the text is kept for the next time either way."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave; the text is kept", show=False, id="dialog.close"),
        Binding("ctrl+s", "send", "Check and send", show=False, priority=True, id="edit.send"),
        Binding("alt+e", "outside", "In your editor", show=False, priority=True, id="edit.outside"),
        # Not Alt+B: most terminals send the same for it as for Ctrl+Left.
        Binding("alt+k", "branch", "Keep as a branch", show=False, priority=True, id="edit.branch"),
        Binding("f8", "next_finding", "Next finding", show=False, priority=True, id="edit.next"),
        Binding("alt+r", "as_sent", "As it was sent", show=False, priority=True, id="edit.as_sent"),
    ]
    DEFAULT_CSS = """
    EditRequest {
        align: center middle;
        & JsonArea {
            height: 1fr; min-height: 3; border: none; padding: 0; background: $surface;
            scrollbar-size-vertical: 1;
        }
        & JsonArea:focus { border: none; }
        & #edit-state { height: 1; padding: 0 1; background: $panel; }
        & #edit-findings { display: none; }
        & #edit-findings.-some { display: block; }
        & .dialog--detail { border-top: none; }
    }
    """

    def __init__(self, editing: Editing) -> None:
        super().__init__()
        self._editing = editing
        text = editing.body.text if editing.text is None else editing.text
        self._large = text if len(text) > _LARGEST else ""
        self._area = JsonArea("" if self._large else text, id="edit-body")
        self._area.read_only = bool(self._large)
        self._findings: list[Finding] = []
        self._shown = -1
        self._insisted = ""
        self._state = Static("", id="edit-state", markup=False)
        self._list = VirtualLines(cursor=True, id="edit-findings")
        self._detail = Static("", id="edit-detail", classes="dialog--detail", markup=False)
        self._keep = ChoiceLine("Answer goes", _PLACES, "inspector", id="edit-keep")

    def compose(self) -> ComposeResult:
        """The body, what is wrong with it, what sending costs and where the answer goes."""
        yield Dialog(
            self._area,
            self._state,
            self._list,
            self._keep,
            self._detail,
            title=self._editing.title,
            keys="Ctrl+S send   Alt+E editor   Alt+K branch   F8 next finding   Esc leave",
        )

    def on_mount(self) -> None:
        """The keys go to the text."""
        (self._keep if self._large else self._area).focus()
        lines = [self._editing.price]
        if self._editing.text is not None:
            lines.append("This is where you left off; Alt+R begins with what was sent.")
        self._say("\n".join(lines))
        self._check_soon()

    # ---- the text

    @property
    def text(self) -> str:
        """The body as it is edited."""
        return self._large or self._area.text

    def _take(self, text: str) -> None:
        """Edit another text."""
        self._large = text if len(text) > _LARGEST else ""
        self._area.read_only = bool(self._large)
        self._area.replace_all("" if self._large else text)
        self._check_soon()

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._check_soon()

    # ---- the check

    def _check_soon(self) -> None:
        self.run_worker(
            partial(self._check, _PAUSE), group="check", name="check", description="checks", exclusive=True
        )

    async def _check(self, pause: float = 0.0) -> None:
        await asyncio.sleep(pause)
        editing = self._editing
        findings = await asyncio.to_thread(_findings, editing.body, self.text, editing.api)
        if findings != self._findings:
            self._findings, self._shown = findings, -1
            self._list.show(RowList([_row(finding) for finding in findings]))
        self._list.set_class(bool(findings), "-some")
        self._list.styles.height = min(len(findings), _LINES_OF_FINDINGS)
        self._state.update(self._verdict())

    def _verdict(self) -> Content:
        count = len(self._findings)
        if self._large:
            where = f"{len(self._large):,} characters are too many to edit here: Alt+E opens your editor. "
        else:
            where = ""
        if not count:
            return Content.assemble(where, ("✓ Nothing wrong was found.", "$text-success"))
        what = "1 finding" if count == 1 else f"{count} findings"
        return Content.assemble(
            where, (f"✗ {what}; the server would most likely refuse this:", "$text-error")
        )

    @on(VirtualLines.Chosen, "#edit-findings")
    def _finding_chosen(self, event: VirtualLines.Chosen) -> None:
        event.stop()
        self._jump(event.index)

    @on(VirtualLines.Highlighted, "#edit-findings")
    def _finding_moved(self, event: VirtualLines.Highlighted) -> None:
        event.stop()

    def action_next_finding(self) -> None:
        """Go to the next finding's place in the text."""
        if self._findings:
            self._jump((self._shown + 1) % len(self._findings))

    def _jump(self, index: int) -> None:
        self._shown = index
        self._list.move_cursor(index)
        finding = self._findings[index]
        self._area.jump(finding.line, finding.column)
        self._area.focus()

    # ---- what is done

    @property
    def _keeps(self) -> bool:
        return self._keep.value == "branch"

    def action_outside(self) -> None:
        """Change the text in $VISUAL or $EDITOR."""
        self.run_worker(self._outside, group="outside", name="outside", description="edits", exclusive=True)

    async def _outside(self) -> None:
        before = self.text
        try:
            after = await self._editing.outside(before)
        except OutcropError as error:
            self._say(str(error), "$text-error")
            return
        if after != before:
            self._take(after)
        self._area.focus()

    def action_branch(self) -> None:
        """Keep the answer as a branch, or not."""
        self._keep.action_step(-1 if self._keeps else 1)

    def action_as_sent(self) -> None:
        """Begin again with what was sent; undo brings the changes back."""
        self._take(self._editing.body.text)
        self._say(self._editing.price)

    def action_send(self) -> None:
        """Check the text as it is now, and send it; what was found stops it once."""
        self.run_worker(self._send, group="send", name="send", description="checks", exclusive=True)

    async def _send(self) -> None:
        text = self.text
        await self._check()
        if self._findings:
            final = any(finding.syntax for finding in self._findings)
            if final or self._insisted != text:
                self._insisted = text
                self._jump(next((at for at, one in enumerate(self._findings) if one.syntax), 0))
                insist = f"Nothing was sent. Ctrl+S once more sends it all the same. {self._editing.price}"
                self._say("Nothing was sent: this is no JSON object." if final else insist, "$text-warning")
                return
        body = await asyncio.to_thread(self._editing.body.body, text)
        if self._keeps and (sentence := await self._editing.why_not_kept(body)):
            self._say(f"Nothing was sent. {sentence}", "$text-warning")
            return
        self._editing.keep_text(text)
        self.dismiss(Edited(body, self._keeps, bool(self._findings)))

    def action_leave(self) -> None:
        """Send nothing; what was changed is there the next time."""
        changed = self.text != self._editing.body.text
        self._editing.keep_text(self.text if changed else None)
        self.dismiss(None)

    def _say(self, text: str, style: str = "$text-muted") -> None:
        lines = [Content.styled(visible_line(line), style) for line in text.split("\n")]
        self._detail.update(Content("\n").join(lines))


def _findings(body: EditableBody, text: str, api: str) -> list[Finding]:
    findings = check_body(text.encode("utf-8", "replace"), api)
    if mark := body.unknown(text):
        at = text.index(mark)
        place = (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        findings.append(Finding(*place, "", "nothing was put aside under this number", syntax=True))
    return findings


def _row(finding: Finding) -> Row:
    where = f" {finding.line}:{finding.column} "
    path = f"{finding.path} " if finding.path else ""
    return row((where, "number"), (path, "key"), (finding.words, "error"))
