"""POST /model/ID/invoke: the body and the answer of Chat Completions (section 6, VERIFIED, seed2)."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from .. import aws, guardrail, stateless
from ..body import json_of
from ..chat.request import check, check_shape, tag_suffix
from ..chat.route import respond
from ..converse.route import model_of
from ..faults import Fault
from ..place import Place
from ..quota import Quota
from ..service import Service


async def create(
    request: Request, service: Service, place: Place, quota: Quota | None, fault: Fault
) -> Response:
    """Answer a conversation, whole.

    `model` may be absent, else it is the path's; `stream` is false or absent.

    Raises:
        ApiError: 400.
    """
    body = await json_of(request)
    model = model_of(request.path_params["id"])
    if body.get("model") not in (None, model.id):
        raise aws.invalid(
            f"The model '{body['model']}' in the body is not the model '{model.id}' of the path."
        )
    if body.get("stream"):
        raise aws.invalid("Streaming is not supported by this operation: 'stream' must be false or absent.")
    check_shape(body)
    try:
        guard = guardrail.of_headers(request.headers, tag_suffix(body))
    except ValueError as error:
        raise aws.invalid(str(error)) from None
    prompt = check(body, model, guard)
    answer = await asyncio.to_thread(stateless.answer, service, place, quota, prompt, fault)
    return respond(service, body, answer, fault)
