"""Profiles in real sessions: each token to its own host only; a conversation that changes its endpoint."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import httpx
from support.keyring_support import DictKeyring
from support.sessions import take_turn

from tui.config.settings import Settings, load_catalogue, load_settings
from tui.core.errors import InputError, OutcropError
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.session import Session


def settings_with(tmp_path: Path, file: str, **flags: object) -> Settings:
    config = tmp_path / "config"
    config.mkdir(exist_ok=True)
    (config / "config.toml").write_text(file, encoding="utf-8")
    load_catalogue.cache_clear()
    return load_settings(flags, os.environ)


def session_of(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None, **environ: str
) -> Session:
    found = Credentials(
        environ, settings.region, profiles=settings.profiles.values(), keyring=DictKeyring(), regions=[]
    )
    return Session(settings, found, transport=transport)


async def test_no_token_ever_goes_to_another_host(tmp_path: Path) -> None:
    sent: dict[str, set[str]] = defaultdict(set)

    def answer(request: httpx.Request) -> httpx.Response:
        sent[request.url.host].add(request.headers["authorization"])
        return httpx.Response(400, json={"error": {"code": "x", "message": "No."}})

    settings = settings_with(
        tmp_path,
        "max_retries = 0\n"
        "[profiles.one]\nbase_url = 'https://one.example/openai/v1'\ntoken_env = 'ONE'\nmodel = 'm1'\n"
        "[profiles.two]\nbase_url = 'https://two.example/v1'\ntoken_env = 'TWO'\nmodel = 'm2'",
    )
    session = session_of(
        settings,
        httpx.MockTransport(answer),
        ONE="token-one",
        TWO="token-two",
        AWS_BEARER_TOKEN_BEDROCK="token-aws",
    )
    conversation = await session.new()
    for endpoint in ("one", "mantle", "two", "runtime", "one"):
        await session.set_target(conversation.id, endpoint=endpoint)
        await take_turn(session, conversation.id, "Hello")
        await session.discovery.models(session.target(conversation.id))
    assert sent == {
        "one.example": {"Bearer token-one"},
        "two.example": {"Bearer token-two"},
        "bedrock-mantle.us-west-2.api.aws": {"Bearer token-aws"},
        "bedrock-runtime.us-west-2.amazonaws.com": {"Bearer token-aws"},
    }
    models = [turn.target.model for turn in session.conversation(conversation.id).path() if turn.target]
    assert models[0] == "m1" and models[2] == "m2" and models[4] == "m1"
    await session.aclose()


async def test_a_conversation_goes_on_at_another_endpoint_from_its_local_items(
    tmp_path: Path, sandbox: SandboxServer
) -> None:
    with SandboxServer(tmp_path / "second", tokenizer="words") as second:
        settings = settings_with(
            tmp_path,
            f"[profiles.first]\nbase_url = 'http://127.0.0.1:{sandbox.port}/openai/v1'\ntoken_env = 'T1'\n"
            f"[profiles.second]\nbase_url = 'http://127.0.0.1:{second.port}/openai/v1'\ntoken_env = 'T2'\n",
            profile="first",
        )
        session = session_of(settings, T1="sandbox", T2="sandbox")
        conversation = await session.new()
        await take_turn(session, conversation.id, "My name is Ada. Remember it.")
        await session.set_target(conversation.id, endpoint="second", model="openai.gpt-5.4")
        taken = await take_turn(session, conversation.id, "What is my name?")
        assert taken.turn.outcome == "completed" and taken.turn.target is not None
        assert taken.turn.target.endpoint == "second"
        # The whole path went inline: the second server knows no response of the first.
        assert "previous_response_id" not in json.loads(session.exchanges(conversation.id)[-1].request_body)
        assert any("My name is Ada" in json.dumps(item) for item in second.last_context())
        await session.aclose()

        again = session_of(
            settings_with(tmp_path, (tmp_path / "config/config.toml").read_text()), T2="sandbox"
        )
        opened = await again.open(conversation.id)
        assert opened.endpoint == "second" and again.target(conversation.id).endpoint == "second"
        await again.aclose()
        # A profile that is gone, and a run with a base URL of its own, do not follow it there.
        alone = session_of(settings_with(tmp_path, "", base_url="http://127.0.0.1:9"))
        await alone.open(conversation.id)
        assert alone.target(conversation.id).base_url == "http://127.0.0.1:9"
        try:
            await alone.set_target(conversation.id, endpoint="second")
        except InputError as error:
            assert str(error) == "This run cannot send to second."
        else:
            raise AssertionError("it was accepted")
        await alone.aclose()


async def test_a_profile_without_a_model_takes_what_is_listed(tmp_path: Path, sandbox: SandboxServer) -> None:
    sandbox.fault(
        {"on": "models", "status": 200, "body": {"data": [{"id": "acme.x"}, {"id": "openai.gpt-5.6-luna"}]}}
    )
    settings = settings_with(
        tmp_path,
        f"[profiles.mine]\nbase_url = 'http://127.0.0.1:{sandbox.port}/openai/v1'\ntoken_env = 'T'\n",
        profile="mine",
    )
    session = session_of(settings, T="sandbox")
    conversation = await session.new()
    taken = await take_turn(session, conversation.id, "Hello")
    assert taken.turn.target is not None and taken.turn.target.model == "openai.gpt-5.6-luna"
    assert taken.turn.outcome == "completed"
    await session.aclose()


async def test_without_its_token_nothing_is_sent(tmp_path: Path, sandbox: SandboxServer) -> None:
    settings = settings_with(
        tmp_path,
        "[profiles.mine]\nmodel = 'openai.gpt-5.4'\n"
        f"base_url = 'http://127.0.0.1:{sandbox.port}/openai/v1'\n",
        profile="mine",
    )
    session = session_of(settings, AWS_BEARER_TOKEN_BEDROCK="sandbox")
    conversation = await session.new()
    try:
        await take_turn(session, conversation.id, "Hello")
    except OutcropError as error:
        assert str(error) == "There is no token named mine. Keep one with `outcrop token set --profile mine`."
    else:
        raise AssertionError("it was sent")
    assert len(sandbox.log) == 0
    await session.aclose()
