"""The checks over real HTTP against the sandbox: all pass, and each kind of failure says what to do next."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from support.keyring_support import short_term_token
from support.proxies import certificate, proxy
from support.sessions import make_session

from tui.checks.context import CheckContext
from tui.checks.running import CheckRun
from tui.checks.table import CHECKS, chosen
from tui.core.checks.results import CheckResult, spent
from tui.sandbox.server import SandboxServer
from tui.session.session import Session
from tui.store.history import History


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """Tokens need not be counted exactly here, and the vocabulary takes its time to load."""
    with SandboxServer(tmp_path_factory.mktemp("server"), tokenizer="words") as server:
        yield server


HERE = short_term_token(made=time.time())


async def checked(session: Session, *only: str) -> dict[str, CheckResult]:
    """Run checks, all by default; their results by name."""
    await session.warm_up()
    conversation = await session.new()
    work = CheckRun(
        CheckContext(session, session.settings.target(), conversation.id, sleep=lambda _: asyncio.sleep(0.02))
    )
    found: dict[str, CheckResult] = {}
    async with aclosing(work.run(chosen(only)[0])) as results:
        async for result in results:
            found[result.name] = result
    return found


async def test_all_pass_and_nothing_is_left_behind(sandbox: SandboxServer, tmp_path: Path) -> None:
    session = make_session(sandbox, HERE)
    found = await checked(session)
    assert list(found) == [check.name for check in CHECKS]
    skipped = {name: row.sentence for name, row in found.items() if row.state != "passed"}
    assert skipped == {
        "tls": "http:// on this machine needs no TLS.",
        "clock": "The server's answers have no date.",
    }
    assert found["token"].facts["region"] == "us-west-2" and "valid for" in found["token"].sentence
    assert (
        "(404), which is normal" in found["models"].sentence and "lists 6 models" in found["models"].sentence
    )
    assert found["error"].facts["status"] == 404 and found["error"].cost is None
    assert 0 < float(str(found["stream"].facts["first_text_seconds"])) < 5
    assert found["usage"].request_id == found["preflight"].request_id, "one request, three checks"
    assert found["cache"].facts["cached_tokens"][1] > 1024  # type: ignore[index]
    assert found["cleanup"].facts == {"stored": 3, "deleted": 3}
    sends = [row for row in found.values() if row.exchange_ids]
    assert all(row.request_id and row.seconds is not None for row in sends) and len(sends) == 17

    # The server: what it was asked for, and that it keeps nothing.
    creates = [record for record in sandbox.log if record.method == "POST"]
    assert len(creates) == sum(check.requests for check in CHECKS) - 2 + 1, "two share one; one is refused"
    assert [record.status for record in sandbox.log if record.method == "DELETE"] == [200] * 3
    # The history: the requests without a conversation of theirs, the money, no stored response, no token.
    assert await session.list() == []
    ids = {exchange_id for row in found.values() for exchange_id in row.exchange_ids}
    places = await session.records.call(History.exchange_places)
    assert ids == {place.id for place in places} and len({place.conversation_id for place in places}) == 1
    records = await session.records.call(History.usage_records, 0.0, False)
    assert {record.kind for record in records} == {"check"} and len(records) == len(creates) - 1
    day = await session.spending.today()
    total = spent(found.values())
    assert total is not None and day.usd == total.usd
    assert not await session.responses.list()
    await session.aclose()
    secret = HERE.removeprefix("bedrock-api-key-")[-60:]
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()
    assert secret not in repr(found)


@dataclass
class Case:
    """A failure: what is set wrong or goes wrong, which checks run, and what is said."""

    only: tuple[str, ...]
    failed: str
    sentence: str
    step: str
    faults: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    flags: dict[str, str] = field(default_factory=dict[str, str])
    env: dict[str, str] = field(default_factory=dict[str, str])
    token: str = HERE
    path: str = "/openai/v1"


DENIED = {"Message": "User: arn:aws:iam::1:user/u is not authorized to perform: bedrock:InvokeModel on x"}
FAST = {"BEDROCK_MAX_RETRIES": "0"}
CASES = [
    Case(("token",), "token", "was made for us-east-1 and works only there", "Use --region us-east-1",
         token=short_term_token("us-east-1", made=time.time())),
    Case(("token",), "token", "expired at", "Make a new key for us-west-2",
         token=short_term_token(made=time.time() - 90_000)),
    Case(("models",), "models", "refused the token (401)", "a key of another region is refused just so",
         token="ABSKlong"),
    Case(("preflight",), "preflight", "refused the token (401)", "session that made it may have ended",
         faults=[{"status": 401, "body": {"error": {"code": "invalid_api_key", "message": "no"}}}]),
    Case(("preflight",), "preflight", "not authorized to perform", "the IAM action bedrock:InvokeModel",
         faults=[{"status": 403, "body": DENIED}]),
    Case(("preflight",), "preflight", "does not exist", "is known on mantle in us-east-1",
         flags={"model": "openai.gpt-6-sol"}),
    Case(("preflight",), "preflight", "supported on this route", "is served on /openai/v1", path="/v1"),
    Case(("preflight",), "preflight", "does not know what was asked for (404)", "The path is wrong",
         path="/nothing/v1"),
    Case(("preflight",), "preflight", "throttling (429)", "quota of tokens a minute",
         faults=[{"status": 429}], env=FAST),
    Case(("preflight",), "preflight", "had an error (503)", "AWS Health", faults=[{"status": 503}], env=FAST),
    Case(("preflight",), "preflight", "sent no response within 0.2 s", "wait longer than 0.2 s",
         faults=[{"wait": 0.8}], env={**FAST, "BEDROCK_REQUEST_TIMEOUT_SECONDS": "0.2"}),
    Case(("preflight",), "preflight", "without any text", "a lower effort", faults=[{"empty": True}]),
    Case(("usage",), "usage", "did not count input_tokens", "Costs and budgets", faults=[{"no_usage": True}]),
    Case(("stream",), "stream", "broke off", "may buffer or cut streams", faults=[{"cut_events": 4}]),
    Case(("stream",), "stream", "server had an error", "Try again in a while", faults=[{"error_deltas": 1}]),
    Case(("structured",), "structured", "breaks its schema", "takes JSON schemas",
         faults=[{"answer": "no JSON"}]),
    Case(("stateless",), "stateless", "does not know the first turn", "went with the second",
         faults=[{"answer": "ok"}, {"answer": "I do not know."}]),
    Case(("pdf",), "pdf", "did not read the page", "takes PDFs", faults=[{"answer": "gneiss"}]),
    Case(("stateful",), "cleanup", "1 of 2 stored responses could not be deleted", "tried again when Outcrop",
         faults=[{"on": "delete", "status": 401, "body": {"error": {"message": "no"}}}]),
    Case(("clock",), "clock", "min behind the server's", "Set this machine's clock",
         faults=[{"on": "models", "status": 404, "headers": {
             "date": format_datetime(datetime.now(UTC) + timedelta(seconds=1215), usegmt=True)}}]),
    Case(("endpoint",), "endpoint", "redirects to", "Set the base URL to the address",
         faults=[{"on": "models", "status": 307, "headers": {"location": "https://x.example/"}}]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case.failed}-{n}" for n, case in enumerate(CASES)])
async def test_a_failure_says_what_to_do_next(
    case: Case, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    for fault in case.faults:
        server.fault(fault)
    base_url = f"http://127.0.0.1:{server.port}{case.path}"
    session = make_session(server, case.token, **{"base_url": base_url, **case.flags})
    found = await checked(session, *case.only)
    row = found[case.failed]
    assert row.state == "failed" and case.sentence in row.sentence, row
    assert case.step in row.next_step, row
    assert {name for name, other in found.items() if other.state == "failed"} == {case.failed}
    if case.failed == "cleanup":
        (left,) = await session.responses.list()
        assert left.response.delete_wanted
    await session.aclose()


async def test_what_failed_stops_what_needs_it_and_nothing_else(server: SandboxServer) -> None:
    server.fault({"status": 500, "times": 1})
    session = make_session(server, HERE)
    session.settings = replace(session.settings, max_retries=0)
    found = await checked(session)
    assert found["preflight"].state == "failed" and found["error"].state == "passed"
    assert found["schema"].sentence == found["background"].sentence == "It needs preflight, which failed."
    assert len([record for record in server.log if record.method == "POST"]) == 2
    await session.aclose()


async def test_who_stops_leaves_nothing_at_the_server(server: SandboxServer) -> None:
    session = make_session(server, HERE)
    await session.warm_up()
    work = CheckRun(CheckContext(session, session.settings.target(), (await session.new()).id))
    server.fault({"stall_events": 1})
    async with aclosing(work.run(chosen(["stateful", "tool"])[0])) as results:
        async for result in results:
            if result.name == "tool":
                break
            if result.name == "stateful" and result.state == "running":
                # The first of the two is stalled until it is stopped.
                running = asyncio.ensure_future(anext(results))
                while not work.exchanges:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                running.cancel()
                await asyncio.wait([running])
                break
    (row,) = await session.responses.list()
    assert row.response.delete_wanted
    await session.aclose()
    again = make_session(server, HERE)
    await again.warm_up()
    assert again._retry is not None
    await again._retry
    assert await again.responses.list() == []
    await again.aclose()


# ---- below HTTP


async def test_tls_and_proxies(
    tmp_path: Path, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = "bedrock.test"
    pem = certificate(tmp_path, host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    secured = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0, ssl=context)
    port = secured.sockets[0].getsockname()[1]
    seen: list[bytes] = []

    async def tls(base_url: str) -> dict[str, CheckResult]:
        session = make_session(server, HERE, base_url=base_url)
        found = await checked(session, "dns", "tls")
        await session.aclose()
        return found

    async with secured:
        untrusted = await tls(f"https://127.0.0.1:{port}/openai/v1")
        assert "certificate of 127.0.0.1" in untrusted["tls"].sentence
        assert "SSL_CERT_FILE" in untrusted["tls"].next_step
        plain = await tls(f"https://127.0.0.1:{server.port}/openai/v1")
        assert plain["tls"].state == "failed" and "The TLS connection to" in plain["tls"].sentence
        closed = await tls("https://127.0.0.1:9/openai/v1")
        assert "nothing listens there" in closed["tls"].sentence
        unknown = await tls("https://nothing.invalid/openai/v1")
        assert "There is no host nothing.invalid" in unknown["dns"].sentence
        assert "Check the region's spelling" in unknown["dns"].next_step
        assert unknown["tls"].sentence == "It needs dns, which failed."

        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        async with proxy(port, seen) as way:
            monkeypatch.setenv("HTTPS_PROXY", f"http://ada:s%40crystal@127.0.0.1:{way}")
            good = await tls(f"https://{host}/openai/v1")
            assert good["tls"].state == "passed", good
            assert "certificate by Basalt Trust, good for 90 days" in good["tls"].sentence
            assert good["dns"].facts["host"] == "127.0.0.1", "the proxy looks the other one up"
            # ada:s@crystal
            assert b"CONNECT bedrock.test:443" in seen[0] and b"Basic YWRhOnNAY3J5c3RhbA==" in seen[0]
        async with proxy(port, seen, "407 Proxy Authentication Required") as way:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{way}")
            unnamed = await tls(f"https://{host}/openai/v1")
            assert "refused the connection to bedrock.test:443 (407)" in unnamed["tls"].sentence
            assert f"HTTPS_PROXY (127.0.0.1:{way})" in unnamed["tls"].next_step
        monkeypatch.setenv("HTTPS_PROXY", "http://ada:crystal@127.0.0.1:9")
        down = await tls(f"https://{host}/openai/v1")
        assert "the proxy 127.0.0.1:9" in down["tls"].sentence
        assert "HTTPS_PROXY (127.0.0.1:9)" in down["tls"].next_step and "crystal" not in repr(down)


@pytest.mark.parametrize("api", ["chat_completions", "converse", "invoke_model"])
async def test_another_api_is_checked_as_far_as_it_goes(api: str, server: SandboxServer) -> None:
    session = make_session(server)
    session.settings = session.settings.with_sandbox(f"http://127.0.0.1:{server.port}/openai/v1")
    await session.warm_up()
    target = session.settings.target("openai.gpt-oss-20b-1:0", endpoint="runtime", api=api)
    work = CheckRun(CheckContext(session, target, (await session.new()).id))
    found = {row.name: row async for row in work.run(CHECKS)}
    states = {name: row.state for name, row in found.items()}
    assert "failed" not in states.values(), found
    assert {
        name for name in ("preflight", "usage", "error", "stateless", "tool") if states[name] != "passed"
    } == set()
    assert states["stateful"] == states["background"] == states["pdf"] == states["cleanup"] == "skipped"
    assert "has no stored responses; use Responses on mantle" in found["stateful"].sentence
    assert states["stream"] == ("skipped" if api == "invoke_model" else "passed")
    await session.aclose()
