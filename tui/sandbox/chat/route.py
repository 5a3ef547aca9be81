"""POST /chat/completions."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from .. import errors, guardrail, models, stateless
from ..body import json_of
from ..faults import Fault
from ..place import Place
from ..quota import Quota
from ..service import Service
from ..shapes import Json
from ..stream import EventStream, JsonAnswer
from . import completion, stream
from .request import check, check_shape, stream_usage, tag_suffix


async def create(
    request: Request, service: Service, place: Place, quota: Quota | None, route: str, fault: Fault
) -> Response:
    """Answer a conversation, whole or as a stream.

    Section 5: guardrails are runtime's, VERIFIED (seed2); mantle does not look at the headers (ASSUMED).

    Raises:
        ApiError: as documented in section 4.
    """
    body = await json_of(request)
    model = _model(body, place, route)
    check_shape(body)
    try:
        guard = guardrail.of_headers(request.headers, tag_suffix(body)) if place.is_runtime else None
    except ValueError as error:
        raise errors.ApiError(400, "validation_error", str(error)) from None
    prompt = check(body, model, guard)
    # Counting a long prompt takes a while; other requests go on.
    answer = await asyncio.to_thread(stateless.answer, service, place, quota, prompt, fault)
    return respond(service, body, answer, fault)


def respond(service: Service, body: Json, answer: stateless.Answer, fault: Fault) -> Response:
    """The answer on its way; InvokeModel's is the same without a stream."""
    split, now = service.tokenizer.split, int(service.clock())
    benchmark = answer.model.benchmark
    rate: float | None = benchmark[1] or None if benchmark else service.options.rate
    if not body.get("stream"):
        if fault.failed_deltas is not None or fault.error_deltas is not None:
            raise errors.ApiError(500, "server_error", stream.MESSAGE, kind="server_error")
        head = completion.envelope("chat.completion", answer, service.ids, now)
        made = completion.completion(
            answer, head, fault.reasoning or "whole", split, usage=not fault.no_usage
        )
        delay = answer.output_tokens / rate if rate else 0.0
        return JsonAnswer(200, made, fault=fault, delay=delay)
    head = completion.envelope(stream.CHUNK, answer, service.ids, now)
    # Section 5, VERIFIED (ren8k) on runtime: each delta of the reasoning has tags of its own. That mantle's
    # streams look alike is ASSUMED.
    form = fault.reasoning or "deltas"
    usage = stream_usage(body) and not fault.no_usage
    frames = stream.stream(answer, head, form, split, usage=usage)
    if fault != Fault():
        frames = stream.disturb(frames, head, fault)
    return EventStream(frames, rate=rate, headers={}, fault=fault)


def _model(body: Json, place: Place, route: str) -> models.Model:
    name: object = body.get("model")
    if not isinstance(name, str) or not name:
        raise errors.missing("model")
    return models.find_for_chat(name, place, route)
