"""Batch records: each line is checked; a job is started with AWS's own client, moto's S3 and the sandbox."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tui.cli import main
from tui.core.leaving.batch_check import check_records
from tui.sandbox.server import SandboxServer
from tui.session.batch_job import BatchJob, job_request

BODY = {"messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 1000}
ROLE = "arn:aws:iam::123456789012:role/bedrock-batch"


def record(number: int, **changes: Any) -> bytes:
    return json.dumps({"recordId": f"R{number}", "modelInput": {**BODY, **changes}}).encode() + b"\n"


def messages(*rows: Any) -> bytes:
    return record(1, messages=list(rows))


CALLS = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}
USER = {"role": "user", "content": "Hi"}
BAD: list[tuple[bytes, str]] = [
    (b"\n", "The line is empty."),
    (b"\xef\xbb\xbf" + record(1), "begins with a byte order mark"),
    (b'{"recordId": "\xff"}\n', "Byte 15 is no UTF-8."),
    (b'{"recordId": NaN}\n', "It is no JSON: NaN is no JSON."),
    (b"[" * 100_000 + b"\n", "It is no JSON: nested too deep."),
    (b"[]\n", "It must be an object with recordId and modelInput."),
    (b'{"recordId": ""}\n', "recordId must be a text of 1 to 256 characters."),
    (b'{"recordId": 7, "modelInput": {}}\n', "recordId must be a text"),
    (b'{"recordId": "a", "modelInput": []}\n', "modelInput must be an object: the body of Chat Completions."),
    (b'{"recordId": "a", "modelInput": {"input": "Hi"}}\n', "(input is that of the Responses API)"),
    (record(1, stream=True), "modelInput.stream must be false or left out"),
    (record(1, model=""), "modelInput.model must be the id of a model"),
    (record(1, max_completion_tokens=0), "modelInput.max_completion_tokens must be a whole number"),
    (record(1, temperature=2.5), "modelInput.temperature must be a number from 0 to 2."),
    (record(1, top_p=True), "modelInput.top_p must be a number from 0 to 1."),
    (messages(), "modelInput.messages must be a list with a message"),
    (messages(1), "modelInput.messages[0] must be an object."),
    (
        messages({"role": "robot", "content": "x"}),
        "messages[0].role must be system, developer, user, assistant",
    ),
    (messages({"role": "user"}), "messages[0].content must be a text or a list of parts."),
    (
        messages({"role": "user", "content": [{"text": "Hi"}]}),
        "content[0] has no type: it looks like Converse",
    ),
    (
        messages({"role": "user", "content": [{"type": "input_text"}]}),
        "content[0].type must be text, image_url",
    ),
    (messages({"role": "user", "content": [{"type": "text"}]}), "content[0].text must be a text."),
    (messages(USER, {"role": "assistant", "content": "Yes"}), "there is nothing to answer"),
    (
        messages(USER, {"role": "tool", "content": "x", "tool_call_id": "c1"}),
        "must be the id of a call before it",
    ),
]


def test_each_line_is_checked() -> None:
    for line, sentence in BAD:
        report = check_records([line])
        found = [finding for finding in report.findings if finding.line == 1]
        assert len(found) >= 1 and any(sentence in finding.message for finding in found), (line[:80], found)
        assert report.problems >= 1
    good = [record(number) for number in range(100)]
    good[7] = messages(USER, CALLS, {"role": "tool", "content": "x", "tool_call_id": "c1"}).replace(
        b"R1", b"T1"
    )
    report = check_records(good)
    assert (report.records, report.findings, report.size) == (100, [], sum(map(len, good)))
    assert not check_records([*good, *good[:1]]).findings[0].warning
    assert check_records([*good, *good[:1]]).findings[0].message == "recordId R0 is that of line 1 too."


def test_what_a_job_may_still_take_is_a_warning() -> None:
    report = check_records([b'{"modelInput": ' + json.dumps(BODY).encode() + b', "more": 1}'])
    assert report.problems == 0
    assert [finding.line for finding in report.findings] == [1, 1, 0]
    assert "quota asks for 100 records" in report.findings[-1].message
    two = check_records([record(1, model="a"), record(2, model="b")])
    assert two.problems == 1
    assert two.findings[-1].message == "A job has one model, and the records name a, b."


def test_the_command_names_the_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(record(1) + b"{}\n" + record(1))
    assert main(["batch", str(path), "check"]) == 2
    out, err = capsys.readouterr()
    assert (
        out.splitlines()[1] == "records.jsonl:2: modelInput must be an object: the body of Chat Completions."
    )
    assert "records.jsonl:3: recordId R1 is that of line 1 too." in out
    assert err == "3 records, 2 problems.\n"
    assert main(["batch", str(path), "check", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["records"], report["problems"], report["findings"][0]["line"]) == (3, 2, 2)
    # A bad file is not uploaded, and one that is not there is a sentence.
    assert main(["batch", str(path), "start", "--bucket", "my-bucket", "--role", ROLE, "--yes"]) == 2
    assert "Nothing was uploaded" in capsys.readouterr().err
    assert main(["batch", str(tmp_path / "none.jsonl"), "check"]) == 2
    assert "It cannot be read: no such file" in capsys.readouterr().err


class Typed(io.StringIO):
    """What somebody types on a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def storage() -> Iterator[str]:
    """Moto's S3 on loopback: its URL."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_job_is_started(
    sandbox: SandboxServer,
    storage: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import boto3

    for name, value in {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_ENDPOINT_URL_S3": storage,
        "AWS_ENDPOINT_URL_BEDROCK": f"http://127.0.0.1:{sandbox.port}/bedrock",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    s3: Any = boto3.client("s3", region_name="us-east-1")  # pyright: ignore
    s3.create_bucket(Bucket="my-bucket")
    path = tmp_path / "my records.jsonl"
    path.write_bytes(b"".join(record(number) for number in range(100)))
    start = ["batch", str(path), "start", "--bucket", "my-bucket", "--role", ROLE]

    # Nothing goes anywhere before somebody has said yes.
    assert main([*start, "--model", "openai.gpt-oss-20b-1:0"]) == 2
    assert "--yes uploads and starts without asking" in capsys.readouterr().err
    assert main([*start, "--yes"]) == 2
    assert "give --model" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", Typed("n\n"))
    assert main([*start, "--model", "openai.gpt-oss-20b-1:0"]) == 2
    said = capsys.readouterr().err
    assert "Upload and start? [y/N] " in said and "Nothing was uploaded." in said
    assert "Contents" not in s3.list_objects_v2(Bucket="my-bucket")
    assert not sandbox.log

    monkeypatch.setattr(sys, "stdin", Typed("y\n"))
    assert main([*start, "--model", "openai.gpt-oss-20b-1:0", "--name", "night-1", "--json"]) == 0
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert said["records"] == "s3://my-bucket/outcrop/night-1/my-records.jsonl"
    assert said["results"] == "s3://my-bucket/outcrop/night-1/results/"
    assert "100 records" in err and "Both cost money." in err
    stored = s3.get_object(Bucket="my-bucket", Key="outcrop/night-1/my-records.jsonl")["Body"].read()
    assert stored == path.read_bytes()
    bedrock: Any = boto3.client("bedrock", region_name="us-west-2")  # pyright: ignore
    job = bedrock.get_model_invocation_job(jobIdentifier=said["job"])
    assert (job["jobName"], job["modelId"], job["roleArn"]) == ("night-1", "openai.gpt-oss-20b-1:0", ROLE)
    assert job["inputDataConfig"]["s3InputDataConfig"]["s3Uri"] == said["records"]

    # What AWS refuses is a sentence: the same name again, a bucket that is not there.
    assert main([*start, "--model", "openai.gpt-oss-20b-1:0", "--name", "night-1", "--yes"]) == 1
    assert "outcrop: AWS refused it: " in capsys.readouterr().err
    start[start.index("my-bucket")] = "other-bucket"
    assert main([*start, "--model", "openai.gpt-oss-20b-1:0", "--yes"]) == 1
    assert "bucket does not exist" in capsys.readouterr().err
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert main([*start, "--model", "openai.gpt-oss-20b-1:0", "--yes"]) == 3
    assert "There are no credentials of AWS." in capsys.readouterr().err
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    assert main([*start, "--model", "openai.gpt-oss-20b-1:0", "--yes"]) == 3


def test_the_job_is_one_that_awss_own_model_of_the_service_takes() -> None:
    import botocore.session
    from botocore.validate import ParamValidator

    job = BatchJob(
        "night-1", "openai.gpt-oss-20b-1:0", "us-west-2", ROLE, "my-bucket", "a/b.jsonl", "a/results/"
    )
    service: Any = botocore.session.get_session().get_service_model("bedrock")
    shape = service.operation_model("CreateModelInvocationJob").input_shape
    assert not ParamValidator().validate(job_request(job), shape).has_errors()
    broken = {**job_request(job), "inputDataConfig": {"s3InputDataConfig": {"s3Url": "s3://my-bucket/a"}}}
    assert ParamValidator().validate(broken, shape).has_errors()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--bucket", "My_Bucket", "--role", ROLE], "no name of a bucket"),
        (["--bucket", "my-bucket", "--role", "admin"], "--role: an ARN such as"),
        (["--bucket", "my-bucket"], "start needs --role."),
        (["--bucket", "my-bucket", "--role", ROLE, "--name", "a b"], "--name: letters"),
        (["--bucket", "my-bucket", "--role", ROLE, "--prefix", "a b"], "--prefix: a b holds"),
        (["--bucket", "my-bucket", "--role", ROLE], "which is an extra: install outcrop[aws]"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    more: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # None in the table of modules is how Python says that there is no such module.
    monkeypatch.setitem(sys.modules, "boto3", None)
    path = tmp_path / "records.jsonl"
    path.write_bytes(record(1, model="openai.gpt-oss-20b-1:0"))
    assert main(["batch", str(path), "start", *more, "--yes"]) == 2
    assert sentence in capsys.readouterr().err
