from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from support.openai_schemas import validate
from support.sandbox_api import MODEL, Api, Clock


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


REFUSED = {
    "error": {
        "code": "invalid_api_key",
        "message": "The security token included in the request is invalid.",
        "param": None,
        "type": "permission_denied_error",
    }
}


def short_term_key(
    clock: Clock,
    *,
    region: str = "us-west-2",
    age: float = 0,
    seconds: int = 3600,
    action: str = "CallWithBearerToken",
) -> str:
    signed = datetime.fromtimestamp(clock.now, UTC) - timedelta(seconds=age)
    url = (
        f"bedrock.amazonaws.com/?Action={action}&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential=ASIAEXAMPLE%2F{signed:%Y%m%d}%2F{region}%2Fbedrock%2Faws4_request"
        f"&X-Amz-Date={signed:%Y%m%dT%H%M%SZ}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host"
        "&X-Amz-Security-Token=c2VjcmV0&X-Amz-Signature=0123abcd&Version=1"
    )
    return "bedrock-api-key-" + base64.b64encode(url.encode()).decode()


def answer(api: Api, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"authorization": authorization}
    return httpx.post(api.url + "/responses", headers=headers, json={"model": MODEL, "input": "Hi"})


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer nope", "Basic sandbox", "Bearer bedrock-api-key-",
     "Bearer bedrock-api-key-!!!",
     "Bearer bedrock-api-key-aGVsbG8=", "Bearer SANDBOX"],
)  # fmt: skip
def test_refused(api: Api, authorization: str | None) -> None:
    reply = answer(api, authorization)
    assert reply.status_code == 401
    assert reply.json() == REFUSED
    assert reply.headers["x-request-id"].startswith("req_")
    validate("ErrorResponse", reply.json())


def test_short_term_keys(api: Api) -> None:
    good = short_term_key(api.clock)
    assert answer(api, f"Bearer {good}").status_code == 200
    assert answer(api, f"Bearer {good.rstrip('=')}").status_code == 200
    for bad in (
        short_term_key(api.clock, region="us-east-1"),
        short_term_key(api.clock, age=3601),
        short_term_key(api.clock, seconds=0),
        short_term_key(api.clock, seconds=13 * 3600),
        short_term_key(api.clock, action="Other"),
        good[:60],
    ):
        assert answer(api, f"Bearer {bad}").status_code == 401
    api.clock.now += 3600
    assert answer(api, f"Bearer {good}").status_code == 401


def test_every_route_asks_for_the_key(api: Api) -> None:
    root = api.url.removesuffix("/openai/v1")
    for method, path in (
        ("GET", "/openai/v1/responses/resp_x"),
        ("DELETE", "/openai/v1/responses/resp_x"),
        ("POST", "/openai/v1/responses/resp_x/cancel"),
        ("GET", "/v1/models"),
        ("POST", "/sandbox/faults"),
        ("GET", "/"),
    ):
        assert httpx.request(method, root + path).status_code == 401


def test_the_key_is_kept_nowhere(start: Callable[..., Api], tmp_path: Path) -> None:
    api = start()
    key = short_term_key(api.clock)
    answer(api, f"Bearer {key}")
    assert not any(key in repr(record) for record in api.server.log)
    assert not any(key.encode() in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
