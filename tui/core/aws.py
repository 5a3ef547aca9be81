"""Profiles of AWS's own tools, as ~/.aws/config and ~/.aws/credentials have them, and keys to sign with.

Source: AWS CLI, "Configuration and credential file settings"; botocore, `credentials.py` (the order in which
a profile's settings count). What the files say of secrets is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tui.core.text import visible_line

__all__ = ["ENVIRONMENT", "AwsKeys", "AwsProfile", "asks_for_code", "named", "profiles_in", "region_in"]

ENVIRONMENT: Final = "environment"
"""Instead of a profile's name: what AWS's tools take when none is named (variables, [default], container)."""

_KEPT: Final = frozenset(
    {
        "region", "role_arn", "source_profile", "credential_source", "web_identity_token_file", "mfa_serial",
        "sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "credential_process",
        "login_session",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """What a request is signed with; no `repr` shows it. The first three names are botocore's.

    Attributes:
        access_key: The access key id.
        secret_key: The secret access key.
        token: The session token; `None` with keys that are a user's own.
        expires_at: Seconds since the epoch; `None` where nobody says.
        method: How they were found, as botocore names it, e.g. `assume-role`.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    method: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no record may hold."""
        return tuple(filter(None, (self.access_key, self.secret_key, self.token)))

    def __reduce__(self) -> str:
        raise TypeError("keys are not to be copied or pickled")


@dataclass(frozen=True, slots=True)
class AwsProfile:
    """A profile of the two files.

    Attributes:
        name: As the section has it.
        region: Its region; empty where it has none.
        kind: How its credentials come about, in a word or two.
        detail: Role, account or session, in words; empty where there is nothing to say.
        source: The profile whose credentials it takes; empty for none.
        mfa: Whether it asks for a code.
    """

    name: str
    region: str = ""
    kind: str = ""
    detail: str = ""
    source: str = ""
    mfa: bool = False


def profiles_in(config: str, credentials: str) -> tuple[AwsProfile, ...]:
    """The profiles of both files: `default` first, then by name.

    Args:
        config: Text of ~/.aws/config; empty where there is none.
        credentials: Text of ~/.aws/credentials.

    Raises:
        ValueError: A file is not of this form; the text says where, and shows none of it.
    """
    found: dict[str, dict[str, str]] = {}
    sessions: dict[str, dict[str, str]] = {}
    for section, values in _sections(config, "the config file").items():
        first, _, rest = section.partition(" ")
        name = _unquoted(rest) if rest else section
        if section == "default" or (first == "profile" and rest):
            found[name] = {**found.get(name, {}), **_kept(values)}
        elif first == "sso-session" and rest:
            sessions[name] = _kept(values)
    for name, values in _sections(credentials, "the credentials file").items():
        keys = ("session keys" if "aws_session_token" in values else "keys") * ("aws_access_key_id" in values)
        found[name] = {**found.get(name, {}), **_kept(values), "keys": keys}
    # `aws configure` puts keys into the other file, but AWS's tools read them here too.
    for section, values in _sections(config, "the config file").items():
        name = _unquoted(section.removeprefix("profile "))
        if name in found and "aws_access_key_id" in values and not found[name].get("keys"):
            found[name]["keys"] = "keys"
    rows = (_profile(name, values, sessions) for name, values in found.items())
    return tuple(sorted(rows, key=lambda row: (row.name != "default", row.name.lower())))


def region_in(profiles: Iterable[AwsProfile], name: str) -> str:
    """The region of a profile; empty where it has none."""
    found = named(profiles, name)
    return found.region if found else ""


def named(profiles: Iterable[AwsProfile], name: str) -> AwsProfile | None:
    """The profile of this name."""
    return next((profile for profile in profiles if profile.name == name), None)


def asks_for_code(profiles: Iterable[AwsProfile], name: str) -> str:
    """The profile in the chain of roles from `name` on that asks for an MFA code; empty for none."""
    by_name = {profile.name: profile for profile in profiles}
    seen: set[str] = set()
    while name in by_name and name not in seen:
        seen.add(name)
        profile = by_name[name]
        if profile.mfa:
            return name
        name = profile.source
    return ""


def _profile(name: str, values: Mapping[str, str], sessions: Mapping[str, Mapping[str, str]]) -> AwsProfile:
    kind, detail, source = _kind(values, sessions)
    mfa = bool(values.get("mfa_serial") and values.get("role_arn"))
    if mfa:
        detail += ", with an MFA code"
    return AwsProfile(name, values.get("region", ""), kind, visible_line(detail), source, mfa)


def _kind(values: Mapping[str, str], sessions: Mapping[str, Mapping[str, str]]) -> tuple[str, str, str]:
    """Kind, detail and source; in the order in which botocore looks."""
    role = values.get("role_arn", "")
    if role and values.get("web_identity_token_file"):
        return "web identity", _role(role), ""
    if role:
        source = values.get("source_profile", "")
        base = source or values.get("credential_source", "")
        return "role", f"{_role(role)}{f', from {base}' if base else ''}", source
    if values.get("sso_session") or values.get("sso_account_id"):
        session = values.get("sso_session", "")
        parts = [values.get("sso_role_name", ""), "of" * bool(values.get("sso_account_id"))]
        parts += [values.get("sso_account_id", ""), f"in the session {session}" if session else ""]
        missing = " (there is no such session)" if session and session not in sessions else ""
        return "SSO", " ".join(part for part in parts if part) + missing, ""
    if values.get("login_session"):
        return "sign-in", "aws login", ""
    if values.get("keys"):
        return values["keys"], "", ""
    if values.get("credential_process"):
        return "process", _program(values["credential_process"]), ""
    return "no keys", "container or instance, where there is one", ""


def _role(arn: str) -> str:
    """`arn:aws:iam::123456789012:role/Admin` as `Admin of 123456789012`."""
    parts = arn.split(":", 5)
    name = parts[-1].removeprefix("role/")
    return f"{name} of {parts[4]}" if len(parts) == 6 and parts[4] else name


def _program(command: str) -> str:
    """A command's program without its folder and arguments, which may hold anything."""
    import shlex

    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return words[0].replace("\\", "/").rpartition("/")[2] if words else ""


def _sections(text: str, what: str) -> dict[str, dict[str, str]]:
    import configparser

    parser = configparser.RawConfigParser(
        default_section="\0", strict=False, interpolation=None, allow_no_value=True
    )
    try:
        parser.read_string(text)
    except configparser.Error as error:
        # Its text quotes the line, which may hold a key.
        line = getattr(error, "lineno", None) or next((row[0] for row in getattr(error, "errors", ())), None)
        raise ValueError(f"{what} cannot be read{f', line {line}' if line else ''}") from None
    return {name: {key: value or "" for key, value in parser.items(name)} for name in parser.sections()}


def _kept(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in values.items() if name in _KEPT and value.strip()}


def _unquoted(text: str) -> str:
    """A name that may stand in quotes."""
    import shlex

    try:
        words = shlex.split(text)
    except ValueError:
        return text.strip()
    return words[0] if len(words) == 1 else text.strip()
