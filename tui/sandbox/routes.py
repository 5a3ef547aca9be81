"""The HTTP surface (bedrock-facts.md sections 1.1, 2 and 4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import auth, errors
from .endpoint import Endpoint
from .faults import OPERATIONS, Fault
from .log import Served
from .models import MODELS, find
from .shapes import is_array, is_object
from .stream import RECORD, JsonAnswer

Handler = Callable[[Request], Awaitable[Response]]
_LARGE = 256 * 1024
_LONGEST_BODY = 70 * 1024 * 1024  # 50 MB of PDF in base64, and the rest


class Recorded:
    """Writes every request into the log, and gives each answer its id.

    Section 1.5, VERIFIED (cb): `x-request-id: req_` and 52 characters on every answer.
    """

    def __init__(self, app: ASGIApp, endpoint: Endpoint) -> None:
        self._app, self._endpoint = app, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and keep what happened."""
        if scope["type"] != "http":
            return
        raw: list[tuple[bytes, bytes]] = scope["headers"]
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in raw if k != b"authorization"}
        record = Served(scope["method"], scope["path"], headers, request_id=self._endpoint.ids("req"))
        scope[RECORD] = record
        self._endpoint.log.begin(record)

        parts: list[bytes] = []

        async def recording_receive() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    record.body = b"".join(parts)
            return message

        async def recording_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [*message["headers"], (b"x-request-id", record.request_id.encode())]
                message = {**message, "headers": added}
                record.status = message["status"]
                record.response_headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in added}
            await send(message)

        how = "stopped"
        try:
            await self._app(scope, recording_receive, recording_send)
            how = "finished"
        except ClientDisconnect:
            how = "disconnected"
        finally:
            self._endpoint.log.end(record, record.ended or how)


def build(endpoint: Endpoint) -> ASGIApp:
    """The ASGI application."""

    def guarded(operation: str, handler: Callable[[Request, Fault], Awaitable[Response]]) -> Handler:
        async def handle(request: Request) -> Response:
            fault = Fault()
            try:
                # Read first, so that the log has the body of a refused request as well.
                await _body(request)
                auth.check_bearer(request.headers.get("authorization"), endpoint.region, endpoint.clock())
                if operation in OPERATIONS:
                    fault = await _fault_of(endpoint, operation, request)
                if fault.status is not None:
                    return _faulty(fault)
                return await handler(request, fault)
            except errors.ApiError as error:
                return JsonAnswer(error.status, error.body, headers=error.headers, fault=fault)

        return handle

    async def create(request: Request, fault: Fault) -> Response:
        body = await _json(request)
        if len(await request.body()) > _LARGE:
            # Reading a long document takes a while; other requests go on.
            return await asyncio.to_thread(endpoint.create, body, _prefix(request), fault)
        return endpoint.create(body, _prefix(request), fault)

    async def retrieve(request: Request, fault: Fault) -> Response:
        query = request.query_params
        after = int(query.get("starting_after", -1)) if query.get("starting_after", "0").isdecimal() else -1
        return endpoint.retrieve(
            request.path_params["id"], fault, stream=query.get("stream") == "true", after=after
        )

    async def delete(request: Request, fault: Fault) -> Response:
        return endpoint.delete(request.path_params["id"], fault)

    async def cancel(request: Request, fault: Fault) -> Response:
        return endpoint.cancel(request.path_params["id"], fault)

    async def models(request: Request, fault: Fault) -> Response:
        # Section 1.1, VERIFIED (hermes#65076): /v1/models lists GPT ids that are not callable on /v1.
        served = [m for m in MODELS.values() if not m.regions or endpoint.region in m.regions]
        data = [
            {"id": m.id, "object": "model", "created": 1_780_000_000, "owned_by": "openai"} for m in served
        ]
        return JsonAnswer(200, {"object": "list", "data": data})

    async def faults(request: Request, fault: Fault) -> Response:
        value: object = await _json(request, anything=True)
        try:
            for one in value if is_array(value) else [value]:
                if not is_object(one):
                    raise ValueError("a fault is a JSON object")
                endpoint.faults.add(Fault.parse(one))
        except ValueError as error:
            raise errors.invalid("fault", str(error)) from None
        return JsonAnswer(200, {"object": "sandbox.faults", "queued": True})

    async def chat(request: Request, fault: Fault) -> Response:
        # Section 4 "Wrong API for the model": gpt-5.x takes no Chat Completions on mantle.
        model = str((await _json(request)).get("model"))
        find(model, endpoint.region, MODELS[model].route if model in MODELS else "/openai/v1")
        raise errors.wrong_api(model, "/v1/chat/completions")

    async def nothing(request: Request, fault: Fault) -> Response:
        raise errors.no_route(request.method, request.url.path)

    routes: list[Route] = []
    for prefix in ("/openai/v1", "/v1"):
        routes += [
            Route(f"{prefix}/responses", guarded("create", create), methods=["POST"]),
            Route(f"{prefix}/responses/{{id}}", guarded("retrieve", retrieve), methods=["GET"]),
            Route(f"{prefix}/responses/{{id}}", guarded("delete", delete), methods=["DELETE"]),
            Route(f"{prefix}/responses/{{id}}/cancel", guarded("cancel", cancel), methods=["POST"]),
            Route(f"{prefix}/chat/completions", guarded("chat", chat), methods=["POST"]),
        ]
    routes.append(Route("/v1/models", guarded("models", models), methods=["GET"]))
    routes.append(Route("/sandbox/faults", guarded("faults", faults), methods=["POST"]))
    # Sections 1.1 and 2, VERIFIED (cb, stdapi): /openai/v1/models and …/input_items are 404, as is the rest.
    everything = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    routes.append(Route("/{path:path}", guarded("nothing", nothing), methods=everything))
    return Recorded(Starlette(routes=routes), endpoint)


def _prefix(request: Request) -> str:
    return "/openai/v1" if request.url.path.startswith("/openai/") else "/v1"


async def _body(request: Request) -> bytes:
    if int(request.headers.get("content-length", "0")) > _LONGEST_BODY:
        raise errors.ApiError(413, "request_too_large", "The request body is too large.")
    return await request.body()


async def _json(request: Request, *, anything: bool = False) -> Any:
    try:
        value: Any = getattr(request.state, "parsed", None)
        if value is None:
            value = request.state.parsed = json.loads(await _body(request))
    except (ValueError, RecursionError):
        raise errors.ApiError(400, "validation_error", "invalid request body: not valid JSON") from None
    if not anything and not is_object(value):
        raise errors.ApiError(400, "validation_error", "invalid request body: expected a JSON object")
    return value


async def _fault_of(endpoint: Endpoint, operation: str, request: Request) -> Fault:
    """The request's own fault, else the next that waits."""
    if operation == "create":
        try:
            own = Fault.from_metadata(await _json(request))
        except ValueError as error:
            raise errors.invalid("metadata", str(error)) from None
        if own is not None:
            return own
    return endpoint.faults.take(operation) or Fault()


def _faulty(fault: Fault) -> Response:
    """A status made to order; without a body it has the usual shape."""
    status = fault.status or 500
    body = fault.body
    headers = fault.headers or {}
    if body is None:
        # Section 4 "Throttled" and "5xx": the bodies are ASSUMED.
        kinds = {429: ("rate_limit_exceeded", "Too many tokens, please wait before trying again.")}
        code, message = kinds.get(
            status, ("server_error", "The server had an error while processing your request.")
        )
        body = {"error": {"code": code, "message": message, "param": None, "type": code}}
    if isinstance(body, str):
        if body.lstrip().startswith("<"):
            headers = {"content-type": "text/html; charset=utf-8", **headers}
        body = body.encode()
    return JsonAnswer(status, body, headers=headers, fault=fault)
