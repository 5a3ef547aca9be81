"""AWS's own client drives the sandbox without a patch: by bearer token and by signature."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError
from botocore.validate import ParamValidator
from openai import AuthenticationError, OpenAI
from openai.providers import bedrock

from tui.sandbox.server import SandboxServer

OSS = "openai.gpt-oss-20b-1:0"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """By the real clock: signatures have a date."""
    with SandboxServer(tmp_path_factory.mktemp("boto"), tokenizer="words", background_seconds=0.05) as made:
        yield made


@pytest.fixture(autouse=True)
def _fresh(server: SandboxServer) -> None:
    server.clear_faults()
    server.log.clear()


@pytest.fixture(scope="module")
def made() -> Iterator[list[Any]]:
    clients: list[Any] = []
    yield clients
    for one in clients:
        one.close()


@functools.cache
def session() -> boto3.Session:
    """One for all: it reads AWS's service models."""
    return boto3.Session()


@pytest.fixture
def new(server: SandboxServer, made: list[Any]) -> Callable[..., Any]:
    """Makes clients; they are closed after the module."""

    def make(*args: Any, **keys: Any) -> Any:
        made.append(client(server, *args, **keys))
        return made[-1]

    return make


def client(
    server: SandboxServer, service: str = "bedrock-runtime", region: str = "us-west-2", **keys: str
) -> Any:
    endpoint = "control" if service == "bedrock" else "runtime"
    return session().client(
        service,
        region_name=region,
        endpoint_url=server.base_url(endpoint, region, ""),
        aws_access_key_id=keys.get("key", "sandbox"),
        aws_secret_access_key=keys.get("secret", "sandbox"),
        aws_session_token=keys.get("session"),
        config=Config(retries={"max_attempts": 0}, signature_version=keys.get("version")),
    )


def checked(aws: Any, operation: str, value: Json) -> Json:
    """What was sent is what AWS's service model has: no member absent that must be there, none unknown."""
    shape = aws.meta.service_model.operation_model(operation).output_shape
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()
    return value


def user(text: str) -> Json:
    return {"role": "user", "content": [{"text": text}]}


def ask(aws: Any, prompt: str, **more: Any) -> Json:
    made = aws.converse(modelId=OSS, messages=[user(prompt)], **more)
    return {**checked(aws, "Converse", {k: v for k, v in made.items() if k != "ResponseMetadata"}), **made}


def events(aws: Any, prompt: str, **more: Any) -> list[tuple[str, Json]]:
    reply = aws.converse_stream(modelId=OSS, messages=[user(prompt)], **more)
    with closing(reply["stream"]) as stream:
        return [next(iter(event.items())) for event in stream]


def texts(found: list[tuple[str, Json]], kind: str = "text") -> str:
    deltas = [event["delta"] for name, event in found if name == "contentBlockDelta"]
    if kind == "reasoning":
        return "".join(delta["reasoningContent"]["text"] for delta in deltas if "reasoningContent" in delta)
    return "".join(delta.get("text", "") for delta in deltas)


@pytest.fixture(scope="module")
def aws(server: SandboxServer) -> Iterator[Any]:
    with closing(client(server)) as one:
        yield one


@pytest.fixture(scope="module")
def control(server: SandboxServer) -> Iterator[Any]:
    with closing(client(server, "bedrock")) as one:
        yield one


def test_converse(server: SandboxServer, aws: Any) -> None:
    made = ask(
        aws, "Reply with exactly: ok", inferenceConfig={"maxTokens": 1024, "temperature": 1.0, "topP": 1.0}
    )
    reasoning, text = made["output"]["message"]["content"]
    assert text == {"text": "ok"} and "question" in reasoning["reasoningContent"]["reasoningText"]["text"]
    assert made["stopReason"] == "end_turn" and made["metrics"]["latencyMs"] > 0
    usage = made["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert made["ResponseMetadata"]["RequestId"] == server.log[-1].request_id
    assert server.log[-1].path == f"/us-west-2/runtime/model/{OSS}/converse"
    assert "authorization" not in server.log[-1].headers


def test_a_conversation_with_system_and_effort(aws: Any) -> None:
    first = user("My name is Ada")
    made = aws.converse(modelId=OSS, messages=[first])
    history = [first, made["output"]["message"], user("What is my name?")]
    more = {"reasoning_effort": "low"}
    told = aws.converse(modelId=OSS, messages=history, additionalModelRequestFields=more)
    assert "Ada" in told["output"]["message"]["content"][-1]["text"]
    said = aws.converse(
        modelId=OSS, system=[{"text": "Be brief."}], messages=[user("What are your instructions?")]
    )
    assert "Be brief." in said["output"]["message"]["content"][-1]["text"]


def test_converse_stream(aws: Any) -> None:
    found = events(aws, "Reply with exactly: one two three")
    names = [name for name, _ in found]
    assert names[0] == "messageStart" and names[-2:] == ["messageStop", "metadata"]
    assert texts(found) == "one two three" and "Reading the question" in texts(found, "reasoning")
    assert names.count("contentBlockStop") == 2
    assert found[-1][1]["usage"]["outputTokens"] > 0


def test_ends(aws: Any) -> None:
    within = ask(aws, "Write 300 words", inferenceConfig={"maxTokens": 10})
    assert within["stopReason"] == "max_tokens" and len(within["output"]["message"]["content"]) == 1
    stopped = ask(aws, "Reply with exactly: one two", inferenceConfig={"stopSequences": [" two"]})
    assert stopped["stopReason"] == "stop_sequence"
    assert stopped["output"]["message"]["content"][-1] == {"text": "one"}


TOOLS: Json = {
    "tools": [
        {
            "toolSpec": {
                "name": "get_order_status",
                "description": "Look up",
                "inputSchema": {
                    "json": {
                        "type": "object",
                        "properties": {"order_id": {"type": "string"}},
                        "required": ["order_id"],
                    }
                },
            }
        }
    ]
}


def test_tools(aws: Any) -> None:
    prompt = "What is the status of the orders A-17 and B-2?"
    made = ask(aws, prompt, toolConfig=TOOLS)
    assert made["stopReason"] == "tool_use"
    message = made["output"]["message"]
    uses = [block["toolUse"] for block in message["content"] if "toolUse" in block]
    assert [use["input"] for use in uses] == [{"order_id": "A-17"}, {"order_id": "B-2"}]
    found = events(aws, prompt, toolConfig=TOOLS)
    inputs: dict[int, str] = {}
    for name, event in found:
        if name == "contentBlockDelta" and "toolUse" in event["delta"]:
            inputs.setdefault(event["contentBlockIndex"], "")
            inputs[event["contentBlockIndex"]] += event["delta"]["toolUse"]["input"]
    assert [json.loads(text) for text in inputs.values()] == [use["input"] for use in uses]
    results = [
        {
            "toolResult": {
                "toolUseId": use["toolUseId"],
                "content": [{"text": "shipped"}, {"json": {"day": "Monday"}}],
            }
        }
        for use in uses
    ]
    history = [user(prompt), message, {"role": "user", "content": results}]
    done = aws.converse(modelId=OSS, messages=history, toolConfig=TOOLS)
    assert "shipped" in done["output"]["message"]["content"][-1]["text"]
    forced = ask(aws, "Hello", toolConfig={**TOOLS, "toolChoice": {"any": {}}})
    assert forced["stopReason"] == "tool_use"


def refusal(call: Any, *, code: str, status: int, needle: str) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert needle in str(caught.value), str(caught.value)


CALL = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "x", "input": {}}}]}
RESULT = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "y"}]}}]}


@pytest.mark.parametrize(
    ("body", "needle"),
    [
        (
            {"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]},
            "must start with a user message",
        ),
        ({"messages": [user("a"), user("b")]}, "must alternate between user and assistant"),
        (
            {"messages": [user("a"), {"role": "assistant", "content": [{"text": "b"}]}]},
            "must end with a user",
        ),
        (
            {"messages": [{"role": "user", "content": []}]},
            "content field in the Message object at messages.0",
        ),
        ({"messages": [user(" ")]}, "messages.0.content.0 is blank"),
        ({"messages": [user("a"), CALL, RESULT]}, "toolConfig field must be defined"),
        (
            {"messages": [user("a"), CALL, user("b")], "toolConfig": TOOLS},
            "Expected toolResult blocks at messages.2",
        ),
        ({"messages": [RESULT], "toolConfig": TOOLS}, "exceeds the number of toolUse blocks"),
        (
            {"messages": [{"role": "user", "content": [{"cachePoint": {"type": "default"}}]}]},
            "prompt caching",
        ),
        ({"inferenceConfig": {"temperature": 1.5}}, "'inferenceConfig.temperature'"),
        ({"additionalModelRequestFields": {"wizard": 1}}, "extraneous key [wizard]"),
        ({"additionalModelRequestFields": {"reasoning_effort": "max"}}, "reasoning_effort"),
        ({"modelId": "openai.gpt-oss-9b-1:0"}, "model identifier is invalid"),
        ({"modelId": "us.openai.gpt-5.6-terra"}, "doesn't support the model"),
        ({"guardrailConfig": {"guardrailIdentifier": "nope", "guardrailVersion": "1"}}, "does not exist"),
    ],
)
def test_what_converse_refuses(aws: Any, body: Json, needle: str) -> None:
    asked = {"modelId": OSS, "messages": [user("Hi")], **body}
    refusal(lambda: aws.converse(**asked), code="ValidationException", status=400, needle=needle)


def test_reasoning_that_leaks_into_the_text(server: SandboxServer, aws: Any) -> None:
    for form, count in (("whole", 1), ("nested", 2)):
        server.fault({"on": "converse", "reasoning": form, "times": 2})
        (block,) = ask(aws, "Reply with exactly: ok")["output"]["message"]["content"]
        assert block["text"].count("<reasoning>") == count and block["text"].endswith("ok")
        assert texts(events(aws, "Reply with exactly: ok")) == block["text"]


@pytest.mark.parametrize(
    "kind",
    ["internalServerException", "modelStreamErrorException", "validationException", "throttlingException",
     "serviceUnavailableException", "error"],
)  # fmt: skip
def test_exceptions_amid_a_stream(server: SandboxServer, aws: Any, kind: str) -> None:
    server.fault({"exception": kind, "exception_events": 3})
    with pytest.raises(EventStreamError) as caught:
        events(aws, "Hi")
    assert caught.value.response["Error"]["Code"] == ("InternalFailure" if kind == "error" else kind)
    assert server.log.wait_for(lambda record: bool(record.ended)).events == 4


def test_damaged_and_cut_frames(server: SandboxServer, aws: Any) -> None:
    for fault in ({"bad_crc": 2}, {"bad_prelude": 1}):
        server.fault(fault)
        with pytest.raises(ChecksumMismatch):
            events(aws, "Hi")
    server.fault({"cut_bytes": 300})
    with pytest.raises(Exception, match=r"ended prematurely|IncompleteRead"):
        events(aws, "Hi")
    server.fault({"end_bytes": 300})
    # botocore does not mind that the last frame is not whole.
    assert events(aws, "Hi")[0][0] == "messageStart"
    for fault in ({"one_byte": True}, {"unknown_events": 2}):
        server.fault({**fault, "answer": "ok"})
        assert texts(events(aws, "Hi")) == "ok"


def test_a_guardrail(aws: Any) -> None:
    config = {"guardrailIdentifier": "sandboxguard", "guardrailVersion": "DRAFT", "trace": "enabled"}
    calm = ask(aws, "Reply with exactly: ok", guardrailConfig=config)
    assert calm["stopReason"] == "end_turn"
    assert "topicPolicy" not in calm["trace"]["guardrail"]["inputAssessment"]["sandboxguard"]
    refused = ask(aws, "Is volcano insurance good?", guardrailConfig=config)
    topic = refused["trace"]["guardrail"]["inputAssessment"]["sandboxguard"]["topicPolicy"]["topics"][0]
    assert refused["stopReason"] == "guardrail_intervened" and topic["action"] == "BLOCKED"
    assert "takes no questions" in refused["output"]["message"]["content"][0]["text"]
    found = events(aws, "Reply with exactly: to ada@example.com", guardrailConfig=config)
    assert texts(found) == "to {EMAIL}"
    output = found[-1][1]["trace"]["guardrail"]["outputAssessments"]["sandboxguard"][0]
    assert output["sensitiveInformationPolicy"]["piiEntities"][0]["match"] == "ada@example.com"
    content = [{"text": "Is volcano insurance good?"}, {"guardContent": {"text": {"text": "Say hello"}}}]
    beside = aws.converse(
        modelId=OSS, messages=[{"role": "user", "content": content}], guardrailConfig=config
    )
    assert beside["stopReason"] == "end_turn"


def test_invoke_model(aws: Any) -> None:
    def invoke(body: Json, **more: Any) -> Json:
        reply = aws.invoke_model(modelId=OSS, body=json.dumps(body), **more)
        return json.loads(reply["body"].read())

    messages = [{"role": "user", "content": "Reply with exactly: ok"}]
    made = invoke({"messages": messages, "model": OSS, "stream": False})
    assert made["choices"][0]["message"]["content"].endswith("</reasoning>ok")
    guard = {"guardrailIdentifier": "sandboxguard", "guardrailVersion": "1", "trace": "ENABLED"}
    asked = [{"role": "user", "content": "volcano insurance?"}]
    guarded = invoke({"messages": asked}, **guard)
    assert guarded["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert guarded["amazon-bedrock-trace"]["guardrail"]["input"]["sandboxguard"]
    for body, needle in (
        ({"messages": messages, "stream": True}, "must be false or absent"),
        ({"messages": messages, "model": "openai.gpt-oss-120b-1:0"}, "is not the model"),
        ({"messages": messages, "n": 2}, "only 1"),
    ):
        refusal(lambda body=body: invoke(body), code="ValidationException", status=400, needle=needle)


def test_statuses(server: SandboxServer, aws: Any) -> None:
    for status, code in (
        (403, "AccessDeniedException"), (404, "ResourceNotFoundException"), (408, "ModelTimeoutException"),
        (424, "ModelErrorException"), (429, "ThrottlingException"), (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ):  # fmt: skip
        server.fault({"on": "converse", "status": status})
        refusal(lambda: ask(aws, "Hi"), code=code, status=status, needle="")


def test_signatures(server: SandboxServer, new: Callable[..., Any]) -> None:
    assert ask(new(session="alive"), "Reply with exactly: ok")["stopReason"] == "end_turn"
    for keys, code, needle in (
        ({"key": "AKIDNOBODY"}, "UnrecognizedClientException", "security token"),
        ({"secret": "wrong"}, "InvalidSignatureException", "does not match the signature"),
        ({"session": "expired"}, "ExpiredTokenException", "expired"),
    ):
        refusal(lambda keys=keys: ask(new(**keys), "Hi"), code=code, status=403, needle=needle)
    elsewhere = session().client(
        "bedrock-runtime", region_name="eu-west-1", endpoint_url=server.base_url("runtime", "us-east-1", ""),
        aws_access_key_id="sandbox", aws_secret_access_key="sandbox",
    )  # fmt: skip
    with closing(elsewhere):
        refusal(
            lambda: ask(elsewhere, "Hi"),
            code="InvalidSignatureException",
            status=403,
            needle="not 'eu-west-1'",
        )


def test_a_signature_has_its_time(server: SandboxServer, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server._service, "clock", lambda: time.time() + 900)
    refusal(lambda: ask(aws, "Hi"), code="InvalidSignatureException", status=403, needle="expired")


def test_the_bytes_are_what_the_service_model_has(server: SandboxServer, aws: Any) -> None:
    """Past boto3's reader, which leaves out what it does not know."""
    url = f"{server.base_url('runtime', route='')}/model/{quote(OSS, safe='')}"
    guard = {"guardrailIdentifier": "sandboxguard", "guardrailVersion": "1", "trace": "enabled_full"}
    headers = {"authorization": "Bearer sandbox"}
    asked = "mail ada@example.com", "quicksand"
    prompts = [f"Reply with exactly: {text}" for text in asked]
    for prompt in (*prompts, "Volcano insurance?", "What is the status of the orders A-17 and B-2?"):
        body: Json = {"messages": [user(prompt)], "guardrailConfig": guard, "toolConfig": TOOLS}
        checked(aws, "Converse", httpx.post(f"{url}/converse", headers=headers, json=body).json())
        reply = httpx.post(f"{url}/converse-stream", headers=headers, json=body)
        assert reply.headers["content-type"] == "application/vnd.amazon.eventstream"
        buffer = EventStreamBuffer()
        buffer.add_data(reply.content)
        for message in buffer:
            assert list(message.headers) == [":event-type", ":content-type", ":message-type"]
            event = json.loads(message.payload)
            assert 0 < len(event.pop("p")) < 64
            checked(aws, "ConverseStream", {"stream": {message.headers[":event-type"]: event}})


def test_broken_streams(server: SandboxServer, aws: Any) -> None:
    plain = [name for name, _ in events(aws, "Reply with exactly: a b")]
    for fault, kinds in (
        ({"no_terminal": True}, plain[:-2]),
        ({"duplicate_events": 1}, [*plain[:2], *plain[1:]]),
        ({"stall_events": 3, "stall_seconds": 0.02, "keepalive": 0.01}, plain),
    ):
        own = {"sandbox_fault": json.dumps(fault)}
        assert [name for name, _ in events(aws, "Reply with exactly: a b", requestMetadata=own)] == kinds
    server.fault({"failed_deltas": 2})
    with pytest.raises(EventStreamError, match="modelStreamErrorException"):
        events(aws, "Hi")
    server.fault({"failed_deltas": 2})
    refusal(lambda: ask(aws, "Hi"), code="ModelErrorException", status=424, needle="")


def test_ids_that_are_arns_and_benchmarks(aws: Any) -> None:
    arn = f"arn:aws:bedrock:us-west-2::foundation-model/{OSS}"
    assert aws.converse(modelId=arn, messages=[user("Hi")])["stopReason"] == "end_turn"
    made = aws.converse(modelId="fake-30-0", messages=[user("Hi")])
    assert made["usage"]["outputTokens"] == 30 and len(made["output"]["message"]["content"]) == 1


def test_a_bearer_token(server: SandboxServer) -> None:
    """botocore sends one over HTTPS only; any other client may."""
    url = f"{server.base_url('runtime', route='')}/model/{quote(OSS, safe='')}/converse"
    body = {"messages": [user("Reply with exactly: ok")]}
    good = httpx.post(url, headers={"authorization": "Bearer sandbox"}, json=body)
    assert good.json()["output"]["message"]["content"][-1] == {"text": "ok"}
    assert good.headers["x-amzn-requestid"] and "x-request-id" not in good.headers
    wrong = httpx.post(url, headers={"authorization": "Bearer wrong"}, json=body)
    assert wrong.status_code == 403 and wrong.headers["x-amzn-errortype"] == "AccessDeniedException"
    assert wrong.json() == {"Message": "Authentication failed: Please make sure your API Key is valid."}
    nothing = httpx.post(url + "d", headers={"authorization": "Bearer sandbox"}, json=body)
    assert nothing.status_code == 404
    assert nothing.headers["x-amzn-errortype"] == "UnknownOperationException"


def job(name: str = "nightly", **more: Any) -> Json:
    return {
        "jobName": name,
        "roleArn": "arn:aws:iam::123456789012:role/batch",
        "modelId": OSS,
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://bucket/in.jsonl", "s3InputFormat": "JSONL"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://bucket/out/"}},
        **more,
    }


def test_batch_jobs(control: Any) -> None:
    arn = control.create_model_invocation_job(**job(clientRequestToken="token1"))["jobArn"]
    again = control.create_model_invocation_job(**job(clientRequestToken="token1"))["jobArn"]
    assert again == arn and arn.startswith("arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/")
    seen = ""
    deadline = time.monotonic() + 5
    while seen != "Completed" and time.monotonic() < deadline:
        seen = control.get_model_invocation_job(jobIdentifier=arn.rpartition("/")[2])["status"]
        assert seen in ("Submitted", "Validating", "Scheduled", "InProgress", "Completed")
    assert seen == "Completed"
    told = control.get_model_invocation_job(jobIdentifier=arn)
    assert told["inputDataConfig"] == job()["inputDataConfig"] and told["endTime"] >= told["submitTime"]
    (listed,) = control.list_model_invocation_jobs(statusEquals="Completed")["invocationJobSummaries"]
    assert listed["jobArn"] == arn
    other = control.create_model_invocation_job(**job("other"))["jobArn"]
    control.stop_model_invocation_job(jobIdentifier=other)
    assert control.get_model_invocation_job(jobIdentifier=other)["status"] == "Stopped"
    refusal(
        lambda: control.stop_model_invocation_job(jobIdentifier=other),
        code="ConflictException", status=409, needle="final state",
    )  # fmt: skip
    refusal(
        lambda: control.create_model_invocation_job(**job()),
        code="ConflictException",
        status=409,
        needle="nightly",
    )
    refusal(
        lambda: control.get_model_invocation_job(jobIdentifier="abcdefghijkl"),
        code="ResourceNotFoundException", status=404, needle="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "needle"),
    [
        ({"jobName": "-x"}, "'jobName'"),
        ({"roleArn": "role/batch"}, "'roleArn'"),
        ({"modelId": "openai.gpt-5.4"}, "doesn't support the model"),
        ({"modelId": "nobody.knows"}, "model identifier is invalid"),
        ({"timeoutDurationInHours": 200}, "between 24 and 168"),
        ({"inputDataConfig": {"s3InputDataConfig": {"s3Uri": "bucket/in"}}}, "s3InputDataConfig.s3Uri"),
    ],
)
def test_batch_jobs_that_are_refused(control: Any, change: Json, needle: str) -> None:
    refusal(
        lambda: control.create_model_invocation_job(**job("refused", **change)),
        code="ValidationException", status=400, needle=needle,
    )  # fmt: skip


def test_the_openai_sdk_signs_too(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `openai[bedrock]` does it, with keys and with a profile out of AWS's files."""
    keys = {"access_key_id": "sandbox", "secret_access_key": "sandbox"}
    west = bedrock(base_url=server.base_url(), region="us-west-2", **keys)
    with OpenAI(provider=west, max_retries=0) as mantle:
        answer = mantle.responses.create(model="openai.gpt-5.4", input="Reply with exactly: ok")
        assert answer.output_text == "ok"
        assert "id" in mantle.responses.retrieve(answer.id).model_dump()
    wrong = bedrock(base_url=server.base_url(), region="us-east-1", **keys)
    with OpenAI(provider=wrong, max_retries=0) as mantle, pytest.raises(AuthenticationError):
        mantle.responses.create(model="openai.gpt-5.4", input="Hi")
    (tmp_path / "credentials").write_text(
        "[sandbox]\naws_access_key_id = sandbox\naws_secret_access_key = sandbox\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    profile = bedrock(
        base_url=server.base_url("runtime"), region="us-west-2", endpoint="runtime", profile="sandbox"
    )
    with OpenAI(provider=profile, max_retries=0) as runtime:
        said = runtime.chat.completions.create(
            model=OSS, messages=[{"role": "user", "content": "Reply with exactly: ok"}]
        )
        assert str(said.choices[0].message.content).endswith("ok")
