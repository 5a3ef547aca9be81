"""Tools in linear mode: which are on, what is asked about a call, and calls that were left."""

from __future__ import annotations

import asyncio
import json
from typing import Final

from tui.core.errors import InputError
from tui.core.structured.table import answers_of, answers_table, cell_text
from tui.core.text import visible, visible_line
from tui.core.tools import CHOICES, Answer, Question, Verdict
from tui.plain.chat import PlainChat

__all__ = ["PlainTools"]

_ANSWERS: Final[dict[str, Verdict]] = {
    "yes": "once",
    "y": "once",
    "conversation": "conversation",
    "always": "always",
    "never": "never",
}


class PlainTools(PlainChat):
    """Linear mode with tools."""

    async def approve(self, question: Question) -> Answer:
        """Ask in words whether a call may run."""
        name = visible_line(question.call.name)
        of = f", call {question.number} of {question.of}" if question.of > 1 else ""
        self.voice.say(f"The model calls the tool {name}{of}, with:")
        for argument, value in question.arguments.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            self.voice.say(f"{visible_line(argument)}: {visible(text)}")
        while True:
            said = await self._read(
                "Run it? yes, no, edit, output to see the output first, conversation for all its calls here, "
                "always or never for these arguments: "
            )
            word = (said or "no").strip().casefold()
            if word == "output":
                return Answer("once", review=True)
            if word != "edit":
                return Answer(_ANSWERS.get(word, "refuse"))
            changed = await self._read(
                "The text instead: " if question.call.kind == "custom" else "The arguments instead, in JSON: "
            )
            if changed is None:
                return Answer("refuse")
            if question.call.kind == "custom" or _is_object(changed):
                return Answer("once", changed)
            self.voice.say("That is no JSON object.")

    async def review(self, question: Question, output: str) -> str:
        """Read the output; a line that is typed goes back instead."""
        self.voice.say(f"Output of {visible_line(question.call.name)}:")
        self.voice.text(output)
        said = await self._read("Enter sends it; or type what goes back instead: ")
        return said or output

    async def do_tools(self, argument: str) -> None:
        """List the tools, turn one on or off, or go on with calls that were left."""
        session, conversation_id = self.session, self.conversation_id
        word, _, name = argument.strip().partition(" ")
        if word in ("continue", "interrupted"):
            how = "run" if word == "continue" else "interrupted"
            await self.answer(session.resume_calls(conversation_id, how, self))
            return
        toolbox = await session.toolbox()
        if not argument:
            await toolbox.load()
            use = session.conversation(conversation_id).tools
            for tool in toolbox.tools:
                state = "on" if use.named(tool.name) else "off"
                self.voice.say(f"{tool.name}, {state}: {tool.kind}, runs {visible_line(tool.runs)}.")
            for server in toolbox.servers:
                self.voice.say(f"{server.name}: MCP server; /tools on {server.name} connects to it.")
            if not toolbox.tools and not toolbox.servers:
                self.voice.say(
                    "There are no tools. --tools FILE or tools.toml in the config folder has them."
                )
            return
        if word == "off":
            await session.turn_off(conversation_id, [name])
            self.voice.say(f"{visible_line(name)} is off.")
            return
        server = next((server for server in toolbox.servers if server.name == name), None)
        source = server if server is not None else toolbox.tool(name)
        if word != "on" or source is None:
            raise InputError("Type /tools, /tools on NAME, /tools off NAME, or /tools continue.")
        self.voice.text(await asyncio.to_thread(getattr, source, "source"))
        if await self.confirm("This would run on your machine. Turn it on?"):
            names = [tool.name for tool in await toolbox.connect(name)] if server else [name]
            await session.turn_on(conversation_id, names)
            self.voice.say(f"{', '.join(names)}: on from the next turn on.")

    async def do_preset(self, argument: str) -> None:
        """Take a preset, once its code was read."""
        preset = await self.session.preset(argument)
        self.voice.text(preset.source)
        if await self.confirm("This would run on your machine. Turn it on?"):
            await self.session.use_preset(self.conversation_id, argument)
            self.voice.say(f"{preset.about}: on from the next turn on.")

    async def do_tool_choice(self, argument: str) -> None:
        """Say how the next prompt may be answered, or choose."""
        use = self.conversation.tools
        if argument:
            await self.session.set_tool_choice(self.conversation_id, argument)
            self.voice.say(f"The tool choice is {visible_line(argument)} from the next turn on.")
            return
        names = ", ".join([*CHOICES, *(tool.name for tool in use.on)])
        self.voice.say(f"The tool choice is {visible_line(use.choice)}. There are: {names}.")

    async def do_answers(self, argument: str) -> None:
        """Read the JSON answers of the path: a line for each value, or as CSV or JSON Lines."""
        table = answers_table(answers_of(self.conversation.path()))
        if argument not in ("", "csv", "jsonl"):
            raise InputError("Type /answers, /answers csv or /answers jsonl.")
        if not table.rows:
            self.voice.say("No JSON answer yet: /schema asks for one.")
        elif argument:
            self.voice.text(table.csv() if argument == "csv" else table.json_lines())
        else:
            for answer, row in zip(table.answers, table.rows, strict=True):
                values = "; ".join(f"{column}: {cell_text(value)}" for column, value in row.items())
                self.voice.say(f"Turn {answer.turn}: {values}.")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
