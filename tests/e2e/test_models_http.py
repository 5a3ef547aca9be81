"""Discovery over real HTTP: merged lists, faults in plain words, a check that is remembered, the fallback."""

from __future__ import annotations

import json

import pytest
from support.sessions import make_session, take_turn

from tui.config.settings import load_settings
from tui.core.discovery import place_name
from tui.core.errors import TokenRefused, WireError
from tui.core.items import Usage
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.session import Session


async def test_one_list_is_a_404_and_the_other_one_counts(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    target = session.settings.target()
    found = await session.discovery.models(target)
    assert "openai.gpt-5.4" in found.models and "openai.gpt-5.5" not in found.models, "it is not in us-west-2"
    assert found.routes["openai.gpt-5.4"] == ("/v1/models",)
    assert (
        found.said[1]
        == "/openai/v1/models lists nothing (404), which is normal: not every endpoint has a list."
    )
    assert [(record.method, record.path) for record in sandbox.log] == [
        ("GET", "/v1/models"), ("GET", "/openai/v1/models"),
    ]  # fmt: skip
    kept = await session.discovery.remembered(target)
    assert kept is not None and kept[1] == found.models
    await session.aclose()


async def test_both_lists_are_merged_and_a_refusal_is_said(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    target = session.settings.target()
    sandbox.fault({"on": "models", "status": 200, "body": {"data": [{"id": "a"}, {"id": "b"}]}})
    sandbox.fault({"on": "models", "status": 200, "body": {"data": [{"id": "b"}, {"id": "c"}]}})
    found = await session.discovery.models(target)
    assert found.models == ("a", "b", "c") and found.routes["b"] == ("/v1/models", "/openai/v1/models")
    refusal = {"Message": "Authentication failed"}
    sandbox.fault({"on": "models", "status": 403, "body": refusal, "times": 2})
    refused = await session.discovery.models(target)
    assert refused.models == () and [answer.status for answer in refused.answers] == [403, 403]
    assert refused.said[0].startswith("/v1/models could not be had. ")
    sandbox.fault({"on": "models", "status": 200, "body": "<html>hello</html>", "times": 2})
    assert (await session.discovery.models(target)).models == ()
    kept = await session.discovery.remembered(target)
    assert kept is not None and kept[1] == ("a", "b", "c"), "an empty answer does not replace what was listed"
    await session.aclose()


async def test_a_check_is_the_guides_smallest_request_and_is_remembered(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    target = session.settings.target()
    check = await session.discovery.check(target)
    assert check.works and "tokens in" in check.sentence
    (record,) = [record for record in sandbox.log if record.method == "POST"]
    asked = {"model": "openai.gpt-5.4", "input": "Reply with exactly: ok"}
    assert json.loads(record.body) == {**asked, "max_output_tokens": 1024, "store": False}
    (used,) = await session.spending.records_since(0.0)
    assert (used.kind, used.conversation_id) == ("check", "")
    assert isinstance(used.usage, Usage) and used.usage.output_tokens
    await session.aclose()

    again = make_session(sandbox)
    found = await again.discovery.checks()
    assert found["openai.gpt-5.4", "us-west-2", place_name(target)] == check
    await again.aclose()


async def test_what_is_not_served_is_remembered_and_what_passes_is_not(sandbox: SandboxServer) -> None:
    session = make_session(sandbox, max_retries=0)
    wrong = session.settings.target("openai.gpt-5.5")
    check = await session.discovery.check(wrong)
    assert not check.works and "does not exist" in check.sentence
    key = ("openai.gpt-5.5", "us-west-2", place_name(wrong))
    for fault, error in (
        ({"status": 401, "body": {"error": {"code": "invalid_api_key", "message": "No."}}}, TokenRefused),
        ({"status": 429, "headers": {"retry-after": "600"}}, WireError),
        ({"failed_deltas": 0}, WireError),
    ):
        sandbox.fault(fault)
        with pytest.raises(error):
            await session.discovery.check(session.settings.target())
    assert list(await session.discovery.checks()) == [key]
    # A check that failed on the server's side is no usage that is known; what never was a response is none.
    assert [record.usage for record in await session.spending.records_since(0.0)] in ([], [None])
    await session.aclose()


class Lists:
    """Counts what is asked of a service whose lists are made up."""

    def __init__(self, listed: list[str]) -> None:
        self.listed = listed
        self.paths: list[str] = []

    def __call__(self, request: object) -> object:
        import httpx

        assert isinstance(request, httpx.Request)
        self.paths.append(request.url.path)
        if request.method == "GET" and request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": name} for name in self.listed]})
        code = 404 if request.method == "GET" else 400
        return httpx.Response(code, json={"error": {"code": "x", "message": "No."}})


async def sent_model(lists: Lists, **flags: object) -> str:
    import os

    import httpx

    settings = load_settings(flags, os.environ)
    credentials = Credentials({"AWS_BEARER_TOKEN_BEDROCK": "a-made-up-key"}, settings.region)
    session = Session(settings, credentials, transport=httpx.MockTransport(lists))  # type: ignore[arg-type]
    conversation = await session.new()
    for _ in range(2):
        await take_turn(session, conversation.id, "Hello")
    turn = session.conversation(conversation.id).path()[-1]
    await session.aclose()
    assert turn.target is not None
    return turn.target.model


async def test_the_fallback_is_asked_for_only_where_the_default_is_not_served() -> None:
    lists = Lists(["google.gemma", "openai.gpt-oss-120b"])
    assert await sent_model(lists, region="eu-west-1") == "openai.gpt-oss-120b"
    assert lists.paths == ["/v1/models", "/openai/v1/models", "/v1/responses", "/v1/responses"]
    for flags in ({"region": "us-west-2"}, {"region": "eu-west-1", "model": "openai.gpt-5.4"}):
        lists = Lists(["openai.gpt-oss-120b"])
        assert await sent_model(lists, **flags) == "openai.gpt-5.4"
        assert set(lists.paths) == {"/openai/v1/responses"}
