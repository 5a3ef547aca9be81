"""Faults on demand: what server, proxy and network do to a client (bedrock-facts.md sections 3, 4)."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from . import responses, tags
from .events import Frame, Writer
from .shapes import Json, is_object, object_at

Operation = Literal[
    "create", "responses", "chat", "converse", "invoke", "job", "retrieve", "delete", "cancel", "models"
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
_ASKS = frozenset(("responses", "chat", "converse", "invoke"))

# Section 6 "Mid-stream exceptions", VERIFIED (crewAI#7417; botocore's service model has the same five);
# `error` is a frame of the message type error, which the format has, too.
EXCEPTIONS = (
    "internalServerException",
    "modelStreamErrorException",
    "validationException",
    "throttlingException",
    "serviceUnavailableException",
    "error",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong; every field is off by default and they combine.

    Asked for by `SandboxServer.fault`, by `POST /sandbox/faults` (see `tui.sandbox.control`) for the next
    requests, or by a create request for itself, in its body: `"metadata": {"sandbox_fault": "<JSON>"}`.
    A fault that is about an answer, with neither a status nor a wait, waits on where its request is refused
    for what it says (an unknown `previous_response_id`, say).

    Attributes:
        on: which operation. create is whatever asks a model: responses, chat, converse (and converse-stream)
            or invoke, which also go by these names; job is a batch job's creation; retrieve, delete and
            cancel are of stored responses; models is either list of models.
        times: how many requests it holds for.
        status: answer with this status, `body` and `headers`, and nothing else.
        body: a string is sent as it is (text/html where it begins with "<"), anything else as JSON.
        headers: additional response headers.
        wait: seconds before the response's headers.
        cut_bytes: close the connection after so many bytes of the body.
        end_bytes: end a stream's body in good order after so many bytes, amid an event or a frame.
        cut_events: close it after so many events.
        stall_events: be silent after so many events ...
        stall_seconds: ... for so long; None until the client goes.
        keepalive: send a `: keep-alive` comment every so many seconds of a stall.
        one_byte: each byte of the body in a chunk of its own.
        malformed_events: after so many events, an event whose data is no JSON.
        unknown_events: after so many events, an event of an unknown type.
        duplicate_events: the event with this number (from 0) comes twice, with the same sequence number.
        failed_deltas: `response.failed` after so many deltas; -1 after all of them.
        error_deltas: an `error` event after so many deltas, then the end.
        error_body: `event: error` with `{"error": {...}}` instead, which the SDK raises (section 3).
        no_terminal: end without the terminal event.
        empty: completed with empty output and no output tokens (section 3, VERIFIED, opencode#31430).
        no_usage: no usage at all.
        refusal: refuse with this text.
        answer: answer with this text, whatever was asked for: JSON that breaks its schema, say.
        reasoning: how reasoning lies in the text of Chat Completions, InvokeModel and Converse, where it
            otherwise has blocks of its own: whole, deltas, cut, nested, late, open or none (`tags.FORMS`).
        exception: the stream of Converse ends with this exception, `throttlingException` say, or with an
            error frame for `error` (`EXCEPTIONS`) ...
        exception_events: ... after so many events; 0 by default.
        bad_crc: the frame with this number (from 0) of a Converse stream has a wrong checksum at its end.
        bad_prelude: the frame with this number has a wrong checksum of its first eight bytes.
    """

    on: str = "create"
    times: int = 1
    status: int | None = None
    body: Any = None
    headers: dict[str, str] | None = None
    wait: float = 0.0
    cut_bytes: int | None = None
    end_bytes: int | None = None
    cut_events: int | None = None
    stall_events: int | None = None
    stall_seconds: float | None = None
    keepalive: float | None = None
    one_byte: bool = False
    malformed_events: int | None = None
    unknown_events: int | None = None
    duplicate_events: int | None = None
    failed_deltas: int | None = None
    error_deltas: int | None = None
    error_body: bool = False
    no_terminal: bool = False
    empty: bool = False
    no_usage: bool = False
    refusal: str | None = None
    answer: str | None = None
    reasoning: str | None = None
    exception: str | None = None
    exception_events: int = 0
    bad_crc: int | None = None
    bad_prelude: int | None = None

    @classmethod
    def parse(cls, value: Json) -> Fault:
        """A fault from JSON.

        Raises:
            ValueError: a name that is none of the attributes, or a value of another type.
        """
        known = {field.name: field for field in fields(cls)}
        if unknown := sorted(set(value) - set(known)):
            raise ValueError(f"unknown fault {', '.join(unknown)}; known: {', '.join(known)}")
        for name, given in value.items():
            kind = str(known[name].type)
            good = (
                name == "body"
                or (given is None and "None" in kind)
                or (isinstance(given, bool) and "bool" in kind)
                or (isinstance(given, str) and "str" in kind and "dict" not in kind)
                or (isinstance(given, dict) and "dict" in kind)
                or (
                    not isinstance(given, bool)
                    and isinstance(given, int)
                    and ("int" in kind or "float" in kind)
                )
                or (isinstance(given, float) and "float" in kind)
            )
            if not good:
                raise ValueError(f"fault {name}: expected {kind}")
        fault = cls(**value)
        if fault.on not in OPERATIONS:
            raise ValueError(f"fault on: one of {', '.join(OPERATIONS)}")
        if fault.reasoning not in (None, *tags.FORMS):
            raise ValueError(f"fault reasoning: one of {', '.join(tags.FORMS)}")
        if fault.exception not in (None, *EXCEPTIONS):
            raise ValueError(f"fault exception: one of {', '.join(EXCEPTIONS)}")
        return fault

    @classmethod
    def from_metadata(cls, body: Json) -> Fault | None:
        """The fault that a request asks for itself: `metadata: {"sandbox_fault": "<json>"}`.

        Converse calls it `requestMetadata`.

        Raises:
            ValueError: as `parse`, or no JSON object.
        """
        said = object_at(body, "metadata") or object_at(body, "requestMetadata")
        text = said.get("sandbox_fault")
        if text is None:
            return None
        value = json.loads(text)
        if not is_object(value):
            raise ValueError("sandbox_fault: expected a JSON object")
        return cls.parse(value)


class FaultQueue:
    """Faults that wait for their request, first come first served. Safe from any thread."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def add(self, fault: Fault) -> None:
        """Let a fault wait."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget all that wait."""
        with self._lock:
            self._waiting.clear()

    def take(self, operation: str) -> Fault | None:
        """The oldest fault for this operation; it is used up when its `times` are."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.on == operation or (fault.on == "create" and operation in _ASKS):
                    if fault.times > 1:
                        self._waiting[index] = replace(fault, times=fault.times - 1)
                    else:
                        del self._waiting[index]
                    return fault
        return None

    def give_back(self, fault: Fault) -> None:
        """Let a fault that was taken wait for the next request: this one was refused, so nothing was made."""
        with self._lock:
            self._waiting.appendleft(replace(fault, times=1))


TERMINALS = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


def disturb(
    frames: Iterator[Frame], writer: Writer, fault: Fault, begun: Json, ended: Json
) -> Iterator[Frame]:
    """The stream with the fault's events in it; `frames` must be lazy: injected events take a number."""
    for sent, frame in enumerate(_failing(frames, writer, fault, begun, ended)):
        if fault.no_terminal and frame.kind in TERMINALS:
            return
        yield frame
        if fault.duplicate_events == sent:
            yield frame
        if fault.malformed_events == sent + 1:
            yield Frame(
                b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta\n\n',
                "malformed",
            )
        if fault.unknown_events == sent + 1:
            yield writer.event("response.sandbox.unheard_of", note="a client must tolerate this")


def _failing(
    frames: Iterator[Frame], writer: Writer, fault: Fault, begun: Json, ended: Json
) -> Iterator[Frame]:
    """End early with `response.failed` or an error after the wanted number of deltas."""
    deltas = 0
    for frame in frames:
        last = frame.kind in TERMINALS
        begun_text = last or bool(frame.cost or deltas)
        if fault.failed_deltas is not None and begun_text and (last or 0 <= fault.failed_deltas <= deltas):
            items: list[Json] = ended["output"] if last else []
            yield writer.event("response.failed", response=responses.fail(begun, items))
            return
        if fault.error_deltas is not None and begun_text and (last or fault.error_deltas <= deltas):
            yield _error(writer, fault)
            return
        yield frame
        deltas += frame.cost > 0


def _error(writer: Writer, fault: Fault) -> Frame:
    message = "The server had an error while processing your request. Sorry about that!"
    if fault.error_body:
        error = {"type": "server_error", "code": "server_error", "message": message, "param": None}
        return Frame(f"event: error\ndata: {json.dumps({'error': error})}\n\n".encode(), "error")
    return writer.event("error", code="server_error", message=message, param=None)
