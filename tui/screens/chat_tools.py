"""Tools in the chat screen: the list, questions about calls, and calls that were left without an output."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from tui.core.errors import InputError, OutcropError
from tui.core.text import visible_line
from tui.screens.chat_sending import ChatSending

if TYPE_CHECKING:
    from textual.screen import ModalScreen

    from tui.core.items import Turn
    from tui.core.tools import Answer, Question
    from tui.screens.live_turn import LiveTurn
    from tui.screens.tools_dialog import ToolLine
    from tui.session.session import Session

__all__ = ["ChatTools"]

T = TypeVar("T")


class ChatTools(ChatSending):
    """The chat screen with tools."""

    def __init__(self, session: Session, keys: dict[str, str]) -> None:
        super().__init__(session, keys)
        # One question at a time, whichever conversation asks.
        self._asking = asyncio.Lock()

    # ---- the loop

    def next_step(self, live: LiveTurn, turn: Turn) -> LiveTurn:
        """The outputs of its tool calls are on their way: the turn that draws what comes now."""
        from tui.screens.live_turn import LiveTurn

        self._turns_begun += 1
        model = turn.target.model if turn.target else ""
        step = LiveTurn(live.conversation_id, self._turns_begun, "", (), model, turn)
        step.since = live.since
        self._live[live.conversation_id] = step
        if self._shown(live):
            live.show_in(None)
            for block in step.blocks():
                self.pane.append(block)
            step.show_in(self.pane)
        return step

    async def approve(self, question: Question) -> Answer:
        """Ask whether a tool call may run."""
        from tui.screens.tool_approval import ApprovalScreen

        toolbox = await self.session.toolbox()
        tool = toolbox.tool(question.call.name)
        runs = visible_line(tool.runs) if tool is not None else "a tool that is no longer there"
        async with self._asking:
            where = ""
            if question.conversation_id != self._conversation_id:
                where = visible_line(self.session.conversation(question.conversation_id).title or "Untitled")
            return await self._ask(ApprovalScreen(question, runs, where))

    async def review(self, question: Question, output: str) -> str:
        """Show a tool's output; returns what goes back to the model."""
        from tui.screens.tool_approval import OutputScreen

        async with self._asking:
            return await self._ask(OutputScreen(question.call.name, output))

    async def _ask(self, screen: ModalScreen[T]) -> T:
        """Open a dialog and wait for what it gives; it goes when nobody waits any more."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def answered(value: T | None) -> None:
            if not answer.done() and value is not None:
                answer.set_result(value)

        self.outcrop.push_screen(screen, answered)
        try:
            return await answer
        except asyncio.CancelledError:
            if screen.is_current:
                screen.dismiss(None)
            raise

    # ---- the list

    def action_open_tools(self) -> None:
        """List the tools, to turn them on and off."""
        if self._conversation_id and not self._lacks("tools"):
            self._do(self._open_tools, "tools", exclusive=True, keys_wait=True)

    async def _open_tools(self) -> None:
        from tui.screens.tools_dialog import ToolsScreen

        toolbox = await self.session.toolbox()
        await toolbox.load()
        where = str(self.session.settings.config_dir / "tools.toml")
        self.outcrop.push_screen(ToolsScreen(self, await self.tool_lines(), where), self._tools_closed)

    def _tools_closed(self, _: None) -> None:
        self._refresh_target()

    async def tool_lines(self) -> Sequence[ToolLine]:
        """The tools as they are now, then the MCP servers, then the answers that hold on."""
        from tui.screens.tools_dialog import ToolLine

        toolbox = await self.session.toolbox()
        use = self.session.conversation(self._conversation_id).tools
        lines: list[ToolLine] = []
        for tool in toolbox.tools:
            on = use.named(tool.name)
            state = "no question is asked" if on is not None and on.allowed else ""
            source = await asyncio.to_thread(getattr, tool, "source")
            about = tool.description or "Its docstring is what the model reads."
            lines.append(
                ToolLine(tool.name, "tool", on is not None, state, tool.kind, tool.runs, about, source)
            )
        for server in toolbox.servers:
            names = [tool.name for tool in toolbox.tools if tool.server == server]
            on = any(use.named(name) is not None for name in names)
            runs = server.url or " ".join(server.command)
            state = f"{len(names)} tools" if names else "not connected"
            about = "Its tools come into this list when it is turned on."
            lines.append(ToolLine(server.name, "server", on, state, "MCP server", runs, about, server.source))
        for rule in await self.session.tool_rules():
            state = "always runs" if rule.allow else "never runs"
            pattern = ", ".join(f"{name}={value}" for name, value in rule.pattern.items())
            about = "An answer of yours that holds on. Enter forgets it: you are asked again."
            lines.append(ToolLine(rule.tool, "rule", rule.allow, state, "rule", pattern, about, rule=rule.id))
        return lines

    async def switch_tool(self, line: ToolLine) -> str:
        """Turn a tool on or off, connect a server, forget a rule; returns what is wrong, or nothing."""
        session, conversation_id = self.session, self._conversation_id
        try:
            if line.what == "rule":
                await session.forget_tool_rule(line.rule)
            elif line.what == "server":
                toolbox = await session.toolbox()
                names = [tool.name for tool in await toolbox.connect(line.name)]
                if line.on:
                    await session.turn_off(conversation_id, names)
                else:
                    await session.turn_on(conversation_id, names)
            elif line.on:
                await session.turn_off(conversation_id, [line.name])
            else:
                await session.turn_on(conversation_id, [line.name])
        except OutcropError as error:
            return str(error)
        return ""

    # ---- by command

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/tools`, `/preset` and `/tool-choice` with what was typed after them."""
        if not argument or not self._conversation_id:
            return super().command_given(command_id, argument)
        match command_id:
            case "tools.open" if argument.casefold() in ("continue", "run", "again"):
                self._resume_calls("run")
            case "tools.open" if argument.casefold() in ("interrupted", "skip"):
                self._resume_calls("interrupted")
            case "tools.choice":
                self._do(partial(self._choose_tool, argument), "tools")
            case "tools.preset":
                self._do(partial(self._take_preset, argument), "tools")
            case _:
                return super().command_given(command_id, argument)
        return True

    async def _choose_tool(self, choice: str) -> None:
        try:
            await self.session.set_tool_choice(self._conversation_id, choice)
        except InputError as error:
            self._complain(str(error))
            return
        self._complain(f"The tool choice is {visible_line(choice)} from the next turn on.", "information")

    async def _take_preset(self, name: str) -> None:
        """Bring a preset's tools, and turn them on once their code was shown."""
        from tui.screens.tools_dialog import ToolSourceScreen

        conversation_id = self._conversation_id
        preset = await self.session.preset(name)

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(partial(self._use_preset, conversation_id, name), "tools")

        self.outcrop.push_screen(ToolSourceScreen(f"preset {preset.name}", preset.source), answered)

    async def _use_preset(self, conversation_id: str, name: str) -> None:
        preset = await self.session.use_preset(conversation_id, name)
        self._complain(f"{preset.name}: {preset.about}", "information")
        self._refresh_target()

    def _choices(self, command: str) -> Iterable[tuple[str, str]]:
        """What these commands take, for the composer's completion."""
        match command:
            case "tools":
                return [
                    ("continue", "goes on with calls whose outputs were not sent"),
                    ("interrupted", "tells the model that they were interrupted"),
                ]
            case "preset":
                return [("brightcart", "the support workflow of an invented shop")]
            case "tool-choice" if self._conversation_id:
                use = self.session.conversation(self._conversation_id).tools
                return [("auto", ""), ("required", ""), ("none", ""), *((tool.name, "") for tool in use.on)]
            case _:
                return super()._choices(command)

    # ---- what was left between a call and its output

    def offer_calls(self) -> None:
        """Say that the last answer's calls have no outputs yet; nothing runs before somebody says so."""
        if not self._conversation_id or self.is_answering:
            return
        calls = self.session.pending(self._conversation_id)
        if not calls:
            return
        first, *others = (call.name for call, _ in calls)
        many = f"{len(calls)} tool calls wait" if others else f"{first} waits"
        self._say(
            f"{visible_line(many)} for an output · /tools continue runs what is left, "
            "/tools interrupted says so to the model",
            "tools.open",
        )

    def _resume_calls(self, how: Literal["run", "interrupted"]) -> None:
        from tui.screens.live_turn import LiveTurn

        conversation_id = self._conversation_id
        if self.is_answering or not self.session.pending(conversation_id):
            self._complain("No tool call of this conversation waits for its output.", "information")
            return
        conversation = self.session.conversation(conversation_id)
        turn = conversation.path()[-1]
        self._turns_begun += 1
        self.run_live(LiveTurn.of_calls(conversation_id, self._turns_begun, turn, how))
        self._do(partial(self._draw_resumed, conversation_id), "draw")

    async def _draw_resumed(self, conversation_id: str) -> None:
        if self._conversation_id == conversation_id:
            await self.draw()
            self._show_running(self._live.get(conversation_id))
