"""The outermost layer: writes every request into the log, and gives each answer its id."""

from __future__ import annotations

import uuid

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .log import Served
from .service import Service
from .stream import RECORD

CONTROL = "/sandbox/"
_SECRET = frozenset((b"authorization", b"x-amz-security-token"))


class Recorded:
    """An application whose requests are in the log, but for those to the control endpoint.

    Request ids: mantle `x-request-id: req_` and 52 characters on every answer, section 1.5, VERIFIED (cb).
    Runtime `x-amzn-RequestId`, a UUID, ASSUMED (section 4); an answer of the model has it as `x-request-id`
    too (section 4, VERIFIED for Chat Completions, seed2), the gateway's 403 has not, ASSUMED. AWS's own APIs
    have `x-amzn-RequestId` only.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and keep what happened."""
        if scope["type"] != "http":
            return
        record, style = self._begin(scope)
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
                added = [*message["headers"], *_id_headers(record.request_id, style, message["status"])]
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
            self._service.log.end(record, record.ended or how)

    def _begin(self, scope: Scope) -> tuple[Served, str]:
        raw: list[tuple[bytes, bytes]] = scope["headers"]
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in raw if k not in _SECRET}
        path: str = scope["path"]
        query = scope["query_string"].decode("latin-1")
        style = "mantle"
        if "/runtime/" in path or "/bedrock/" in path:
            style = "runtime" if "/runtime/openai/" in path else "aws"
        request_id = self._service.ids("req")
        if style != "mantle":
            request_id = str(uuid.uuid5(uuid.NAMESPACE_URL, request_id))
        record = Served(scope["method"], path, headers, query=query, request_id=request_id)
        scope[RECORD] = record
        if not path.startswith(CONTROL):
            self._service.log.begin(record)
        return record, style


def _id_headers(request_id: str, style: str, status: int) -> list[tuple[bytes, bytes]]:
    value = request_id.encode()
    if style == "mantle":
        return [(b"x-request-id", value)]
    amazon = [(b"x-amzn-requestid", value)]
    return amazon if style == "aws" or status == 403 else [*amazon, (b"x-request-id", value)]
