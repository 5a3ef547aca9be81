"""Requests to one endpoint: attempts, retries, limits, errors as sentences; the base of each API's client.

The SDK builds the HTTP request and authenticates; retries are ours, because the SDK posts again after a
read time-out, which is a second paid generation. Source: DESIGN.md, "Rules of the wire".
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx
import openai
from openai import AsyncOpenAI
from openai.providers import bedrock

from tui.core.aws import AwsKeys
from tui.core.errors import OutcropError, StreamError, WireError
from tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    ResponseEnded,
    RetryWaiting,
    Silence,
    StreamEvent,
    TextDelta,
)
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Target
from tui.wire.answers import check_encoding, is_of_type, no_stream, parsed
from tui.wire.api_client import WireEvent
from tui.wire.body_decoder import BodyDecoder
from tui.wire.client_settings import ClientSettings
from tui.wire.error_chains import bare, without_causes
from tui.wire.failures import from_status, from_transport
from tui.wire.network import make_transport
from tui.wire.recorder import AttemptLabel, RecordingTransport, attempt_label, finish
from tui.wire.redact import Redactor
from tui.wire.sdk_errors import from_connection_error, from_sdk_error, with_wait
from tui.wire.signing import Signing, endpoint_to_sign, signing_keys, worn_out
from tui.wire.stream import StreamLimits, end_as, read_stream

__all__ = ["RAW_STREAM", "Attempts", "ClientSettings", "Reader"]

Reader = Callable[[httpx.Response, Exchange], AsyncGenerator[WireEvent, None]]
"""Reads an answer whose status is a success."""

Attempt = Callable[[AttemptLabel], AsyncGenerator[WireEvent, None]]

_LONGEST_RETRY_AFTER: Final = 120.0
_LONGEST_BACKOFF: Final = 8.0
_CONNECT_TIMEOUT: Final = 5.0
_LONGEST_WHOLE: Final = 64 * 2**20
"""Bytes that are read of an answer that came instead of a stream."""
RAW_STREAM: Final = {"X-Stainless-Raw-Response": "stream"}
"""Headers that make the SDK hand over a response before its body has come."""


class Attempts:
    """Sends requests to one endpoint, each through the recorder; the base of every API's client.

    Args:
        target: Region, endpoint and base URL; the model comes with each request.
        token: Gives the bearer token at each request. May raise `TokenError`.
        settings: Limits and clocks.
        transport: What really sends; by default the network, proxies of the environment respected.
        signing: Signs instead of the token, where it has keys; `None` for never.
    """

    def __init__(
        self,
        target: Target,
        token: Callable[[], str],
        settings: ClientSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        signing: Signing | None = None,
    ) -> None:
        self._settings = settings
        self._base_url = target.base_url
        self._target = target
        self._signing = signing
        recorder = RecordingTransport(
            transport or make_transport(target.base_url),
            number=settings.number,
            new_id=settings.new_id,
            now=settings.now,
            monotonic=settings.monotonic,
        )
        self._http = httpx.AsyncClient(
            transport=recorder,
            follow_redirects=False,
            trust_env=False,
            # Read time-outs are ours: for the headers below, for events in read_stream.
            timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT, pool=None),
            headers={"accept-encoding": "identity"},
        )
        self._sdk = self._make_sdk(
            bedrock(
                base_url=target.base_url,
                region=target.region,
                endpoint="runtime" if target.endpoint == "runtime" else "mantle",
                token_provider=token,
            )
        )
        self._signing_sdk: AsyncOpenAI | None = None

    def _make_sdk(self, provider: Any) -> AsyncOpenAI:
        return AsyncOpenAI(
            provider=provider,
            # The SDK types its client as httpx2's since 3.0 and takes httpx's as well; tests/wire guards it.
            http_client=cast("Any", self._http),
            max_retries=0,
        )

    def _sdk_for(self, keys: AwsKeys | None) -> AsyncOpenAI:
        """What sends: with the token, or signed with botocore by the SDK's provider; by the same client."""
        if keys is None:
            return self._sdk
        if self._signing_sdk is None:
            self._signing_sdk = self._make_sdk(
                bedrock(
                    base_url=self._target.base_url,
                    region=self._target.region,
                    endpoint=endpoint_to_sign(self._target),
                    credential_provider=signing_keys.get,
                )
            )
        return self._signing_sdk

    async def _once(
        self, attempt: AsyncGenerator[WireEvent, None], label: AttemptLabel
    ) -> AsyncGenerator[WireEvent, None]:
        try:
            async with aclosing(attempt) as events:
                async for event in events:
                    yield event
        except OutcropError as error:
            without_causes(error)
            if label.exchange is not None:
                yield AttemptEnded(label.exchange)
            # The next request has them.
            await self._renewed(error, label)
            raise

    async def _tried(self, attempt: Attempt, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Attempt, and attempt again where that cannot be a second paid generation."""
        tried = retries = 0
        renewed = False
        while True:
            label = replace(
                label, attempt=label.attempt + min(tried, 1), exchange=None, began=asyncio.Event()
            )
            try:
                async with aclosing(attempt(label)) as events:
                    async for event in events:
                        yield event
                return
            except OutcropError as error:
                without_causes(error)
                if label.exchange is not None:
                    yield AttemptEnded(label.exchange)
                if not renewed and await self._renewed(error, label):
                    # A retry of its own kind: it cannot be paid for twice, and the next one would not help.
                    renewed, wait = True, 0.0
                else:
                    wait = self._wait_before_retry(error, retries)
                    retries += 1
                if wait is None:
                    raise with_wait(error) from None
                yield RetryWaiting(wait, str(error), label.attempt + 1)
            await self._settings.sleep(wait)
            tried += 1

    async def _renewed(self, error: OutcropError, label: AttemptLabel) -> bool:
        """Whether the server refused the keys of a session, before any answer, and there are others now."""
        keys = label.keys
        if self._signing is None or keys is None or not worn_out(error):
            return False
        return await self._signing.renew(keys)

    def _wait_before_retry(self, error: OutcropError, retries: int) -> float | None:
        """Seconds to wait, or `None` when the request must not be sent again."""
        if not isinstance(error, WireError) or not error.retryable or retries >= self._settings.max_retries:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= _LONGEST_RETRY_AFTER else None
        return min(_LONGEST_BACKOFF, 0.5 * 2**retries) * random.uniform(0.75, 1.0)

    def _streamed(
        self,
        asked: Coroutine[Any, Any, httpx.Response],
        label: AttemptLabel,
        make_decoder: Callable[[Redactor], BodyDecoder[Any]],
        events_of: Callable[[dict[str, Any]], Iterable[StreamEvent]],
        after: int = -1,
    ) -> AsyncGenerator[WireEvent, None]:
        """One attempt whose answer is a stream.

        An answer that comes whole all the same is taken as it is: it has been paid for.

        Args:
            asked: Sends the request; its response's body has not been read.
            label: Of this attempt.
            make_decoder: Makes the decoder of the body; what that puts together it masks with the redactor.
            events_of: The events that a whole answer stands for.
            after: The `sequence_number` up to which the events were had before.
        """
        label.judged = True

        def read(response: httpx.Response, exchange: Exchange) -> AsyncGenerator[WireEvent, None]:
            decoder = make_decoder(label.redactor)
            if not is_of_type(response, decoder.media_type):
                return self._not_streamed(response, label, events_of)
            limits = StreamLimits(
                self._settings.idle_timeout, self._settings.silence_notice, self._settings.monotonic
            )
            return read_stream(response, exchange, decoder, label.clock, limits, after, label.redactor)

        return self._answered(asked, label, read)

    async def _not_streamed(
        self,
        response: httpx.Response,
        label: AttemptLabel,
        events_of: Callable[[dict[str, Any]], Iterable[StreamEvent]],
    ) -> AsyncGenerator[WireEvent, None]:
        """What came instead of a stream: an answer, or a page that the record keeps and the error quotes."""
        came = bytearray()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.request_timeout) as label.limit:
                async for piece in response.aiter_bytes():
                    came += piece
                    if len(came) > _LONGEST_WHOLE:
                        break
        body = bytes(came)
        try:
            events = list(events_of(parsed(body))) if is_of_type(response, "application/json") else []
        except StreamError:
            events = []
        if not any(isinstance(event, ResponseEnded) for event in events):
            raise no_stream(response, body)
        for event in _told(events, label):
            yield event

    def _whole(
        self,
        asked: Coroutine[Any, Any, httpx.Response],
        label: AttemptLabel,
        events_of: Callable[[dict[str, Any]], Iterable[StreamEvent]],
        *,
        judged: bool = False,
    ) -> AsyncGenerator[WireEvent, None]:
        """One attempt whose answer is one JSON object.

        Args:
            asked: Sends the request.
            label: Of this attempt.
            events_of: The events that the object stands for.
            judged: Whether the exchange ends as the answer did. What only looks at an answer has come whole,
                however the answer stands.
        """
        label.judged = True

        async def read(response: httpx.Response, exchange: Exchange) -> AsyncGenerator[WireEvent, None]:
            events = events_of(parsed(await response.aread()))
            if not judged:
                finish(exchange, Outcome.COMPLETED, label.clock())
            for event in _told(events, label) if judged else events:
                yield event

        return self._answered(asked, label, read)

    async def _answered(
        self, asked: Coroutine[Any, Any, httpx.Response], label: AttemptLabel, read: Reader
    ) -> AsyncGenerator[WireEvent, None]:
        pending = asyncio.ensure_future(asked)
        response: httpx.Response | None = None
        try:
            began = asyncio.ensure_future(label.began.wait())
            await asyncio.wait([began, pending], return_when=asyncio.FIRST_COMPLETED)
            began.cancel()
            if label.exchange is not None:
                yield AttemptStarted(label.exchange)
            waited = 0.0
            while not pending.done():
                # Before an answer, and while a whole one is made: that is said as in a stream.
                await asyncio.wait([pending], timeout=self._settings.silence_notice)
                if not pending.done():
                    waited += self._settings.silence_notice
                    yield Silence(waited)
            response = await pending
            exchange = label.exchange
            assert exchange is not None
            check_encoding(response)
            async with aclosing(read(response, exchange)) as events:
                async for event in events:
                    yield event
        except (httpx.HTTPError, OSError) as error:
            raise self._end(label, from_transport(error, self._base_url)) from None
        except WireError as error:
            raise self._end(label, error) from None
        finally:
            if not pending.done():
                pending.cancel()
                await asyncio.wait([pending])
            if response is None and not pending.cancelled() and pending.exception() is None:
                response = pending.result()
            if response is not None:
                await response.aclose()
            if label.exchange is not None:
                finish(label.exchange, Outcome.CANCELLED, label.clock())
        if label.exchange is not None:
            yield AttemptEnded(label.exchange)

    def _end(self, label: AttemptLabel, error: WireError) -> WireError:
        if label.exchange is not None:
            finish(label.exchange, Outcome.FAILED, label.clock(), str(error))
            if label.exchange.outcome is Outcome.FAILED and label.exchange.status is None:
                # The recorder had the words of a library.
                label.exchange.error = str(error)
            if error.request_id is None:
                error.request_id = label.exchange.request_id
        return error

    async def models(self, label: AttemptLabel) -> dict[str, Any]:
        """`GET /models`: what this base URL lists; one attempt.

        Raises:
            WireError: It lists nothing (404 is normal, bedrock-facts.md 1.1), or could not be asked.
            TokenError: There is no usable token.
        """
        return await self._json("GET", "/models", label)

    async def _json(
        self, method: str, path: str, label: AttemptLabel, content: bytes | None = None
    ) -> dict[str, Any]:
        label.judged = True
        with bare():
            try:
                response = await self._request(method, path, label, content=content)
                found = parsed(await response.aread() or b"{}")
                if label.exchange is not None:
                    finish(label.exchange, Outcome.COMPLETED, label.clock())
                return found
            except httpx.HTTPError as error:
                raise self._end(label, from_transport(error, self._base_url)) from None
            except WireError as error:
                raise self._end(label, error) from None

    async def _request(
        self,
        method: str,
        path: str,
        label: AttemptLabel,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        whole: bool = False,
    ) -> httpx.Response:
        """Send through the SDK and map everything it raises.

        The response of an answer that comes `whole` begins when all of it is made: it is waited for as long
        as for the next event of a stream.
        """
        limit, setting = self._settings.request_timeout, "BEDROCK_REQUEST_TIMEOUT_SECONDS"
        if whole and self._settings.idle_timeout > limit:
            limit, setting = self._settings.idle_timeout, "idle_timeout_seconds in the config file"
        label.keys = None if self._signing is None else await self._signing.ready()
        sdk = self._sdk_for(label.keys)
        reset, unsign = attempt_label.set(label), signing_keys.set(label.keys)
        options: Any = {"headers": {**label.headers, **(headers or {})}}
        try:
            with bare():
                async with asyncio.timeout(limit) as label.limit:
                    return await self._asked(sdk, method, path, content, options)
        except TimeoutError:
            host = urlsplit(self._base_url).netloc
            raise WireError(
                f"{host} sent no response within {limit:g} s ({setting} sets the limit).",
                code="timeout",
            ) from None
        finally:
            attempt_label.reset(reset)
            signing_keys.reset(unsign)

    async def _asked(
        self, sdk: AsyncOpenAI, method: str, path: str, content: bytes | None, options: Any
    ) -> httpx.Response:
        raw: Any = httpx.Response
        try:
            if method == "GET":
                return cast("httpx.Response", await sdk.get(path, cast_to=raw, options=options))
            if method == "DELETE":
                return cast("httpx.Response", await sdk.delete(path, cast_to=raw, options=options))
            return cast("httpx.Response", await sdk.post(path, cast_to=raw, content=content, options=options))
        except openai.APIStatusError as error:
            response = cast("httpx.Response", error.response)
            raise from_status(response, response.content) from None
        except openai.APIConnectionError as error:
            raise from_connection_error(error, self._base_url) from None
        except openai.OpenAIError as error:
            raise from_sdk_error(error) from None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._sdk.close()


def _told(events: Iterable[StreamEvent], label: AttemptLabel) -> Iterator[StreamEvent]:
    """The events of a whole answer, the exchange's end noted as they pass."""
    exchange = label.exchange
    assert exchange is not None
    for event in events:
        if isinstance(event, TextDelta) and exchange.timings.first_text is None:
            exchange.timings.first_text = label.clock()
        if isinstance(event, ResponseEnded):
            end_as(exchange, event, label.clock())
        yield event
