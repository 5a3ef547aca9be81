"""Settings: flag, then environment, then config file, then default; every value knows where it came from.

The file is `config.toml` in platformdirs' user config folder. `.env` files are not read. The bearer token
is no setting: it is never read from a file and is not among these values (see `credentials.py`).
Source of the variables' names and of the base URL's normalization: the guide, "Configuration".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from tui.config.places import (
    RANKS,
    canonical_base_url,
    checked_region,
    fitted,
    own_base_url,
    place_of,
    with_aws_region,
)
from tui.config.profiles import Profile, read_profiles
from tui.config.values import (
    OPTIONS,
    ConfigFile,
    Found,
    check_keys,
    is_loopback,
    normalized_base_url,
    read_config,
    shown,
)
from tui.core.catalogue import DEFAULT_ROUTE, ENDPOINTS, Catalogue
from tui.core.catalogue_file import catalogue_of, document_of
from tui.core.errors import ConfigError, TokenUnusable
from tui.core.items import ContinuationMode, Target
from tui.core.text import visible_line
from tui.own_files import own_document

if TYPE_CHECKING:
    from tui.core.guardrail import Guardrail

__all__ = [
    "Settings",
    "canonical_base_url",
    "default_dirs",
    "is_loopback",
    "load_catalogue",
    "load_settings",
    "normalized_base_url",
]

_LONGEST: Final = 1000
"""Characters of what is quoted in a complaint."""

# Beside the code: importlib.resources alone would cost 15 ms before the first paint.
_CATALOGUE: Final = Path(__file__).parents[1] / "core" / "catalogue.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run of the program was told to do.

    Attributes:
        model: Model id as sent.
        region: AWS region.
        endpoint: `mantle`, `runtime`, the name of a profile, or `custom` for a base URL of the user's own.
        api: The API that was asked for, a key of `catalogue.API_NAMES`; empty takes the first that is served.
            It is in force for every model that is served so.
        profile: The profile that was asked for; empty for none. It is in force where `endpoint` names it.
        profiles: Those of the config file, by name.
        aws_profile: The profile of ~/.aws that signs instead of a bearer token; empty for none.
        base_url: The base URL in force for `model`, normalized, e.g.
            `https://bedrock-mantle.us-west-2.api.aws/openai/v1`.
        base_url_is_custom: Whether it is kept whatever model and region are chosen.
        sandbox: Whether the embedded endpoint is used; no real token is read then.
        continuation: The mode in which new conversations begin.
        theme: Name of a theme; which names exist is the app's affair. Empty means the app's default.
        max_retries: Retries after the first attempt of a turn.
        request_timeout: Seconds to wait for response headers.
        idle_timeout: Longest gap between two events of a stream, in seconds; keep-alives do not count.
        max_display_chars: Length of previews in the inspector; answers are never cut.
        max_output_tokens: `max_output_tokens` of a request; `None` takes the catalogue's default.
        temperature: What turns are sent with where their conversation chose nothing else; or `None`.
        top_p: The same of `top_p`.
        stop: The same of stop sequences.
        guardrail: Id or ARN of the guardrail that requests are sent with; empty for none.
        guardrail_version: Its version.
        guardrail_trace: What it is asked to tell, out of `api_rules.GUARDRAIL_TRACES`.
        guardrail_tag_suffix: The suffix of its input tags; may be empty.
        compact_at: Share of the context window, 0 to 1, from which on a summary is offered; 0 is never.
        server_compaction: Whether to let the server compact where it can; falls back where it cannot.
        stream_background: Whether to ask for a stream with background turns; they are polled otherwise.
        reduced_motion: Whether nothing moves by itself and answers are drawn less often.
        notify: Whether to ring the terminal's bell, and to notify the desktop where the terminal can, when an
            answer from the background arrives unseen.
        terminal_title: Whether the terminal's title says which conversation is shown.
        budget_per_conversation: US dollars from which on a conversation asks before it goes on; or `None`.
        budget_per_day: The same for all that is sent on one local day.
        cleanup_stored_responses: Whether to delete at the end what this run stored at the server.
        fail_on_check_failure: Whether `outcrop check` ends with status 1 when a check fails.
        responsiveness_check: Whether the checks that are there to measure are run.
        attachment_limit: Largest attachment in bytes, before base64.
        paste_chip_lines: A paste of more lines becomes a chip; 0 takes no notice of lines.
        paste_chip_chars: A paste of more characters becomes a chip; 0 takes no notice of them.
        exchanges_max: What the recorded requests may take in the history, bytes; 0 is no limit.
        exchanges_max_days: Recorded requests that are older go, except those with a bookmark; 0 keeps them.
        mouse: Whether the mouse is the TUI's; the terminal's own otherwise.
        copy_on_select: Whether what the mouse selects is copied at once.
        send_key: Key that sends, as Textual spells it.
        newline_key: Key that inserts a newline.
        keymap: Keys and chords by binding id, from the file's `[keymap]`; the ids are the app's.
        config_dir: Folder of `config.toml`, `catalogue.toml`, themes.
        data_dir: Folder of the history.
        sources: Where each setting came from, e.g. `environment AWS_REGION`.
        catalogue: The models known, the user's own included.
        said: What was taken otherwise than by default, so that it fits what was asked for, or empty.
        replays: The name of the cassette that is played back instead of asking a server, or empty.
    """

    model: str
    region: str
    endpoint: str
    api: str
    profile: str
    aws_profile: str
    base_url: str
    base_url_is_custom: bool
    sandbox: bool
    continuation: ContinuationMode
    theme: str
    max_retries: int
    request_timeout: float
    idle_timeout: float
    max_display_chars: int
    max_output_tokens: int | None
    temperature: float | None
    top_p: float | None
    stop: tuple[str, ...]
    guardrail: str
    guardrail_version: str
    guardrail_trace: str
    guardrail_tag_suffix: str
    cleanup_stored_responses: bool
    fail_on_check_failure: bool
    responsiveness_check: bool
    reduced_motion: bool
    notify: bool
    terminal_title: bool
    compact_at: float
    server_compaction: bool
    stream_background: bool
    attachment_limit: int
    budget_per_conversation: Decimal | None
    budget_per_day: Decimal | None
    paste_chip_lines: int
    paste_chip_chars: int
    exchanges_max: int
    exchanges_max_days: int
    mouse: bool
    copy_on_select: bool
    send_key: str
    newline_key: str
    keymap: Mapping[str, str]
    config_dir: Path
    data_dir: Path
    sources: Mapping[str, str]
    catalogue: Catalogue = field(repr=False, compare=False)
    profiles: Mapping[str, Profile] = field(default_factory=dict[str, Profile])
    said: str = ""
    replays: str = ""

    def target(
        self,
        model: str | None = None,
        region: str | None = None,
        endpoint: str | None = None,
        api: str | None = None,
    ) -> Target:
        """Where a request goes; a base URL of the user's own, and the sandbox's, serve every model.

        Args:
            model: Instead of the model of the settings.
            region: Instead of the region of the settings.
            endpoint: Instead of the endpoint of the settings: `mantle`, `runtime` or the name of a profile;
                one that is not to be had here counts as not given (`knows_endpoint`).
            api: Instead of the API by which the endpoint is asked for this model.

        Raises:
            ConfigError: `region` has not the form of a region.
        """
        if endpoint is None or not self.knows_endpoint(endpoint):
            endpoint = self.endpoint
        profile = None if self.sandbox else self.profiles.get(endpoint)
        model = model or (profile.model if profile and endpoint != self.endpoint else "") or self.model
        region = checked_region(region or self.region, "the region", self.catalogue)
        api = api or self.api_for(model, endpoint)
        route = self.catalogue.route(model, endpoint, api)
        if self.sandbox and (region, endpoint, route) != (self.region, "mantle", DEFAULT_ROUTE):
            base_url = self._sandbox_url(region, endpoint, route)
        elif profile is not None:
            base_url = own_base_url(profile.base_url, api)
        elif self.base_url_is_custom and endpoint == self.endpoint:
            base_url = own_base_url(self.base_url, api)
        else:
            base_url = canonical_base_url(endpoint, region, route)
        return Target(model, region, endpoint, base_url, self.sandbox, api)

    def api_for(self, model: str, endpoint: str) -> str:
        """The API by which a model is asked on an endpoint: the one asked for, where that is served there."""
        usual = self.catalogue.default_api(model, endpoint)
        row = self.catalogue.model(model)
        place = None if row is None else row.place(endpoint, self.api)
        unserved = place is not None and self.api not in place.apis
        own = (model, endpoint) == (self.model, self.endpoint)
        return usual if not self.api or (unserved and not own) else self.api

    @property
    def guardrail_in_force(self) -> Guardrail | None:
        """What requests are sent with, over the APIs that have guardrails."""
        if not self.guardrail:
            return None
        from tui.core.guardrail import Guardrail

        return Guardrail(
            self.guardrail, self.guardrail_version, self.guardrail_trace, self.guardrail_tag_suffix
        )

    def knows_endpoint(self, endpoint: str) -> bool:
        """Whether this run can send to an endpoint of that name.

        A base URL that was given for the run (`custom`) stands alone: nothing is sent past it. The sandbox
        plays Bedrock's own endpoints.
        """
        if endpoint == self.endpoint:
            return True
        if self.endpoint == "custom":
            return False
        return endpoint in ENDPOINTS or (endpoint in self.profiles and not self.sandbox)

    def reaches(self, target: Target) -> bool:
        """Whether this run may send to where something was sent before, by an earlier run maybe."""
        if target.sandbox or self.sandbox:
            return target.sandbox == self.sandbox
        if target.endpoint in self.profiles:
            return own_base_url(self.profiles[target.endpoint].base_url, target.api) == target.base_url
        if target.base_url == own_base_url(self.base_url, target.api):
            return True
        return target.endpoint in ENDPOINTS and self.endpoint != "custom"

    def token_place(self, target: Target) -> str:
        """Under what the credentials know the token for a target: its region, or its profile's token.

        Raises:
            TokenUnusable: The target bears a profile's name and is not at the profile's host.
        """
        profile = None if target.sandbox else self.profiles.get(target.endpoint)
        if profile is None:
            return target.region
        if urlsplit(profile.base_url)[:2] != urlsplit(target.base_url)[:2]:
            raise TokenUnusable(
                f"The token of the profile {profile.name} goes to {profile.base_url} only, not to "
                f"{target.base_url}."
            )
        return profile.token_place

    def _sandbox_url(self, region: str, endpoint: str, route: str) -> str:
        """The sandbox plays every region and both endpoints, each under a path of its own."""
        origin = self.base_url.removesuffix(DEFAULT_ROUTE)
        return f"{origin}/{region}{'/runtime' if endpoint == 'runtime' else ''}{route}"

    def with_sandbox(self, base_url: str) -> Settings:
        """The same settings, talking to the embedded endpoint at `base_url`; it wins over any other."""
        endpoint = self.endpoint if self.endpoint in ENDPOINTS else "mantle"
        return replace(
            self,
            sandbox=True,
            endpoint=endpoint,
            base_url=normalized_base_url(base_url, "the sandbox's base URL"),
            base_url_is_custom=True,
            sources={**self.sources, "base_url": "the sandbox"},
        )


def default_dirs(environ: Mapping[str, str]) -> tuple[Path, Path]:
    """The config folder and the data folder; neither need exist.

    OUTCROP_CONFIG_DIR and OUTCROP_DATA_DIR win over the platform's own places.
    """
    config = environ.get("OUTCROP_CONFIG_DIR", "").strip()
    data = environ.get("OUTCROP_DATA_DIR", "").strip()
    if not (config and data):
        import platformdirs

        config = config or platformdirs.user_config_dir("outcrop", appauthor=False)
        data = data or platformdirs.user_data_dir("outcrop", appauthor=False)
    return Path(config).expanduser(), Path(data).expanduser()


@lru_cache(maxsize=4)
def load_catalogue(config_dir: Path) -> Catalogue:
    """The catalogue of this package with the user's `catalogue.toml` laid over it; read once.

    Raises:
        ConfigError: The user's file cannot be read or holds something it must not.
    """
    builtin = own_document(_CATALOGUE)
    path = config_dir / "catalogue.toml"
    try:
        own = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return catalogue_of(builtin)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {_why(error)}.") from None
    try:
        return catalogue_of(builtin, document_of(own))
    except ValueError as error:
        raise ConfigError(f"{path}: {_why(error)}.") from None


def load_settings(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Put the settings together.

    Args:
        flags: What the command line gave, by setting's name (`model`, `region`, `endpoint`, `base_url`,
            `sandbox`, `continuation`, `theme`); `None` and an empty text are "not given", other names are
            ignored.
        environ: The environment; an empty variable is an unset one.

    Raises:
        ConfigError: Something is unknown or has a value that is not allowed; the sentence names where it
            stands, what it is and what is allowed.
    """
    config_dir, data_dir = default_dirs(environ)
    file = _config_file(config_dir / "config.toml")
    catalogue = load_catalogue(config_dir)
    found = {name: _find(name, flags, environ, file) for name in OPTIONS}
    keymap = _keymap(file.document, file.path)
    profiles = read_profiles(file.document, file.path)
    found = with_aws_region(found, environ)
    found, said = fitted(found, catalogue)
    place = place_of(found, catalogue, profiles)
    timeout, idle = found["request_timeout"], found["idle_timeout"]
    if timeout.rank > idle.rank:
        idle = timeout
    send, newline = found["send_key"], found["newline_key"]
    if send.value == newline.value:
        raise ConfigError(
            f"{newline.where}: send_key and newline_key are both {shown(send.value)}; they must differ."
        )
    values = {name: item.value for name, item in found.items()}
    sources = {name: item.source for name, item in found.items()}
    values |= {**place.values, "idle_timeout": idle.value}
    sources |= {**place.sources, "idle_timeout": idle.source}
    return Settings(
        **cast("dict[str, Any]", values),
        keymap=keymap,
        config_dir=config_dir,
        data_dir=data_dir,
        sources=sources,
        catalogue=catalogue,
        profiles=profiles,
        said=said,
    )


def _config_file(path: Path) -> ConfigFile:
    try:
        file = read_config(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {_why(error)}.") from None
    check_keys(file)
    return file


def _find(
    name: str,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    file: ConfigFile,
) -> Found:
    """The setting's value from the strongest place that has one."""
    option = OPTIONS[name]
    given = flags.get(name)
    if given is not None and given != "" and given is not False:
        return option.read(given, RANKS.index("flag"), option.flag, f"flag {option.flag}")
    for variable in option.variables:
        text = environ.get(variable, "").strip()
        if text:
            rank = RANKS.index("environment")
            return option.read(text, rank, variable, f"environment {variable}")
    if option.key and option.key in file.document:
        where, source = f"{file.where(option.key)}, {option.key}", f"config file {file.path}"
        return option.read(file.document[option.key], RANKS.index("config file"), where, source)
    return Found(option.default, 0, "default", name)


def _keymap(document: Mapping[str, Any], path: Path) -> Mapping[str, str]:
    """Keys and chords by id, of the table `[keymap]`; `[keys]` is its older name."""
    if "keys" in document and "keymap" in document:
        raise ConfigError(f"{path}: [keys] is the older name of [keymap]; give one of them.")
    table = "keys" if "keys" in document else "keymap"
    keymap = document.get(table, {})
    if not isinstance(keymap, dict):
        raise ConfigError(
            f"{path}, {table}: must be a table such as [keymap] and below it app.quit = 'ctrl+q'."
        )
    return dict(_keys(cast("dict[str, object]", keymap), f"{path}, {table}.", ""))


def _keys(table: Mapping[str, object], where: str, prefix: str) -> Iterator[tuple[str, str]]:
    """The entries of a table; `turn.stop = …` without quotes is a table in it, and meant the same."""
    for name, value in table.items():
        id_ = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _keys(cast("dict[str, object]", value), where, f"{id_}.")
            continue
        texts = cast("list[object]", value) if isinstance(value, list) else [value]
        keys = [text for text in texts if isinstance(text, str) and text.strip()]
        if not texts or len(keys) != len(texts):
            raise ConfigError(f"{where}{shown(id_)}: must be keys as a text, e.g. 'ctrl+q, ctrl+x q'.")
        yield id_, ",".join(keys)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    if isinstance(error, UnicodeDecodeError):
        line = 1 + error.object.count(b"\n", 0, error.start)
        return f"line {line} is not UTF-8 text"
    text = visible_line(str(error))
    # Python tells how to raise its own limit, which is nobody's business here.
    if text.startswith("Exceeds the limit"):
        return "a number in it has thousands of digits"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
