"""What tools a conversation offers: which there are, which are on, presets, answers that hold on.

Part of the session layer; `tool_loop.py` runs them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.ahead import imported
from tui.core.errors import InputError
from tui.core.text import visible_line
from tui.core.tools import CHOICES, Rule, ToolUse
from tui.session.replay import Replaying
from tui.session.schemas import find_format
from tui.store.history import History

if TYPE_CHECKING:
    from tui.tools.presets import Preset
    from tui.tools.toolbox import Toolbox

__all__ = ["ToolSettings"]


class ToolSettings(Replaying):
    """Chooses tools.

    Attributes:
        tool_files: Files of tools beside the one of the config folder and those of the command line.
    """

    tool_files: tuple[Path, ...] = ()
    _toolbox: Toolbox | None = None

    # -- the tools there are -----------------------------------------------------------------------

    async def toolbox(self) -> Toolbox:
        """Every tool there is, read when it is first asked for.

        Raises:
            InputError: A file of tools cannot be read.
        """
        if self._toolbox is None:
            await imported("tui.tools.toolbox")
            from tui.tools.toolbox import Toolbox

            own = self.settings.config_dir / "tools.toml"
            known = await asyncio.to_thread(own.is_file)
            toolbox = Toolbox([*([own] if known else []), *self.tool_files])
            await toolbox.load()
            self._toolbox = toolbox
        return self._toolbox

    async def turn_on(self, conversation_id: str, names: Sequence[str]) -> None:
        """Offer these tools to the model from the next turn on; the caller has shown what they run.

        Raises:
            InputError: One is not there or cannot be used; nothing is changed.
        """
        toolbox = await self.toolbox()
        on = [await toolbox.turned_on(name) for name in names]
        use = self._conversations[conversation_id].tools
        for tool in on:
            known = use.named(tool.name)
            same = known is not None and known.fingerprint == tool.fingerprint
            use = use.with_tool(replace(tool, allowed=same and known is not None and known.allowed))
        await self.set_tool_use(conversation_id, use)

    async def turn_off(self, conversation_id: str, names: Sequence[str]) -> None:
        """Offer these tools no longer."""
        use = self._conversations[conversation_id].tools
        for name in names:
            use = use.without(name)
        await self.set_tool_use(conversation_id, use)

    async def set_tool_choice(self, conversation_id: str, choice: str) -> None:
        """Choose how the next prompt may be answered: `auto`, `required`, `none`, or one tool by its name.

        Raises:
            InputError: It is none of those, or the tool is not on.
        """
        use = self._conversations[conversation_id].tools
        if choice not in CHOICES and use.named(choice) is None:
            names = ", ".join([*CHOICES, *(tool.name for tool in use.on)])
            raise InputError(f"The tool choice may be {names}, not {visible_line(choice)}.")
        await self.set_tool_use(conversation_id, replace(use, choice=choice))

    async def set_tool_use(self, conversation_id: str, use: ToolUse) -> None:
        """Choose what tools the next turns offer."""
        await self._change(replace(self._conversations[conversation_id], tools=use))

    async def tool_rules(self) -> tuple[Rule, ...]:
        """The answers of the user's that hold for every call that they match."""
        return await self.records.call(History.tool_rules)

    async def forget_tool_rule(self, rule_id: int) -> None:
        """Ask again about what a rule decided."""
        await self.records.call(History.forget_tool_rule, rule_id)

    async def aclose(self) -> None:
        """End what the tools started, then the rest."""
        if self._toolbox is not None:
            await self._toolbox.aclose()
        await super().aclose()

    # -- presets -----------------------------------------------------------------------------------

    async def preset(self, name: str) -> Preset:
        """A preset that comes with the program; nothing is turned on.

        Raises:
            InputError: There is none of that name.
        """
        await imported("tui.tools.presets")
        from tui.tools.presets import load_preset

        return await asyncio.to_thread(load_preset, name)

    async def use_preset(self, conversation_id: str, name: str) -> Preset:
        """Turn a preset's tools on and take its instructions; the caller has shown what they run.

        Raises:
            InputError: There is none of that name.
        """
        preset = await self.preset(name)
        toolbox = await self.toolbox()
        toolbox.add_file(preset.tools_file)
        await toolbox.load()
        await self.turn_on(conversation_id, preset.tool_names)
        await self.set_instructions(conversation_id, preset.instructions, preset.name)
        text_format = await asyncio.to_thread(find_format, str(preset.schema_file), self.settings.config_dir)
        controls = replace(self._conversations[conversation_id].controls, text_format=text_format)
        await self.set_controls(conversation_id, controls)
        return preset
