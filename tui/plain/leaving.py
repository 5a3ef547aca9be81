"""A conversation leaves by linear mode: into a file, in one of the forms."""

from __future__ import annotations

import asyncio
from functools import partial

from tui.core.errors import InputError
from tui.core.text import visible_line
from tui.plain.tools import PlainTools

__all__ = ["PlainLeaving"]


class PlainLeaving(PlainTools):
    """Linear mode with `/export`."""

    async def do_export(self, argument: str) -> None:
        """Write the conversation to a file."""
        from tui.core.export.request import Unsupported
        from tui.core.leaving.forms import LEAVING_FORMS
        from tui.export_files import export_path, write_export

        form, _, typed = argument.partition(" ")
        if form not in LEAVING_FORMS or not typed.strip():
            for one in LEAVING_FORMS.values():
                self.voice.say(f"{one.name}: {one.label}")
            raise InputError("Say a form and a file, e.g. /export markdown talk.md")
        conversation = self.conversation
        if not conversation.path():
            raise InputError("There is nothing in this conversation yet.")
        path = export_path(typed)
        try:
            made = await asyncio.to_thread(partial(self.session.leave, conversation, form, f"{path.stem}-"))
        except Unsupported as error:
            raise InputError(str(error)) from None
        for target, size in await asyncio.to_thread(write_export, made, path):
            self.voice.say(f"Written, for you alone to read: {visible_line(str(target))}, {size:,} bytes.")
        for note in made.notes:
            self.voice.say(f"{visible_line(note[:1].upper() + note[1:])}.")
