"""The AWS profile with which requests are signed instead of carrying a bearer token, and its keys.

AWS_PROFILE alone does nothing: it is set for other tools, and what is paid for must not change hands unasked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from tui.config.aws_files import read_aws_profiles
from tui.core.aws import ENVIRONMENT, AwsKeys, AwsProfile, asks_for_code
from tui.core.errors import InputError, TokenError, TokenUnusable
from tui.core.text import visible_line
from tui.core.token import duration

if TYPE_CHECKING:
    import asyncio

__all__ = ["AwsSigning"]

_EARLY: Final = 60.0
"""Seconds before their end from which on keys are looked for again."""
_LONGEST: Final = 20.0
"""Seconds to wait for keys: a role over SSO takes three requests, a process whatever it likes."""

_METHODS: Final = {
    "shared-credentials-file": "keys of the credentials file",
    "config-file": "keys of the config file",
    "env": "keys of the environment",
    "assume-role": "a role",
    "assume-role-with-web-identity": "a role by web identity",
    "sso": "SSO",
    "login": "aws login",
    "custom-process": "credential_process",
    "container-role": "the container's role",
    "iam-role": "the instance's role",
}
"""How botocore names the ways in which it finds keys, and how people do."""


class AwsSigning:
    """Finds the keys of a profile, and finds them again in time.

    Args:
        profile: The profile that is asked for; empty for none.
        find: Gives its keys; blocks, and raises `TokenError`.
        environ: Says where AWS's files are.
        timeout: Seconds that finding may take.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        profile: str,
        find: Callable[[str], AwsKeys],
        environ: Mapping[str, str],
        *,
        timeout: float = _LONGEST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._profile = profile
        self._find = find
        self._environ = environ
        self._timeout = timeout
        self._clock = clock
        self._keys: AwsKeys | None = None
        self._refusal: TokenError | None = None
        self._lock: asyncio.Lock | None = None

    def __repr__(self) -> str:
        return f"AwsSigning({self._profile!r})"

    @property
    def profile(self) -> str:
        """The profile in force; empty for none."""
        return self._profile

    @property
    def keys(self) -> AwsKeys | None:
        """What was found last and has not run out."""
        return None if self._keys is None or self._left(self._keys, 0) else self._keys

    @property
    def refusal(self) -> TokenError | None:
        """Why there are no keys; `None` also where nobody has looked for them yet."""
        return self._refusal

    def profiles(self) -> tuple[AwsProfile, ...]:
        """The profiles that there are; reads two files.

        Raises:
            InputError: A file cannot be read.
        """
        return read_aws_profiles(self._environ)

    def use(self, profile: str) -> None:
        """Sign with another profile from now on; an empty name sends a bearer token again."""
        self._profile = profile
        self._keys = self._refusal = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys that were found last."""
        return () if self._keys is None else self._keys.secrets

    async def ready(self) -> AwsKeys | None:
        """The keys to sign with now; `None` where no profile is asked for.

        Raises:
            TokenError: There are none; the sentence says what to do.
        """
        if not self._profile:
            return None
        async with self._one_at_a_time():
            if self._keys is None or self._left(self._keys, _EARLY):
                await self._look()
            if self.keys is None and self._profile:
                raise self._refusal or TokenUnusable(f"The AWS profile {self._profile} was given up.")
            return self.keys

    async def renew(self, used: AwsKeys) -> bool:
        """Look for keys again, as the server did not take these; whether there are others now."""
        async with self._one_at_a_time():
            if self._profile and (self._keys is used or self._keys is None):
                await self._look()
            return self.keys is not None and self.keys.secrets != used.secrets

    def sentence(self) -> str:
        """What is signed with, how long it lives, or what is wrong."""
        if self._refusal is not None and self.keys is None:
            return str(self._refusal)
        name = visible_line(self._profile)
        who = f"AWS profile {name}" if self._profile != ENVIRONMENT else "AWS credentials of the environment"
        keys = self.keys
        if keys is None:
            return f"{who}: its keys are being looked for."
        how = _METHODS.get(keys.method, visible_line(keys.method))
        said = f"{who}: requests are signed (SigV4){f' with {how}' if how else ''}"
        if keys.expires_at is not None:
            return f"{said}, valid for {duration(keys.expires_at - self._clock())} more at most."
        return f"{said}, which does not say when it ends." if keys.token else f"{said}."

    def _one_at_a_time(self) -> asyncio.Lock:
        import asyncio

        if self._lock is None:
            self._lock = asyncio.Lock()
        return self._lock

    def _left(self, keys: AwsKeys, early: float) -> bool:
        """Whether keys have run out, or are about to."""
        return keys.expires_at is not None and keys.expires_at - early <= self._clock()

    async def _look(self) -> None:
        from tui.core.daemon import in_daemon

        profile = self._profile

        def keep(outcome: AwsKeys | TokenError) -> None:
            if profile != self._profile:
                return
            if isinstance(outcome, AwsKeys):
                self._keys = outcome
                over = self._left(outcome, 0)
                self._refusal = TokenUnusable(_over(profile)) if over else None
            else:
                # Keys that still live are better than none.
                self._refusal = outcome

        answer = await in_daemon(lambda: self._found(profile), self._timeout, keep, "outcrop-aws")
        keep(answer[0] if answer else TokenUnusable(_silence(profile, self._timeout)))

    def _found(self, profile: str) -> AwsKeys | TokenError:
        """Blocks; in a thread."""
        try:
            try:
                asking = asks_for_code(self.profiles(), profile)
            except InputError as error:
                return TokenUnusable(str(error))
            if asking:
                return TokenUnusable(_code(profile, asking))
            return self._find(profile)
        except TokenError as error:
            return error
        except Exception as error:  # the worker's edge
            name = visible_line(profile)
            return TokenUnusable(
                f"The keys of the AWS profile {name} could not be had ({type(error).__name__})."
            )


def _over(profile: str) -> str:
    return (
        f"The credentials of the AWS profile {visible_line(profile)} have expired: renew them (`aws sso "
        "login`, or whatever writes them)."
    )


def _silence(profile: str, timeout: float) -> str:
    return (
        f"The AWS profile {visible_line(profile)} gave no keys within {timeout:g} s: a process, SSO or AWS "
        "STS does not answer. `aws sts get-caller-identity` with it shows which."
    )


def _code(profile: str, asking: str) -> str:
    return (
        f"The AWS profile {visible_line(asking)} asks for an MFA code, and nothing here could ask you for "
        "it: keep a session's keys as a profile of their own (`aws sts assume-role --token-code …`) and take "
        "that."
    )
