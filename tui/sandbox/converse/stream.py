"""The events of ConverseStream (section 6).

The events VERIFIED in part (envoy#1222, aws-sdk-js#6919; their members botocore's). That a block begins with
contentBlockStart only where it is a tool's is ASSUMED; so is the order.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Frame
from ..faults import Fault
from ..shapes import Json, encode
from ..stateless import Answer
from ..tokens import Split
from . import frames
from .answer import call_id, pieces, reason, usage_of

_PADDING = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_MESSAGES = {
    "internalServerException": "The system encountered an unexpected error during processing.",
    "modelStreamErrorException": "The system encountered an unexpected error during processing. Try again.",
    "validationException": "The model returned output that is not valid.",
    "throttlingException": "Too many tokens, please wait before trying again.",
    "serviceUnavailableException": "Bedrock is unable to process your request.",
}
_ENDS = frozenset(("messageStop", "metadata"))


def stream(answer: Answer, form: str | None, split: Split, latency: int) -> Iterator[Frame]:
    """All events.

    Args:
        answer: what the model said.
        form: of `tags.FORMS` where the reasoning leaks into the text; None for a block of its own.
        split: cuts text into deltas.
        latency: milliseconds, as the metadata tell.
    """
    yield _event("messageStart", {"role": "assistant"})
    index = 0
    if form is None and answer.reasoning:
        deltas: list[Json] = [
            {"reasoningContent": {"text": piece}} for piece in split(answer.reasoning) if piece
        ]
        yield from _block(index, deltas)
        index += 1
    if texts := pieces(answer, form, split):
        yield from _block(index, [{"text": piece} for piece in texts])
        index += 1
    for call in answer.calls:
        use = {"toolUseId": call_id(call), "name": call["name"]}
        yield _event("contentBlockStart", {"start": {"toolUse": use}, "contentBlockIndex": index})
        inputs = [{"toolUse": {"input": piece}} for piece in split(call["arguments"]) if piece]
        yield from _block(index, inputs)
        index += 1
    yield _event("messageStop", {"stopReason": reason(answer)})
    told: Json = {"usage": usage_of(answer), "metrics": {"latencyMs": latency}}
    if answer.assessed is not None and answer.assessed.traced:
        told["trace"] = {"guardrail": answer.assessed.converse()}
    yield _event("metadata", told)


def _block(index: int, deltas: list[Json]) -> Iterator[Frame]:
    for delta in deltas:
        yield _event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}, 1)
    yield _event("contentBlockStop", {"contentBlockIndex": index})


def _event(kind: str, payload: Json, cost: int = 0) -> Frame:
    # Section 6, VERIFIED (aws-sdk-js#6919): padding under the key `p`; its length here is made up.
    data = encode(payload)
    padding = _PADDING[: 1 + len(data) * 7 % len(_PADDING)]
    return Frame(frames.event(kind, b'%b,"p":"%b"}' % (data[:-1], padding)), kind, cost)


def disturb(events: Iterator[Frame], fault: Fault) -> Iterator[Frame]:
    """The stream with the fault's frames in it, or without its end."""
    for sent, frame in enumerate(_failing(events, fault)):
        if fault.bad_crc == sent:
            frame = frame._replace(data=frames.damaged(frame.data, -1))
        if fault.bad_prelude == sent:
            frame = frame._replace(data=frames.damaged(frame.data, 8))
        yield frame
        if fault.duplicate_events == sent:
            yield frame
        if fault.malformed_events == sent + 1:
            yield Frame(frames.event("contentBlockDelta", b'{"delta":{"te'), "malformed")
        if fault.unknown_events == sent + 1:
            yield _event("sandboxUnheardOf", {"note": "a client must tolerate this"})


def _failing(events: Iterator[Frame], fault: Fault) -> Iterator[Frame]:
    """End early with an exception after the wanted number of events or deltas, or with nothing."""
    wanted = fault.error_deltas if fault.error_deltas is not None else fault.failed_deltas
    deltas = 0
    for sent, frame in enumerate(events):
        if fault.exception is not None and sent == fault.exception_events:
            yield _exception(fault.exception)
            return
        last = frame.kind in _ENDS
        if wanted is not None and (last or (frame.cost and 0 <= wanted <= deltas)):
            yield _exception("modelStreamErrorException")
            return
        if fault.no_terminal and last:
            return
        yield frame
        deltas += frame.cost > 0
    if fault.exception is not None:
        yield _exception(fault.exception)


def _exception(kind: str) -> Frame:
    if kind == "error":
        return Frame(frames.error("InternalFailure", "The stream broke off."), kind)
    payload: Json = {"message": _MESSAGES[kind]}
    if kind == "modelStreamErrorException":
        payload |= {"originalStatusCode": 500, "originalMessage": "The sandbox was told to fail."}
    return Frame(frames.exception(kind, payload), kind)
