"""The slash commands of linear mode: those of the full screen that make sense by lines, and its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from tui.commands import by_slash
from tui.core.api_rules import API_NAMES, api_named
from tui.core.apis import why_not_stateful
from tui.core.errors import InputError
from tui.core.items import Turn
from tui.core.structured.output_format import format_name, format_problems
from tui.core.text import visible_line
from tui.parting_words import UNSAVED
from tui.plain.leaving import PlainLeaving
from tui.plain.words import listed, request_lines, summary_line, target_words, turn_line
from tui.session.schemas import mended_format

__all__ = ["OWN", "PlainCommands"]

OWN: Final = {
    "attach": ("PATH", "Attaches a PDF or a picture to the next message."),
    "attachments": ("", "Says what goes with the next message."),
    "branch": (
        "[NUMBER]",
        "Goes to the next branch at that turn, or at the last place where the path parts.",
    ),
    "answers": ("[csv|jsonl]", "Reads the JSON answers of this conversation, one table, or in that form."),
    "copy": ("[NUMBER]", "Copies the answer of that turn, or the last one, to the clipboard."),
    "edit": ("[NUMBER]", "Reads the prompt of that turn; what you type next is sent instead, as a branch."),
    "export": ("FORM FILE", "Writes the conversation to a file: Markdown, JSON, a program, batch records."),
    "help": ("", "This list."),
    "history": ("[WORDS]", "Lists the conversations on this machine, or those with these words."),
    "inspect": ("[NUMBER]", "Says what the last request was, or the one of this number, and how it went."),
    "model": ("[MODEL]", "Lists the models, or takes one."),
    "open": ("NUMBER", "Opens a conversation of the list that /history gave, or one by its id."),
    "read": ("[NUMBER]", "Reads that turn, or the last one, again."),
    "reasoning": ("[NUMBER]", "Reads the reasoning summary of that turn, or of the last one."),
    "region": ("[REGION]", "Lists the regions, or takes one."),
    "api": ("[API]", "Lists the APIs, or takes one."),
    "aws-profile": ("[NAME|off]", "Lists the profiles of ~/.aws, or signs with one; off sends a key again."),
    "send": ("", "Sends the draft."),
    "tools": ("[on NAME|off NAME|continue|interrupted]", "Lists the tools, turns one on or off, goes on."),
    "turns": ("", "Lists the turns of the conversation, with the branches beside them."),
}
"""Commands that are not in the full screen, or that work otherwise here: argument, and a sentence."""

_SHARED: Final = (
    "compact", "detach", "effort", "fork", "instructions", "maxtokens", "new", "preset", "quit",
    "regenerate", "rename", "schema", "stateful", "stateless", "tool-choice", "verbosity",
)  # fmt: skip
_UNSET: Final = ("unset", "off", "none", "default")


class PlainCommands(PlainLeaving):
    """Linear mode with its commands: `/name` is the method `do_name`, dashes as underscores."""

    _found: tuple[str, ...] = ()

    async def command(self, name: str, argument: str) -> None:
        """Run a slash command, or say why there is none of that name."""
        names = sorted({*OWN, *_SHARED})
        if name in names:
            run: Callable[[str], Awaitable[None]] = getattr(self, f"do_{name.replace('-', '_')}")
            await run(argument)
        elif by_slash(name) is not None:
            self.voice.say(f"/{name} needs the full screen: start outcrop without --plain.")
        else:
            near = get_close_matches(name, names, 1)
            hint = f" Did you mean /{near[0]}?" if near else ""
            self.voice.say(f"There is no command /{name}; nothing was sent.{hint} /help lists them.")

    # -- the program -------------------------------------------------------------------------------

    async def do_help(self, _: str) -> None:
        """List the commands."""
        for name in sorted({*OWN, *_SHARED}):
            if name in OWN:
                argument, words = OWN[name]
            else:
                command = by_slash(name)
                assert command is not None
                argument, words = command.argument, command.help
            self.voice.say(f"/{name}{' ' if argument else ''}{argument}: {words}")
        self.voice.say("A line that ends with a backslash goes on in the next one.")

    async def do_quit(self, _: str) -> None:
        """Leave; ask somebody at a terminal first where something would be lost."""
        ask = self.session.records.unsaved and not self._echo
        self.leaving = not ask or await self.confirm(f"{UNSAVED}. Leave all the same?")

    # -- where the next turn goes ------------------------------------------------------------------

    async def do_model(self, argument: str) -> None:
        """List the models, or take one."""
        if not argument:
            target = self.session.target(self.conversation_id)
            for model in self.session.catalogue.models:
                pairing = self.session.catalogue.pairing(model.id, target.region, target.endpoint)
                why = "" if pairing.possible else f", not here: {pairing.reason}"
                mark = ", in use" if model.id == target.model else ""
                self.voice.say(f"{model.id}: {model.label}{mark}{why}")
            return
        await self._choose(model=argument)

    async def do_region(self, argument: str) -> None:
        """List the regions, or take one."""
        if not argument:
            target = self.session.target(self.conversation_id)
            self.voice.say(
                f"Region {target.region} is in use. Known: {', '.join(self.session.catalogue.regions)}."
            )
            return
        await self._choose(region=argument)

    async def do_api(self, argument: str) -> None:
        """List the APIs, or take one."""
        catalogue, target = self.session.catalogue, self.session.target(self.conversation_id)
        if argument:
            api = api_named(argument)
            if api is None:
                raise InputError(f"There is no API {visible_line(argument)}; /api lists them.")
            await self._choose(api=api)
            return
        for api, words in API_NAMES.items():
            pairing = catalogue.pairing(target.model, target.region, target.endpoint, api=api)
            why = "" if pairing.possible else f", not here: {pairing.reason}"
            self.voice.say(f"{api}: {words}{', in use' if api == target.api else ''}{why}")

    async def do_aws_profile(self, argument: str) -> None:
        """List the AWS profiles, or sign with one."""
        credentials, settings = self.session.credentials, self.session.settings
        signing, place = credentials.aws, settings.token_place(self.session.target(self.conversation_id))
        if settings.sandbox or signing is None:
            raise InputError("The sandbox has a token of its own; no AWS profile is used.")
        if argument:
            signing.use("" if argument == "off" else argument)
        else:
            for profile in await asyncio.to_thread(signing.profiles):
                mark = ", in use" if profile.name == signing.profile else ""
                words = ", ".join(word for word in (profile.kind, profile.region, profile.detail) if word)
                self.voice.say(f"{profile.name}: {words}{mark}")
        await credentials.load(place)
        self.voice.say(credentials.status(place).sentence)

    async def _choose(
        self, *, model: str | None = None, region: str | None = None, api: str | None = None
    ) -> None:
        said = await self.session.set_target(self.conversation_id, model=model, region=region, api=api)
        target = self.session.target(self.conversation_id)
        pairing = self.session.catalogue.pairing(target.model, target.region, target.endpoint, api=target.api)
        if pairing.reason and not target.sandbox:
            self.voice.say(pairing.reason)
        stateful = self.conversation.continuation == "stateful"
        for sentence in (said, why_not_stateful(target.api) if stateful else None):
            if sentence:
                self.voice.say(sentence)
        self._say_next()

    async def do_stateful(self, _: str) -> None:
        """Continue by id."""
        if why_not := why_not_stateful(self.session.target(self.conversation_id).api):
            raise InputError(why_not)
        await self.session.set_continuation(self.conversation_id, "stateful")
        self._say_next()

    async def do_stateless(self, _: str) -> None:
        """Send the whole path each time."""
        await self.session.set_continuation(self.conversation_id, "stateless")
        self._say_next()

    def _say_next(self) -> None:
        self.voice.say(f"Next: {target_words(self.session.target(self.conversation_id), self.conversation)}.")
        for sentence in self.session.unsent(self.conversation_id):
            self.voice.say(sentence)

    async def do_effort(self, argument: str) -> None:
        """Choose the reasoning effort."""
        await self._control("Effort", "effort", argument)

    async def do_verbosity(self, argument: str) -> None:
        """Choose the verbosity."""
        await self._control("Verbosity", "verbosity", argument)

    async def do_maxtokens(self, argument: str) -> None:
        """Choose the most output tokens."""
        await self._control("Most output tokens", "max_output_tokens", argument.replace(",", ""))

    async def do_schema(self, argument: str) -> None:
        """Say what form answers are asked for in, or choose one; a schema is mended after a question."""
        controls = self.conversation.controls
        if not argument:
            library = await self.session.schema_library()
            names = ", ".join([*(entry.name for entry in library.entries), "json", "off"])
            now = format_name(controls.text_format or "") or "prose"
            self.voice.say(f"Answers: {now}. There are: {names}.")
            return
        text_format = await self.session.find_format(argument)
        if problems := format_problems(text_format):
            for problem in problems[:20]:
                self.voice.say(f"Breaks a strict rule: {problem}.")
            mendable = all(problem.mendable for problem in problems)
            if not mendable or not await self.confirm("Mend it?"):
                return
            text_format = mended_format(text_format)
        controls = replace(controls, text_format=text_format or None)
        await self.session.set_controls(self.conversation_id, controls)
        self.voice.say(f"Answers are {format_name(text_format) or 'prose'} from the next turn on.")

    async def _control(self, words: str, name: str, argument: str) -> None:
        value: str | int | None = argument.casefold()
        if not argument:
            now = getattr(self.conversation.controls, name)
            self.voice.say(f"{words}: {'unset' if now is None else now}.")
            return
        if value in _UNSET:
            value = None
        elif name == "max_output_tokens":
            if not (argument.isdecimal() and argument.isascii()):
                raise InputError("The limit must be a whole number, or 'unset'.")
            value = int(argument)
        controls = replace(self.conversation.controls, **{name: value})  # pyright: ignore[reportArgumentType]
        await self.session.set_controls(self.conversation_id, controls)
        self.voice.say(f"{words} {'is unset' if value is None else f'is {value}'} from the next turn on.")

    async def do_instructions(self, argument: str) -> None:
        """Take named instructions, none, or say which there are."""
        library = await self.session.instructions_library()
        entry = library.named(argument) if argument else None
        if argument.casefold() in _UNSET:
            await self.session.set_instructions(self.conversation_id, "")
            self.voice.say("No instructions are sent from the next turn on.")
        elif entry is not None:
            await self.session.set_instructions(self.conversation_id, entry.text, entry.name)
            self.voice.say(f"The instructions are {entry.name} from the next turn on.")
        else:
            names = ", ".join(entry.name for entry in library.entries)
            self.voice.say(f"In use: {self.conversation.instructions or 'none'}. By name there are: {names}.")

    # -- files -------------------------------------------------------------------------------------

    async def do_attach(self, argument: str) -> None:
        """Attach a file."""
        if not argument:
            raise InputError("Which file? /attach PATH")
        attachment = await self.session.attach(argument.strip("'\""))
        if any(file.sha256 == attachment.sha256 for file in self.files):
            self.voice.say("The same file is attached already.")
            return
        self.files.append(attachment)
        await self._keep()
        self.voice.say(" ".join([f"Attached: {listed(self.files)[-1]}", attachment.doubt]).rstrip())

    async def do_attachments(self, _: str) -> None:
        """Say what is attached."""
        for line in listed(self.files) or ["No file is attached."]:
            self.voice.say(line)

    async def do_detach(self, argument: str) -> None:
        """Take a file away."""
        number = int(argument) if argument.isdecimal() else len(self.files)
        if (argument and not argument.isdecimal()) or not 1 <= number <= len(self.files):
            raise InputError(f"There is no such file; {len(self.files)} are attached.")
        gone = self.files.pop(number - 1)
        await self._keep()
        self.voice.say(f"Removed: {gone.name}")

    # -- conversations -----------------------------------------------------------------------------

    async def do_new(self, _: str) -> None:
        """Begin a conversation; the present one stays in the history."""
        self.voice.say("New conversation.")
        await self.enter((await self.session.new()).id)

    async def do_history(self, argument: str) -> None:
        """List conversations."""
        found = await (self.session.search(argument, 20) if argument else self.session.list(20))
        self._found = tuple(summary.id for summary in found)
        for number, summary in enumerate(found, 1):
            self.voice.say(summary_line(number, summary))
        self.voice.say("/open NUMBER opens one." if found else "No conversation was found.")

    async def do_open(self, argument: str) -> None:
        """Open a conversation of the last list, or by id."""
        if not argument:
            raise InputError("Which one? /history lists them, /open NUMBER opens one.")
        named = argument
        if argument.isdecimal() and len(argument) < 4:
            if not 1 <= int(argument) <= len(self._found):
                raise InputError(f"The last list has {len(self._found)} conversations; /history makes one.")
            named = self._found[int(argument) - 1]
        await self.enter((await self.session.open(named)).id)

    async def do_rename(self, argument: str) -> None:
        """Give the conversation a title."""
        conversation = await self.session.rename(self.conversation_id, argument)
        self.voice.say(f"The title is: {conversation.title or 'made of the first message'}")

    # -- turns -------------------------------------------------------------------------------------

    def _turn(self, argument: str) -> Turn:
        path = self.conversation.path()
        if not path:
            raise InputError("There is no turn yet.")
        if argument and not (argument.isdecimal() and 1 <= int(argument) <= len(path)):
            raise InputError(f"There is no turn {visible_line(argument)}; this path has {len(path)}.")
        return path[int(argument) - 1] if argument else path[-1]

    async def do_turns(self, _: str) -> None:
        """List the turns of the path."""
        marks = self.conversation.branch_marks()
        path = self.conversation.path()
        for number, turn in enumerate(path, 1):
            mark = marks.get(turn.id)
            self.voice.say(turn_line(number, turn, f"{mark.number} of {mark.of}" if mark else ""))
        if not path:
            self.voice.say("There is no turn on this path yet.")
        if None in marks:
            self.voice.say(f"The next message begins branch {marks[None].number}.")

    async def do_read(self, argument: str) -> None:
        """Read a turn again."""
        turn = self._turn(argument)
        self.voice.say("You said:")
        self.voice.text(turn.prompt)
        self.voice.say("Answer:")
        self.voice.text(turn.text)
        self.voice.say("End of answer.")

    async def do_reasoning(self, argument: str) -> None:
        """Read a reasoning summary."""
        text = self._turn(argument).reasoning
        self.voice.say(
            "Reasoning summary:" if text else "The server sent no reasoning summary for this turn."
        )
        if text:
            self.voice.text(text)
            self.voice.say("End of the summary.")

    async def do_fork(self, argument: str) -> None:
        """Go on after a turn, or before the last one."""
        turn = self._turn(argument)
        await self._go(turn.id if argument else turn.parent_id)

    async def _go(self, tip: str | None) -> None:
        await self.session.set_tip(self.conversation_id, tip)
        length = len(self.conversation.path())
        after = f"after turn {length}" if length else "at the beginning"
        self.voice.say(f"The next message goes on {after}; what was there stays as a branch.")

    async def do_branch(self, argument: str) -> None:
        """Walk to the next branch."""
        marks = self.conversation.branch_marks()
        path = [turn.id for turn in self.conversation.path() if turn.id in marks]
        turn_id = self._turn(argument).id if argument else None if None in marks else (path or [""])[-1]
        if turn_id not in marks:
            raise InputError("The path does not part there; /turns says where it does.")
        tip = self.conversation.beside(turn_id, 1)
        if tip is None:
            # Past the last one comes the first.
            tip = self.conversation.beside(turn_id, 1 - marks[turn_id].number)
        assert tip is not None
        await self.session.set_tip(self.conversation_id, tip)
        mark = self.conversation.branch
        self.voice.say(f"Branch {mark.number} of {mark.of}." if mark else "The only branch.")
        await self.do_turns("")

    async def do_regenerate(self, argument: str) -> None:
        """Have a turn answered once more."""
        turn = self._turn(argument)
        await self.answer(self.session.resend(self.conversation_id, turn.id))

    async def do_edit(self, argument: str) -> None:
        """Send another prompt in a turn's place."""
        turn = self._turn(argument)
        self.files = await self.session.attachments_of(self.conversation_id, turn.id)
        self.voice.say("The message was:")
        self.voice.text(turn.prompt)
        if self.files:
            self.voice.say(f"Its {len(self.files)} files are attached.")
        await self._go(turn.parent_id)

    async def do_send(self, _: str) -> None:
        """Send the draft."""
        if not self.draft.strip() and not self.files:
            raise InputError("There is no draft.")
        await self.send(self.draft)

    async def do_compact(self, _: str) -> None:
        """Go on from a summary."""
        self.voice.say("The model sums the conversation up.")
        summary = await self.working(self.session.summarize(self.conversation_id))
        if summary is None:
            return
        self.voice.say("Summary:")
        self.voice.text(summary.text)
        if await self.confirm("Go on from this summary?"):
            await self.session.continue_from(self.conversation_id, summary)
            self.voice.say("The next message goes on from the summary; the turns before it stay as a branch.")

    # -- looking closer ----------------------------------------------------------------------------

    async def do_inspect(self, argument: str) -> None:
        """Say what a request was."""
        exchanges = await self.session.load_exchanges(self.conversation_id)
        if not exchanges:
            raise InputError("Nothing was sent in this conversation yet.")
        numbers = [exchange.number for exchange in exchanges]
        if argument and not (argument.isdecimal() and int(argument) in numbers):
            raise InputError(
                f"There is no request {visible_line(argument)}; {numbers[0]} to {numbers[-1]} are kept."
            )
        wanted = int(argument) if argument else numbers[-1]
        for line in request_lines(next(one for one in exchanges if one.number == wanted)):
            self.voice.say(line)

    async def do_copy(self, argument: str) -> None:
        """Copy an answer."""
        from tui.terminal.clipboard import amount, copy

        text = self._turn(argument).text
        to_terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        copied = await copy(text, self.voice.sequence if to_terminal else None, os.environ)
        self.voice.say(copied.sentence(amount(text)))
