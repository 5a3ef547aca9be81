"""POST /model/ID/converse and POST /model/ID/converse-stream."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from .. import aws, models, stateless
from ..body import json_of
from ..faults import Fault
from ..place import Place
from ..quota import Quota
from ..service import Service
from ..stream import EventStream, JsonAnswer
from . import answer as answers
from . import stream
from .request import check

EVENT_STREAM = "application/vnd.amazon.eventstream"


async def create(
    request: Request, service: Service, place: Place, quota: Quota | None, fault: Fault, *, streamed: bool
) -> Response:
    """Answer a conversation.

    Raises:
        ApiError: 400; 404 and others as a fault.
    """
    body = await json_of(request)
    prompt = check(body, model_of(request.path_params["id"]))
    answer = await asyncio.to_thread(stateless.answer, service, place, quota, prompt, fault)
    split = service.tokenizer.split
    benchmark = answer.model.benchmark
    rate: float | None = benchmark[1] or None if benchmark else service.options.rate
    delay = answer.output_tokens / rate if rate else 0.0
    # Made up where nothing waits: a millisecond a token.
    latency = round(delay * 1000) or answer.output_tokens + 1
    if streamed:
        frames = stream.stream(answer, fault.reasoning, split, latency)
        if fault != Fault():
            frames = stream.disturb(frames, fault)
        headers = {"content-type": EVENT_STREAM}
        return EventStream(frames, rate=rate, headers=headers, fault=fault, comment=b"")
    if fault.failed_deltas is not None or fault.error_deltas is not None:
        raise aws.of_status(424)
    made = answers.converse(answer, fault.reasoning, split, latency)
    return JsonAnswer(200, made, fault=fault, delay=delay)


def model_of(name: str) -> models.Model:
    """The model of a path.

    Raises:
        AwsError: 400 where there is none, or it has the OpenAI APIs only.
    """
    model = models.find_native(name)
    if model is not None:
        return model
    bare = name.partition(".")[2] if name.startswith(("us.", "us-gov.", "global.")) else name
    raise aws.wrong_action() if bare in models.MODELS else aws.no_such_model()
