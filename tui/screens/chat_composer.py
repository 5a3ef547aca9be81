"""What goes into the composer from elsewhere: files, the clipboard, an editor, a paste that is opened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from textual import events, on

from tui.core.errors import OutcropError
from tui.core.text import visible_line
from tui.messages import AttachmentMoved, AttachmentOpened, AttachmentRemoved, ClipboardWanted, FilesGiven
from tui.screens.chat_target import ChatTarget
from tui.widgets.composer import Composer

if TYPE_CHECKING:
    from textual.worker import Worker

    from tui.core.attachments import Attachment
    from tui.core.drafts import Draft
    from tui.screens.paste import PasteChange
    from tui.session.session import Session

__all__ = ["ChatComposer"]

_SOON: Final = 0.3
"""Seconds that reading files may take before it is said."""


@dataclass(slots=True, eq=False)
class _Reading:
    """Files that are on their way into a prompt.

    Attributes:
        conversation_id: Where they were given; empty before the first conversation is there.
        names: Those still to come, as they can be drawn.
        worker: Reads them.
        is_shown: Whether it took long enough to be said.
        failed: Whether one of them is not attached.
    """

    conversation_id: str
    names: list[str]
    worker: Worker[None] | None = None
    is_shown: bool = False
    failed: bool = False


@dataclass(slots=True)
class _Held:
    """A prompt that was sent while files were on their way into it.

    Attributes:
        draft: As it was.
        waits_for: The files that it waits for.
        failed: Whether one of them is not attached.
    """

    draft: Draft
    waits_for: list[_Reading]
    failed: bool = False


class ChatComposer(ChatTarget):
    """The chat screen with all that fills the composer beside the keys."""

    _chooser_folder = ""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        self._readings: list[_Reading] = []
        self._held: _Held | None = None
        # One after the other, so that they stand in the order in which they were given.
        self._attaching = asyncio.Lock()

    # ---- attachments

    def attachments_changed(self) -> None:
        """The files that go with the next prompt have changed: show them, and keep them with the draft."""
        self._show_files()
        self.post_message(Composer.DraftChanged())

    def _show_files(self) -> None:
        coming = [name for reading in self._readings_here() if reading.is_shown for name in reading.names]
        then_sent = self._held is not None
        self._do(
            partial(self.chips.show, list(self._attachments), coming=coming, then_sent=then_sent), "chips"
        )

    async def warmed_up(self) -> None:
        """Wait until the session is there: files may be dropped before."""
        raise NotImplementedError

    def action_begin_attach(self) -> None:
        """Choose files to attach."""
        from tui.screens.file_chooser import FileChooser

        async def look(path: str) -> Attachment:
            await self.warmed_up()
            return await self.session.attach(path)

        def chosen(paths: Sequence[str] | None) -> None:
            if paths:
                self._chooser_folder = os.path.dirname(paths[0])
                self.post_message(FilesGiven(tuple(paths)))
            self.composer.input.focus()

        self.outcrop.push_screen(FileChooser(look, self._chooser_folder), chosen)

    @on(FilesGiven)
    def _files_given(self, event: FilesGiven) -> None:
        event.stop()
        self.read_files(event.paths)

    def read_files(self, paths: Sequence[str]) -> None:
        """Attach several files, in the order given, beside the event loop."""
        reading = _Reading(self._conversation_id, [visible_line(os.path.basename(path)) for path in paths])
        self._readings.append(reading)
        reading.worker = self._do(partial(self._attach_files, paths, reading), "attach")
        self.set_timer(_SOON, partial(self._say_reading, reading))

    async def _attach_files(self, paths: Sequence[str], reading: _Reading) -> None:
        """Attach them; what cannot be attached is said and the rest is."""
        try:
            await self.warmed_up()
            reading.conversation_id = reading.conversation_id or self._conversation_id
            async with self._attaching:
                for path in paths:
                    await self._attach_file(path, reading)
        finally:
            reading.failed = reading.failed or bool(reading.names)
            self._readings.remove(reading)
            self._send_held(reading)
            self._show_files()

    async def _attach_file(self, path: str, reading: _Reading) -> None:
        try:
            self._take_attachment(await self.session.attach(path), reading.conversation_id)
        except OutcropError as error:
            reading.failed = True
            self._complain(str(error), "error")
        del reading.names[0]

    def _readings_here(self) -> list[_Reading]:
        """The files that are on their way into the prompt that is shown."""
        return [one for one in self._readings if one.conversation_id in ("", self._conversation_id)]

    def _say_reading(self, reading: _Reading) -> None:
        if reading in self._readings:
            reading.is_shown = True
            self._show_files()

    def stop_reading_files(self) -> bool:
        """End the reading of files that are on their way into this prompt; tells whether there were any."""
        readings = self._readings_here()
        for reading in readings:
            if reading.worker is not None:
                reading.worker.cancel()
        return bool(readings)

    def waits_for_files(self, draft: Draft) -> bool:
        """Whether files are still on their way into a prompt that is sent: then it waits for them.

        It stands in the composer meanwhile, and stays there when one of them cannot be attached.
        """
        readings = self._readings_here()
        if readings:
            self.composer.put_back(draft)
            self._held = _Held(draft, readings)
            for reading in readings:
                reading.is_shown = True
            self._show_files()
        return bool(readings)

    def _send_held(self, reading: _Reading) -> None:
        """Send the prompt that waited for these files, as it was; who changed it means to send it himself."""
        held = self._held
        if held is None or reading not in held.waits_for:
            return
        held.waits_for.remove(reading)
        held.failed = held.failed or reading.failed
        if held.waits_for:
            return
        self._held = None
        if reading.conversation_id != self._conversation_id:
            return
        if held.failed:
            self._complain("The prompt was not sent: a file that it was to go with is not attached.")
        elif self.composer.draft.stripped() == held.draft:
            self.composer.clear()
            self.composer.post_message(Composer.Submitted(held.draft))

    def _take_attachment(self, attachment: Attachment, conversation_id: str) -> None:
        from tui.core.attachments import doubts

        for sentence in doubts([attachment]):
            self._complain(sentence)
        if conversation_id != self._conversation_id:
            self.keep_file(conversation_id, attachment)
            return
        same = next((file for file in self._attachments if file.sha256 == attachment.sha256), None)
        if same is not None:
            other = "" if same.name == attachment.name else f": it is the same file as {same.name}"
            self._complain(f"{attachment.name} is attached already{other}.", "information")
            return
        self._attachments.append(attachment)
        self.attachments_changed()
        self.say_what_is_not_taken([attachment])

    def keep_file(self, conversation_id: str, attachment: Attachment) -> None:
        """Put a file to what is written in a conversation that is not shown any longer."""
        raise NotImplementedError

    def say_what_is_not_taken(self, attachments: Sequence[Attachment] = ()) -> None:
        """Say at once that the model in force does not take a file that is attached; sending would refuse."""
        if not self._conversation_id:
            return
        from tui.core.attachments import why_not_taken

        with suppress(KeyError):
            target = self.session.target(self._conversation_id)
            model = self.session.catalogue.model(target.model)
            if sentence := why_not_taken(model, attachments or self._attachments):
                self._complain(sentence)

    async def _choose(
        self,
        *,
        model: str | None = None,
        region: str | None = None,
        endpoint: str | None = None,
        api: str | None = None,
    ) -> None:
        """As before, and say at once which files the model does not take, attached now or sent earlier."""
        await super()._choose(model=model, region=region, endpoint=endpoint, api=api)
        from tui.core.attachments import why_not_in_path, why_not_taken

        with suppress(KeyError):
            conversation = self.session.conversation(self._conversation_id)
            target = self.session.target(self._conversation_id)
            found = self.session.catalogue.model(target.model)
            sentence = why_not_taken(found, self._attachments)
            sentence = sentence or why_not_in_path(found, conversation.path(), ())
            if sentence:
                self._complain(sentence)

    @on(AttachmentRemoved)
    def _attachment_removed(self, event: AttachmentRemoved) -> None:
        event.stop()
        if event.index < len(self._attachments):
            del self._attachments[event.index]
            # At once: the chips that are drawn anew leave the keys where they are.
            self.set_focus(self.composer.input)
            self.attachments_changed()

    @on(AttachmentMoved)
    def _attachment_moved(self, event: AttachmentMoved) -> None:
        event.stop()
        files, there = self._attachments, event.index + event.step
        if 0 <= there < len(files) and event.index < len(files):
            files.insert(there, files.pop(event.index))
            self._do(partial(self.chips.show, list(files), focus=there), "chips")
            self.post_message(Composer.DraftChanged())

    @on(AttachmentOpened)
    def _attachment_opened(self, event: AttachmentOpened) -> None:
        event.stop()
        self.action_open_attachments(event.index)

    def action_open_attachments(self, index: int = 0) -> None:
        """List the attachments with what each adds, to reorder and remove them."""
        from tui.screens.attachments import AttachmentsScreen

        if not self._conversation_id:
            return

        def change(files: Sequence[Attachment]) -> None:
            self._attachments[:] = files
            self.attachments_changed()

        def closed(add: bool | None) -> None:
            self.composer.input.focus()
            if add:
                self.action_begin_attach()

        mode = self.session.conversation(self._conversation_id).continuation
        self.outcrop.push_screen(AttachmentsScreen(self._attachments, change, mode, index), closed)

    def action_detach(self, number: str = "") -> None:
        """Remove the attachment of this number, counted from 1, or the last one."""
        index = int(number) - 1 if number.isdecimal() else len(self._attachments) - 1
        if 0 <= index < len(self._attachments):
            self.post_message(AttachmentRemoved(index))
        else:
            self._complain(
                "There is no such attachment." if number else "Nothing is attached.", "information"
            )

    # ---- the clipboard

    @on(ClipboardWanted)
    def _clipboard_wanted(self, event: ClipboardWanted) -> None:
        event.stop()
        self._do(self._paste_clipboard, "clipboard", exclusive=True, keys_wait=True)

    async def _paste_clipboard(self) -> None:
        """Paste what the system's clipboard holds; what was copied in this program where it cannot be had."""
        from tui.terminal.clipboard_reading import read_clipboard

        found = await read_clipboard(os.environ)
        await self.warmed_up()
        if found.image:
            try:
                conversation_id = self._conversation_id
                attachment = await self.session.attach_data("clipboard", found.image)
                self._take_attachment(attachment, conversation_id)
            except OutcropError as error:
                self._complain(str(error), "error")
        elif text := found.text or cast("Any", self.outcrop).clipboard:
            self.composer.input.post_message(events.Paste(text))
            self.composer.input.focus()
        elif found.tool:
            self._complain("The clipboard holds no text, no file and no image.", "information")
        else:
            self._complain(
                "The clipboard cannot be read here: wl-paste, xclip or xsel is missing. "
                "The terminal's own paste key works, often Ctrl+Shift+V.",
                "information",
            )

    # ---- long pastes

    def action_open_paste(self, number: str = "") -> None:
        """Open the long paste of this number, or the one near the cursor."""
        if not self.composer.open_paste(int(number) if number.isdecimal() else None):
            self._complain(
                "There is no such paste." if number else "There is no long paste in the prompt.",
                "information",
            )

    @on(Composer.PasteOpened)
    def _paste_opened(self, event: Composer.PasteOpened) -> None:
        from tui.screens.paste import PasteScreen

        event.stop()

        def changed(change: PasteChange | None) -> None:
            if change is not None:
                self.composer.change_paste(event.mark, change.text, expand=change.expand)
            self.composer.input.focus()

        self.outcrop.push_screen(PasteScreen(event.text), changed)

    # ---- the user's editor

    def action_edit_outside(self) -> None:
        """Write the prompt in $VISUAL or $EDITOR."""
        self._do(self._edit_outside, "editor", exclusive=True)

    async def _edit_outside(self) -> None:
        from tui.terminal.external_editor import edit_text, editor_command

        command = editor_command(os.environ)
        before = self.composer.text
        edited = await edit_text(before, command, self._run_in_terminal)
        if edited != before:
            self.composer.replace_all(edited)
        self.composer.input.focus()

    async def _run_in_terminal(self, command: Sequence[str]) -> int:
        """Give the terminal to a program; answers go on arriving meanwhile, and are drawn afterwards."""
        import signal

        from textual.app import SuspendNotSupported

        from tui.terminal.children import child_environment

        app = self.outcrop
        # Ctrl+C in the editor goes to both; a handler, not "ignore", as the editor would inherit that.
        before = signal.signal(signal.SIGINT, _take_no_notice)
        failed: BaseException | None = None
        status = 0
        try:
            with app.batch_update(), app.suspend():
                try:
                    process = await asyncio.create_subprocess_exec(*command, env=child_environment())
                    status = await process.wait()
                except (
                    BaseException
                ) as error:  # Textual gives the terminal back only where nothing is raised.
                    failed = error
            if failed is not None:
                raise failed
            return status
        except SuspendNotSupported:
            raise OutcropError("This terminal cannot be given to an editor.") from None
        finally:
            signal.signal(signal.SIGINT, before)
            app.refresh(layout=True)
            self.refresh(layout=True)


def _take_no_notice(number: int, frame: object) -> None:
    """A signal that is meant for somebody else."""
