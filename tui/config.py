"""Settings: flag, then environment, then config file, then default; every value knows where it came from.

The file is `config.toml` in platformdirs' user config folder. `.env` files are not read. The bearer token
is no setting: it is never read from a file and is not among these values (see `credentials.py`).
Source of the variables' names and of the base URL's normalization: the guide, "Configuration".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

from tui.config_values import (
    OPTIONS,
    Found,
    check_keys,
    closest,
    is_loopback,
    normalized_base_url,
    read_toml,
    shown,
)
from tui.core.catalogue import Catalogue, is_region
from tui.core.catalogue_file import parse_catalogue
from tui.core.errors import ConfigError
from tui.core.items import ContinuationMode, Target

__all__ = [
    "Settings",
    "canonical_base_url",
    "default_dirs",
    "is_loopback",
    "load_catalogue",
    "load_settings",
    "normalized_base_url",
]

_HOSTS: Final = {
    "mantle": "https://bedrock-mantle.{region}.api.aws",
    "runtime": "https://bedrock-runtime.{region}.amazonaws.com",
}
_DEFAULT_ROUTE: Final = "/openai/v1"
# Beside the code: importlib.resources alone would cost 15 ms before the first paint.
_CATALOGUE: Final = Path(__file__).parent / "core" / "catalogue.toml"
_RANKS: Final = ("default", "config file", "environment", "flag")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run of the program was told to do.

    Attributes:
        model: Model id as sent.
        region: AWS region.
        endpoint: `mantle`, `runtime`, or `custom` for a base URL of the user's own.
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
        compact_at: Share of the context window, 0 to 1, from which on a summary is offered; 0 is never.
        server_compaction: Whether to let the server compact where it can; falls back where it cannot.
        stream_background: Whether to ask for a stream with background turns; they are polled otherwise.
        notify: Whether to ring the terminal's bell, and to notify the desktop where the terminal can, when an
            answer from the background arrives unseen.
        cleanup_stored_responses: Whether to delete at the end what this run stored at the server.
        attachment_limit: Largest attachment in bytes, before base64.
        send_key: Key that sends, as Textual spells it.
        newline_key: Key that inserts a newline.
        keymap: Keys and chords by binding id, from the file's `[keymap]`; the ids are the app's.
        config_dir: Folder of `config.toml`, `catalogue.toml`, themes.
        data_dir: Folder of the history.
        sources: Where each setting came from, e.g. `environment AWS_REGION`.
        catalogue: The models known, the user's own included.
    """

    model: str
    region: str
    endpoint: str
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
    cleanup_stored_responses: bool
    notify: bool
    compact_at: float
    server_compaction: bool
    stream_background: bool
    attachment_limit: int
    send_key: str
    newline_key: str
    keymap: Mapping[str, str]
    config_dir: Path
    data_dir: Path
    sources: Mapping[str, str]
    catalogue: Catalogue = field(repr=False, compare=False)

    def target(self, model: str | None = None, region: str | None = None) -> Target:
        """Where a request goes; a base URL of the user's own, and the sandbox's, serve every model.

        Args:
            model: Instead of the model of the settings.
            region: Instead of the region of the settings.

        Raises:
            ConfigError: `region` has not the form of a region.
        """
        model = model or self.model
        region = _checked_region(region or self.region, "the region", self.catalogue)
        if self.sandbox and (region, self.endpoint) != (self.region, "mantle"):
            base_url = self._sandbox_url(model, region)
        elif self.base_url_is_custom:
            base_url = self.base_url
        else:
            base_url = canonical_base_url(self.endpoint, region, self.catalogue.route(model, self.endpoint))
        return Target(model, region, self.endpoint, base_url, self.sandbox)

    def _sandbox_url(self, model: str, region: str) -> str:
        """The sandbox plays every region and both endpoints, each under a path of its own."""
        origin = self.base_url.removesuffix(_DEFAULT_ROUTE)
        below = "/runtime" if self.endpoint == "runtime" else ""
        return f"{origin}/{region}{below}{self.catalogue.route(model, self.endpoint)}"

    def with_sandbox(self, base_url: str) -> Settings:
        """The same settings, talking to the embedded endpoint at `base_url`; it wins over any other."""
        endpoint = "mantle" if self.endpoint == "custom" else self.endpoint
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


def canonical_base_url(endpoint: str, region: str, route: str = _DEFAULT_ROUTE) -> str:
    """Bedrock's own base URL (bedrock-facts.md 1.1).

    Args:
        endpoint: `mantle` or `runtime`.
        region: AWS region.
        route: `/openai/v1`, or `/v1` for models that are served there.
    """
    return _HOSTS[endpoint].format(region=region) + route


@lru_cache(maxsize=4)
def load_catalogue(config_dir: Path) -> Catalogue:
    """The catalogue of this package with the user's `catalogue.toml` laid over it; read once.

    Raises:
        ConfigError: The user's file cannot be read or holds something it must not.
    """
    builtin = _CATALOGUE.read_text(encoding="utf-8")
    path = config_dir / "catalogue.toml"
    try:
        own = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return parse_catalogue(builtin)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {_why(error)}.") from None
    try:
        return parse_catalogue(builtin, own)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}.") from None


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
    path = config_dir / "config.toml"
    document = _document(path)
    catalogue = load_catalogue(config_dir)
    found = {name: _find(name, flags, environ, document, path) for name in OPTIONS}
    keymap = _keymap(document, path)
    place = _place(found, catalogue)
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
    )


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = read_toml(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {_why(error)}.") from None
    check_keys(document, path)
    return document


def _find(
    name: str,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    document: Mapping[str, Any],
    path: Path,
) -> Found:
    """The setting's value from the strongest place that has one."""
    option = OPTIONS[name]
    given = flags.get(name)
    if given is not None and given != "" and given is not False:
        return option.read(given, _RANKS.index("flag"), option.flag, f"flag {option.flag}")
    for variable in option.variables:
        text = environ.get(variable, "").strip()
        if text:
            rank = _RANKS.index("environment")
            return option.read(text, rank, variable, f"environment {variable}")
    if option.key and option.key in document:
        where = f"{path}, {option.key}"
        return option.read(document[option.key], _RANKS.index("config file"), where, f"config file {path}")
    return Found(option.default, 0, "default", name)


@dataclass(frozen=True, slots=True)
class _Place:
    values: Mapping[str, object]
    sources: Mapping[str, str]


def _place(found: Mapping[str, Found], catalogue: Catalogue) -> _Place:
    """Region, endpoint and base URL, which depend on each other.

    Bedrock's own base URL is another way to name an endpoint and a region, at the rank where it was
    given; any other base URL is `custom`, unless a stronger place names an endpoint.
    """
    region, endpoint, url = found["region"], found["endpoint"], found["base_url"]
    model = str(found["model"].value)
    custom = False
    if url.rank:
        named = _canonical_parts(str(url.value))
        if url.rank == endpoint.rank == _RANKS.index("flag") and (not named or named[0] != endpoint.value):
            raise ConfigError("--base-url and --endpoint name different places; give one of them.")
        if url.rank >= endpoint.rank and named:
            endpoint = Found(named[0], url.rank, url.source, url.where)
            if url.rank >= region.rank:
                region = Found(named[1], url.rank, url.source, url.where)
        elif url.rank >= endpoint.rank:
            endpoint = Found("custom", url.rank, url.source, url.where)
            custom = True
    place = _checked_region(str(region.value), region.where, catalogue)
    if custom:
        base_url, source = str(url.value), url.source
    else:
        route = catalogue.route(model, str(endpoint.value))
        base_url, source = canonical_base_url(str(endpoint.value), place, route), endpoint.source
    return _Place(
        {"region": place, "endpoint": endpoint.value, "base_url": base_url, "base_url_is_custom": custom},
        {"region": region.source, "endpoint": endpoint.source, "base_url": source},
    )


def _canonical_parts(url: str) -> tuple[str, str] | None:
    """Endpoint and region that a base URL of Bedrock's own stands for."""
    for endpoint, host in _HOSTS.items():
        before, after = host.split("{region}")
        after += _DEFAULT_ROUTE
        if url.startswith(before) and url.endswith(after):
            region = url[len(before) : len(url) - len(after)]
            if is_region(region):
                return endpoint, region
    return None


def _checked_region(name: str, where: str, catalogue: Catalogue) -> str:
    if is_region(name):
        return name
    hint = closest(name, catalogue.regions)
    raise ConfigError(
        f"{where}: {shown(name)} is not the name of a region{hint}. A region looks like us-west-2."
    )


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
        return "it is not UTF-8 text"
    return str(error)
