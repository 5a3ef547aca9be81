"""The chunks of a streamed completion, ending with `data: [DONE]` (section 5, ASSUMED: OpenAI's contract)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..events import Frame
from ..faults import Fault
from ..shapes import Json, encode
from ..stateless import Answer
from ..tokens import Split
from .completion import content, reason, usage_of

CHUNK, DONE = "chat.completion.chunk", "[DONE]"
MESSAGE = "The server had an error while processing your request. Sorry about that!"


def stream(answer: Answer, head: Json, form: str, split: Split, *, usage: bool) -> Iterator[Frame]:
    """All chunks: the role, content or calls, the finish reason, usage where it is wanted, `[DONE]`.

    Args:
        answer: what the model said.
        head: what each chunk begins with.
        form: of `tags.FORMS`.
        split: cuts text into deltas.
        usage: whether a chunk without choices tells it; the others then have `usage: null`.
    """
    tail: Json = {"usage": None} if usage else {}

    def chunk(delta: Json, finish: str | None = None, cost: int = 0, **more: object) -> Frame:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return frame({**head, "choices": [choice], **tail, **more}, cost)

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    yield from _content(head, tail, content(answer, form, split))
    for piece in split(answer.refusal or ""):
        if piece:
            yield chunk({"refusal": piece}, cost=1)
    for index, call in enumerate(answer.calls):
        function = {"name": call["name"], "arguments": ""}
        opened = {"index": index, "id": call["call_id"], "type": "function", "function": function}
        yield chunk({"tool_calls": [opened]})
        for piece in split(call["arguments"]):
            if piece:
                yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, cost=1)
    yield chunk({}, reason(answer), **(answer.assessed.fields() if answer.assessed else {}))
    if usage:
        yield frame({**head, "choices": [], "usage": usage_of(answer)})
    yield Frame(b"data: [DONE]\n\n", DONE)


def frame(value: Json, cost: int = 0) -> Frame:
    """One chunk, ready to send."""
    return Frame(b"data: %b\n\n" % encode(value), CHUNK, cost)


def _content(head: Json, tail: Json, pieces: list[str]) -> Iterator[Frame]:
    """A chunk a piece; what is the same in all of them is serialized once."""
    before = b"data: %b" % encode(head)[:-1] + b',"choices":[{"index":0,"delta":{"content":'
    after = b'},"logprobs":null,"finish_reason":null}]' + (b',"usage":null' if tail else b"") + b"}\n\n"
    for piece in pieces:
        yield Frame(b"%b%b%b" % (before, json.dumps(piece).encode(), after), CHUNK, 1)


def disturb(frames: Iterator[Frame], head: Json, fault: Fault) -> Iterator[Frame]:
    """The stream with the fault's chunks in it, or without its end.

    `failed_deltas` and `error_deltas` both are `data: {"error": …}` and the stream's end: there is no other
    way to say it (ASSUMED).
    """
    deltas = 0
    wanted = fault.error_deltas if fault.error_deltas is not None else fault.failed_deltas
    for sent, one in enumerate(frames):
        last = one.kind == DONE or (deltas and not one.cost)
        if wanted is not None and (last or 0 <= wanted <= deltas) and (last or one.cost or deltas):
            error = {"type": "server_error", "code": "server_error", "message": MESSAGE, "param": None}
            yield Frame(b"data: %b\n\n" % encode({"error": error}), "error")
            return
        if fault.no_terminal and last:
            return
        yield one
        deltas += one.cost > 0
        if fault.duplicate_events == sent:
            yield one
        if fault.malformed_events == sent + 1:
            yield Frame(b'data: {"object":"chat.completion.chunk","choi\n\n', "malformed")
        if fault.unknown_events == sent + 1:
            yield Frame(
                b"data: %b\n\n" % encode({**head, "object": "sandbox.unheard_of", "choices": []}), "unknown"
            )
