"""Looks for secrets in everything that a program writes, in each form that they could be written in."""

from __future__ import annotations

import base64
import html
import json
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

__all__ = ["Search", "descendants", "forms"]

_TAG = re.compile(rb"<[^>]{0,2000}>")
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P][^\x07\x1b]*(?:\x07|\x1b\\)|[()].|[=>78cDEHM])")
_ESCAPED = re.compile(rb"\\u00([0-9A-Fa-f]{2})")
# What a screen or a page puts between two pieces of a long word.
_BETWEEN = re.compile("[\\s│┃╎▏▎▌▐▕|␊\u00a0]+")


def forms(core: str | bytes) -> set[bytes]:
    """Text or bytes as they may be written: plain, base64, for URLs, UTF-16, hexadecimal, JSON."""
    plain = core.encode() if isinstance(core, str) else core
    text = plain.decode("latin-1")
    found = {plain, plain.hex().encode(), plain.hex().upper().encode()}
    for safe in ("", "/+=", "~"):
        url = quote(plain, safe=safe)
        found |= {url.encode(), re.sub("%..", lambda code: code[0].lower(), url).encode()}
    found |= {json.dumps(text)[1:-1].encode(), text.replace("/", "\\/").encode("latin-1")}
    # Without the outer zero byte it is the same in both byte orders.
    found.add(text.encode("utf-16-le")[:-1])
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + plain + b"y" * (-(len(plain) + shift) % 3))[4:-4]
        found |= {encoded, encoded.replace(b"+", b"-").replace(b"/", b"_"), encoded.replace(b"/", b"\\/")}
    return found


class Search:
    """Searches for the middles of secrets, so that one that lost its ends is found as well.

    Attributes:
        places: How many texts, files, rows and variables were looked through.
        octets: How many bytes they had, unpacked ones counted where they were unpacked.
    """

    def __init__(self, *secrets: str, ends: tuple[int, int] = (20, 8)) -> None:
        first, last = ends
        self.needles = {form for secret in secrets for form in forms(secret[first:-last])}
        self.places = 0
        self.octets = 0

    def hits(self, data: bytes | str) -> int:
        """How many forms are in a text, be it broken into lines, drawn, marked up or escaped."""
        data = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        self.places += 1
        self.octets += len(data)
        views = list(_views(data))
        return sum(any(needle in view for view in views) for needle in self.needles)

    def in_files(self, root: Path) -> list[str]:
        """Names of the files below a folder, and of the rows of databases in them, that hold one."""
        found: list[str] = []
        for path in sorted(root.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                found += [str(path)] * any(self.hits(each) for each in _unpacked(data))
                if data.startswith(b"SQLite format 3\0"):
                    found += self._in_database(path)
        return found

    def _in_database(self, path: Path) -> Iterable[str]:
        found: dict[str, None] = {}
        with closing(sqlite3.connect(path)) as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                for row in db.execute(f'SELECT * FROM "{table}"'):
                    for value in row:
                        data = value.encode() if isinstance(value, str) else value
                        if isinstance(data, bytes) and any(self.hits(form) for form in _unpacked(data)):
                            found[f"{path} {table}"] = None
        return found

    def in_processes(self, pids: Iterable[int], *, environ: bool) -> list[str]:
        """Of which processes the arguments hold one, or the environment."""
        found: list[str] = []
        for pid in pids:
            for name in ("cmdline", "environ") if environ else ("cmdline",):
                try:
                    data = Path("/proc", str(pid), name).read_bytes()
                except OSError:
                    continue
                found += [f"{pid} {name}"] * bool(self.hits(data))
        return found


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that these did."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_bytes()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(b")")[2].split()[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def _views(data: bytes) -> Iterator[bytes]:
    yield data
    for view in {data, _SEQUENCE.sub(b"", data), _TAG.sub(b"", data)}:
        text = view.decode("utf-8", "surrogateescape")
        yield _BETWEEN.sub("", html.unescape(text) if "&" in text else text).encode(
            "utf-8", "surrogateescape"
        )
    if b"\\u00" in data:
        yield _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), data)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """The data, and what comes out of the zlib and gzip streams that it is made of."""
    yield data
    for wbits in (15, 31):
        made, rest = b"", data
        while rest:
            inflater = zlib.decompressobj(wbits)
            try:
                made += inflater.decompress(rest) + inflater.flush()
            except zlib.error:
                break
            rest = inflater.unused_data
        if made:
            yield made
