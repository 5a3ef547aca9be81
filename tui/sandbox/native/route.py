"""The paths of AWS's own APIs, below `/runtime` and `/bedrock` (`tui.sandbox.place`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from ..converse import route as converse
from ..faults import Fault, Operation
from ..place import EndpointName, Place
from ..quota import Quota
from ..service import Service
from . import invoke
from .jobs import Jobs

Handle = Callable[[Request, Place, Quota | None, Fault], Awaitable[Response]]


def table(service: Service) -> list[tuple[EndpointName, str, str, Operation | None, Handle]]:
    """Endpoint, method, path, operation and handler of each."""
    jobs = Jobs(service)

    def whole(request: Request, place: Place, quota: Quota | None, fault: Fault) -> Awaitable[Response]:
        return converse.create(request, service, place, quota, fault, streamed=False)

    def streamed(request: Request, place: Place, quota: Quota | None, fault: Fault) -> Awaitable[Response]:
        return converse.create(request, service, place, quota, fault, streamed=True)

    def invoked(request: Request, place: Place, quota: Quota | None, fault: Fault) -> Awaitable[Response]:
        return invoke.create(request, service, place, quota, fault)

    def plain(handler: Callable[[Request, Place, Fault], Awaitable[Response]]) -> Handle:
        return lambda request, place, quota, fault: handler(request, place, fault)

    # An id may be an ARN, which has a slash in it.
    model, job = "/runtime/model/{id:path}", "/bedrock/model-invocation-job"
    return [
        ("runtime", "POST", f"{model}/converse", "converse", whole),
        ("runtime", "POST", f"{model}/converse-stream", "converse", streamed),
        ("runtime", "POST", f"{model}/invoke", "invoke", invoked),
        ("control", "POST", job, "job", plain(jobs.create)),
        ("control", "POST", job + "/{id:path}/stop", None, plain(jobs.stop)),
        ("control", "GET", job + "/{id:path}", None, plain(jobs.get)),
        ("control", "GET", "/bedrock/model-invocation-jobs", None, plain(jobs.list)),
    ]
