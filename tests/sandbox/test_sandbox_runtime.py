from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from support.sandbox_api import MODEL, Api, Json, text_of


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


SOL = "us.openai.gpt-5.6-sol"
PROFILES = ["us.openai.gpt-5.6-sol", "global.openai.gpt-6-luna", "us.openai.gpt-6-astra"]


def at(api: Api, endpoint: str = "runtime", region: str | None = None) -> Api:
    """The same server and connection, another base URL."""
    return Api(api.server, api.server.base_url(endpoint, region), api.clock, api.http)


@pytest.mark.parametrize("model", PROFILES)
def test_inference_profiles_answer(api: Api, model: str) -> None:
    made = at(api).create("Reply with exactly: ok", model=model)
    assert text_of(made) == "ok"
    assert made["model"] == model


@pytest.mark.parametrize(
    ("status", "model", "needle"),
    [
        (400, "openai.gpt-5.6-sol", "inference profile"),
        (404, "openai.gpt-5.4", "does not exist"),
        (404, "us.openai.gpt-5.4", "does not exist"),
        (404, "us-gov.openai.gpt-5.6-terra", "does not exist"),
        (404, "eu.openai.gpt-5.6-sol", "does not exist"),
        (404, "openai.gpt-oss-20b", "does not exist"),
        (400, "openai.gpt-oss-20b-1:0", "does not support the '/v1/responses' API"),
    ],
)
def test_other_ids_are_refused(api: Api, status: int, model: str, needle: str) -> None:
    assert needle in at(api).refused(status, model=model, input="x")["message"]


def test_profiles_are_refused_on_mantle(api: Api) -> None:
    assert api.refused(404, model=SOL, input="x")["code"] == "not_found_error"


def test_govcloud_has_profiles_of_its_own(api: Api) -> None:
    gov = at(api, region="us-gov-west-1")
    gov.create("Hi", model="us-gov.openai.gpt-5.6-terra")
    for model in (SOL, "global.openai.gpt-5.6-sol"):
        gov.refused(404, model=model, input="x")


def test_background_is_refused(api: Api) -> None:
    assert at(api).refused(400, model=SOL, input="x", background=True)["param"] == "background"
    assert api.create("x", background=True)["status"] == "queued"


def test_the_model_is_never_inherited(api: Api) -> None:
    runtime = at(api)
    first = runtime.create("My name is Ada", model=SOL)
    error = runtime.refused(400, input="x", previous_response_id=first["id"])
    assert error["message"] == "Missing required parameter: 'model'."
    second = runtime.create("What is my name?", model=SOL, previous_response_id=first["id"])
    assert "Ada" in text_of(second)


@pytest.mark.parametrize("header", [None, "Bearer wrong"])
def test_a_bad_key_is_answered_by_the_gateway(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    for path in ("/responses", "/nothing"):
        url = api.server.base_url("runtime") + path
        reply = httpx.post(url, headers=headers, json={"model": SOL, "input": "x"})
        assert reply.status_code == 403
        assert reply.json() == {"Message": "Authentication failed: Please make sure your API Key is valid."}
        assert "x-request-id" not in reply.headers
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", reply.headers["x-amzn-requestid"])
        assert reply.headers["x-amzn-requestid"] == api.server.log[-1].request_id


def test_request_ids(api: Api) -> None:
    runtime = at(api).post(model=SOL, input="Hi")
    assert runtime.headers["x-request-id"] == runtime.headers["x-amzn-requestid"]
    assert "x-amzn-requestid" not in api.post(model=MODEL, input="Hi").headers


def test_only_the_default_project(api: Api) -> None:
    url = api.server.base_url("runtime") + "/responses"
    body = {"model": SOL, "input": "Hi"}
    assert api.http.post(url, json=body, headers={"openai-project": "default"}).status_code == 200
    refused = api.http.post(url, json=body, headers={"openai-project": "proj_one"})
    assert refused.status_code == 400 and "proj_one" in refused.json()["error"]["message"]


def test_lifecycle_and_nothing_else(api: Api) -> None:
    runtime = at(api)
    made = runtime.create("Hi", model=SOL)
    url = f"{runtime.url}/responses/{made['id']}"
    assert api.http.get(url).json() == made
    assert api.http.post(url + "/cancel").json()["status"] == "completed"
    assert api.http.delete(url).json()["deleted"] is True
    for method, path in (
        ("GET", "/responses/x/input_items"),
        ("POST", "/responses/compact"),
        ("GET", "/models"),
    ):
        assert api.http.request(method, runtime.url + path).status_code == 404


def test_stored_responses_are_of_one_endpoint_region_and_project(api: Api) -> None:
    made = at(api, region="us-east-1").create("Hi", model=SOL)
    assert at(api, region="us-east-1").create("x", model=SOL, previous_response_id=made["id"])
    for elsewhere in (at(api), at(api, "mantle", "us-east-1"), api):
        assert api.http.get(f"{elsewhere.url}/responses/{made['id']}").status_code == 404
        assert api.http.delete(f"{elsewhere.url}/responses/{made['id']}").status_code == 404
    error = at(api).refused(404, model=SOL, input="x", previous_response_id=made["id"])
    assert error["code"] == "previous_response_not_found"
    url, project = api.url + "/responses", {"openai-project": "proj_one"}
    own = api.http.post(url, json={"model": MODEL, "input": "x"}, headers=project).json()
    assert api.http.get(f"{url}/{own['id']}", headers=project).json() == own
    assert api.http.get(f"{url}/{own['id']}").status_code == 404


def test_encrypted_reasoning_does_not_cross_regions_or_endpoints(api: Api) -> None:
    luna = "openai.gpt-5.6-luna"
    asked = {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False}
    first = api.create("One", model=luna, **asked)
    items: list[Json] = [
        {"role": "user", "content": "One"},
        *first["output"],
        {"role": "user", "content": "Two"},
    ]
    api.create(items, model=luna, **asked)
    for elsewhere, model in ((at(api, "mantle", "us-east-1"), luna), (at(api), f"us.{luna}")):
        error = elsewhere.refused(400, model=model, input=items, **asked)
        assert error["code"] == "invalid_encrypted_content"


def test_a_region_in_the_path_decides_about_models(start: Callable[..., Api]) -> None:
    api = start(region="us-west-2")
    assert api.refused(404, model="openai.gpt-5.5", input="x")
    at(api, "mantle", "us-east-2").create("Hi", model="openai.gpt-5.5")
    root = api.url.removesuffix("/openai/v1")
    listed = api.http.get(f"{root}/us-east-1/v1/models").json()["data"]
    assert "openai.gpt-6-sol" in {model["id"] for model in listed}
    assert api.http.get(f"{root}/nowhere/v1/models").status_code == 404
