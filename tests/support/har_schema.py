"""What HAR 1.2 asks for as a JSON schema, from the specification (softwareishard.com/blog/har-12-spec).

Members that the specification calls optional may be absent; others that are not in it must begin with an
underscore, as it asks for.
"""

from __future__ import annotations

from typing import Any

__all__ = ["HAR"]

TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": -1}
TIME = {"type": "number", "minimum": -1}
SPENT = {"type": "number", "minimum": 0}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional, "comment": TEXT},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


PAIR = _object({"name": TEXT, "value": TEXT})
COOKIE = _object(
    {"name": TEXT, "value": TEXT},
    path=TEXT, domain=TEXT, expires=MOMENT, httpOnly={"type": "boolean"}, secure={"type": "boolean"},
)  # fmt: skip
PARAM = _object({"name": TEXT}, value=TEXT, fileName=TEXT, contentType=TEXT)
REQUEST = _object(
    {
        "method": TEXT, "url": {"type": "string", "pattern": "^https?://"}, "httpVersion": TEXT,
        "cookies": _list(COOKIE), "headers": _list(PAIR), "queryString": _list(PAIR),
        "headersSize": COUNT, "bodySize": COUNT,
    },
    postData=_object({"mimeType": TEXT, "params": _list(PARAM), "text": TEXT}),
)  # fmt: skip
RESPONSE = _object(
    {
        "status": {"type": "integer", "minimum": 0}, "statusText": TEXT, "httpVersion": TEXT,
        "cookies": _list(COOKIE), "headers": _list(PAIR),
        "content": _object(
            {"size": COUNT, "mimeType": TEXT}, compression={"type": "integer"}, text=TEXT, encoding=TEXT
        ),
        "redirectURL": TEXT, "headersSize": COUNT, "bodySize": COUNT,
    },
)  # fmt: skip
CACHED = {
    "anyOf": [
        {"type": "null"},
        _object({"lastAccess": MOMENT, "eTag": TEXT, "hitCount": COUNT}, expires=TEXT),
    ]
}
ENTRY = _object(
    {
        "startedDateTime": MOMENT, "time": SPENT, "request": REQUEST, "response": RESPONSE,
        "cache": _object({}, beforeRequest=CACHED, afterRequest=CACHED),
        "timings": _object(
            {"send": SPENT, "wait": SPENT, "receive": SPENT}, blocked=TIME, dns=TIME, connect=TIME, ssl=TIME
        ),
    },
    pageref=TEXT, serverIPAddress=TEXT, connection=TEXT,
)  # fmt: skip
PAGE = _object(
    {
        "startedDateTime": MOMENT, "id": TEXT, "title": TEXT,
        "pageTimings": _object({}, onContentLoad=TIME, onLoad=TIME),
    }
)  # fmt: skip
PROGRAM = _object({"name": TEXT, "version": TEXT})
HAR = _object(
    {
        "log": _object(
            {"version": {"const": "1.2"}, "creator": PROGRAM, "entries": _list(ENTRY)},
            browser=PROGRAM,
            pages=_list(PAGE),
        )
    }
)
