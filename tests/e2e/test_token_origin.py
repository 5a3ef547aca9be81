"""The token goes to the configured origin only, whatever a server answers and the environment says."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

import httpx
import pytest
from support.keyring_support import short_term_token
from support.programs import Program
from support.proxies import certificate, closing_stream, proxy
from support.sessions import take_turn

from tui.config.settings import load_settings
from tui.core.errors import HttpStatusError
from tui.core.items import Target
from tui.credentials.credentials import Credentials
from tui.session.batch_job import BatchJob, aws_client, job_request
from tui.session.session import Session
from tui.wire.client import ClientSettings, ResponsesClient
from tui.wire.recorder import AttemptLabel

TOKEN = short_term_token("us-west-2", life=10**8)
BODY = b'{"model":"m","input":"hello","stream":true}'


class _Noting(BaseHTTPRequestHandler):
    """Notes whole requests; answers with what the server is told to answer with."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.requests.append((f"{self.command} {self.path}", dict(self.headers.items()), body))
        status, location = self.server.answer
        data = json.dumps({"error": {"code": "no", "message": "No.", "type": "x"}}).encode()
        self.send_response(status)
        if location:
            self.send_header("location", location)
        for name, value in (("content-type", "application/json"), ("content-length", str(len(data)))):
            self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_PUT = do_CONNECT = do_HEAD = _answer


class Server(ThreadingHTTPServer):
    """A server on loopback.

    Attributes:
        requests: Method and path, headers and body of each.
        answer: Status and Location.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Noting)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answer = (400, "")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def holds(self, secret: str) -> bool:
        return secret in repr(self.requests)


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    """The configured origin, and another one."""
    with ExitStack() as stack:
        made: list[Server] = []
        for _ in range(2):
            server = stack.enter_context(Server())
            Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
            made.append(server)
        yield made[0], made[1]


@pytest.fixture
async def client(servers: tuple[Server, Server]) -> AsyncIterator[ResponsesClient]:
    numbers = count(1)
    settings = ClientSettings(number=lambda _: next(numbers), new_id=lambda: "x", max_retries=0)
    target = Target("m", "us-west-2", "custom", f"{servers[0].url}/openai/v1")
    made = ResponsesClient(target, lambda: TOKEN, settings)
    yield made
    await made.aclose()


async def test_no_redirect_is_followed_wherever_it_leads(
    servers: tuple[Server, Server], client: ResponsesClient
) -> None:
    origin, other = servers

    async def streamed() -> None:
        async for _ in client.stream(BODY, AttemptLabel()):
            pass

    async def polled() -> None:
        async for _ in client.poll("resp_1", AttemptLabel()):
            pass

    doors = [
        streamed,
        polled,
        lambda: client.models(AttemptLabel()),
        lambda: client.delete("resp_1", AttemptLabel()),
        lambda: client.cancel("resp_1", AttemptLabel()),
    ]
    places = [
        f"{other.url}/openai/v1/responses",
        f"//127.0.0.1:{other.server_port}/x",
        f"http://ada:pa55@127.0.0.1:{other.server_port}/x",
        f"http://127.0.0.1:{origin.server_port}@127.0.0.1:{other.server_port}/x",
        f"https://127.0.0.1:{origin.server_port}/openai/v1",
        f"http://localhost:{origin.server_port}/openai/v1",
        "/elsewhere",
        "responses",
    ]
    tried = 0
    for status in (301, 302, 303, 307, 308):
        for place in places:
            origin.answer = (status, place)
            before = len(origin.requests)
            with pytest.raises(HttpStatusError, match="follows no redirects") as raised:
                await doors[tried % len(doors)]()
            tried += 1
            assert len(origin.requests) == before + 1, (status, place)
            assert origin.requests[-1][1]["Authorization"] == f"Bearer {TOKEN}"
            assert "pa55" not in str(raised.value)
    assert tried == 40 and other.requests == []


def test_no_variable_sends_it_elsewhere_by_any_command(
    servers: tuple[Server, Server], program: Program
) -> None:
    origin, other = servers
    program.base_url = f"{origin.url}/openai/v1"
    program.token = TOKEN
    way = f"http://ada:pa55-of-the-proxy@127.0.0.1:{other.server_port}"
    (program.home / ".netrc").write_text("machine 127.0.0.1 login ada password pa55-of-netrc\n")
    (program.home / ".netrc").chmod(0o600)
    theirs = {
        "OPENAI_API_KEY": "sk-the-key-of-openai", "OPENAI_ORG_ID": "org-of-openai",
        "OPENAI_PROJECT_ID": "proj-of-openai", "OPENAI_ADMIN_KEY": "sk-admin-of-openai",
    }  # fmt: skip
    names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
    program.more |= theirs | dict.fromkeys([*names, *map(str.lower, names)], way)
    urls = ("OPENAI_BASE_URL", "AWS_BEDROCK_BASE_URL", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL_STS")  # fmt: skip
    program.more |= dict.fromkeys(urls, f"{other.url}/openai/v1")
    program.more |= {"NETRC": str(program.home / ".netrc"), "NO_PROXY": ""}
    runs = [
        ["ask", "--stateless", "hello"],
        ["ask", "--api", "chat", "--model", "openai.gpt-oss-120b-1:0", "--json", "hello"],
        ["models"],
        ["models", "--check"],
        ["responses", "delete", "resp_1", "--base-url", program.base_url],
        ["check", "--only", "token", "--only", "endpoint"],
        ["compare", "hello", "--with", "gpt-5.4", "--with", "gpt-5.5"],
    ]
    for finished in program.together(*runs):
        for secret in (TOKEN, TOKEN[30:60], *theirs.values(), "pa55"):
            assert secret.encode() not in finished.stdout + finished.stderr
    assert other.requests == []
    assert len(origin.requests) >= len(runs) - 1
    assert {headers["Authorization"] for _, headers, _ in origin.requests} == {f"Bearer {TOKEN}"}
    assert not [value for value in (*theirs.values(), "pa55") if origin.holds(value)]
    paths = {line.split("?")[0] for line, _, _ in origin.requests}
    assert {"POST /openai/v1/responses", "POST /openai/v1/chat/completions", "GET /openai/v1/models"} <= paths


async def test_a_proxy_sees_that_there_is_a_connection_and_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path, "bedrock.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    came: list[bytes] = []
    answered = asyncio.Queue[None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with closing_stream(writer):
            came.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        answered.put_nowait(None)

    secured = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    seen: list[bytes] = []
    async with secured, proxy(secured.sockets[0].getsockname()[1], seen) as way:
        for name in ("HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://ada:pa55@127.0.0.1:{way}")
            monkeypatch.setenv("SSL_CERT_FILE", str(pem))
            settings = ClientSettings(number=lambda _: 1, new_id=lambda: "x", max_retries=0)
            target = Target("m", "us-west-2", "custom", "https://bedrock.test/openai/v1")
            client = ResponsesClient(target, lambda: TOKEN, settings)
            with pytest.raises(HttpStatusError):
                await client.models(AttemptLabel())
            await client.aclose()
            await answered.get()
            monkeypatch.delenv(name)
    assert len(came) == len(seen) == 3
    assert all(f"authorization: Bearer {TOKEN}\r\n".encode().lower() in head.lower() for head in came)
    assert all(b"CONNECT bedrock.test:443" in head and TOKEN.encode() not in head for head in seen)
    assert not any(b"proxy-authorization" in head.lower() for head in came)


async def test_a_batch_job_is_signed_and_takes_no_token(
    servers: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS's own client would send the token by itself, and to wherever a variable says."""
    pytest.importorskip("boto3")
    _, other = servers
    values = {"AWS_BEARER_TOKEN_BEDROCK": TOKEN, "AWS_ENDPOINT_URL": other.url, "AWS_MAX_ATTEMPTS": "1",
              "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-of-it"}  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    role = "arn:aws:iam::123456789012:role/r"
    job = BatchJob("n", "openai.gpt-oss-20b-1:0", "us-west-2", role, "bucket", "k", "r/")

    def ask() -> None:
        with pytest.raises(Exception, match="400"):
            aws_client("bedrock", "us-west-2").create_model_invocation_job(**job_request(job))

    await asyncio.to_thread(ask)
    ((line, headers, _),) = other.requests
    assert line.startswith("POST /model-invocation-job")
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256") and not other.holds(TOKEN[30:60])


async def test_no_change_of_region_endpoint_or_profile_takes_it_along(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    origin, other = servers
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "config.toml").write_text(
        "max_retries = 0\n"
        f'[profiles.one]\nbase_url = "{origin.url}/openai/v1"\ntoken_env = "ONE"\nmodel = "m"\n'
        f'[profiles.two]\nbase_url = "{other.url}/v1"\nmodel = "m"\n'
    )
    settings = load_settings({}, os.environ)
    environ = {"AWS_BEARER_TOKEN_BEDROCK": TOKEN, "ONE": "token-of-one"}
    found = Credentials(environ, settings.region, profiles=settings.profiles.values(), regions=[])
    sent: list[tuple[str, str]] = []
    network = httpx.AsyncHTTPTransport()

    class Noting(httpx.AsyncBaseTransport):
        """Lets through what goes to this machine, notes and refuses the rest."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "127.0.0.1":
                return await network.handle_async_request(request)
            sent.append((request.url.host, request.headers["authorization"]))
            return httpx.Response(400, json={"error": {"code": "x", "message": "No."}})

    session = Session(settings, found, transport=Noting())
    conversation = await session.new()
    for change in (
        {}, {"region": "us-east-1"}, {"endpoint": "one"}, {"endpoint": "two"}, {"endpoint": "runtime"},
        {"region": "us-west-2"}, {"endpoint": "mantle"},
    ):  # fmt: skip
        await session.set_target(conversation.id, **change)
        try:
            await take_turn(session, conversation.id, "hello")
        except Exception as error:
            assert TOKEN[30:60] not in str(error)
    await session.aclose()
    await network.aclose()
    assert {headers["Authorization"] for _, headers, _ in origin.requests} == {"Bearer token-of-one"}
    assert other.requests == [], "a profile without a token of its own gets none"
    assert {host for host, _ in sent} == {
        "bedrock-mantle.us-west-2.api.aws", "bedrock-runtime.us-west-2.amazonaws.com",
    }  # fmt: skip
    assert {value for _, value in sent} == {f"Bearer {TOKEN}"}
