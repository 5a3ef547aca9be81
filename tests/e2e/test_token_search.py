"""The token is in no file that the program wrote, on no screen that it drew, in nothing that it printed."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shlex
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from support.keyring_support import short_term_token
from support.pdfs import make_pdf
from support.programs import OUTCROP, Program, until
from support.terminal import have_tmux, terminal
from support.token_search import Search, descendants

from tui.sandbox.server import SandboxServer
from tui.subcommands.leaving_arguments import FORMS

MODES = ("400", "401", "500", "html", "header", "gzip 400", "deltas", "cut deltas", "base64 deltas",
         "hex deltas", "gzip deltas", "error event")  # fmt: skip
INSPECTED = ("curl", "python", "httpx", "boto3", "httpie", "http", "json", "har")


class _Echo(BaseHTTPRequestHandler):
    """An endpoint that gives the token back in every way that a server could."""

    protocol_version = "HTTP/1.0"
    packed = False

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        mode = self.path.split("/")[1].replace("-", " ")
        token = self.headers["authorization"].removeprefix("Bearer ")
        every = f"{token} {base64.b64encode(b'x' + token.encode()).decode()} {quote(token, safe='')}"
        self.packed, mode = mode.startswith("gzip"), mode.removeprefix("gzip ")
        if "deltas" in mode:
            text = f"You sent {every}"
            if mode == "base64 deltas":
                text = base64.b64encode(f"You sent {token} to me.".encode()).decode()
            elif mode == "hex deltas":
                text = f"You sent {token.encode().hex()} {token.encode().hex().upper()}"
            self._stream(text, ends=mode == "deltas")
        elif mode == "error event":
            self._stream("Hello", ends=False, error=f"refused: {every}")
        elif mode == "html":
            self._answer(502, f"<html><title>{every}</title></html>", "text/html")
        else:
            status = 307 if mode == "header" else int(mode)
            error = {"type": "x", "code": every, "message": f"refused: {every}", "param": every}
            self._answer(status, json.dumps({"error": error}).replace("/", "\\/"), "application/json", every)

    def _answer(self, status: int, body: str, kind: str, header: str = "") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("location", f"https://example.com/?{header}")
        self.send_header("x-request-id", header)
        self.send_header("x-should-retry", "false")
        self._write(body.encode())

    def _write(self, data: bytes) -> None:
        """End the headers and send a body, packed although nobody asked for that where the mode says so."""
        if self.packed:
            self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.wfile.write(gzip.compress(data) if self.packed else data)

    def do_GET(self) -> None:
        token = self.headers["authorization"].removeprefix("Bearer ")
        self.packed = False
        self._answer(404, json.dumps({"error": {"code": token, "message": token}}), "application/json", token)

    def _stream(self, text: str, *, ends: bool, error: str = "") -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": text, "annotations": []}]}  # fmt: skip
        response = {"id": "resp_1", "status": "in_progress", "output": [], "store": True, "usage": None}
        events = [{"type": "response.created", "response": response}]
        for at in range(0, len(text), 11):
            delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0}
            events.append({**delta, "content_index": 0, "delta": text[at : at + 11]})
        if ends:
            events.append({"type": "response.output_item.done", "output_index": 0, "item": item})
            done = {**response, "status": "completed", "output": [item]}
            events.append({"type": "response.completed", "response": done})
        if error:
            events.append({"type": "error", "code": "x", "message": error})
        rows = (json.dumps({**event, "sequence_number": number}) for number, event in enumerate(events))
        self._write("".join(f"data: {row}\n\n" for row in rows).encode())


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def token() -> str:
    return short_term_token("us-west-2", made=time.time() - 60)


def test_the_search_finds_what_it_should(token: str, tmp_path: Path) -> None:
    """In each kind of place something is planted, and found; without this the tests below prove nothing."""
    search = Search(token)
    plain = token.encode()
    wrapped = "\n".join(f"│ {token[at : at + 37]} │" for at in range(0, len(token), 37))
    drawn = "".join(f'<text x="1">{token[at : at + 50]}</text>\n' for at in range(0, len(token), 50))
    places = {f"base64, {shift}": base64.b64encode(b"xyz"[:shift] + plain + b"y") for shift in range(3)} | {
        "text": plain,
        "base64 for URLs": base64.urlsafe_b64encode(b"?" + plain),
        "a URL": quote(token, safe="").encode(),
        "a URL, small digits": quote(token, safe="").replace("%2B", "%2b").replace("%2F", "%2f").encode(),
        "UTF-16 LE": token.encode("utf-16-le"),
        "UTF-16 BE": token.encode("utf-16-be"),
        "hexadecimal": plain.hex().encode(),
        "hexadecimal capitals": plain.hex().upper().encode(),
        "JSON with slashes escaped": json.dumps(token).replace("/", "\\/").encode(),
        "JSON with everything escaped": "".join(f"\\u{ord(each):04x}" for each in token).encode(),
        "a screen": wrapped.encode(),
        "a screen with colours": wrapped.replace("│", "\x1b[0m│\x1b[38;2;1;2;3m").encode(),
        "a picture": drawn.encode(),
        "lines": plain[:100] + b"\n" + plain[100:],
        "without its ends": plain[18:-6],
    }
    for name, data in places.items():
        assert search.hits(b"before " + data + b" after"), name
    assert not search.hits(short_term_token("us-west-2", made=1.0).encode())
    # The last database is open, so that its rows are in the WAL alone.
    wal = sqlite3.connect(tmp_path / "wal.db")
    for db in (sqlite3.connect(tmp_path / "a.db"), wal):
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("CREATE TABLE t (data BLOB)")
        packed = [zlib.compress(b"harmless"), zlib.compress(plain)]
        db.execute("INSERT INTO t VALUES (?)", (b"".join(packed) if db is not wal else plain,))
        db.commit()
        if db is not wal:
            db.close()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_bytes(places["base64, 2"])
    (tmp_path / "deep" / "log.gz").write_bytes(gzip.compress(plain))
    found = search.in_files(tmp_path)
    wal.close()
    assert found == [
        f"{tmp_path / 'a.db'} t", str(tmp_path / "deep" / "log"), str(tmp_path / "deep" / "log.gz"),
        f"{tmp_path / 'wal.db'} t", str(tmp_path / "wal.db-wal"),
    ]  # fmt: skip
    for environ in ({"TOKEN": token}, {}):
        command = [sys.executable, "-IS", "-c", "input()", *([] if environ else [token])]
        with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE) as child:
            until(lambda pid=child.pid: pid in descendants(os.getpid()), "the child")
            found = until(lambda pid=child.pid: search.in_processes([pid], environ=True), "what it got")
            assert found == [f"{child.pid} {'environ' if environ else 'cmdline'}"]


def test_nothing_that_the_command_line_writes_holds_the_token(
    program: Program, token: str, echo: str
) -> None:
    search = Search(token)
    program.token = token
    assert program.ask("Reply with exactly: hi").out == "hi"
    asked = [
        ["ask", "--json", "--base-url", f"{echo}/{mode.replace(' ', '-')}", "What did I send?"]
        for mode in MODES
    ]
    for at in range(0, len(MODES), 3):
        for mode, finished in zip(MODES[at : at + 3], program.together(*asked[at : at + 3]), strict=True):
            assert finished.status == {"deltas": 0, "gzip deltas": 0, "401": 3}.get(mode, 1), (mode, finished)
            text = "".join(row["delta"] for row in finished.rows if row["type"] == "text.delta")
            for data in (finished.stdout, finished.stderr, text):
                assert not search.hits(data), (mode, data)
            if mode.endswith("deltas"):
                assert "[token]" in text
    rows = program.history("list")
    assert len(rows) == len(MODES) + 1
    (program.cwd / "out").mkdir()
    with_text = program.run("history", "search", "You sent", "--json")
    ids = [row.get("conversation", row.get("id")) for row in json.loads(with_text.out)]
    assert ids and not search.hits(with_text.stdout)
    commands = [["inspect", "export", "-1", "--as", form, "-o", f"out/-1.{form}"] for form in INSPECTED]
    commands += [["export", ids[0], "--as", form, "-o", f"out/talk.{form}"] for form in FORMS]
    commands += [
        ["inspect", "export", "all", "--as", "har"], ["inspect", "show", "-2"],
        ["inspect", "show", "-2", "--json"], ["history", "export", "all", "-o", "out/all.json"],
        ["history", "show", ids[0]],
        ["cassette", "save", ids[0], "-o", "out/talk.cassette"], ["usage", "--csv"], ["usage", "--json"],
        ["check", "--free", "--json", "--junit", "out/check.xml", "--base-url", f"{echo}/401"],
        ["check", "--free", "--base-url", f"{echo}/401"], ["models", "--base-url", f"{echo}/401", "--json"],
        ["responses", "list", "--json"], ["token", "status"],
        ["--plain", "--base-url", f"{echo}/gzip-deltas"],
        ["ask", "--base-url", f"{echo}/cut-deltas", "What did I send?"], ["batch", "out/talk.batch", "check"],
    ]  # fmt: skip
    wrote = 0
    for at in range(0, len(commands), 6):
        for command, finished in zip(
            commands[at : at + 6], program.together(*commands[at : at + 6]), strict=True
        ):
            assert not search.hits(finished.stdout) and not search.hits(finished.stderr), command
            wrote += bool(finished.stdout)
            assert b"crash" not in finished.stderr, (command, finished.stderr)
    files = [path.name for path in (program.cwd / "out").iterdir()]
    assert len(files) >= len(INSPECTED) + len(FORMS) and wrote >= 10, (files, wrote)
    assert search.in_files(program.root) == []
    assert search.places > 200 and search.octets > 200_000
    print(f"the command line: {search.octets:,} bytes in {search.places:,} places")


def test_logs_of_libraries_do_not_hold_the_token(program: Program, token: str, echo: str) -> None:
    """What a developer switches on to see more: the SDK's log, Python's and asyncio's own modes."""
    search = Search(token)
    program.token = token
    environ = {"OPENAI_LOG": "debug", "PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1",
               "PYTHONFAULTHANDLER": "1", "TEXTUAL_LOG": str(program.root / "textual.log")}  # fmt: skip
    finished = program.ask("--base-url", f"{echo}/cut-deltas", "What did I send?", **environ)
    assert "Sending HTTP Request" in finished.err or "HTTP Request" in finished.err, "the log is on"
    assert finished.status == 1 and finished.out.startswith("You sent [token]")
    assert not search.hits(finished.stdout) and not search.hits(finished.stderr)
    assert search.in_files(program.root) == []


@pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")
def test_a_session_in_the_tui_never_shows_or_keeps_the_token(
    program: Program, server: SandboxServer, token: str, echo: str, tmp_path: Path
) -> None:
    search = Search(token)
    program.token = token
    pdf = program.root / "survey.pdf"
    pdf.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    driver = tmp_path / "terminals"
    seen: list[str] = []
    raw = tmp_path / "raw"
    raw.touch()
    debug = {"TEXTUAL_LOG": str(program.root / "textual.log"), "PYTHONASYNCIODEBUG": "1"}
    environ = program.environ(**debug)
    with terminal(driver / "a", OUTCROP, environ, cwd=program.cwd, columns=160, rows=48) as window:
        window.tmux("set-option", "-s", "set-clipboard", "on")
        window.tmux("pipe-pane", "-t", "p", f"cat >>{shlex.quote(str(raw))}")
        window.wait_for("Message", "key: environment")
        assert search.in_processes([window.pid], environ=False) == []
        window.type("My name is Ada.")
        window.press("Enter")
        window.wait_for("What I can see")
        window.press("C-t")
        window.wait_for("stateless")
        window.paste(str(pdf))
        window.wait_for("survey.pdf")
        started = descendants(window.pid)
        assert search.in_processes(started, environ=True) == []
        window.type("How heavy?")
        window.press("Enter")
        until(lambda: [record.ended for record in server.log] == ["finished"] * 2, "two turns")
        window.press("F12")
        window.wait_for("Shape", "Stream")
        for tab in "2341":
            window.press(tab)
            until(lambda: window.screen, "a picture")
        window.press("2")
        window.wait_for("[token]")
        window.press("r")
        until(lambda: window.screen, "a picture")
        window.press("F12")
        window.wait_until_gone("3 Stream")
        for key, title in (("C-o", "╭─"), ("C-r", "╭─"), ("F9", "╭─"), ("F1", "╭─ Help"), ("C-p", "Search")):
            window.press(key)
            window.wait_for(title)
            window.press("Escape")
            window.wait_until_gone(title)
        window.type("/copy 1")
        window.press("Enter")
        window.wait_for("Copied the answer")
        assert not search.hits(window.tmux("show-buffer"))
        window.type("/token")
        window.press("Enter")
        window.wait_for("Bedrock API key")
        window.paste(token)
        window.wait_for("••••")
        window.press("Escape")
        window.wait_until_gone("Esc cancel")
        window.press("C-q")
        assert window.status() == 0
        seen += window.seen
    for mode in ("cut-deltas", "401"):
        environ = program.environ(BEDROCK_BASE_URL=f"{echo}/{mode}")
        with terminal(driver / mode, OUTCROP, environ, cwd=program.cwd, columns=160, rows=48) as window:
            window.wait_for("Message", "key: environment")
            window.type("What did I send?")
            window.press("Enter")
            window.wait_for("[token]")
            if mode == "cut-deltas":
                window.press("F12")
                window.wait_for("Shape", "Stream")
                window.press("3")
                until(lambda: window.screen, "a picture")
            seen += window.seen
        assert search.in_processes(descendants(window.pid), environ=True) == []
    assert [text for text in seen if search.hits(text)] == []
    assert len(seen) > 30
    assert raw.stat().st_size > 20_000 and not search.hits(raw.read_bytes())
    assert (program.root / "textual.log").stat().st_size > 0
    assert search.in_files(program.root) == []
    print(f"the TUI: {search.octets:,} bytes in {search.places:,} places")
