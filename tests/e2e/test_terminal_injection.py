"""Foreign text reaches no terminal with control characters: every sink is driven, the terminal is asked.

What the terminal was sent is recorded byte by byte (`tmux pipe-pane`), and tmux's clipboard and title are the
proof that nothing in it took effect.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support.pdfs import make_pdf
from support.programs import OUTCROP, Program, until
from support.terminal import Terminal, have_tmux, terminal

from tui.sandbox.server import SandboxServer

pytestmark = pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")

ATTACKS = {
    "OSC 52": "\x1b]52;c;aGFja2Vk\x07",
    "OSC 0": "\x1b]0;hacked title\x07",
    "OSC 8": "\x1b]8;;http://hacked.example\x1b\\link\x1b]8;;\x1b\\",
    "CSI": "\x1b[2J\x1b[31;7mhacked",
    "DCS": "\x1bPq#0;hacked\x1b\\",
    "C1 CSI": "\x9b31mhacked",
    "C1 OSC": "\x9d0;hacked title\x9c",
    "backspace": "hacked\x08\x08\x08\x08\x08\x08",
    "carriage return": "hacked\rover",
    "bidirectional override": "\u202ehacked\u2066\u2069",
}
TEXT = "".join(ATTACKS.values()) + " [/red] [b]bold[/b] [@click=app.quit]quit[/] end"
NAME = "survey\x1b]0;hacked title\x07\u202e[red].pdf"

# No program of ours sends these on its own.
FORBIDDEN = [
    b"\x1b]52", b"\x1b]0;hacked", b"\x1b]8;;http://hacked", b"\x1b[2J\x1b[31;7mhacked", b"\x1bPq#0",
    b"\xc2\x9b", b"\xc2\x9d", b"\xc2\x9c", b"\x9b31m", b"hacked\x08", b"hacked\rover",
    "\u202e".encode(), "\u2066".encode(),
]  # fmt: skip


# Each by its key or command, and its title.
SCREENS = {
    "F4": "─ Turns ─",
    "F5": "─ What would be sent ─",
    "C-r": "─ History ─",
    "C-o": "─ Model, region",
    "/usage": "Usage  ·",
    "/responses": "─ Stored responses",
    "/open": "─ Open conversations",
    "/tools": "─ Tools",
    "/answers": "JSON answer",
    "/cache": "─ Prompt cache",
}


class _Hostile(BaseHTTPRequestHandler):
    """An endpoint that puts the attacks into every text of its answers."""

    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        self._send(200, "application/json", json.dumps({"object": "list", "data": [{"id": TEXT}]}))

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "fail" in json.dumps(body["input"]):
            error = {"message": TEXT, "type": TEXT, "code": TEXT, "param": TEXT}
            self._send(400, "application/json", json.dumps({"error": error}))
            return
        self._send(200, "text/event-stream", "".join(self._events(body)))

    def _events(self, body: dict[str, Any]) -> Iterator[str]:
        text, call = {"type": "output_text", "text": TEXT, "annotations": []}, "function_call"
        items: list[dict[str, Any]] = [
            {"id": TEXT, "type": "reasoning", "summary": [{"type": "summary_text", "text": TEXT}]},
            {"id": TEXT, "type": "message", "status": "completed", "role": "assistant", "content": [text]},
            {"id": TEXT, "type": call, "call_id": TEXT, "name": TEXT, "arguments": json.dumps({TEXT: TEXT})},
        ]
        usage = {"input_tokens": 5, "output_tokens": 5, "total_tokens": 10}
        response = {"id": f"resp_{TEXT}", "status": "in_progress", "model": TEXT, "output": []}
        response["usage"] = usage
        events: list[dict[str, Any]] = [{"type": "response.created", "response": response}]
        for index, item in enumerate(items):
            place = {"output_index": index, "item_id": TEXT}
            events.append({"type": "response.output_item.added", **place, "item": item})
            if item["type"] == "message":
                delta = {"type": "response.output_text.delta", **place, "content_index": 0}
                # A sequence that is cut between two deltas is none the less one.
                events += [{**delta, "delta": piece} for piece in (TEXT[:3], TEXT[3:])]
            events.append({"type": "response.output_item.done", "output_index": index, "item": item})
        events.append({"type": f"response.{TEXT}", "text": TEXT})
        events.append(
            {"type": "response.completed", "response": {**response, "status": "completed", "output": items}}
        )
        for number, event in enumerate(events):
            data = json.dumps({**event, "sequence_number": number}, ensure_ascii=False)
            yield f"event: x\ndata: {data}\n\n"

    def _send(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("x-request-id", "req_\x1b]0;hacked title\x07")
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture
def hostile() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hostile) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def recorded(window: Terminal, folder: Path) -> Path:
    """From now on what the program writes goes into a file as well."""
    raw = folder / "raw"
    raw.touch()
    window.tmux("set-option", "-s", "set-clipboard", "on")
    window.tmux("pipe-pane", "-t", "p", f"cat >>{shlex.quote(str(raw))}")
    return raw


def harmless(window: Terminal, raw: Path) -> int:
    """Nothing of the attacks got through; returns how many bytes were looked through."""
    assert window.tmux("display", "-p", "-t", "p", "#{pane_title}").strip() != "hacked title"
    buffers = window.tmux("list-buffers")
    assert buffers == "", buffers
    data = raw.read_bytes()
    assert [attack for attack in FORBIDDEN if attack in data] == []
    assert b"hacked" in data, "the text was never shown"
    return len(data)


def test_no_sink_of_the_tui_passes_control_characters_on(
    program: Program, hostile: str, tmp_path: Path
) -> None:
    program.base_url = hostile
    file = program.cwd / NAME
    file.write_bytes(make_pdf("Granite"))
    assert program.ask("-f", str(file), TEXT).status == 0
    assert program.ask("-c", f"fail {TEXT}").status == 1
    with terminal(
        tmp_path / "t", [*OUTCROP, "-c"], program.environ(), cwd=program.cwd, columns=130, rows=40
    ) as window:
        raw = recorded(window, tmp_path)
        window.wait_for("Message", "hacked")
        window.press("F6")
        window.wait_for("READ")
        window.press("Escape")
        window.wait_until_gone("READ")
        window.press("F12")
        window.wait_for("Shape")
        for tab in "123456":
            window.press(tab)
            until(lambda: window.screen, "a picture")
        window.press("F12")
        window.wait_until_gone("Shape")
        for key, title in SCREENS.items():
            if key.startswith("/"):
                window.type(key)
                window.press("Enter")
            else:
                window.press(key)
            window.wait_for(title)
            window.press("Escape")
            window.wait_until_gone(title)
        window.press("F3")
        window.wait_for("survey")
        window.press("Enter")
        window.wait_until_gone("Enter attach")
        window.type("/find hacked")
        window.press("Enter")
        window.wait_for("FIND")
        window.press("Escape")
        window.wait_until_gone("FIND")
        window.press("Escape")
        time.sleep(0.2)
        window.type("and fail once more")
        window.press("Enter")
        window.wait_for("and fail once more")
        window.wait_for("refused the request (400)", "[/red]", timeout=20)
        assert harmless(window, raw) > 20_000
        window.press("C-q")
        window.press("C-q")
        window.status()


def test_no_command_passes_control_characters_on_to_a_terminal(
    program: Program, hostile: str, tmp_path: Path
) -> None:
    program.base_url = hostile
    file = program.cwd / NAME
    file.write_bytes(make_pdf("Granite"))
    records = tmp_path / "records.jsonl"
    records.write_text(
        json.dumps({TEXT: 1, "recordId": TEXT, "modelInput": {"model": TEXT, "messages": TEXT}})
    )
    commands = [
        ["ask", "-f", str(file), TEXT],
        ["ask", f"fail {TEXT}"],
        ["ask", "-f", str(file) + TEXT, "there is no such file"],
        ["ask", "--model", TEXT, "who are you"],
        ["history", "list"],
        ["history", "show", "last"],
        ["history", "search", "hacked"],
        ["history", "show", TEXT],
        ["inspect", "list"],
        ["inspect", "show", "last"],
        ["inspect", "show", "-1", "--tab", "stream"],
        ["inspect", "diff", "-1", "-2"],
        ["models"],
        ["models", "--region", TEXT],
        ["responses", "list"],
        ["usage"],
        ["export", "--as", "markdown"],
        ["token", "status"],
        ["check", "--yes", "--json", "--junit", "-", "--model", TEXT],
        ["check", "--yes", "--only", "models", "--only", "smallest"],
        ["compare", TEXT, "--json", "--with", f"effort={TEXT}"],
        ["compare", TEXT, "--diff", "--json", "--with", "effort=low"],
        ["compare", TEXT, "--diff", "--with", "effort=low"],
        ["usage", "--csv", "--by", "model"],
        ["inspect", "export", "last", "--as", "json"],
        ["inspect", "export", "all", "--as", "har"],
        ["export", "--as", "openai"],
        ["history", "export"],
        ["batch", str(records), "check"],
        ["batch", str(records) + TEXT, "check"],
        [TEXT],
        ["--theme", TEXT, "--plain"],
    ]
    script = tmp_path / "all.sh"
    lines = [shlex.join([*OUTCROP, *command]) for command in commands]
    script.write_text("\n".join([*lines, "echo all-done", "sleep 30"]))
    with terminal(
        tmp_path / "t", ["sh", str(script)], program.environ(), cwd=program.cwd, columns=130, rows=40
    ) as window:
        raw = recorded(window, tmp_path)
        until(lambda: b"all-done" in raw.read_bytes(), "all commands", 120)
        assert harmless(window, raw) > 3_000
    # Through a pipe the text stays as it came.
    piped = program.ask("hello")
    assert ATTACKS["OSC 52"] in piped.out


def test_no_paste_presses_a_key_and_no_byte_ends_the_reading(
    program: Program, server: SandboxServer, tmp_path: Path
) -> None:
    with terminal(
        tmp_path / "t", OUTCROP, program.environ(), cwd=program.cwd, columns=130, rows=40
    ) as window:

        def send(data: bytes) -> None:
            window.tmux("send-keys", "-t", "p", "-H", *(f"{byte:02x}" for byte in data))

        raw = recorded(window, tmp_path)
        window.wait_for("Message", "stateful")
        # An end mark in the paste, keys after it that would send and quit, and a paste within the paste.
        send(b"\x1b[200~granite \x1b[A\x1b[201~basalt\r\x11\x11\x1b[200~gneiss\x1b[201~")
        window.wait_for("granite ␛[A", "basalt", "gneiss")
        send(b"\xff\xfe\x1b[M \xe9\xff\x1b[99999999999u\x1b[48;99999;99999;1;1t")
        window.type("still hacked")
        window.wait_for("still hacked")
        assert len(server.log) == 0
        # Textual's own field.
        window.press("F1")
        window.wait_for("─ Help")
        send(b"\x1b[200~\x1b]52;c;aGFja2Vk\x07\x1b]0;hacked title\x07\x1b[201~")
        window.wait_for("␛]52")
        assert harmless(window, raw) > 5_000
        window.press("C-q", "C-q")
        assert window.status() == 0
        window.check_sane()
    assert not (program.data / "crashes").exists()
