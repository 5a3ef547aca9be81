"""No error that leaves the wire holds a secret, however deep somebody looks into it."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any

import httpcore
import httpx
import pytest

from tui.core.aws import AwsKeys
from tui.core.errors import ConnectError, OutcropError, TokenUnusable
from tui.core.events import AttemptStarted
from tui.core.exchange import Exchange
from tui.core.items import Target
from tui.wire import aws_keys
from tui.wire.attempts import Attempts
from tui.wire.client import ClientSettings, ResponsesClient
from tui.wire.error_chains import bare, causes, mask_errors, without_secrets
from tui.wire.network import make_transport
from tui.wire.recorder import AttemptLabel

TOKEN = "bedrock-api-key-" + base64.b64encode(b"bedrock.amazonaws.com/?Signature=5ec7e7c0ffee" * 8).decode()
PASSWORD = "pa55-of-the-proxy"
SECRETS = (TOKEN, TOKEN[20:60], PASSWORD)
BODY = b'{"model":"m","input":"hello","stream":true}'


def everything(error: BaseException) -> str:
    """All that a formatter could get at: chains, arguments, notes, attributes, the traceback's words."""
    found = ["".join(traceback.format_exception(error))]
    for one in causes(error):
        found += [str(one), repr(one), repr(one.args), repr(vars(one)), repr(getattr(one, "__notes__", ""))]
        for value in vars(one).values():
            found += [repr(vars(value))] if hasattr(value, "__dict__") else []
            found += [repr(getattr(value, "headers", "")), repr(getattr(value, "url", ""))]
        found += [repr(getattr(one, name, "")) for name in ("object", "request", "response", "filename")]
    return "\n".join(found)


def tells(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


class Failing(httpx.AsyncBaseTransport):
    """Raises, as httpx does it: from an error of the layer below, which quotes what it was given."""

    def __init__(self, kind: type[BaseException], words: str) -> None:
        self.kind, self.words = kind, words

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        given = self.words.format(token=request.headers["authorization"], raw=request.headers.raw)
        try:
            raise httpcore.LocalProtocolError(given) from ValueError(given, {"header": given}, request)
        except httpcore.LocalProtocolError as below:
            below.add_note(given)
            below.headers = request.headers  # type: ignore[attr-defined]
            if issubclass(self.kind, UnicodeEncodeError):
                raise UnicodeEncodeError("ascii", given, 0, 1, given) from below
            if issubclass(self.kind, httpx.RequestError):
                raise self.kind(given, request=request) from below
            raise self.kind(given) from ExceptionGroup(given, [below])


FAILURES: dict[str, tuple[type[BaseException], str]] = {
    "an illegal header": (httpx.LocalProtocolError, "Illegal header value b'{token}'"),
    "the raw headers": (httpx.LocalProtocolError, "Illegal headers {raw}"),
    "no connection": (httpx.ConnectError, f"[Errno 1] http://user:{PASSWORD}@proxy.example:1 {{token}}"),
    "the proxy": (httpx.ProxyError, f"407 of http://user:{PASSWORD}@proxy.example:1"),
    "an unsupported URL": (httpx.UnsupportedProtocol, f"socks://user:{PASSWORD}@proxy.example:1"),
    "too late": (httpx.ReadTimeout, "{token}"),
    "an encoding": (UnicodeEncodeError, "Bearer {token}"),
    "an error nobody thought of": (RuntimeError, f"https://x:{PASSWORD}@host Bearer {{token}}"),
}


@pytest.fixture
async def clients() -> AsyncIterator[Callable[..., ResponsesClient]]:
    made: list[ResponsesClient] = []

    def make(transport: httpx.AsyncBaseTransport | None = None, token: str = TOKEN) -> ResponsesClient:
        numbers = count(1)
        settings = ClientSettings(number=lambda _: next(numbers), new_id=lambda: "x", max_retries=0)
        target = Target("m", "us-west-2", "mantle", "https://host.invalid/openai/v1")
        made.append(ResponsesClient(target, lambda: token, settings, transport=transport))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


def ways(client: ResponsesClient, seen: list[Exchange]) -> list[Callable[[], Awaitable[Any]]]:
    """Each kind of door that a request goes out by."""

    async def streamed() -> None:
        async for event in client.stream(BODY, AttemptLabel()):
            seen.extend([event.exchange] if isinstance(event, AttemptStarted) else [])

    async def polled() -> None:
        async for _ in client.poll("resp_1", AttemptLabel()):
            pass

    return [
        streamed,
        polled,
        lambda: client.models(AttemptLabel()),
        lambda: client.delete("r", AttemptLabel()),
    ]


@pytest.mark.parametrize("failure", FAILURES)
async def test_no_error_that_leaves_the_wire_holds_a_secret(
    failure: str, clients: Callable[..., ResponsesClient], caplog: pytest.LogCaptureFixture
) -> None:
    kind, words = FAILURES[failure]
    client = clients(Failing(kind, words))
    seen: list[Exchange] = []
    logger = logging.getLogger("openai")
    logger.setLevel(logging.DEBUG)
    for way in ways(client, seen):
        with caplog.at_level(logging.DEBUG), pytest.raises(Exception) as raised:
            await way()
        assert tells(everything(raised.value)) == []
        if isinstance(raised.value, OutcropError):
            assert list(causes(raised.value)) == [raised.value]
    logger.setLevel(logging.NOTSET)
    assert tells(caplog.text) == []
    assert "Sending HTTP Request" in caplog.text
    assert tells(repr(seen[0].error)) == [] and seen[0].error


async def test_a_token_that_is_no_header_is_refused_by_every_door(
    clients: Callable[..., ResponsesClient],
) -> None:
    """The credentials refuse it before; if one got here all the same, nothing would be sent or told."""

    class Never(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise AssertionError("something was sent")

    for bad in (f"{TOKEN}\u00e9", f"\u65e5{TOKEN}"):
        for way in ways(clients(Never(), bad), []):
            with pytest.raises(Exception) as raised:
                await way()
            assert not isinstance(raised.value, AssertionError)
            assert tells(everything(raised.value)) == []


PROXIES = ("ftp://user:{}@h:1", "socks5://user:{}@h:1", "http://user:{}@h:port", "http://user:{}@[::1")


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_that_cannot_be_used_is_not_shown(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(PASSWORD))
    with pytest.raises(ConnectError, match="HTTPS_PROXY") as raised:
        make_transport("https://host.invalid/v1")
    assert tells(everything(raised.value)) == [] and list(causes(raised.value)) == [raised.value]


def test_certificates_that_cannot_be_read_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/pem")
    with pytest.raises(ConnectError, match="SSL_CERT_FILE"):
        make_transport("https://host.invalid/v1")


def test_what_botocore_says_does_not_come_along(monkeypatch: pytest.MonkeyPatch) -> None:
    exceptions = pytest.importorskip("botocore.exceptions")
    failures = [
        exceptions.CredentialRetrievalError(provider="custom-process", error_msg=TOKEN),
        exceptions.ClientError({"Error": {"Code": "Denied", "Message": TOKEN}}, "AssumeRole"),
        exceptions.ConfigParseError(path=TOKEN, error=TOKEN),
        exceptions.EndpointConnectionError(endpoint_url=f"https://user:{PASSWORD}@sts"),
    ]
    for failure in failures:

        def session(profile: str | None, failure: Exception = failure) -> Any:
            raise failure from ValueError(TOKEN)

        monkeypatch.setattr("botocore.session.Session", session)
        with pytest.raises(TokenUnusable) as raised:
            aws_keys.find_keys("work")
        assert tells(everything(raised.value)) == []
        assert list(causes(raised.value)) == [raised.value]


def test_the_search_sees_what_is_not_masked() -> None:
    """What the tests above rely on."""
    deep = ValueError("x")
    deep.__context__ = KeyError("y")
    deep.__context__.__cause__ = OSError(1, "no", TOKEN)
    assert tells(everything(deep)) == [TOKEN, TOKEN[20:60]]
    with pytest.raises(ValueError, match="x") as raised, bare():
        raise deep
    assert tells(everything(raised.value)) == [TOKEN, TOKEN[20:60]], "a bare token is known to nobody here"
    mask_errors(deep, lambda text: text.replace(TOKEN, "[token]"))
    assert tells(everything(deep)) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Illegal header value b'Bearer {TOKEN}'", "Illegal header value b'Bearer [token]"),
        (f"http://user:{PASSWORD}@proxy:1 fails", "http://[token]@proxy:1 fails"),
        ("a bearer of news at //host/a@b", "a bearer [token]"),
        ("nothing here: https://host/path", "nothing here: https://host/path"),
    ],
)
def test_headers_and_passwords_are_known_by_their_form(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_keys_are_not_in_what_is_left_of_an_error() -> None:
    keys = AwsKeys("AKIAEXAMPLE", "secret-of-it", "session-of-it")
    error = RuntimeError("signing failed", keys, vars(Attempts))
    mask_errors(error)
    assert error.args == ("signing failed", None, None)


def test_what_a_keyring_raises_does_not_come_along(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.core.errors import KeyringError
    from tui.credentials import system_keyring

    class Backend:
        def get_password(self, service: str, name: str) -> str | None:
            return TOKEN

        def set_password(self, service: str, name: str, secret: str) -> None:
            raise OSError(5, secret, secret) from ValueError(secret)

        def delete_password(self, service: str, name: str) -> None:
            raise RuntimeError(TOKEN)

    monkeypatch.setattr(system_keyring, "_chosen_backend", Backend)
    keyring = system_keyring.SystemKeyring()
    for call in (lambda: keyring.put("us-west-2", TOKEN), lambda: keyring.remove("us-west-2")):
        with pytest.raises(KeyringError) as raised:
            call()
        assert tells(everything(raised.value)) == [] and list(causes(raised.value)) == [raised.value]
