"""The bearer token: environment, OS keyring, memory. It is never in a file, and no `repr` shows it.

An AWS profile that is asked for takes its place, see `aws_signing.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from tui.config.profiles import PROFILE_PREFIX, Profile
from tui.core.errors import (
    KeyringError,
    KeyringLocked,
    KeyringUnavailable,
    TokenError,
    TokenMissing,
    TokenUnusable,
)
from tui.core.token import (
    SANDBOX_TOKEN,
    TokenInfo,
    TokenKind,
    check,
    clean_token,
    duration,
    parse_token,
)
from tui.credentials.system_keyring import Keyring, SystemKeyring

if TYPE_CHECKING:
    from tui.credentials.aws_signing import AwsSigning

__all__ = ["VARIABLE", "Credentials", "KeyState", "KeyStatus", "TokenSource", "TokenStatus"]

VARIABLE: Final = "AWS_BEARER_TOKEN_BEDROCK"
_DEFAULT: Final = "default"

KeyState = Literal["found", "none", "locked", "unavailable", "failed", "not asked"]
TokenSource = Literal["environment", "keyring", "memory", "aws profile", "sandbox", "none"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What came of asking the keyring.

    Attributes:
        state: `not asked` where the sandbox, memory or the environment has a token that will do.
        sentence: For the user; empty when there is nothing to say.
    """

    state: KeyState
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """The token in force for a region, without the token.

    Attributes:
        source: Where it comes from; `none` when there is none.
        kind: What kind of key it is.
        region: The only region where it works, if it says.
        expires_at: Seconds since the epoch, if it says.
        usable: Whether it may be sent to the region that was asked for.
        sentence: All of this in words.
    """

    source: TokenSource
    kind: TokenKind
    region: str | None
    expires_at: float | None
    usable: bool
    sentence: str


class _Secret:
    """Holds a token so that no `repr` or dataclass shows it."""

    __slots__ = ("_value", "info", "source")

    def __init__(self, value: str, source: TokenSource) -> None:
        self._value = value
        self.source: TokenSource = source
        self.info = parse_token(value)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"<{self.info.kind} token from {self.source}>"

    def __reduce__(self) -> str:
        raise TypeError("a token is not to be copied or pickled")


class Credentials:
    """Finds the token for a region.

    The order is: what was entered in this run (it was entered because the others did not do), the
    environment, the keyring (the region's entry, then `default`). A token that says itself that it cannot
    work in the region is passed over where another one can.

    A profile's token is another matter: wherever a region is asked for here, `Profile.token_place` asks for
    that token. It is looked for under its own names only, and no region ever gets it, nor the reverse.

    Where an AWS profile is asked for, what goes to a region is signed with its keys, and no token is sent.

    Args:
        environ: The environment; only AWS_BEARER_TOKEN_BEDROCK is read, and not in the sandbox.
        region: The region of the settings.
        sandbox: The token is `sandbox`, and no real one is read anywhere.
        regions: Every region known, so that `clear` without a region finds each entry.
        profiles: Those of the config file; their variables are read here.
        aws: The AWS profile to sign with; none without it, and none in the sandbox.
        make_aws: Makes what signs once somebody chooses an AWS profile, where `aws` is not given.
        keyring: Instead of the machine's own.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        region: str,
        *,
        sandbox: bool = False,
        regions: Iterable[str] = (),
        profiles: Iterable[Profile] = (),
        aws: AwsSigning | None = None,
        make_aws: Callable[[], AwsSigning] | None = None,
        keyring: Keyring | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._region = region
        self._sandbox = sandbox
        self._aws = aws
        self._make_aws = make_aws
        self._profiles = {profile.token_place: profile for profile in profiles}
        self._regions = tuple(dict.fromkeys((_DEFAULT, region, *regions, *self._profiles)))
        self._keyring = keyring or SystemKeyring()
        self._clock = clock
        self._memory: dict[str, _Secret] = {}
        self._kept: dict[str, _Secret] = {}
        self._environment: dict[str, _Secret] = {}
        self._refusal: dict[str, TokenUnusable] = {}
        self._refused: list[str] = []
        if not sandbox:
            self._read_environment(environ, VARIABLE, "")
            for place, profile in self._profiles.items():
                self._read_environment(environ, profile.token_env, place)

    def __repr__(self) -> str:
        return f"Credentials(region={self._region!r}, sandbox={self._sandbox})"

    @property
    def aws(self) -> AwsSigning | None:
        """What signs with an AWS profile, whether one is chosen or not; `None` where nothing can."""
        if self._aws is None and self._make_aws is not None:
            self._aws = self._make_aws()
        return self._aws

    def signing(self, region: str) -> AwsSigning | None:
        """The AWS profile that signs what goes to `region`; `None` where a token is sent."""
        own = self._sandbox or region.startswith(PROFILE_PREFIX)
        return None if own or self._aws is None or not self._aws.profile else self._aws

    def check(self, region: str) -> None:
        """Make sure that there is what a request to `region` needs; instant, after `load`.

        Raises:
            TokenMissing, TokenUnusable: There is not; see `token_for`.
        """
        signing = self.signing(region)
        if signing is None:
            self.token_for(region)
        elif signing.keys is None and signing.refusal is not None:
            raise signing.refusal

    def token_for(self, region: str) -> str:
        """The token to send to `region`; instant, as the keyring was asked by `load`.

        Raises:
            TokenMissing: There is none.
            TokenUnusable: There is one, and it says itself that it cannot work there, or no header could
                carry it.
        """
        if self._sandbox:
            return SANDBOX_TOKEN
        secret, refusal = self._best(region)
        if refusal is not None:
            raise refusal
        if secret is None:
            raise TokenMissing(f"{self._none_for(region)} {self._ways(region)}")
        return secret.reveal()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nothing may hold that is written down: tokens, also those that are no good, and AWS keys."""
        kept = (self._memory, self._kept, self._environment)
        tokens = [secret.reveal() for secrets in kept for secret in secrets.values()]
        return (*tokens, *self._refused, *(() if self._aws is None else self._aws.secrets))

    def status(self, region: str) -> TokenStatus:
        """Which token is in force for `region`, in words; never the token."""
        if self._sandbox:
            sentence = "The sandbox's own token; no real one is read."
            return TokenStatus("sandbox", "sandbox", None, None, True, sentence)
        if signing := self.signing(region):
            keys, usable = signing.keys, signing.keys is not None or signing.refusal is None
            until = None if keys is None else keys.expires_at
            return TokenStatus("aws profile", "aws profile", None, until, usable, signing.sentence())
        secret, refusal = self._best(region)
        if secret is None:
            source: TokenSource = "none" if refusal is None else "environment"
            sentence = self._none_for(region) if refusal is None else str(refusal)
            return TokenStatus(source, "unknown", None, None, False, sentence)
        info = secret.info
        sentence = str(refusal) if refusal is not None else self._words(secret, region)
        return TokenStatus(secret.source, info.kind, info.region, info.expires_at, refusal is None, sentence)

    def remember(self, token: str, region: str | None = None) -> TokenInfo:
        """Use a token for this run only.

        Args:
            token: As typed; it is trimmed.
            region: Only for this region; `None` takes the key's own region, else every region.

        Raises:
            TokenMissing: It is empty.
            TokenUnusable: No header could carry it.
        """
        secret = _Secret(clean_token(token), "memory")
        self._memory[region or secret.info.region or _DEFAULT] = secret
        return secret.info

    async def load(
        self,
        region: str,
        timeout: float = 3.0,  # noqa: ASYNC109 - the thread goes on after it, asyncio.timeout would not
        on_late: Callable[[KeyStatus], None] | None = None,
    ) -> KeyStatus:
        """Ask the keyring for the token of `region`, in a daemon thread; never raises.

        Args:
            region: The region.
            timeout: Seconds to wait; after that the keyring is taken to be locked, and an answer that
                comes later is used all the same.
            on_late: Called on the event loop with the late answer.
        """
        if signing := self.signing(region):
            with suppress(TokenError):  # `status` and `check` tell it
                await signing.ready()
            return KeyStatus("not asked")
        if self._sandbox or self._has_usable(region):
            return KeyStatus("not asked")

        def settled(outcome: dict[str, str] | KeyringError) -> KeyStatus:
            if isinstance(outcome, KeyringError):
                return _key_status(outcome)
            if not outcome:
                return KeyStatus("none", f"The keyring has no {self._what(region)}.")
            try:
                for name, token in outcome.items():
                    self._keep(token, name)
            except (TokenMissing, TokenUnusable) as error:
                name = region.removeprefix(PROFILE_PREFIX)
                return KeyStatus("failed", f"What the keyring holds for {name} is no key. {error}")
            return KeyStatus("found")

        def late(outcome: dict[str, str] | KeyringError) -> None:
            status = settled(outcome)
            if on_late is not None:
                on_late(status)

        names = (region,) if region.startswith(PROFILE_PREFIX) else (region, _DEFAULT)
        answer = await _in_daemon(lambda: _fetch(self._keyring, names), timeout, late)
        return settled(answer[0]) if answer else KeyStatus("locked", _silence(timeout))

    async def store(
        self,
        token: str,
        region: str | None = None,
        timeout: float = 3.0,  # noqa: ASYNC109
    ) -> str:
        """Keep a token in the keyring, read it back, and use it from now on.

        Args:
            token: As typed; it is trimmed.
            region: Under which region; `None` takes the key's own region, else `default`.
            timeout: Seconds to wait; the write may still happen later, for instance when a prompt is
                answered.

        Returns:
            The name under which it is kept.

        Raises:
            TokenMissing: It is empty.
            TokenUnusable: No header could carry it, or it is a key of another region.
            KeyringError: The keyring cannot be reached, is locked, or did not keep it.
        """
        cleaned = clean_token(token)
        info = parse_token(cleaned)
        is_profile = region is not None and region.startswith(PROFILE_PREFIX)
        if region is not None and not is_profile and info.region not in (None, region):
            raise TokenUnusable(
                f"This key was made for {info.region} and works only there; it is not kept for {region}."
            )
        name = region or info.region or _DEFAULT
        keyring = self._keyring

        def late(outcome: KeyringError | None) -> None:
            if outcome is None:
                self._keep(cleaned, name)

        answer = await _in_daemon(lambda: keyring.put(name, cleaned), timeout, late)
        if not answer:
            raise KeyringLocked(_silence(timeout))
        if answer[0] is not None:
            raise answer[0]
        self._keep(cleaned, name)
        # It was entered after any other: one remembered for the same place must not win over it.
        self._memory.pop(name, None)
        return name

    async def clear(
        self,
        region: str | None = None,
        timeout: float = 3.0,  # noqa: ASYNC109
    ) -> tuple[str, ...]:
        """Forget the tokens of a region, or all of them, here and in the keyring.

        Args:
            region: Only this region's (or `default`); `None` for every known region and `default`.
            timeout: Seconds to wait.

        Returns:
            The names whose entries were removed from the keyring; what was not there is no error.

        Raises:
            KeyringError: The keyring cannot be reached, is locked, or did not remove it.
        """
        names = self._regions if region is None else (region,)
        for name in names:
            self._memory.pop(name, None)
            self._kept.pop(name, None)
        if region is None:
            self._memory.clear()
            self._kept.clear()
        keyring = self._keyring
        answer = await _in_daemon(lambda: tuple(n for n in names if keyring.remove(n)), timeout)
        if not answer:
            raise KeyringLocked(_silence(timeout))
        if isinstance(answer[0], KeyringError):
            raise answer[0]
        return answer[0]

    def _read_environment(self, environ: Mapping[str, str], variable: str, place: str) -> None:
        text = environ.get(variable, "") if variable else ""
        if not text.strip():
            return
        try:
            self._environment[place] = _Secret(clean_token(text), "environment")
        except (TokenMissing, TokenUnusable) as error:
            self._refusal[place] = TokenUnusable(f"{variable}: {error}")
            # In pieces, as whoever quotes it may escape what is between them.
            self._refused += text.split()

    def _keep(self, token: str, name: str) -> None:
        self._kept[name] = _Secret(clean_token(token), "keyring")

    def _candidates(self, region: str) -> list[_Secret]:
        if region.startswith(PROFILE_PREFIX):
            own = (self._memory.get(region), self._environment.get(region), self._kept.get(region))
            return [secret for secret in own if secret is not None]
        found = [
            self._memory.get(region),
            self._memory.get(_DEFAULT),
            self._environment.get(""),
            self._kept.get(region),
            self._kept.get(_DEFAULT),
            # A key of another region cannot work, but its reason says more than "there is none".
            *(secret for name, secret in self._memory.items() if not name.startswith(PROFILE_PREFIX)),
        ]
        return [secret for secret in found if secret is not None]

    def _best(self, region: str) -> tuple[_Secret | None, TokenUnusable | None]:
        """The first token that may work; else the first one and why it cannot; else nothing."""
        candidates = self._candidates(region)
        now = self._clock()
        for secret in candidates:
            if _check(secret.info, region, now) is None:
                return secret, None
        if candidates:
            return candidates[0], _check(candidates[0].info, region, now)
        return None, self._refusal.get(region if region.startswith(PROFILE_PREFIX) else "")

    def _what(self, region: str) -> str:
        if region.startswith(PROFILE_PREFIX):
            return f"token named {region.removeprefix(PROFILE_PREFIX)}"
        return f"Bedrock key for {region}"

    def _none_for(self, region: str) -> str:
        return f"There is no {self._what(region)}."

    def _ways(self, region: str) -> str:
        """How to give the token that is missing."""
        profile = self._profiles.get(region)
        if profile is None:
            return f"Set {VARIABLE}, or keep one with `outcrop token set`."
        keep = f"eep one with `outcrop token set --profile {profile.name}`."
        return f"Set {profile.token_env}, or k{keep}" if profile.token_env else f"K{keep}"

    def _has_usable(self, region: str) -> bool:
        secret, refusal = self._best(region)
        return secret is not None and refusal is None

    def _words(self, secret: _Secret, region: str) -> str:
        info = secret.info
        profile = self._profiles.get(region)
        names: dict[TokenKind, str] = {"short-term": "Short-term key", "long-term": "Long-term key"}
        where: dict[TokenSource, str] = {
            "environment": f"from {profile.token_env if profile else VARIABLE}",
            "keyring": "from the keyring",
            "memory": "for this run only",
        }
        words = f"{names.get(info.kind, 'Key')} {where.get(secret.source, '')}"
        if info.region is not None:
            words += f", for {info.region}"
        if info.expires_at is not None:
            words += f", valid for {duration(info.expires_at - self._clock())} more at most"
        return words + "."


def _check(info: TokenInfo, region: str, now: float) -> TokenUnusable | None:
    """As `check`; a profile's token may be a key of any region: its gateway knows what it does with it."""
    return check(info, (info.region or "") if region.startswith(PROFILE_PREFIX) else region, now)


def _fetch(keyring: Keyring, names: Iterable[str]) -> dict[str, str]:
    return {name: token for name in names if (token := keyring.get(name)) is not None}


def _key_status(error: KeyringError) -> KeyStatus:
    if isinstance(error, KeyringLocked):
        return KeyStatus("locked", str(error))
    if isinstance(error, KeyringUnavailable):
        return KeyStatus("unavailable", str(error))
    return KeyStatus("failed", str(error))


def _silence(timeout: float) -> str:
    return (
        f"The keyring did not answer within {timeout:g} s; it is probably locked, and a prompt to unlock it "
        f"may be waiting. Meanwhile you can set {VARIABLE} or enter the key for this run only."
    )


async def _in_daemon(
    work: Callable[[], T],
    timeout: float,  # noqa: ASYNC109
    late: Callable[[T | KeyringError], None] | None = None,
) -> tuple[T | KeyringError] | None:
    """Ask the keyring in a daemon thread; see `in_daemon`. What it raises is what comes."""
    from tui.core.daemon import in_daemon

    def asked() -> T | KeyringError:
        try:
            return work()
        except KeyringError as error:
            return error
        except Exception as error:  # the worker's edge
            return KeyringError(f"The keyring failed ({type(error).__name__}).")

    return await in_daemon(asked, timeout, late, "outcrop-keyring")
