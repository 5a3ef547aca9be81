r"""The control endpoint: what a test of a client, in any language, tells the sandbox and asks it.

Every request needs the bearer token, as the API does. None of them is in the log.

    POST   /sandbox/faults        a fault or a list of them (`tui.sandbox.faults.Fault` has the names); each
                                  waits for the next request that it fits: {"status": 429, "times": 2},
                                  {"on": "delete", "status": 404}, {"cut_bytes": 700}, {"failed_deltas": -1}
    DELETE /sandbox/faults        forgets those that still wait
    GET    /sandbox/log           what was served, oldest first: request, status, how it ended; never a token
    DELETE /sandbox/log           forgets it
    GET    /sandbox/context       the input items that the newest create request put before the model
    GET    /sandbox/context/ID    the same of a stored response, with the chain before it

A single request can also ask for its own fault, in its body:
`"metadata": {"sandbox_fault": "{\"cut_events\": 6}"}` (Converse: `requestMetadata`). It comes before
those that wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from . import errors
from .body import json_of
from .faults import Fault
from .log import Served
from .service import Service
from .shapes import Json, is_array, is_object
from .stream import JsonAnswer


class Control:
    """The handlers of `/sandbox/…`.

    Args:
        service: the server's state.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def table(self) -> list[tuple[str, str, Callable[[Request], Awaitable[Response]]]]:
        """Method, path and handler of each."""
        return [
            ("POST", "/sandbox/faults", self.add_faults),
            ("DELETE", "/sandbox/faults", self.clear_faults),
            ("GET", "/sandbox/log", self.log),
            ("DELETE", "/sandbox/log", self.clear_log),
            ("GET", "/sandbox/context", self.context),
            ("GET", "/sandbox/context/{id}", self.context),
        ]

    async def add_faults(self, request: Request) -> Response:
        """POST /sandbox/faults: all of them, or none where one has a mistake.

        Raises:
            ApiError: 400 with the names that there are.
        """
        value: object = await json_of(request, anything=True)
        try:
            parsed: list[Fault] = []
            for one in value if is_array(value) else [value]:
                if not is_object(one):
                    raise ValueError("a fault is a JSON object")
                parsed.append(Fault.parse(one))
        except ValueError as error:
            raise errors.invalid("fault", str(error)) from None
        for fault in parsed:
            self._service.faults.add(fault)
        return JsonAnswer(200, {"object": "sandbox.faults", "waiting": len(self._service.faults)})

    async def clear_faults(self, request: Request) -> Response:
        """DELETE /sandbox/faults."""
        self._service.faults.clear()
        return JsonAnswer(200, {"object": "sandbox.faults", "waiting": 0})

    async def log(self, request: Request) -> Response:
        """GET /sandbox/log."""
        return JsonAnswer(200, {"object": "list", "data": [_told(one) for one in self._service.log]})

    async def clear_log(self, request: Request) -> Response:
        """DELETE /sandbox/log."""
        self._service.log.clear()
        return JsonAnswer(200, {"object": "list", "data": []})

    async def context(self, request: Request) -> Response:
        """GET /sandbox/context and /sandbox/context/ID.

        Raises:
            ApiError: 404 where there is none.
        """
        response_id = request.path_params.get("id")
        try:
            items = self._service.context_of(response_id) if response_id else self._service.last_context()
        except LookupError as error:
            raise errors.ApiError(404, "not_found_error", str(error.args[0])) from None
        return JsonAnswer(200, {"object": "list", "data": items})


def _told(record: Served) -> Json:
    """One line of the log as JSON."""
    return {
        "method": record.method,
        "path": record.path,
        "query": record.query,
        "headers": record.headers,
        "body": record.json,
        "body_bytes": len(record.body),
        "status": record.status,
        "request_id": record.request_id,
        "response_headers": record.response_headers,
        "sent_bytes": len(record.sent),
        "events": record.events,
        "last_event": record.last_event,
        "sent_at": record.sent_at,
        "ended": record.ended,
    }
