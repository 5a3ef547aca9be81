"""The HTTP surface (bedrock-facts.md sections 1.1, 2 and 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import auth, aws, errors, sigv4
from .body import bytes_of, json_of
from .chat import route as chat
from .control import Control
from .endpoint import Endpoint
from .faults import Fault, Operation
from .models import MODELS, is_fake
from .native import route as native
from .place import EndpointName, Place, is_region
from .quota import Quota
from .recording import Recorded
from .service import Service
from .stream import JsonAnswer

Handler = Callable[[Request], Awaitable[Response]]
Operate = Callable[[Request, "Target", Fault], Awaitable[Response]]
# Section 1.1: runtime has no /v1.
_SURFACES: tuple[tuple[EndpointName, str, str], ...] = (
    ("mantle", "", "/openai/v1"),
    ("mantle", "", "/v1"),
    ("runtime", "/runtime", "/openai/v1"),
)
_REST: tuple[tuple[str, EndpointName, str], ...] = (
    ("/runtime/openai/{path:path}", "runtime", "/openai/v1"),
    ("/{region}/runtime/openai/{path:path}", "runtime", "/openai/v1"),
    ("/runtime/{path:path}", "runtime", ""),
    ("/{region}/runtime/{path:path}", "runtime", ""),
    ("/bedrock/{path:path}", "control", ""),
    ("/{region}/bedrock/{path:path}", "control", ""),
    ("/{path:path}", "mantle", "/v1"),
)
_EVERYTHING = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


class Target:
    """What a request is for.

    Attributes:
        place: the endpoint and region in its path.
        route: the path prefix that decides which models there are, `/openai/v1` or `/v1`.
        endpoint: its operations, as the request's project sees them.
    """

    __slots__ = ("endpoint", "place", "route")

    def __init__(self, place: Place, route: str, endpoint: Endpoint) -> None:
        self.place, self.route, self.endpoint = place, route, endpoint


class Routes:
    """From paths to operations.

    Args:
        service: the server's state.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._quotas: dict[Place, Quota] = {}

    def table(self) -> list[Route]:
        """Every route; the last one takes what no other does."""
        routes: list[Route] = []
        for region in ("", "/{region}"):
            for endpoint, path, route in _SURFACES:
                routes += self._api(f"{region}{path}{route}", endpoint, route)
            models = self._guarded("mantle", "/v1", "models", self._models)
            routes.append(Route(f"{region}/v1/models", models, methods=["GET"]))
            # Section 1.1, VERIFIED (cb): 404 there; a fault can make it anything else.
            nothing = self._guarded("mantle", "/openai/v1", "models", _nothing)
            routes.append(Route(f"{region}/openai/v1/models", nothing, methods=["GET"]))
        routes += self._native()
        routes += self._control()
        # Sections 1.1 and 2, VERIFIED (cb, stdapi): /openai/v1/models and …/input_items are 404. ASSUMED: the
        # rest (compact, input_tokens) is, too.
        for path, endpoint, route in _REST:
            handler = self._guarded(endpoint, route, None, _nothing if route else _no_operation)
            routes.append(Route(path, handler, methods=_EVERYTHING))
        return routes

    def _api(self, base: str, endpoint: EndpointName, route: str) -> list[Route]:
        operations: tuple[tuple[str, str, Operation | None, Operate], ...] = (
            ("POST", "/responses", "responses", self._create),
            ("GET", "/responses/{id}", "retrieve", _retrieve),
            ("DELETE", "/responses/{id}", "delete", _delete),
            ("POST", "/responses/{id}/cancel", "cancel", _cancel),
            ("POST", "/chat/completions", "chat", self._chat),
        )
        return [
            Route(base + path, self._guarded(endpoint, route, operation, handler), methods=[method])
            for method, path, operation, handler in operations
        ]

    def _native(self) -> list[Route]:
        """AWS's own APIs: Converse, InvokeModel and batch jobs."""

        def operate(handle: native.Handle) -> Operate:
            return lambda request, target, fault: handle(
                request, target.place, self._quotas.get(target.place), fault
            )

        return [
            Route(region + path, self._guarded(endpoint, "", operation, operate(handle)), methods=[method])
            for endpoint, method, path, operation, handle in native.table(self._service)
            for region in ("", "/{region}")
        ]

    def _control(self) -> list[Route]:
        control = Control(self._service)
        return [
            Route(path, self._checked(handler), methods=[method]) for method, path, handler in control.table()
        ]

    def _checked(self, handler: Handler) -> Handler:
        """A handler of the control endpoint behind the bearer check."""

        async def operate(request: Request, target: Target, fault: Fault) -> Response:
            return await handler(request)

        return self._guarded("mantle", "/v1", None, operate)

    def _guarded(
        self, endpoint: EndpointName, route: str, operation: Operation | None, handler: Operate
    ) -> Handler:
        """A handler behind everything that all have in common: body, key, project, fault, errors.

        Without a route it is one of AWS's own APIs, with AWS's errors.
        """

        async def handle(request: Request) -> Response:
            fault, waited = Fault(), False
            try:
                # Read first, so that the log has the body of a refused request as well.
                body = await bytes_of(request)
                region: str | None = request.path_params.get("region")
                known = region is None or is_region(region)
                place = self._service.place(endpoint, region if known else None)
                auth.check(_signed(request, body), place, self._service.clock())
                if not known:
                    raise errors.no_route(request.method, request.url.path)
                if operation is not None:
                    fault, waited = await self._fault(operation, request)
                if fault.status is not None:
                    return faulty(fault, native=not route)
                return await handler(request, self._target(request, place, route), fault)
            except errors.ApiError as refused:
                if waited and not fault.wait:
                    self._service.faults.give_back(fault)
                    fault = Fault()
                error = refused if route else aws.translated(refused)
                return JsonAnswer(error.status, error.body, headers=error.headers, fault=fault)

        return handle

    def _target(self, request: Request, place: Place, route: str) -> Target:
        project = request.headers.get("openai-project") or "default"
        if not place.takes_project(project):
            raise errors.no_project(project)
        limit = self._service.options.tokens_per_minute
        if limit is not None and place not in self._quotas:
            self._quotas[place] = Quota(limit, tells=self._service.options.retry_after)
        return Target(place, route, Endpoint(self._service, place, self._quotas.get(place), project))

    async def _fault(self, operation: Operation, request: Request) -> tuple[Fault, bool]:
        """The request's own fault, else the next that waits, and whether it is one that waited."""
        if operation in ("responses", "chat", "converse", "invoke"):
            try:
                own = Fault.from_metadata(await json_of(request))
            except ValueError as error:
                raise errors.invalid("metadata", str(error)) from None
            if own is not None:
                return own, False
        waiting = self._service.faults.take(operation)
        return waiting or Fault(), waiting is not None

    async def _create(self, request: Request, target: Target, fault: Fault) -> Response:
        body = await json_of(request)
        if is_fake(body.get("model")):
            return target.endpoint.create(body, target.route, fault)
        # Counting and reading a long context takes a while; other requests go on.
        return await asyncio.to_thread(target.endpoint.create, body, target.route, fault)

    async def _chat(self, request: Request, target: Target, fault: Fault) -> Response:
        return await chat.create(
            request, self._service, target.place, self._quotas.get(target.place), target.route, fault
        )

    async def _models(self, request: Request, target: Target, fault: Fault) -> Response:
        # Section 1.1, VERIFIED (hermes#65076): /v1/models lists GPT ids that are not callable on /v1.
        served = [m for m in MODELS.values() if not m.regions or target.place.region in m.regions]
        data = [
            {"id": m.id, "object": "model", "created": 1_780_000_000, "owned_by": "openai"} for m in served
        ]
        return JsonAnswer(200, {"object": "list", "data": data}, fault=fault)


def build(service: Service) -> ASGIApp:
    """The ASGI application."""
    return Recorded(Starlette(routes=Routes(service).table()), service)


async def _retrieve(request: Request, target: Target, fault: Fault) -> Response:
    query, response_id = request.query_params, request.path_params["id"]
    if query.get("stream") != "true":
        return target.endpoint.retrieve(response_id, fault)
    after = query.get("starting_after", "")
    return target.endpoint.stream_again(
        response_id,
        fault,
        after=int(after) if after.isdecimal() else -1,
        pads=query.get("include_obfuscation") != "false",
    )


async def _delete(request: Request, target: Target, fault: Fault) -> Response:
    return target.endpoint.delete(request.path_params["id"], fault)


async def _cancel(request: Request, target: Target, fault: Fault) -> Response:
    return target.endpoint.cancel(request.path_params["id"], fault)


def _signed(request: Request, body: bytes) -> sigv4.Signed:
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    headers = {name: ",".join(request.headers.getlist(name)) for name in request.headers}
    return sigv4.Signed(request.method, raw.decode("latin-1"), request.url.query, headers, body)


async def _no_operation(request: Request, target: Target, fault: Fault) -> Response:
    raise aws.AwsError(
        404, f"Unknown operation: {request.method} {request.url.path}", exception="UnknownOperationException"
    )


async def _nothing(request: Request, target: Target, fault: Fault) -> Response:
    raise errors.no_route(request.method, request.url.path)


def faulty(fault: Fault, *, native: bool = False) -> Response:
    """A status made to order; without a body it has the usual shape, AWS's own where it is native."""
    status = fault.status or 500
    body = fault.body
    headers = fault.headers or {}
    if native and not isinstance(body, str):
        usual = aws.of_status(status)
        headers = {**usual.headers, **headers}
        body = usual.body if body is None else body
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
