"""The token is in no file that the program wrote, on no screen that it drew, in nothing that it printed."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from support.keyring_support import short_term_token
from support.pdfs import make_pdf
from support.programs import OUTCROP, Program, until
from support.terminal import have_tmux, terminal

from tui.sandbox.server import SandboxServer

MODES = ("400", "401", "500", "html", "header", "deltas", "cut deltas", "base64 deltas", "error event")


class _Echo(BaseHTTPRequestHandler):
    """An endpoint that gives the token back in every way that a server could."""

    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        mode = self.path.split("/")[1].replace("-", " ")
        token = self.headers["authorization"].removeprefix("Bearer ")
        every = f"{token} {base64.b64encode(b'x' + token.encode()).decode()} {quote(token, safe='')}"
        if "deltas" in mode:
            text = (
                f"You sent {every}"
                if mode != "base64 deltas"
                else base64.b64encode(f"You sent {token} to me.".encode()).decode()
            )
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
        self.end_headers()
        self.wfile.write(body.encode())

    def _stream(self, text: str, *, ends: bool, error: str = "") -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
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
        for number, event in enumerate(events):
            data = json.dumps({**event, "sequence_number": number})
            self.wfile.write(f"event: {event['type']}\ndata: {data}\n\n".encode())
            self.wfile.flush()


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def token() -> str:
    return short_term_token("us-west-2", made=time.time() - 60)


class Search:
    """Looks for a token as text, in base64 at each alignment, and URL-encoded."""

    def __init__(self, token: str) -> None:
        # The middle of it, so that a token that lost its ends is found as well.
        core = token[20:-8]
        self.needles = {core.encode(), quote(core, safe="").encode(), core.replace("/", "\\/").encode()}
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + core.encode())
            self.needles.add(encoded[4:-4])
            self.needles.add(encoded[4:-4].replace(b"+", b"-").replace(b"/", b"_"))
        self.looked_at = 0

    def hits(self, data: bytes) -> int:
        self.looked_at += 1
        # Screens and pages break lines.
        flat = data.replace(b"\n", b"").replace(b" ", b"")
        return sum(needle in data or needle in flat for needle in self.needles)

    def in_files(self, root: Path) -> list[str]:
        """Names of the files, and of the rows of databases, that hold it."""
        found: list[str] = []
        for path in sorted(root.rglob("*")):
            if path.is_file():
                found += [str(path)] * bool(self.hits(path.read_bytes()))
                if path.suffix == ".db":
                    found += self._in_database(path)
        return found

    def _in_database(self, path: Path) -> list[str]:
        found: list[str] = []
        with closing(sqlite3.connect(path)) as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                for row in db.execute(f'SELECT * FROM "{table}"'):
                    for value in row:
                        data = value.encode() if isinstance(value, str) else value
                        if isinstance(data, bytes) and any(self.hits(form) for form in _inflated(data)):
                            found.append(f"{path} {table}")
        return found


def _inflated(data: bytes) -> list[bytes]:
    try:
        return [data, zlib.decompress(data)]
    except zlib.error:
        return [data]


def test_the_search_finds_what_it_should(token: str, tmp_path: Path) -> None:
    search = Search(token)
    plain = token.encode()
    forms = [base64.b64encode(b"x" * shift + plain + b"y") for shift in range(3)]
    forms += [plain, quote(token, safe="").encode(), base64.urlsafe_b64encode(plain)]
    forms.append(plain[:100] + b"\n" + plain[100:])
    for number, form in enumerate(forms):
        assert search.hits(b"before " + form + b" after"), number
    assert not search.hits(short_term_token("us-west-2", made=1.0).encode())
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        db.execute("CREATE TABLE t (data BLOB)")
        db.execute("INSERT INTO t VALUES (?)", (zlib.compress(plain),))
        db.commit()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_bytes(forms[2])
    assert search.in_files(tmp_path) == [f"{tmp_path / 'a.db'} t", str(tmp_path / "deep" / "log")]


def test_ask_never_gives_the_token_away(program: Program, token: str, echo: str) -> None:
    search = Search(token)
    program.token = token
    assert program.ask("Reply with exactly: hi").out == "hi"
    for pair in (MODES[at : at + 3] for at in range(0, len(MODES), 3)):
        runs = [
            ["ask", "--json", "--base-url", f"{echo}/{mode.replace(' ', '-')}", "What did I send?"]
            for mode in pair
        ]
        for mode, finished in zip(pair, program.together(*runs), strict=True):
            assert finished.status == {"deltas": 0, "401": 3}.get(mode, 1), (mode, finished)
            text = "".join(row["delta"] for row in finished.rows if row["type"] == "text.delta")
            for data in (finished.stdout, finished.stderr, text.encode()):
                assert not search.hits(data), (mode, data)
            if mode.endswith("deltas"):
                assert "[token]" in text
    plain = program.ask("--base-url", f"{echo}/cut-deltas", "What did I send?")
    assert not search.hits(plain.stdout + plain.stderr)
    assert plain.out.startswith("You sent ")
    for row in program.history("list"):
        shown = program.run("history", "show", row["id"])
        assert not search.hits(shown.stdout + shown.stderr)
    assert len(program.history("list")) == len(MODES) + 2
    assert search.in_files(program.root) == []
    assert search.looked_at > 100


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
    with terminal(driver / "a", OUTCROP, program.environ(), cwd=program.cwd, columns=160, rows=48) as window:
        window.wait_for("Message", "key: environment")
        assert not search.hits(Path(f"/proc/{window.pid}/cmdline").read_bytes())
        window.type("My name is Ada.")
        window.press("Enter")
        window.wait_for("What I can see")
        window.press("C-t")
        window.wait_for("stateless")
        window.paste(str(pdf))
        window.wait_for("survey.pdf")
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
    assert [text for text in seen if search.hits(text.encode())] == []
    assert len(seen) > 30
    assert search.in_files(program.root) == []
