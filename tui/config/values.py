"""How a setting is spelled on the command line, in the environment and in the file, and what it may be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from tui.core.api_rules import API_NAMES, GUARDRAIL_TRACES, api_named
from tui.core.controls import MOST_STOPS
from tui.core.errors import ConfigError
from tui.core.text import visible_line

__all__ = [
    "OPTIONS",
    "ConfigFile",
    "Found",
    "Option",
    "check_keys",
    "closest",
    "is_loopback",
    "normalized_base_url",
    "read_config",
    "shown",
]

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_SECRET_PREFIXES: Final = ("bedrock-api-key-", "absk")
_MEGABYTE: Final = 1_000_000
_MOST_DOLLARS: Final = 1_000_000_000
_KEY: Final = re.compile(r"""^[ \t]*\[{0,2}[ \t]*(["']?)([\w-]+)\1[ \t]*[=.\]]""", re.MULTILINE)
_WRITING_KEYS: Final = frozenset(
    {
        "space",
        "tab",
        "shift+tab",
        "up",
        "down",
        "left",
        "right",
        "backspace",
        "delete",
        "home",
        "end",
        "escape",
    }
)


@dataclass(frozen=True, slots=True)
class Found:
    """A setting's value and where it was found.

    Attributes:
        value: Checked, of the setting's own type.
        rank: 0 default, 1 config file, 2 environment, 3 flag.
        source: For people: `default`, `config file PATH`, `environment NAME`, `flag --name`.
        where: What to name in a complaint.
    """

    value: object
    rank: int
    source: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting.

    Attributes:
        parse: Makes the value of what was given; raises ValueError with "what is allowed".
        default: The value when nobody gives one.
        flag: Its command-line option; empty when it has none.
        variables: Environment variables, strongest first.
        key: Its key in the config file; empty when it has none there.
    """

    parse: Callable[[object], object]
    default: object
    flag: str = ""
    variables: tuple[str, ...] = ()
    key: str = ""

    def read(self, given: object, rank: int, where: str, source: str) -> Found:
        """Check a value.

        Raises:
            ConfigError: It is not allowed; says where it stands and what is.
        """
        try:
            str(given)
        except ValueError:
            raise ConfigError(f"{where} is a number of thousands of digits.") from None
        try:
            return Found(self.parse(given), rank, source, where)
        except ValueError as error:
            raise ConfigError(f"{where} is {shown(given)}; {error}.") from None


def shown(value: object) -> str:
    """A value in quotes for a complaint: one short line, and never a thing that looks like a token."""
    text = visible_line(str(value))
    if text.strip().lower().startswith(_SECRET_PREFIXES):
        return "'…' (it looks like a token, so it is not shown)"
    if "://" in text and "@" in text:
        return "'…' (it may hold a password, so it is not shown)"
    return f"'{text if len(text) <= 60 else text[:59] + '…'}'"


def closest(name: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` without the question mark's sentence, or an empty text."""
    import difflib

    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The config file as it was read.

    Attributes:
        path: Where it is, or would be.
        document: Its top table.
        lines: The number of the line on which each key of that table stands first.
    """

    path: Path
    document: Mapping[str, Any]
    lines: Mapping[str, int]

    def where(self, key: str) -> str:
        """What to name in a complaint about a key of the top table."""
        return f"{self.path}, line {self.lines[key]}" if key in self.lines else str(self.path)


def read_config(path: Path) -> ConfigFile:
    """Read the config file; a missing one is empty.

    Raises:
        OSError: It is there and cannot be read.
        ValueError: It is no TOML, or not UTF-8.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return ConfigFile(path, {}, {})
    import tomllib

    text = data.decode("utf-8")
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    lines: dict[str, int] = {}
    line = at = 0
    for match in _KEY.finditer(text):
        line, at = line + text.count("\n", at, match.start()), match.start()
        lines.setdefault(match[2], line + 1)
    return ConfigFile(path, document, lines)


def check_keys(file: ConfigFile) -> None:
    """Refuse keys that no setting has.

    Raises:
        ConfigError: Names the file, the line, the key, the nearest known one, and all of them.
    """
    known = sorted({option.key for option in OPTIONS.values() if option.key} | {"keymap", "keys", "profiles"})
    for key in file.document:
        if key in known:
            continue
        where = file.where(key)
        if key.lower() in ("token", "api_key", "aws_bearer_token_bedrock", "bearer_token"):
            raise ConfigError(
                f"{where}: {key} does not belong in a file; "
                "use `outcrop token set` or AWS_BEARER_TOKEN_BEDROCK."
            )
        raise ConfigError(
            f"{where}: unknown key {shown(key)}{closest(key, known)}. Allowed: {', '.join(known)}."
        )


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def normalized_base_url(text: str, where: str) -> str:
    """A base URL as the guide makes it: no spaces around, no trailing `/`, no trailing `/responses`.

    Raises:
        ConfigError: It is no absolute http(s) URL, http:// leads off this machine, or it holds a password,
            a query or a fragment.
    """
    try:
        return _base_url(text)
    except ValueError as error:
        raise ConfigError(f"{where} is not usable; {error}.") from None


def _base_url(given: object) -> str:
    url = str(given).strip().rstrip("/")
    url = url.removesuffix("/responses").rstrip("/")
    if any(not character.isprintable() or character == " " for character in url):
        raise ValueError("it must be a URL without spaces or control characters")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must be a full URL such as https://bedrock-mantle.us-west-2.api.aws/openai/v1")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("it must not hold a password, a query or a fragment")
    _ = parts.port  # raises ValueError where the port is no number
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("http:// is accepted for this machine only (localhost, 127.0.0.1); use https://")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"


def _one_of(*allowed: str) -> Callable[[object], object]:
    def parse(given: object) -> str:
        text = str(given).strip().lower()
        if text not in allowed:
            raise ValueError(f"allowed: {', '.join(allowed)}{closest(text, allowed)}")
        return text

    return parse


def _whole(lowest: int, highest: int, scale: int = 1) -> Callable[[object], object]:
    def parse(given: object) -> int:
        wrong = ValueError(f"it must be a whole number from {lowest} to {highest}")
        if isinstance(given, (bool, float)):
            raise wrong
        try:
            number = int(str(given))
        except ValueError:
            raise wrong from None
        if not lowest <= number <= highest:
            raise wrong
        return number * scale

    return parse


def _seconds(given: object) -> float:
    wrong = ValueError("it must be a number of seconds above 0, at most 86400")
    if isinstance(given, bool):
        raise wrong
    try:
        number = float(str(given))
    except ValueError:
        raise wrong from None
    if not math.isfinite(number) or not 0 < number <= 86_400:
        raise wrong
    return number


def _share(given: object) -> float:
    wrong = ValueError("it must be a number from 0 to 1; 0 is never")
    if isinstance(given, bool):
        raise wrong
    try:
        number = float(str(given))
    except ValueError:
        raise wrong from None
    if not 0 <= number <= 1:  # which NaN is not either
        raise wrong
    return number


def _dollars(given: object) -> Decimal:
    wrong = ValueError("it must be US dollars above 0, e.g. 5 or '2.50'")
    if isinstance(given, bool):
        raise wrong
    try:
        amount = Decimal(str(given).strip().removeprefix("$"))
    except InvalidOperation:
        raise wrong from None
    if not amount.is_finite() or not 0 < amount <= _MOST_DOLLARS:
        raise wrong
    return amount


def _flag(given: object) -> bool:
    text = str(given).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("it must be 1, true, yes or on, or 0, false, no or off")


def _word(given: object) -> str:
    text = str(given).strip() if isinstance(given, str) else ""
    if not text or len(text) > 200 or any(not c.isprintable() or c.isspace() for c in text):
        raise ValueError("it must be one word without spaces")
    return text


def _number(highest: float) -> Callable[[object], object]:
    def parse(given: object) -> float:
        wrong = ValueError(f"it must be a number from 0 to {highest:g}")
        if isinstance(given, bool):
            raise wrong
        try:
            number = float(str(given))
        except ValueError:
            raise wrong from None
        if not 0 <= number <= highest:  # which NaN is not either
            raise wrong
        return number

    return parse


def _stops(given: object) -> tuple[str, ...]:
    texts = cast("list[object]", given) if isinstance(given, list) else [given]
    found = tuple(text for text in texts if isinstance(text, str) and text)
    if len(found) != len(texts) or len(found) > MOST_STOPS:
        raise ValueError(f"it must be a list of {MOST_STOPS} texts at most, none of them empty")
    return found


def _aws_profile(given: object) -> str:
    """A profile's name, in which AWS's tools allow spaces; `off` is none."""
    text = str(given).strip() if isinstance(given, str) else ""
    if not text or len(text) > 200 or not text.isprintable():
        raise ValueError("it must be the name of a profile of ~/.aws/config, 'environment' or 'off'")
    return "" if text == "off" else text


def _api(given: object) -> str:
    name = api_named(str(given))
    if name is None:
        raise ValueError(f"allowed: {', '.join(API_NAMES)}{closest(str(given), API_NAMES)}")
    return name


def _composer_key(given: object) -> str:
    text = str(_word(given)).lower()
    if len(text) == 1 or text in _WRITING_KEYS:
        raise ValueError("it must be a key that writes nothing and moves nothing, such as enter or ctrl+s")
    return text


OPTIONS: Final[dict[str, Option]] = {
    "model": Option(_word, "openai.gpt-5.4", "--model", ("BEDROCK_MODEL",), "model"),
    "region": Option(_word, "us-west-2", "--region", ("AWS_REGION", "AWS_DEFAULT_REGION"), "region"),
    "endpoint": Option(_one_of("mantle", "runtime"), "mantle", "--endpoint", (), "endpoint"),
    "api": Option(_api, "", "--api", ("OUTCROP_API",), "api"),
    "base_url": Option(_base_url, "", "--base-url", ("BEDROCK_BASE_URL",), "base_url"),
    "profile": Option(_word, "", "--profile", (), "profile"),
    "aws_profile": Option(_aws_profile, "", "--aws-profile", ("OUTCROP_AWS_PROFILE",), "aws_profile"),
    "sandbox": Option(_flag, False, "--sandbox"),
    "continuation": Option(
        _one_of("stateful", "stateless"), "stateful", "--stateful|--stateless", (), "continuation"
    ),
    "theme": Option(_word, "", "--theme", (), "theme"),
    "max_retries": Option(_whole(0, 20), 2, "", ("BEDROCK_MAX_RETRIES",), "max_retries"),
    "request_timeout": Option(
        _seconds, 60.0, "", ("BEDROCK_REQUEST_TIMEOUT_SECONDS",), "request_timeout_seconds"
    ),
    "idle_timeout": Option(_seconds, 600.0, "", (), "idle_timeout_seconds"),
    "max_display_chars": Option(
        _whole(1, 10_000_000), 20_000, "", ("BEDROCK_MAX_DISPLAY_CHARS",), "max_display_chars"
    ),
    "max_output_tokens": Option(_whole(16, 10_000_000), None, "", (), "max_output_tokens"),
    "temperature": Option(_number(2), None, "--temperature", (), "temperature"),
    "top_p": Option(_number(1), None, "--top-p", (), "top_p"),
    "stop": Option(_stops, (), "--stop", (), "stop"),
    "guardrail": Option(_word, "", "--guardrail", ("OUTCROP_GUARDRAIL",), "guardrail"),
    "guardrail_version": Option(_word, "DRAFT", "--guardrail-version", (), "guardrail_version"),
    "guardrail_trace": Option(_one_of(*GUARDRAIL_TRACES), "off", "--guardrail-trace", (), "guardrail_trace"),
    "guardrail_tag_suffix": Option(_word, "", "--guardrail-tag-suffix", (), "guardrail_tag_suffix"),
    "cleanup_stored_responses": Option(
        _flag, False, "", ("BEDROCK_CLEANUP_STORED_RESPONSES",), "cleanup_stored_responses"
    ),
    "fail_on_check_failure": Option(
        _flag, False, "--strict", ("BEDROCK_FAIL_ON_CHECK_FAILURE",), "fail_on_check_failure"
    ),
    "responsiveness_check": Option(
        _flag, True, "", ("BEDROCK_RESPONSIVENESS_CHECK",), "responsiveness_check"
    ),
    "compact_at": Option(_share, 0.8, "", (), "compact_at"),
    "server_compaction": Option(_flag, False, "", (), "server_compaction"),
    "reduced_motion": Option(_flag, False, "", ("OUTCROP_REDUCED_MOTION",), "reduced_motion"),
    "notify": Option(_flag, True, "", (), "notify"),
    "terminal_title": Option(_flag, True, "", (), "terminal_title"),
    "stream_background": Option(_flag, False, "", (), "stream_background"),
    "attachment_limit": Option(_whole(1, 1_000, _MEGABYTE), 20 * _MEGABYTE, "", (), "attachment_limit_mb"),
    "budget_per_conversation": Option(_dollars, None, "", (), "budget_per_conversation"),
    "budget_per_day": Option(_dollars, None, "", (), "budget_per_day"),
    "paste_chip_lines": Option(_whole(0, 1_000_000), 15, "", (), "paste_chip_lines"),
    "paste_chip_chars": Option(_whole(0, 100_000_000), 2_000, "", (), "paste_chip_chars"),
    "exchanges_max": Option(_whole(0, 1_000_000, _MEGABYTE), 500 * _MEGABYTE, "", (), "exchanges_max_mb"),
    "exchanges_max_days": Option(_whole(0, 36_500), 90, "", (), "exchanges_max_days"),
    "mouse": Option(_flag, True, "--no-mouse", (), "mouse"),
    "copy_on_select": Option(_flag, False, "", (), "copy_on_select"),
    "send_key": Option(_composer_key, "enter", "", (), "send_key"),
    "newline_key": Option(_composer_key, "ctrl+j", "", (), "newline_key"),
}
