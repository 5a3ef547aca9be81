"""Every API against the sandbox over HTTP: one conversation over all, and `ask` by flags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.programs import Program
from support.sessions import make_session, take_turn

from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer

OSS_20B, OSS_120B = "openai.gpt-oss-20b", "openai.gpt-oss-120b"
NAME = "Your name is **Ada**"
APIS = ("responses", "chat_completions", "converse", "invoke_model")
# Only the first prompt has the name: an answer that has it was given with the whole path before it.
PROMPTS = (
    ("My name is Ada.", "My name is Ada"),
    ("What is my name?", NAME),
    ("Who am I?", NAME),
    ("Tell me my name.", NAME),
    ("What am I called?", NAME),
    ("Can you still say my name?", NAME),
    ("And what is my name?", NAME),
    ("Do you know my name?", NAME),
    ("What was my name again?", NAME),
    ("Tell me my name once more.", NAME),
)


async def test_ten_turns_with_another_api_at_each(sandbox: SandboxServer) -> None:
    """Two forks and another model among them; each request is of its API, and nothing is forgotten."""
    session = make_session(sandbox, sandbox=True, base_url=None, model=OSS_20B)
    await session.warm_up()
    session.settings = session.settings.with_sandbox(sandbox.base_url())
    try:
        conversation_id = (await session.new()).id
        ids: list[str] = []
        for number, (prompt, shows) in enumerate(PROMPTS):
            api = APIS[number % len(APIS)]
            if number in (4, 6):
                await session.set_tip(conversation_id, ids[-2])
            said = await session.set_target(conversation_id, api=api, model=OSS_120B if number == 5 else None)
            taken = await take_turn(session, conversation_id, prompt)
            turn = taken.turn
            ids.append(turn.id)
            assert turn.outcome is Outcome.COMPLETED, (number, turn.error)
            assert shows in turn.text, (number, turn.text)
            assert "<reasoning>" not in turn.text
            assert turn.target is not None
            assert turn.target.api == api
            assert turn.continuation == ("stateful" if api == "responses" else "stateless")
            assert turn.target.model.startswith(OSS_120B if number >= 5 else OSS_20B), number
            # Responses are mantle's and the native APIs runtime's: the id goes with them, and that is said.
            assert turn.target.endpoint == ("mantle" if api == "responses" else turn.target.endpoint)
            assert bool(said) is (number > 0 and api in ("converse", "responses")) or number == 5, (
                number,
                said,
            )
            url = session.exchanges(conversation_id)[-1].url
            assert {"responses": "/v1/responses", "chat_completions": "/chat/completions",
                    "converse": "/converse-stream", "invoke_model": "/invoke"}[api] in url  # fmt: skip
        conversation = session.conversation(conversation_id)
        assert (len(conversation.turns), len(conversation.path())) == (10, 8)
        usages = [turn.usage for turn in conversation.turns.values()]
        assert all(usage and usage.input_tokens and usage.output_tokens for usage in usages)
    finally:
        await session.aclose()


RUNS: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
    # flags, path, what stderr says, what the body has, what it has not
    ("--api responses", "/openai/v1/responses", "", {"model": "openai.gpt-5.4"}, "temperature"),
    (
        "--model us.openai.gpt-5.6-sol --region us-east-1",
        "/runtime/openai/v1/responses",
        "us.openai.gpt-5.6-sol is served on runtime, over Responses: that is taken.",
        {"model": "us.openai.gpt-5.6-sol", "store": True},
        "temperature",
    ),
    (
        f"--model {OSS_20B}",
        "/v1/responses",
        "",
        {"temperature": 1.0, "top_p": 1.0, "reasoning": {"effort": "medium"}},
        "stop",
    ),
    (
        f"--model {OSS_20B} --stop END --guardrail sandboxguard",
        "/v1/responses",
        "Responses takes no stop sequences: it is not sent.",
        {"model": OSS_20B},
        "stop",
    ),
    (
        f"--model {OSS_20B}-1:0 --temperature 0.2",
        "/runtime/openai/v1/chat/completions",
        "is served on runtime, over Chat Completions: that is taken.",
        {"temperature": 0.2, "top_p": 1.0, "reasoning_effort": "medium"},
        "store",
    ),
    (
        "--api chat --endpoint runtime --guardrail sandboxguard --guardrail-tag-suffix xyz",
        "/runtime/openai/v1/chat/completions",
        "No model is configured: over Chat Completions, openai.gpt-oss-20b-1:0 on runtime is taken.",
        {"amazon-bedrock-guardrailConfig": {"tagSuffix": "xyz"}},
        "store",
    ),
    (
        f"--api Converse --model {OSS_120B}",
        f"/runtime/model/{OSS_120B}-1%3A0/converse-stream",
        f"Over Converse, gpt-oss 120b is {OSS_120B}-1:0 on runtime: that is taken.",
        {"inferenceConfig": {"maxTokens": 8192, "temperature": 1.0, "topP": 1.0}},
        "model",
    ),
    (
        "--api invoke --stop END --top-p 0.5",
        f"/runtime/model/{OSS_20B}-1%3A0/invoke",
        "over InvokeModel",
        {"stop": ["END"], "top_p": 0.5},
        "stream",
    ),
    (
        "--model openai.gpt-5.5 --region us-east-1 --temperature 0.3",
        "/openai/v1/responses",
        "GPT-5.5 takes temperature with effort none only, as it reasons: not sent.",
        {"model": "openai.gpt-5.5"},
        "temperature",
    ),
)


def test_flags_choose_api_endpoint_and_what_is_sent(tmp_path: Path) -> None:
    """All in one place each; the record says what was sent and where."""
    for number, (flags, path, said, has, has_not) in enumerate(RUNS):
        program = Program(tmp_path / str(number), token="")
        asked = program.ask("--sandbox", *flags.split(), "Reply with exactly: ok")
        assert asked.status == 0, (flags, asked.err)
        assert asked.out.strip() == "ok", flags
        assert said in asked.err, (flags, asked.err)
        assert ("sandboxguard does not apply" in asked.err) is ("guardrail" in flags and "--api" not in flags)
        head, _, text = (
            program.run("inspect", "export", "last", "--as", "http")
            .out.replace("\r\n", "\n")
            .partition("\n\n")
        )
        assert f"{path} HTTP" in head.splitlines()[0], (flags, head)
        body = json.loads(text)
        assert {key: body.get(key) for key in has} == has, flags
        assert has_not not in body, flags
        assert ("x-amzn-bedrock-guardrailidentifier" in head.lower()) is ("tag-suffix" in flags), flags


@pytest.mark.parametrize("api", ["chat", "converse", "invoke"])
def test_what_a_guardrail_did_is_said(api: str, tmp_path: Path) -> None:
    program = Program(tmp_path / "p", token="", more={"OUTCROP_GUARDRAIL": "sandboxguard"})
    (program.config / "config.toml").write_text('guardrail_trace = "on"\n')
    asked = program.ask("--sandbox", "--endpoint", "runtime", "--api", api, "What is volcano insurance?")
    assert asked.status == 4
    assert "The guardrail intervened. In the prompt, denied topic Volcano insurance: blocked." in asked.err


def test_an_api_that_a_model_is_not_served_over_is_said_and_tried(tmp_path: Path) -> None:
    program = Program(tmp_path / "p", token="")
    asked = program.ask("--sandbox", "--api", "converse", "--model", "openai.gpt-5.4", "Hi")
    assert asked.status == 1
    assert "On mantle, openai.gpt-5.4 serves Responses, not the Converse API." in asked.err


def test_linear_mode_lists_and_takes_an_api(tmp_path: Path) -> None:
    program = Program(tmp_path / "p", token="")
    lines = (
        "/api",
        "/api converse",
        "Reply with exactly: ok",
        "/stateful",
        "/api soap",
        "/api responses",
        "/quit",
    )
    run = program.run("--plain", "--sandbox", "--model", OSS_20B, stdin="\n".join(lines).encode())
    for words in (
        "responses: Responses, in use",
        "converse: Converse, not here: On mantle, openai.gpt-oss-20b serves Responses and Chat Completions",
        f"Over Converse, gpt-oss 20b is {OSS_20B}-1:0 on runtime: that is taken.",
        f"Next: model {OSS_20B}-1:0, region us-west-2, Converse, stateless",
        "Only the Responses API continues by id.",
        "There is no API soap; /api lists them.",
        f"Next: model {OSS_20B}, region us-west-2, stateful",
    ):
        assert words in run.out + run.err, (words, run)


def test_a_conversation_goes_on_over_the_api_of_a_flag(tmp_path: Path) -> None:
    """`-c --api` takes the id that goes with it, of the conversation's model and not of the default one."""
    program = Program(tmp_path / "p", token="")
    first = program.ask("--sandbox", "--model", OSS_120B, "--json", "My name is Ada.").ended
    second = program.ask("--sandbox", "-c", "--api", "converse", "--json", "What is my name?").ended
    assert (second["model"], second["continuation"]) == (f"{OSS_120B}-1:0", "stateless")
    assert NAME in second["text"]
    third = program.ask("--sandbox", "-c", "--api", "responses", "--json", "Who am I?").ended
    assert (third["model"], third["continuation"]) == (OSS_120B, "stateful")
    assert NAME in third["text"]
    assert first["conversation"] == second["conversation"] == third["conversation"]
