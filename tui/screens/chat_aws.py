"""The AWS profile that signs what the chat screen sends, instead of a key."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

from tui.core.errors import ConfigError, InputError
from tui.core.text import visible_line
from tui.screens.chat_turns import ChatTurns

if TYPE_CHECKING:
    from tui.credentials.aws_signing import AwsSigning
    from tui.screens.aws_profiles import AwsChoice

__all__ = ["ChatAws"]


class ChatAws(ChatTurns):
    """The chat screen with the choice of an AWS profile."""

    def command_given(self, command_id: str, argument: str) -> bool:
        """`/aws-profile` takes a name, or `off`."""
        if command_id != "token.aws" or not argument:
            return super().command_given(command_id, argument)
        if signing := self._aws_here():
            self._do(
                partial(self._use_profile, signing, "" if argument == "off" else argument, keep=False),
                "token",
            )
        return True

    def action_pick_aws_profile(self) -> None:
        """List the profiles of ~/.aws."""
        self.pick_aws_profile()

    def pick_aws_profile(self, alarm: str = "") -> None:
        """List the profiles; with `alarm` say above them why one is asked for."""
        if (signing := self._aws_here()) and self._conversation_id:
            self._do(partial(self._pick_profile, signing, alarm), "token", keys_wait=True)

    async def _pick_profile(self, signing: AwsSigning, alarm: str) -> None:
        from tui.screens.aws_profiles import AwsProfilesScreen

        if isinstance(self.outcrop.screen, AwsProfilesScreen):
            return
        try:
            profiles = await asyncio.to_thread(signing.profiles)
        except InputError as error:
            profiles, alarm = (), alarm or str(error)
        status = self.session.credentials.status(self._token_place())
        named = os.environ.get("AWS_PROFILE", "").strip()
        screen = AwsProfilesScreen(
            profiles,
            signing.profile,
            alarm or status.sentence,
            named,
            alarm=bool(alarm) or not status.usable,
        )

        def chosen(choice: AwsChoice | None) -> None:
            if choice is not None:
                self._do(partial(self._use_profile, signing, choice.profile, keep=choice.keep), "token")

        self.outcrop.push_screen(screen, chosen)

    async def _use_profile(self, signing: AwsSigning, name: str, *, keep: bool) -> None:
        """Sign with a profile from now on, and say how that goes."""
        signing.use(name)
        if keep:
            await self._write_profile(name)
        credentials, place = self.session.credentials, self._token_place()
        self._refresh_target()
        await credentials.load(place)
        status = credentials.status(place)
        if name and credentials.signing(place) is None:
            self._complain(
                f"The AWS profile {visible_line(name)} signs what goes to Bedrock; this base URL has a token "
                "of its own.",
                instead=True,
            )
        else:
            self._complain(status.sentence, "information" if status.usable else "warning", instead=True)
        self._refresh_target()

    async def _write_profile(self, name: str) -> None:
        from tui.config.writer import write_setting

        path = self.session.settings.config_dir / "config.toml"
        try:
            await asyncio.to_thread(write_setting, path, "aws_profile", name or "off")
        except ConfigError as error:
            self._complain(str(error))

    def _aws_here(self) -> AwsSigning | None:
        """What signs; `None`, with the reason said, where nothing could be signed."""
        signing = self.session.credentials.aws
        if self.session.settings.sandbox or signing is None:
            self._complain("The sandbox has a token of its own; no AWS profile is used.", "information")
            return None
        return signing
