"""Before there is an answer, and when nobody wants it any more: hosts, TLS, proxies, redirects, stopping."""

from __future__ import annotations

import asyncio
import datetime
import gc
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.meddler import Answer, Meddler, delivered_text
from support.pdfs import make_pdf
from support.sessions import make_session

from tui.core.events import AttemptStarted, RetryWaiting, SessionEvent, TextDelta, TurnEnded
from tui.core.items import Outcome, Turn
from tui.core.way_on import way_on
from tui.sandbox.server import SandboxServer
from tui.session.session import Session
from tui.wire import connecting

PROMPT = "Reply with exactly: alpha beta gamma delta"
Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


# -- no connection -------------------------------------------------------------------------------------------


async def ended(session: Session, prompt: str = PROMPT, conversation_id: str = "") -> TurnEnded:
    """The turn's end, which comes within the time in which a person would wonder."""
    conversation_id = conversation_id or (await session.new()).id
    events: list[SessionEvent] = []
    async with asyncio.timeout(15):
        async for event in session.send(conversation_id, prompt):
            events.append(event)
    last = events[-1]
    assert isinstance(last, TurnEnded)
    exchanges = session.exchanges(conversation_id)
    if last.turn.outcome is Outcome.FAILED:
        assert exchanges[-1].outcome is Outcome.FAILED
        # The record says what the person was told, and of a refusal its status.
        assert exchanges[-1].error in (last.turn.error, f"HTTP status {exchanges[-1].status}")
    return last


async def refusal(sandbox: SandboxServer, base_url: str, command: str, *words: str) -> None:
    """One attempt at a base URL ends in a sentence with these words, and in this way on."""
    session = make_session(sandbox, base_url=base_url, model="openai.gpt-5.4")
    session.settings = replace(session.settings, max_retries=0)
    end = await ended(session)
    await session.aclose()
    assert end.turn.outcome is Outcome.FAILED
    sentence = end.turn.error or ""
    for word in words:
        assert word in sentence, sentence
    assert "Error" not in sentence and "[" not in sentence and "_ssl" not in sentence, sentence
    way = way_on(end.turn, end.error)
    assert way is not None and way.command == command, way


@asynccontextmanager
async def serving(connected: Connected, **more: Any) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await connected(reader, writer)
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, **more)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what comes, say nothing."""
    while await reader.read(65536):
        pass


def pem(folder: Path, name: str, days: int) -> Path:
    """A certificate that nobody vouches for, its key with it, that ends so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=90))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = serialization.PrivateFormat.PKCS8
    path = folder / f"{name}{days}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def tls(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def test_tls_that_fails_is_said_with_its_reason_and_never_gone_around(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, old = pem(tmp_path, "localhost", 30), pem(tmp_path, "localhost", -1)
    asked: list[bytes] = []

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))

    async with serving(read, ssl=tls(mine)) as port, serving(read, ssl=tls(old)) as expired:
        url = f"https://localhost:{port}/openai/v1"
        await refusal(
            sandbox, url, "checks.open", f"localhost:{port}", "self-signed certificate", "SSL_CERT_FILE"
        )
        monkeypatch.setenv("SSL_CERT_FILE", str(old))
        await refusal(sandbox, f"https://localhost:{expired}/openai/v1", "checks.open", "has expired")
        monkeypatch.setenv("SSL_CERT_FILE", str(mine))
        await refusal(
            sandbox, f"https://127.0.0.1:{port}/openai/v1", "checks.open", "not valid for '127.0.0.1'"
        )
        assert b"".join(asked) == b"", "not a byte of the request was sent"
        await refusal(
            sandbox, f"https://127.0.0.1:{sandbox.port}/openai/v1", "checks.open", "TLS connection to"
        )


async def test_no_address_no_listener_no_proxy_are_each_said_with_the_name(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    real = socket.getaddrinfo
    hung = threading.Event()
    assert connecting._LOOKUP_TIMEOUT < 5
    monkeypatch.setattr(connecting, "_LOOKUP_TIMEOUT", 0.1)
    said = {"us-wset-2": socket.EAI_NONAME, "us-west-9": socket.EAI_AGAIN}

    def look_up(host: Any, *more: Any, **named: Any) -> Any:
        if "hung" in str(host):
            hung.wait(20)
        for part, number in said.items():
            if part in str(host):
                raise socket.gaierror(number, "Name or service not known")
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    typo = "bedrock-mantle.us-wset-2.example"
    await refusal(sandbox, f"https://{typo}/openai/v1", "target.pick", f"no host {typo}", "check the region")
    await refusal(
        sandbox, "https://x.us-west-9.example/v1", "checks.open", "x.us-west-9.example", "no network"
    )
    await refusal(
        sandbox, "https://x.hung.example/v1", "checks.open", "x.hung.example could not be looked up"
    )
    # Nothing of it holds the program's exit: asyncio's own look-up would.
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "outcrop-lookup")
    assert sum(thread.name == "outcrop-lookup" for thread in threading.enumerate()) == 1
    hung.set()
    await refusal(
        sandbox, f"http://127.0.0.1:{unused_tcp_port}/v1", "checks.open", "refused the connection: nothing"
    )
    for status, words in (
        ("403 Forbidden", "it said “403 Forbidden”"),
        ("407 Who", "a user name and a password"),
    ):

        async def refuse(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: str = status
        ) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())

        async with serving(refuse) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://ada:crystal@127.0.0.1:{port}")
            await refusal(
                sandbox, "https://bedrock.example/v1", "checks.open", f"The proxy 127.0.0.1:{port}", words
            )
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:crystal@127.0.0.1:{unused_tcp_port}")
    await refusal(
        sandbox,
        "https://bedrock.example/v1",
        "checks.open",
        f"The proxy 127.0.0.1:{unused_tcp_port}",
        "nothing",
    )


async def test_a_redirect_brings_the_other_host_nothing(sandbox: SandboxServer) -> None:
    async with Meddler(sandbox.port) as other:
        session = make_session(sandbox)
        for status in (301, 302, 303, 307, 308):
            place = f"http://127.0.0.1:{other.port}/openai/v1/responses"
            sandbox.fault({"status": status, "headers": {"location": place}})
            end = await ended(session)
            assert place in (end.turn.error or "")
        await session.aclose()
        assert other.requests == 0
        assert len(sandbox.log) == 5


# -- cut anywhere --------------------------------------------------------------------------------------------

FORMS = {
    "responses": {"model": "openai.gpt-5.4"},
    "chat_completions": {"model": "openai.gpt-oss-20b-1:0", "endpoint": "runtime", "api": "chat_completions"},
    "converse": {"model": "openai.gpt-oss-20b-1:0", "endpoint": "runtime", "api": "converse"},
}


def cut(at: int, whole: list[int]) -> Callable[[Answer], Awaitable[None]]:
    async def trouble(answer: Answer) -> None:
        whole.append(len(answer.body))
        await answer.head()
        await answer.send(answer.body[:at])

    return trouble


@pytest.mark.parametrize("api", FORMS)
async def test_a_body_that_ends_at_any_byte_is_whole_or_has_failed(sandbox: SandboxServer, api: str) -> None:
    async with Meddler(sandbox.port) as meddler:
        session = make_session(sandbox, sandbox=True, base_url=None, **FORMS[api])
        session.settings = session.settings.with_sandbox(f"http://127.0.0.1:{meddler.port}/openai/v1")
        whole = [4000]
        seen: set[Outcome | None] = set()
        for number in range(15):
            at = whole[-1] - (0, 1, 2, 3, 150)[number] if number < 5 else whole[-1] * (number - 4) // 12
            meddler.troubles["alpha"] = cut(at, whole)
            sandbox.fault({} if api == "responses" else {"reasoning": "none"})
            turn = (await ended(session)).turn
            sandbox.clear_faults()
            sent = delivered_text(api, bytes(meddler.answers[-1].delivered))
            wanted = "alpha beta gamma delta" if turn.outcome is Outcome.COMPLETED else sent
            assert turn.text == wanted, at
            assert turn.outcome is Outcome.COMPLETED or (turn.outcome is Outcome.FAILED and turn.error), at
            seen.add(turn.outcome)
        assert seen == {Outcome.COMPLETED, Outcome.FAILED}
        assert len(sandbox.log) == 15
        await session.aclose()


# -- cancelling ----------------------------------------------------------------------------------------------


class Closing:
    """Notes when the client's side of a connection is closed."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.heard = asyncio.Event()

    async def silent(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one piece, answer nothing, wait for the end."""
        await reader.read(1000)
        self.heard.set()
        await self._until_closed(reader)

    async def deaf(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read the head of the request and nothing more."""
        await reader.read(1000)
        self.heard.set()
        transport: Any = writer.transport
        transport.pause_reading()
        # What was sent already is still on its way; then comes the end.
        await asyncio.sleep(0.1)
        transport.resume_reading()
        await self._until_closed(reader)

    async def _until_closed(self, reader: asyncio.StreamReader) -> None:
        try:
            while await reader.read(1 << 20):
                pass
        except ConnectionError:
            pass
        self.closed.set()


async def cancelled(
    session: Session, until: Callable[[SessionEvent], bool] | asyncio.Event, *files: Any
) -> tuple[Turn, float]:
    """Send, cancel when it has come so far; the turn, and the CPU seconds from there to its end."""
    conversation_id = (await session.new()).id
    reached = until if isinstance(until, asyncio.Event) else asyncio.Event()

    async def consume() -> None:
        async for event in session.send(conversation_id, PROMPT, files):
            if not isinstance(until, asyncio.Event) and until(event):
                reached.set()

    task = asyncio.create_task(consume())
    waits = asyncio.create_task(reached.wait())
    await asyncio.wait([task, waits], return_when=asyncio.FIRST_COMPLETED, timeout=15)
    assert reached.is_set(), task
    # It goes on where it waits.
    await asyncio.sleep(0)
    began = time.thread_time()
    task.cancel()
    await asyncio.wait([task], timeout=15)
    assert task.cancelled()
    took = time.thread_time() - began
    (turn,) = session.conversation(conversation_id).turns.values()
    assert turn.outcome is Outcome.CANCELLED
    assert {one.outcome for one in session.exchanges(conversation_id)[-1:]} <= {
        Outcome.CANCELLED,
        Outcome.FAILED,
    }
    return turn, took


async def test_cancelled_at_any_event_the_connection_is_closed_and_nothing_is_left(
    sandbox: SandboxServer,
) -> None:
    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    session = make_session(sandbox)
    await ended(session)
    tasks = len(asyncio.all_tasks())
    texts: set[str] = set()
    for events in range(0, 12):
        sandbox.fault({"stall_events": events, "keepalive": 0.02})
        before = len(sandbox.log)

        def arrived(event: SessionEvent, events: int = events) -> bool:
            return isinstance(event, TextDelta if events > 8 else AttemptStarted)

        turn, took = await cancelled(session, arrived)
        texts.add(turn.text)
        assert took < 0.2, events
        began = time.monotonic()
        async with asyncio.timeout(5):
            while len(sandbox.log) == before or sandbox.log[-1].ended != "disconnected":
                await asyncio.sleep(0.005)
                if len(sandbox.log) == before and time.monotonic() - began > 0.3:
                    # It was stopped before the request had gone out.
                    sandbox.clear_faults()
                    break
        assert "alpha beta gamma delta".startswith(turn.text)
    assert len(texts) > 1
    assert (await ended(session)).turn.outcome is Outcome.COMPLETED
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) <= tasks
    await session.aclose()
    gc.collect()
    await asyncio.sleep(0)
    assert problems == []


async def test_cancelled_while_connecting_sending_or_waiting_it_is_over_at_once(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    pdf = tmp_path / "large.pdf"
    pdf.write_bytes(make_pdf("Large") + b"\n%" + b"x" * 6_000_000)
    for name in ("TLS", "answer", "upload"):
        far = Closing()
        async with serving(far.deaf if name == "upload" else far.silent) as port:
            scheme = "https" if name == "TLS" else "http"
            session = make_session(sandbox, base_url=f"{scheme}://127.0.0.1:{port}/openai/v1")
            files = [await session.attach(str(pdf))] if name == "upload" else []
            turn, took = await cancelled(session, far.heard, *files)
            began = time.monotonic()
            await asyncio.wait([asyncio.create_task(far.closed.wait())], timeout=5)
            assert far.closed.is_set(), name
            assert time.monotonic() - began < 1.0, name
            assert took < 0.2, name
            assert turn.text == ""
            await session.aclose()
    session = make_session(sandbox)
    sandbox.fault({"status": 429, "headers": {"retry-after": "60"}})
    turn, took = await cancelled(session, lambda event: isinstance(event, RetryWaiting))
    assert took < 0.2
    assert len(sandbox.log) == 1
    assert turn.text == ""
    await session.aclose()
    gc.collect()
    await asyncio.sleep(0)
    assert problems == []
