"""What is copied from the inspector runs: curl, Python and HTTPie as real programs, against the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.keyring_support import short_term_token
from support.pdfs import make_pdf
from support.sessions import make_session, take_turn

from tui.core.answer import final_object
from tui.core.exchange import Exchange
from tui.core.export import Export, export
from tui.core.items import dump_json
from tui.sandbox.server import SandboxServer
from tui.wire.recorder import AttemptLabel

TOKEN = short_term_token(made=time.time())
PROGRAMS = Path(sys.executable).parent
TRICKY = (
    "Say it's \"fine\": $HOME `id` \\n \\\\ $(false) %s ! é 漢字 🎉 \u202e @file\nsecond line\ttab's end\n"
    "Reply with exactly: fine"
)


def run(made: Export, folder: Path) -> bytes:
    """Save an export as the command line does, and run it as a person would."""
    path = folder / f"exported.{made.ending}"
    path.write_bytes(made.data)
    for file in made.files:
        (folder / file.name).write_bytes(file.data)
    command = [sys.executable, path] if made.ending == "py" else ["bash", path]
    env = {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8",
        "AWS_BEARER_TOKEN_BEDROCK": TOKEN,
    }  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b"", done.stderr.decode()
    return done.stdout


def said(answer: bytes) -> str:
    """The text of a streamed answer, or of one that came whole: what is the same each time."""
    text = answer.decode()
    events = [
        json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")
    ]
    if not events:
        events = [json.loads(line) for line in text.splitlines() if line.startswith('{"')]
    whole = events[-1]["response"] if events else json.loads(text)
    return text_of(whole)


def text_of(response: dict[str, Any]) -> str:
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part["text"] for item in messages for part in item["content"])


async def recorded(server: SandboxServer, *prompts: str, files: tuple[Path, ...] = ()) -> list[Exchange]:
    session = make_session(server, TOKEN)
    conversation = await session.new()
    await session.set_continuation(conversation.id, "stateless")
    for prompt in prompts:
        attachments = [await session.attach(str(path)) for path in files]
        await take_turn(session, conversation.id, prompt, *attachments)
    exchanges = session.exchanges(conversation.id)
    await session.aclose()
    return exchanges


def exact(sent: bytes, original: bytes) -> bool:
    return sent == original


def same_values(sent: bytes, original: bytes) -> bool:
    """The SDK writes the members in an order of its own."""
    return dump_json(sorted(json.loads(sent).items())) == dump_json(sorted(json.loads(original).items()))


FORMS: list[tuple[str, Callable[[bytes, bytes], bool]]] = [
    ("curl", exact),
    ("httpx", exact),
    ("httpie", exact),
    ("python", same_values),
]


@pytest.mark.parametrize(("form", "same"), FORMS, ids=[name for name, _ in FORMS])
async def test_the_copy_gets_the_answer_of_the_original(
    server: SandboxServer, tmp_path: Path, form: str, same: Callable[[bytes, bytes], bool]
) -> None:
    pdf = tmp_path / "order form's.pdf"
    pdf.write_bytes(make_pdf("Order 4711\nThe basalt sample weighs 812 grams."))
    plain = (await recorded(server, "My name is Ada.", TRICKY))[-1]
    (with_pdf,) = await recorded(server, "How much does the basalt sample weigh?", files=(pdf,))
    (large,) = await recorded(server, "Basalt is dark, é. " * 3600 + "\nReply with exactly: yes")
    for number, original in enumerate((plain, with_pdf, large)):
        made = export(original, form)
        assert TOKEN not in made.text
        assert "AWS_BEARER_TOKEN_BEDROCK" in made.text
        # What is large stands in a file beside it, and a PDF does in any case.
        assert bool(made.files) is (number > 0)
        assert len(made.data) < 64_000
        folder = tmp_path / f"{form}{number}"
        folder.mkdir()
        server.log.clear()
        answer = run(made, folder)
        (again,) = server.log
        assert (again.method, again.status) == ("POST", 200)
        assert again.headers["content-type"] == "application/json"
        assert same(again.body, original.request_body)
        final = final_object(original.events)
        assert final is not None
        assert said(answer) == text_of(json.loads(final))
    if form in ("httpx", "python"):
        files = export(with_pdf, form).files
        assert [(file.name, file.data) for file in files] == [("order-form-s.pdf", pdf.read_bytes())]


async def test_requests_without_a_body(server: SandboxServer, tmp_path: Path) -> None:
    session = make_session(server, TOKEN)
    conversation = await session.new()
    taken = await take_turn(session, conversation.id, "Hello")
    response_id = str(taken.turn.response_id)
    client = session.client(session.target(conversation.id))
    labels = [AttemptLabel(), AttemptLabel()]
    fetched = await client.retrieve(response_id, labels[0])
    await client.cancel(response_id, labels[1])
    await session.aclose()
    get, cancel = labels[0].exchange, labels[1].exchange
    assert get is not None
    assert cancel is not None
    server.log.clear()
    for form in ("curl", "httpx", "httpie", "python"):
        assert text_of(json.loads(run(export(get, form), tmp_path))) == text_of(fetched)
    for form in ("curl", "httpie"):
        assert json.loads(run(export(cancel, form), tmp_path))["id"] == response_id
    run(export(replace(get, method="DELETE"), "curl"), tmp_path)
    path = f"/openai/v1/responses/{response_id}"
    assert [(record.method, record.path, record.body, record.status) for record in server.log] == [
        *[("GET", path, b"", 200)] * 4,
        *[("POST", f"{path}/cancel", b"", 200)] * 2,
        ("DELETE", path, b"", 200),
    ]
