"""The programs that a conversation leaves as run, each with its own library, against the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from support.pdfs import make_pdf

from tui.config.settings import Settings, load_settings
from tui.core.attachments import Attachment
from tui.core.controls import Controls
from tui.core.conversation import Conversation
from tui.core.export.request import Export, Unsupported
from tui.core.items import Item, Outcome, Target, Turn, user_message
from tui.core.leaving.forms import LEAVING_FORMS
from tui.core.tool_calls import CallRecord, CallState
from tui.core.tools import ToolOn, ToolUse, calls_of, output_item
from tui.sandbox.server import SandboxServer
from tui.session.leaving import leave

TOOL = {
    "type": "function",
    "name": "get_order_status",
    "description": "Where an order is",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"order_id": {"type": "string"}},
        "required": ["order_id"],
        "additionalProperties": False,
    },
}
TITLE = 'Ada\'s “basalt” """ \\ \u202e\nimport os; os._exit(9)  # é'
GPT = ("openai.gpt-5.4", "us-west-2", "mantle", "responses")
OSS = ("openai.gpt-oss-20b-1:0", "us-west-2", "runtime", "chat_completions")
NATIVE = ("openai.gpt-oss-120b-1:0", "us-east-1", "runtime", "converse")


def answer(text: str) -> Item:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return Item.of(
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": content}
    )


def held(place: tuple[str, str, str, str], *, tools: bool = True, pdf: bool = False) -> Conversation:
    """A conversation with the sandbox: a name, a tool's call, another branch, no answer at the end."""
    model, region, endpoint, api = place
    target = Target(model, region, endpoint, "http://127.0.0.1:1/gone", True, api)
    use = (
        ToolUse((ToolOn("get_order_status", json.dumps(TOOL), "abc", allowed=True),)) if tools else ToolUse()
    )
    first = user_message("My name is Ada. é '''\"\"\" \\ 漢字\u2028\ttab")
    if pdf:
        data = make_pdf("Order 4711\nThe basalt sample weighs 812 grams.")
        file = Attachment("basalt 'n' report.pdf", "", "application/pdf", data, "", 1, 1)
        first = user_message(first.payload["content"], [file.content_part()])
    conversation = Conversation(
        "c1", 1.0, title=TITLE, sandbox=True, instructions="Be brief.\n'''", tools=use,
        controls=Controls(effort="low", max_output_tokens=2000),
    )  # fmt: skip

    def add(turn_id: str, parent: str | None, sent: Item, *output: Item, **changes: Any) -> None:
        nonlocal conversation
        turn = Turn(turn_id, parent, (sent,), 1.0, output, outcome=Outcome.COMPLETED, target=target)
        conversation = conversation.append(replace(turn, **changes))

    add("t1", None, first, answer("Good day, Ada."))
    add("t2", "t1", user_message("BRANCH that stays"), answer("No."))
    call = Item.of(
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_order_status",
         "arguments": '{"order_id":"BC-1042"}', "status": "completed"}
    )  # fmt: skip
    if tools:
        record = CallRecord("call_1", CallState.DONE, output="shipped on Tuesday")
        add("t3", "t1", user_message("Get the order status of BC-1042"), call, calls=(record,))
        add("t4", "t3", output_item(calls_of((call,))[0], "shipped on Tuesday"), answer("It was shipped."))
    else:
        add("t4", "t1", user_message("Thanks"), answer("Not at all."))
    add("t5", "t4", user_message("This one was never answered."), outcome=Outcome.FAILED, error="It broke.")
    return conversation


@pytest.fixture
def settings() -> Settings:
    return load_settings({}, os.environ)


@dataclass
class Running:
    """A program on its way."""

    process: subprocess.Popen[bytes]

    def said(self) -> list[str]:
        out, err = self.process.communicate(timeout=60)
        assert (self.process.returncode, err.decode()) == (0, ""), err.decode()
        return out.decode().splitlines()


def saved(made: Export, folder: Path, port: int) -> tuple[Path, dict[str, str]]:
    """Save an export as the command line does; its path, and the environment that its first lines ask for."""
    folder.mkdir()
    for file in made.files:
        (folder / file.name).write_bytes(file.data)
    # The port is the only thing that a test cannot have as the program says.
    assert "127.0.0.1:8080" in made.text
    path = folder / "talk.py"
    path.write_text(made.text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"), encoding="utf-8")
    asked = [line for line in made.text.splitlines() if line.startswith("#   export ")]
    assert len(asked) == 1
    return path, dict(word.split("=") for word in asked[0].removeprefix("#   export ").split())


def start(made: Export, folder: Path, port: int, prompts: Sequence[str] = (), lines: str = "") -> Running:
    """Run an export in a process of its own."""
    path, env = saved(made, folder, port)
    return run([sys.executable, path, *prompts], folder, env, lines)


def run(command: Sequence[Path | str], folder: Path, env: dict[str, str], lines: str) -> Running:
    process = subprocess.Popen(
        command, env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **env}, cwd=folder,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(lines.encode())
    process.stdin.close()
    process.stdin = None
    return Running(process)


ONE_AFTER_THE_OTHER = """
import contextlib, io, json, os, runpy, sys

for path, env, prompts, lines in json.load(sys.stdin):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(env)
    sys.argv, sys.stdin = [path, *prompts], io.StringIO(lines)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        runpy.run_path(path, run_name="__main__")
    print(json.dumps(said.getvalue()))
"""
"""Runs programs as `python PATH` does, in one process: to import Strands takes four seconds."""


def bodies(server: SandboxServer, path: str) -> list[dict[str, Any]]:
    for record in server.log:
        assert record.status == 200, (record.path, record.status, record.body[:500])
    return [json.loads(record.body) for record in server.log if path in record.path]


ASKED = ("What is my name?", "Get the order status of BC-1042", "Get the order status of ZZ-9")


def check_tools(said: list[str]) -> None:
    text = "\n".join(said)
    assert "Ada" in said[0]
    assert "shipped on Tuesday" in text
    assert "get_order_status is not connected, and no output is recorded for these arguments." in text


def test_openai_and_boto3_go_on(sandbox: SandboxServer, settings: Settings, tmp_path: Path) -> None:
    chat = leave(settings, held(OSS), "openai", "talk-")
    responses = leave(settings, held(GPT, pdf=True), "openai", "talk-")
    converse = leave(settings, held(NATIVE), "converse", "talk-")
    asks_other = leave(settings, held(GPT, pdf=True, tools=False), "converse", "talk-")
    runs = [
        start(
            made,
            tmp_path / str(number),
            sandbox.port,
            ASKED if number != 1 else (),
            "\n".join(["", *ASKED]),
        )
        for number, made in enumerate((chat, responses, converse))
    ]
    runs.append(start(asks_other, tmp_path / "3", sandbox.port, ASKED[:1]))
    said = [run.said() for run in runs]
    for lines in said[:3]:
        check_tools(lines)
    assert "Ada" in said[3][0]

    first = bodies(sandbox, "/responses")[0]
    sent = [item.payload for item in held(GPT, pdf=True).path()[0].input]
    assert first["input"][0] == sent[0]  # the file too, read from beside the program
    assert [file.name for file in responses.files] == ["talk-basalt-n-report.pdf"]
    assert (first["store"], first["instructions"]) == (False, "Be brief.\n'''")
    assert (first["max_output_tokens"], first["reasoning"]) == (2000, {"effort": "low"})
    assert [item.get("type", item.get("role")) for item in first["input"]] == [
        "user", "message", "user", "function_call", "function_call_output", "message", "user", "user",
    ]  # fmt: skip
    assert "BRANCH" not in json.dumps(first)
    roles = [
        message["role"] for message in bodies(sandbox, "/runtime/openai/v1/chat/completions")[0]["messages"]
    ]
    assert roles == [
        "developer",
        "user",
        "assistant",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "user",
    ]
    native = bodies(sandbox, "/us-east-1/runtime/model/openai.gpt-oss-120b")[0]
    assert [message["role"] for message in native["messages"]] == ["user", "assistant"] * 3 + ["user"]
    assert native["additionalModelRequestFields"] == {"reasoning_effort": "low"}
    # GPT-5.4 is not asked by Converse, and what is asked instead takes no PDF: both are said.
    assert not asks_other.files
    notes = " ".join(asks_other.notes)
    assert "in us-west-2, as openai.gpt-5.4 in us-west-2 does not serve Converse" in notes
    assert "a line of text stands for basalt 'n' report.pdf" in notes
    for made in (chat, responses, converse):
        assert "it holds the current path; 1 turn of another branch stays here" in made.notes


def test_strands_agents_go_on(
    strands_python: Path, sandbox: SandboxServer, settings: Settings, tmp_path: Path
) -> None:
    responses = leave(settings, held(GPT, pdf=True), "strands", "talk-")
    native = leave(settings, held(NATIVE), "strands", "talk-")
    chat = leave(settings, held(OSS), "strands", "talk-")
    jobs: list[Any] = []
    for number, made in enumerate((responses, native, chat)):
        path, env = saved(made, tmp_path / str(number), sandbox.port)
        prompts, lines = ((), "\n".join(ASKED)) if made is native else (ASKED, "")
        jobs.append([str(path), env, prompts, lines])
    command = [strands_python, "-c", ONE_AFTER_THE_OTHER]
    for said in run(command, tmp_path, {}, json.dumps(jobs)).said():
        check_tools(json.loads(said).splitlines())
    assert bodies(sandbox, "/chat/completions")[0]["reasoning_effort"] == "low"
    first = bodies(sandbox, "/responses")[0]
    file = first["input"][0]["content"][0]
    assert (file["type"], file["filename"]) == ("input_file", "basalt n report.pdf")
    assert (first["instructions"], first["reasoning"]) == ("Be brief.\n'''", {"effort": "low"})
    assert bodies(sandbox, "/converse")[0]["messages"][0]["content"][0]["text"].startswith("My name is Ada")


def test_what_leaves_names_no_secret_and_keeps_to_its_service(settings: Settings) -> None:
    # A conversation of the service goes on with the service, and reads the key as its library does.
    conversation = replace(held(GPT), sandbox=False)
    turns = {
        turn.id: replace(turn, target=replace(turn.target, sandbox=False)) if turn.target else turn
        for turn in conversation.turns.values()
    }
    conversation = replace(conversation, turns=turns)
    made = leave(settings, conversation, "openai")
    assert 'client = OpenAI(provider=bedrock(region="us-west-2"))' in made.text
    assert "127.0.0.1" not in made.text
    strands = leave(settings, conversation, "strands").text
    assert '"https://bedrock-mantle.us-west-2.api.aws/openai/v1"' in strands
    assert 'os.environ["AWS_BEARER_TOKEN_BEDROCK"]' in strands
    assert (
        'boto3.client("bedrock-runtime", region_name="us-west-2")'
        in leave(settings, conversation, "converse").text
    )
    # A guardrail goes with it, over the APIs that have them, and what the SDK has no name for too.
    guarded = load_settings({"guardrail": "gr-1", "guardrail_tag_suffix": "xyz"}, os.environ)
    chat = held(OSS)
    for form in ("openai", "strands"):
        text = leave(guarded, chat, form).text
        assert '"X-Amzn-Bedrock-GuardrailIdentifier": "gr-1"' in text
        assert '"extra_body": {' in text and '"tagSuffix": "xyz"' in text
    assert '"guardrailIdentifier": "gr-1"' in leave(guarded, chat, "converse").text
    assert "gr-1" not in leave(guarded, held(GPT), "openai").text
    # A gateway's token is another one, and AWS's library has no way to ask a gateway.
    elsewhere = Target("gpt-5.4", "us-west-2", "my-gateway", "https://gateway.test/v1")
    there = Turn("t1", None, (user_message("Hi"),), 1.0, outcome=Outcome.COMPLETED, target=elsewhere)
    gateway = Conversation("c2", 1.0, endpoint="my-gateway").append(there)
    for form in ("openai", "strands"):
        text = leave(settings, gateway, form).text
        assert 'os.environ["MY_GATEWAY_TOKEN"]' in text and "https://gateway.test/v1" in text
        assert "AWS_BEARER_TOKEN_BEDROCK" not in text
    with pytest.raises(Unsupported, match="the profile my-gateway is an endpoint of its own"):
        leave(settings, gateway, "converse")
    for form in LEAVING_FORMS:
        text = leave(settings, conversation, form).text
        compile(text, form, "exec") if form in ("openai", "strands", "converse") else None
        # The title says what it likes, and remains a line of text.
        assert "\u202e" not in text or form in ("json",)


def test_batch_records_are_those_of_the_form(settings: Settings) -> None:
    made = leave(settings, held(GPT, pdf=True), "batch")
    rows = [json.loads(line) for line in made.text.splitlines()]
    assert [row["recordId"] for row in rows] == ["PROMPT00001", "PROMPT00002", "PROMPT00003"]
    assert all(set(row) == {"recordId", "modelInput"} for row in rows)
    last = rows[-1]["modelInput"]
    assert (last["max_completion_tokens"], last["messages"][-1]["content"]) == (
        2000,
        "This one was never answered.",
    )
    assert not {"model", "stream"} & set(last)
    assert "[basalt 'n' report.pdf was attached here.]" in json.dumps(rows[0])
    with pytest.raises(Unsupported, match="no prompt"):
        leave(settings, held(GPT).at(None), "batch")
