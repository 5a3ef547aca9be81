"""What is copied from the inspector of the other APIs runs as well: the same requests, by real programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.exchanges import made_up
from support.keyring_support import short_term_token
from support.sessions import make_session, take_turn

from tui.core.answer import answer_object
from tui.core.exchange import Exchange
from tui.core.export import FORMS, Export, Unsupported, export
from tui.core.guardrail import Guardrail
from tui.sandbox.server import SandboxServer
from tui.wire.converse import ConverseDecoder
from tui.wire.redact import Redactor

TOKEN = short_term_token(made=time.time())
MODEL = "openai.gpt-oss-20b-1:0"
HOST = "https://bedrock-runtime.us-west-2.amazonaws.com"
TRICKY = 'Say it\'s "fine": $HOME `id` \\n é 漢字 🎉 \u202e\nReply with exactly: fine'
APIS = ("chat_completions", "converse", "invoke_model")


def run(made: Export, folder: Path) -> bytes:
    path = folder / f"exported.{made.ending}"
    path.write_bytes(made.data)
    for file in made.files:
        (folder / file.name).write_bytes(file.data)
    programs = Path(sys.executable).parent
    command = [sys.executable, path] if made.ending == "py" else ["bash", path]
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}
    if b"import boto3" in made.data:
        # It signs where there is no TLS.
        env |= {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox"}
    else:
        env["AWS_BEARER_TOKEN_BEDROCK"] = TOKEN
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    return done.stdout


async def recorded(server: SandboxServer, api: str) -> Exchange:
    flags: dict[str, Any] = {
        "model": MODEL,
        "endpoint": "runtime",
        "api": api,
        "sandbox": True,
        "base_url": None,
    }
    session = make_session(server, TOKEN, **flags)
    session.settings = session.settings.with_sandbox(f"http://127.0.0.1:{server.port}/openai/v1")
    conversation = await session.new()
    turn = (await take_turn(session, conversation.id, TRICKY)).turn
    assert turn.text == "fine", turn.error
    (exchange,) = session.exchanges(conversation.id)
    await session.aclose()
    return exchange


def chat_text(out: bytes) -> str:
    deltas = [json.loads(line)["choices"] for line in out.decode().splitlines()]
    return "".join(choice["delta"].get("content") or "" for choices in deltas for choice in choices)


def converse_text(out: bytes) -> str:
    deltas = [
        json.loads(line).get("contentBlockDelta", {}).get("delta", {}) for line in out.decode().splitlines()
    ]
    return "".join(delta.get("text", "") for delta in deltas)


def frames_text(out: bytes) -> str:
    decoder = ConverseDecoder(Redactor(""))
    return converse_text(
        b"\n".join(json.dumps({frame.kind: json.loads(frame.data)}).encode() for frame in decoder.feed(out))
    )


def invoke_text(out: bytes) -> str:
    return json.loads(out)["choices"][0]["message"]["content"]


RUNS = {
    "chat_completions": [("python", chat_text)],
    "converse": [("boto3", converse_text), ("curl", frames_text), ("httpie", frames_text)],
    "invoke_model": [("boto3", invoke_text), ("httpx", invoke_text)],
}


@pytest.mark.parametrize("api", APIS)
async def test_the_copy_gets_the_answer_of_the_original(
    sandbox: SandboxServer, tmp_path: Path, api: str
) -> None:
    original = await recorded(sandbox, api)
    for form, text_of in RUNS[api]:
        made = export(original, form)
        assert TOKEN not in made.text and "AWS_BEARER_TOKEN_BEDROCK" in made.text
        sandbox.log.clear()
        said = text_of(run(made, tmp_path))
        assert said.endswith("fine")
        (again,) = sandbox.log
        assert (again.method, again.status) == ("POST", 200)
        assert again.path == sandbox_path(original)
        assert json.loads(again.body) == json.loads(original.request_body)
        if form in ("curl", "httpx", "httpie"):
            assert again.body == original.request_body


def sandbox_path(exchange: Exchange) -> str:
    return "/" + exchange.url.split("/", 3)[3].replace("%3A", ":")


def test_the_forms_that_do_not_apply_say_so() -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    converse = made_up(body, url=f"{HOST}/model/openai.gpt-oss-20b-1%3A0/converse")
    invoke = made_up({"messages": []}, url=f"{HOST}/model/openai.gpt-oss-20b-1%3A0/invoke")
    chat = made_up({"messages": []}, url=f"{HOST}/openai/v1/chat/completions")
    responses = made_up({"input": "Hi"})
    for exchange, name in ((converse, "Converse"), (invoke, "InvokeModel")):
        with pytest.raises(Unsupported, match=f"no call for {name}; export it as boto3, httpx or curl"):
            export(exchange, "python")
    for exchange in (chat, responses):
        with pytest.raises(Unsupported, match="boto3 calls Converse and InvokeModel"):
            export(exchange, "boto3")
        assert not FORMS["boto3"].is_for(exchange)
    assert all(form.is_for(converse) for form in FORMS.values())


def test_what_boto3_is_given() -> None:
    """Its region or its endpoint, bytes for documents, arguments for a guardrail's headers."""
    document = {"document": {"format": "pdf", "name": "Q3 report", "source": {"bytes": "JVBERi0="}}}
    body = {"messages": [{"role": "user", "content": [document, {"text": "Read."}]}]}
    url = f"{HOST}/model/openai.gpt-oss-20b-1%3A0/converse"
    made = export(made_up(body, url=url), "boto3")
    assert 'region_name="us-west-2"' in made.text and "endpoint_url" not in made.text
    assert 'modelId="openai.gpt-oss-20b-1:0"' in made.text
    assert "(HERE / 'Q3-report.pdf').read_bytes()" in made.text
    assert [(file.name, file.data) for file in made.files] == [("Q3-report.pdf", b"%PDF-")]
    headers = tuple(Guardrail("gr1", "2", "on").headers("invoke_model").items())
    here = "http://127.0.0.1:8080/eu-west-1/runtime/model/openai.gpt-oss-20b-1%3A0/invoke"
    text = export(made_up({"messages": []}, url=here, request_headers=headers), "boto3").text
    assert (
        'region_name="eu-west-1"' in text and 'endpoint_url="http://127.0.0.1:8080/eu-west-1/runtime"' in text
    )
    assert (
        'guardrailIdentifier="gr1"' in text and 'guardrailVersion="2"' in text and 'trace="ENABLED"' in text
    )


@pytest.mark.parametrize("api", APIS)
async def test_what_is_recorded_is_read_as_an_answer(sandbox: SandboxServer, api: str) -> None:
    exchange = await recorded(sandbox, api)
    answer = answer_object(exchange)
    assert answer is not None and answer["status"] == "completed"
    assert [item["type"] for item in answer["output"]] == ["reasoning", "message"]
