"""The table of faults: what a server, a proxy or the network does to an answer, and what comes of the turn.

One row for each fault of the list that the project was given, and for each that the sandbox can make. A
fault is the sandbox's (`Fault`'s names) or the way's (`meddler.py`); a row holds for the APIs it names.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from support.meddler import Answer, Trouble

from tui.core.items import Outcome

__all__ = ["ALL", "ANSWER", "ROWS", "STREAMED", "Row", "rows_of"]

ANSWER = "alpha beta gamma delta epsilon"
ALL = ("responses", "chat_completions", "converse", "invoke_model")
STREAMED = ALL[:3]
SSE = ALL[:2]
TWO = (ALL[0], ALL[2])
"""What is the same whatever the API."""
R, C, V, W = (("responses",), ("chat_completions",), ("converse",), ("invoke_model",))
COMPLETED, INCOMPLETE, FAILED, CANCELLED = (
    Outcome.COMPLETED,
    Outcome.INCOMPLETE,
    Outcome.FAILED,
    Outcome.CANCELLED,
)
AGAIN, MODELS, SUMMARY, CHECKS = "turn.regenerate", "target.pick", "conversation.compact", "checks.open"


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        name: What happens.
        apis: Over which APIs.
        fault: The sandbox's, or
        trouble: what is done to the answer on its way.
        outcome: How the turn ends.
        words: What the sentence says; empty where there is none.
        way: The command that leads on; empty for none.
        requests: How many the server sees.
        text: The answer's text; `None` for what was delivered of it.
        still: Whether nothing more comes, so that only the idle timer ends it.
    """

    name: str
    apis: tuple[str, ...] = ALL
    fault: Mapping[str, Any] = field(default_factory=dict[str, Any])
    trouble: Trouble | None = None
    outcome: Outcome = FAILED
    words: str = ""
    way: str = AGAIN
    requests: int = 1
    text: str | None = None
    still: bool = False


def good(name: str, apis: tuple[str, ...] = ALL, **more: Any) -> Row:
    """A fault that does the answer no harm."""
    return Row(name, apis, **{"outcome": COMPLETED, "way": "", "text": ANSWER, **more})


def refused(status: int, message: str, **more: Any) -> dict[str, Any]:
    """The sandbox's fault for a refusal."""
    error = {
        "code": "validation_error",
        "message": message,
        "type": "invalid_request_error",
        "param": "input",
    }
    return {"status": status, "body": {"error": error}, **more}


SOON = {"retry-after-ms": "2"}
_TOO_LONG = "prompt tokens (1055489) exceed model maximum (1050000) for openai.gpt-5.6-sol"
SAID, CUT, SILENT = "The server ended the answer with an error", "broke off", "sent nothing for"
OVER = "ended before the answer did"

REFUSALS = (
    good("429 that says when to come back", fault=refused(429, "slow", headers=SOON), requests=2),
    good("500 twice", TWO, fault=refused(500, "oops", headers=SOON, times=2), requests=3),
    good(
        "503 as a page of a proxy",
        TWO,
        fault={"status": 503, "body": "<html>busy</html>", "headers": SOON},
        requests=2,
    ),
    *(
        good(f"{status} once", R, fault=refused(status, "later", headers=SOON), requests=2)
        for status in (408, 409, 502, 504)
    ),
    Row(
        "429 again and again",
        fault=refused(429, "slow", headers=SOON, times=3),
        words="throttling (429)",
        requests=3,
    ),
    Row(
        "429 for an hour",
        TWO,
        fault=refused(429, "slow", headers={"retry-after": "3600"}),
        words="left alone for 60 min",
    ),
    Row(
        "500 again and again",
        TWO,
        fault=refused(500, "oops", headers=SOON, times=3),
        words="had an error (500)",
        requests=3,
    ),
    Row(
        "500 that says not to",
        TWO,
        fault=refused(500, "oops", headers={"x-should-retry": "false"}),
        words="had an error (500)",
    ),
    Row(
        "401",
        fault={"status": 401, "body": {"error": {"message": "expired"}}},
        words="refused the token (401)",
        way="token.enter",
    ),
    Row(
        "403 of AWS",
        fault={"status": 403, "body": {"Message": "not allowed"}},
        words="not allowed",
        way="token.enter",
    ),
    Row(
        "404 of a model",
        fault=refused(404, "The model 'm.x' does not exist"),
        words="does not exist",
        way=MODELS,
    ),
    Row(
        "400 wrong API",
        TWO,
        fault=refused(400, "The model 'm.x' does not support the '/v1/x' API"),
        words="does not support",
        way=MODELS,
    ),
    Row("400 too long", fault=refused(400, _TOO_LONG), words="prompt tokens", way=SUMMARY),
    Row("400", fault=refused(400, "no \x1b[2J\u202e good"), words="no ␛[2J� good"),
    Row("413", TWO, fault=refused(413, "large"), words="too large", way="turn.edit"),
    Row("424", TWO, fault=refused(424, "the model"), words="(424)"),
    Row(
        "302",
        TWO,
        fault={"status": 302, "headers": {"location": "http://other.example/x"}},
        words="follows no redirects",
        way=CHECKS,
    ),
    Row(
        "307",
        fault={"status": 307, "headers": {"location": "http://other.example/x"}},
        words="other.example",
        way=CHECKS,
    ),
    Row(
        "an error that is a page",
        fault={"status": 400, "body": "<html><title>Blocked</title></html>"},
        words="Blocked",
        apis=ALL[1:],
    ),
)

NO_STREAM = (
    Row(
        "200 with a page",
        fault={"status": 200, "body": "<html><title>Log in</title></html>"},
        apis=STREAMED,
        words="text/html; charset=utf-8 instead of an event stream",
        way=CHECKS,
    ),
    Row(
        "200 with a page, no stream",
        fault={"status": 200, "body": "<html>Log in</html>"},
        apis=W,
        words="not JSON",
        way=CHECKS,
    ),
    Row(
        "200 with JSON",
        fault={"status": 200, "body": {"ok": True}},
        apis=STREAMED,
        words="instead of an event stream",
        way=CHECKS,
    ),
    Row(
        "200 with JSON, no stream", fault={"status": 200, "body": {"ok": True}}, apis=W, words="no completion"
    ),
    Row(
        "200 with an error",
        fault={"status": 200, "body": {"error": {"message": "out of luck"}}},
        words="out of luck",
        way="",
    ),
    Row("200 with nothing", fault={"status": 200, "body": ""}, words="", way=CHECKS),
)

STREAM = (
    good("one byte in a chunk", fault={"one_byte": True}),
    good("an unknown event", STREAMED, fault={"unknown_events": 3}),
    good("an event twice", R, fault={"duplicate_events": 6}),
    good("the first event twice", ("chat_completions", "converse"), fault={"duplicate_events": 0}),
    good("no usage", ALL, fault={"no_usage": True}),
    good("another answer", ALL, fault={"answer": ANSWER}),
    good("a pause", STREAMED, fault={"stall_events": 4, "stall_seconds": 0.05, "keepalive": 0.02}),
    good("slow headers", ALL, fault={"wait": 0.03}),
    good("a refusal", R, fault={"refusal": "No."}, text="No."),
    good("nothing at all", R, fault={"empty": True}, text=""),
    Row("no end", STREAMED, fault={"no_terminal": True}, words=OVER),
    Row("cut before the first byte", ALL, fault={"cut_bytes": 0}, words=CUT),
    Row("cut after a byte", ALL, fault={"cut_bytes": 1}, words=CUT),
    Row("cut amid an event", STREAMED, fault={"cut_bytes": 1000}, words=CUT),
    Row("cut after an event", STREAMED, fault={"cut_events": 5}, words=CUT),
    Row("ended amid an event", STREAMED, fault={"end_bytes": 1000}, words=OVER),
    Row("ended amid an object", W, fault={"end_bytes": 100}, words="not JSON", way=CHECKS),
    Row("an event that is no JSON", SSE, fault={"malformed_events": 7}, words="not JSON"),
    Row("a frame that is no JSON", V, fault={"malformed_events": 5}, words="no JSON object"),
    Row("failed after some text", SSE, fault={"failed_deltas": 3}, words="error"),
    Row("failed after all of it", SSE, fault={"failed_deltas": -1}, words="error"),
    Row("an error event", STREAMED, fault={"error_deltas": 3}, words=SAID),
    Row("an error event as the SDK raises it", R, fault={"error_deltas": 3, "error_body": True}, words=SAID),
    *(
        Row(f"exception {kind}", V, fault={"exception": kind, "exception_events": 4}, words=SAID)
        for kind in (
            "internalServerException",
            "modelStreamErrorException",
            "validationException",
            "throttlingException",
            "serviceUnavailableException",
            "error",
        )
    ),
    Row("a wrong checksum", V, fault={"bad_crc": 4}, words="a checksum does not match"),
    Row("a wrong checksum of the head", V, fault={"bad_prelude": 4}, words="a checksum does not match"),
    *(
        good(
            f"reasoning in the text: {form}",
            ("chat_completions", "converse", "invoke_model"),
            fault={"reasoning": form},
        )
        for form in ("whole", "deltas", "cut", "nested", "late", "none")
    ),
    good(
        "reasoning in the text: open",
        ("chat_completions", "converse", "invoke_model"),
        fault={"reasoning": "open"},
        text="",
    ),
)


# -- on the way --------------------------------------------------------------------------------------------


def rewritten(change: Any, *headers: str) -> Trouble:
    """The body changed, then handed on in good order."""

    async def trouble(answer: Answer) -> None:
        await answer.whole(change(answer.body), *headers)

    return trouble


def before_end(more: bytes, *, last: bool = False) -> Trouble:
    """Something put in before the last event or, with `last`, in its place; then the end."""

    async def trouble(answer: Answer) -> None:
        at = answer.ends[-2]
        await answer.whole(answer.body[:at] + more + (b"" if last else answer.body[at:]))

    return trouble


def events_then(
    count: int, more: bytes = b"", *, again: bytes = b"", stays: bool = False, reset: bool = False
) -> Trouble:
    """Some events, then more; then `again` while somebody listens, nothing at all, a reset, or the end."""

    async def trouble(answer: Answer) -> None:
        await answer.head()
        await answer.send(answer.body[: answer.ends[count - 1]] + more)
        if again or stays:
            await answer.forever(again)
        elif reset:
            # The bytes before it are not to be lost with it.
            await asyncio.sleep(0.02)
            answer.reset()

    return trouble


async def silent_from_the_start(answer: Answer) -> None:
    await answer.head()
    await answer.forever(b"")


async def no_headers(answer: Answer) -> None:
    await answer.forever(b"")


async def headers_in_drops(answer: Answer) -> None:
    await answer.raw(b"HTTP/1.1 200 OK\r\n")
    await answer.forever(b"x-wait: more\r\n")


async def object_in_drops(answer: Answer) -> None:
    await answer.head("content-length: 100000")
    await answer.forever(b" ")


async def an_event_in_drops(answer: Answer) -> None:
    await answer.head()
    body = answer.body
    await answer.send(body[: answer.ends[5]])
    for at in range(answer.ends[5], answer.ends[6] - 12):
        await answer.send(body[at : at + 1])
        await asyncio.sleep(0.002)
    await answer.forever(b"")


async def reset_at_once(answer: Answer) -> None:
    answer.reset()


async def chunk_cut(answer: Answer) -> None:
    await answer.head("transfer-encoding: chunked")
    body = answer.body[: answer.ends[5]]
    await answer.raw(b"%x\r\n" % len(body))
    await answer.send(body)
    await answer.raw(b"\r\n40\r\nhalf")


async def chunks_of_nonsense(answer: Answer) -> None:
    await answer.head("transfer-encoding: chunked")
    body = answer.body[: answer.ends[5]]
    await answer.raw(b"%x\r\n" % len(body))
    await answer.send(body)
    await answer.raw(b"\r\nzzz\r\n")


def length(change: int) -> Trouble:
    """A content-length that is wrong by so much."""

    async def trouble(answer: Answer) -> None:
        await answer.head(f"content-length: {len(answer.body) + change}")
        await answer.raw(answer.body)
        answer.delivered += answer.body[:change] if change < 0 else answer.body

    return trouble


def packed(kind: str, data: Any, *, cut: bool = False) -> Trouble:
    """Packed although identity was asked for, perhaps with its first half alone."""

    async def trouble(answer: Answer) -> None:
        sent = data(answer.body)
        sent = sent[: len(sent) // 2] if cut else sent
        if kind == "gzip" and data is gzip.compress:
            answer.delivered += zlib.decompressobj(31).decompress(sent)
        await answer.head(f"content-encoding: {kind}", f"content-length: {len(sent)}")
        await answer.raw(sent)

    return trouble


async def done_and_open(answer: Answer) -> None:
    await answer.head()
    await answer.send(answer.body[: answer.ends[5]] + b"data: [DONE]\n\n")
    await answer.forever(b": still here\n\n")


async def not_streamed(answer: Answer) -> None:
    """The answer as one object, as of a gateway that does not know of streams."""
    last = answer.body[answer.ends[-2] :]
    response = json.loads(last.partition(b"data: ")[2])["response"]
    body = json.dumps(response).encode()
    await answer.head(f"content-length: {len(body)}", kind="application/json")
    await answer.raw(body)


def _twice(body: bytes) -> bytes:
    events = [event + b"\n\n" for event in body.split(b"\n\n") if event]
    return b"".join(event * 2 for event in events)


def _crowded(body: bytes) -> bytes:
    return b"\xef\xbb\xbf" + body.replace(b"\n\n", b"\n\n: ping\n\ndata:\n\n:\n\n")


LARGE = b'event: response.new_thing\ndata: {"type":"response.new_thing","x":"%b"}\n\n' % (b"y" * 4_000_000)
LARGE_CHUNK = b'data: {"object":"chat.new_thing","x":"%b"}\n\n' % (b"y" * 4_000_000)
DEEP = b"data: %b\n\n" % (b"[" * 100_000)
ERROR = b'data: {"error": "out of luck"}\n\n'
HEARTBEAT = (
    b"event: response.in_progress\n"
    b'data: {"type":"response.in_progress","response":{"status":"in_progress"}}\n\n'
)
KEEPALIVE = b'event: keepalive\ndata: {"type":"keepalive"}\n\n'
ITEM = (
    b"event: response.output_item.added\n"
    b'data: {"type":"response.output_item.added","output_index":9,"item":{"type":"new","id":"n"}}\n\n'
)
CANCEL = (
    b'event: response.cancelled\ndata: {"type":"response.cancelled","response":{"status":"cancelled"}}\n\n'
)
FILTER = (
    b'event: response.incomplete\ndata: {"type":"response.incomplete","response":{"status":"incomplete",'
    b'"incomplete_details":{"reason":"content_filter"}}}\n\n'
)
UNICODE = ANSWER.replace("beta", "be\u2028t\u0085a")

WAY = (
    good("CR", SSE, trouble=rewritten(lambda body: body.replace(b"\n", b"\r"))),
    good("CRLF", SSE, trouble=rewritten(lambda body: body.replace(b"\n", b"\r\n"))),
    good("BOM, comments, events without data", SSE, trouble=rewritten(_crowded)),
    good("no blank after data:", SSE, trouble=rewritten(lambda body: body.replace(b"data: ", b"data:"))),
    good(
        "U+2028 and U+0085 as they are",
        SSE,
        text=UNICODE,
        trouble=rewritten(lambda body: body.replace(b"beta", "be\u2028t\u0085a".encode())),
    ),
    good("an event of 4 MB", R, trouble=before_end(LARGE)),
    good("a chunk of 4 MB", C, trouble=before_end(LARGE_CHUNK)),
    good("an unknown item", R, trouble=before_end(ITEM)),
    good("every event twice", R, trouble=rewritten(_twice)),
    good("the last blank line missing", SSE, trouble=rewritten(lambda body: body.rstrip(b"\n"))),
    good("gzip that nobody asked for", ALL, trouble=packed("gzip", gzip.compress)),
    good("a body without a length", ALL, trouble=lambda answer: _plainly(answer)),
    good("an answer in place of a stream", R, trouble=not_streamed),
    Row("gzip cut", STREAMED, trouble=packed("gzip", gzip.compress, cut=True), words=OVER),
    Row(
        "gzip cut, no stream",
        W,
        trouble=packed("gzip", gzip.compress, cut=True),
        words="not JSON",
        way=CHECKS,
        text="",
    ),
    Row("no gzip at all", ALL, trouble=packed("gzip", bytes), words="decompressed", text=""),
    Row("br", ALL, trouble=packed("br", bytes), words="packed its answer as br", way=CHECKS, text=""),
    good("a length too long", STREAMED, trouble=length(40)),
    Row("a length too long, no stream", W, trouble=length(40), words=CUT),
    Row("a length too short", STREAMED, trouble=length(-700), words=OVER),
    Row("a chunk cut", STREAMED, trouble=chunk_cut, words=CUT),
    Row("chunks of nonsense", STREAMED, trouble=chunks_of_nonsense, words=CUT),
    Row("RST amid the answer", STREAMED, trouble=events_then(6, reset=True), words=CUT),
    Row("RST before it", ALL, trouble=reset_at_once, words=CUT),
    Row("[DONE] alone", SSE, trouble=events_then(6, b"data: [DONE]\n\n"), words=OVER),
    Row("[DONE], and the connection stays", SSE, trouble=done_and_open, words=OVER),
    Row(
        "bytes that are no UTF-8",
        SSE,
        trouble=events_then(6, b'data: {"type":"x\xff\xfe"}\n\n'),
        words="not UTF-8",
    ),
    Row("an event that is nested without end", SSE, trouble=events_then(6, DEEP), words="not JSON"),
    Row("an event that is a list", SSE, trouble=events_then(6, b"data: []\n\n"), words="not a JSON object"),
    Row("a bare error", SSE, trouble=events_then(6, ERROR), words="out of luck"),
    Row(
        "an error without a word",
        SSE,
        trouble=events_then(6, b'event: error\ndata: {"error": {}}\n\n'),
        words="",
    ),
    Row(
        "cancelled by the server",
        R,
        outcome=CANCELLED,
        words="The server cancelled this answer.",
        way="",
        trouble=before_end(CANCEL, last=True),
        text=ANSWER,
    ),
    Row(
        "incomplete by the filter",
        R,
        outcome=INCOMPLETE,
        words="the content filter stopped it",
        text=ANSWER,
        trouble=before_end(FILTER, last=True),
    ),
)

STILL = (
    Row("silence amid the answer", STREAMED, trouble=events_then(6, stays=True), words=SILENT, still=True),
    Row("comments alone", SSE, trouble=events_then(6, again=b": ping\n\n"), words=SILENT, still=True),
    Row(
        "events without data alone", SSE, trouble=events_then(6, again=b"data:\n\n"), words=SILENT, still=True
    ),
    Row("in_progress alone", R, trouble=events_then(6, again=HEARTBEAT), words=SILENT, still=True),
    Row("keepalive events alone", SSE, trouble=events_then(6, again=KEEPALIVE), words=SILENT, still=True),
    Row("an event in drops", STREAMED, trouble=an_event_in_drops, words=SILENT, still=True),
    Row("no first byte", STREAMED, trouble=silent_from_the_start, words=SILENT, still=True),
    Row("no headers", STREAMED, trouble=no_headers, words="sent no response within", still=True),
    Row("headers in drops", STREAMED, trouble=headers_in_drops, words="sent no response within", still=True),
    Row("an object in drops", W, trouble=object_in_drops, words="sent no response within", still=True),
    Row("no object", W, trouble=no_headers, words="sent no response within", still=True),
)


async def _plainly(answer: Answer) -> None:
    await answer.head()
    await answer.send(answer.body)


ROWS = (*REFUSALS, *NO_STREAM, *STREAM, *WAY, *STILL)


def rows_of(rows: tuple[Row, ...], api: str) -> list[Row]:
    """Those that hold for an API."""
    return [row for row in rows if api in row.apis]
