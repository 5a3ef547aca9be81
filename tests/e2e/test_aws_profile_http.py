"""Requests signed with an AWS profile: every API, keys that end, what is said, and that no key is kept."""

from __future__ import annotations

import base64
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from support.programs import Program
from support.sessions import take_turn
from support.token_search import forms as written_forms
from ui_real import ready, send
from ui_samples import picture, text_of
from ui_stand_in import until

from tui.app import OutcropApp
from tui.cli import main
from tui.config.settings import load_settings
from tui.core.aws import AwsKeys, profiles_in
from tui.core.checks.advice import Circumstances, next_step
from tui.core.errors import ResponseError, TokenError, TokenMissing, TokenRefused, TokenUnusable
from tui.core.events import RetryWaiting
from tui.core.export import FORMS, Unsupported, export
from tui.core.items import Outcome
from tui.credentials.aws_signing import AwsSigning
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.batch_job import aws_client
from tui.session.session import Session
from tui.startup import aws_signing
from tui.wire.signing import worn_out

CONFIG = """
[default]
region = us-east-1
[profile keys]
region = us-west-2
[profile process]
region = us-west-2
credential_process = {process}
[profile sso]
sso_session = corp
sso_account_id = 210987654321
sso_role_name = BedrockUser
[sso-session corp]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
[profile "with a code"]
role_arn = arn:aws:iam::123456789012:role/Admin
source_profile = keys
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile "below a code"]
role_arn = arn:aws:iam::123456789012:role/Other
source_profile = with a code
[profile role]
region = us-west-2
role_arn = arn:aws:iam::123456789012:role/Bedrock
source_profile = keys
[profile half]
region = us-west-2
[profile nothing]
region = us-west-2
[profile fails]
credential_process = {fails}
[profile slow]
credential_process = {slow}
"""
CREDENTIALS = """
[keys]
aws_access_key_id = sandbox
aws_secret_access_key = sandbox
[half]
aws_access_key_id = AKIAHALFHALFHALFHALF
"""
SECRETS = (
    "ASIA5QJZ7TW3K2V9X8NB",
    "wJalrXU/nFEMI+K7MDENG/bPxRfiCYzEXAMPLEtk",
    "IQoJb3JpZ2luX2VjE/z9" + "Qm7+k/" * 40,
)


class Aws:
    """The files in a home of their own; `process` gives what is written to `answers`, one after the other."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / ".aws").mkdir(parents=True)
        scripts = {
            "process": f'echo x >> "{home}/runs"\nn=$(wc -l < "{home}/runs" | tr -d " ")\n'
            f'cat "{home}/answer.$n" 2>/dev/null || cat "{home}/answer"',
            "fails": f"echo {SECRETS[1]} >&2; exit 3",
            "slow": "sleep 5",
        }
        for name, script in scripts.items():
            (home / name).write_text(f"#!/bin/sh\n{script}\n")
            (home / name).chmod(0o755)
        places = {name: str(home / name) for name in scripts}
        (home / ".aws" / "config").write_text(CONFIG.format(**places))
        (home / ".aws" / "credentials").write_text(CREDENTIALS)

    def gives(
        self, *tokens: str, life: float | None = None, keys: tuple[str, str] = ("sandbox", "sandbox")
    ) -> None:
        """What the process prints, run by run; the last one from then on."""
        for old in (*self.home.glob("answer*"), *self.home.glob("runs")):
            old.unlink()
        for number, token in enumerate(tokens, 1):
            row: dict[str, Any] = {"Version": 1, "AccessKeyId": keys[0], "SecretAccessKey": keys[1]}
            row["SessionToken"] = token
            if life is not None:
                row["Expiration"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + life))
            for name in (f"answer.{number}", "answer"):
                (self.home / name).write_text(json.dumps(row))


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return Aws(tmp_path / "home")


def session_at(base_url: str, **flags: object) -> Session:
    settings = load_settings({"base_url": base_url, "aws_profile": "process", **flags}, os.environ)
    credentials = Credentials(os.environ, settings.region, aws=aws_signing(settings, os.environ))
    return Session(settings, credentials)


GPT, OSS = "openai.gpt-5.4", "openai.gpt-oss-20b-1:0"
# A path with % is copied for no curl: this machine's may be older than what that needs, as the copy says.
PLACES = {
    "Responses": ("/openai/v1", "responses", GPT, "bedrock-mantle", ("curl", "python", "httpx")),
    "chat on mantle": ("/v1", "chat_completions", "openai.gpt-oss-20b", "bedrock-mantle", ()),
    "chat on runtime": ("/runtime/openai/v1", "chat_completions", OSS, "bedrock", ("python",)),
    "Converse": ("/runtime/openai/v1", "converse", OSS, "bedrock", ("boto3", "httpx")),
    "InvokeModel": ("/runtime/openai/v1", "invoke_model", OSS, "bedrock", ("boto3",)),
}


async def test_each_api_is_signed_and_its_copies_sign_too(
    sandbox: SandboxServer, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-never-sent")
    aws.gives("a-session-of-mine", life=3600)
    copies: dict[str, str] = {}
    for name, (route, api, model, service, forms) in PLACES.items():
        session = session_at(f"http://127.0.0.1:{sandbox.port}{route}", api=api, model=model)
        conversation = await session.new()
        taken = await take_turn(session, conversation.id, "Reply with exactly: signed")
        assert taken.turn.outcome is Outcome.COMPLETED, (name, taken.turn.error)
        assert taken.turn.text == "signed"
        (exchange,) = session.exchanges(conversation.id)
        headers = {key.lower(): value for key, value in exchange.request_headers}
        scope = (
            f"Credential=[token]/{time.strftime('%Y%m%d', time.gmtime())}/us-west-2/{service}/aws4_request, "
        )
        assert headers["authorization"].startswith(f"AWS4-HMAC-SHA256 {scope}SignedHeaders="), name
        assert headers["authorization"].endswith(", Signature=[token]")
        assert headers["x-amz-security-token"] == "[token]"
        for form in forms:
            made = export(exchange, form)
            (tmp_path / f"{name} {form}.{made.ending}").write_bytes(made.data)
            copies[f"{name} {form}"] = made.ending
        with pytest.raises(Unsupported, match="does not sign"):
            export(exchange, "httpie")
        await session.aclose()
    assert len(copies) == 7
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "sandbox"}
    env |= {"AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_SESSION_TOKEN": "another-session"}
    runs = {
        name: subprocess.Popen(
            [sys.executable if ending == "py" else "bash", tmp_path / f"{name}.{ending}"],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for name, ending in copies.items()
    }  # fmt: skip
    for name, run in runs.items():
        out = run.communicate(timeout=60)[0]
        assert run.returncode == 0, (name, out.decode())
        assert b"signed" in out, (name, out.decode())


async def test_keys_that_have_expired_are_found_again_once(sandbox: SandboxServer, aws: Aws) -> None:
    for route, api, model, status in (
        ("/openai/v1", "responses", GPT, 401),
        ("/runtime/openai/v1", "converse", OSS, 403),
    ):
        aws.gives("expired", "a-new-session")
        session = session_at(f"http://127.0.0.1:{sandbox.port}{route}", api=api, model=model, max_retries=0)
        conversation = await session.new()
        taken = await take_turn(session, conversation.id, "Reply with exactly: again")
        assert taken.turn.text == "again"
        assert [exchange.status for exchange in session.exchanges(conversation.id)] == [status, 200]
        assert [exchange.attempt for exchange in session.exchanges(conversation.id)] == [1, 2]
        assert [event.seconds for event in taken.events if isinstance(event, RetryWaiting)] == [0.0]
        # The same keys again: nothing is sent a second time. Others that are wrong too: mantle, which does
        # not say what is wrong, is asked once more, and runtime is not.
        again = 2 if status == 401 else 1
        for tokens, secret, attempts in (
            (["expired"], "sandbox", 1),
            (["one", "two", "three"], "wrong", again),
        ):
            aws.gives(*tokens, keys=("sandbox", secret))
            assert session.credentials.aws is not None
            session.credentials.aws.use("process")
            other = await session.new()
            failed = await take_turn(session, other.id, "Hello")
            assert failed.turn.outcome is Outcome.FAILED
            assert "signature by the AWS profile" in (failed.turn.error or "")
            assert len(session.exchanges(other.id)) == attempts, tokens
        await session.aclose()
    # What comes after a byte of an answer is no refusal of it.
    assert worn_out(TokenRefused("", code="ExpiredTokenException", status=403))
    assert not worn_out(TokenRefused("", code="AccessDeniedException", status=403))
    assert not worn_out(ResponseError("", code="ExpiredTokenException"))


async def test_keys_are_found_again_before_they_end(aws: Aws) -> None:
    now, found = [1000.0], []

    def find(profile: str) -> AwsKeys:
        found.append(profile)
        return AwsKeys("id", "secret", f"token {len(found)}", now[0] + 300, "sso")

    signing = AwsSigning("dev", find, os.environ, clock=lambda: now[0])
    first = await signing.ready()
    assert (await signing.ready()) is first
    assert signing.sentence().endswith("signed (SigV4) with SSO, valid for 5 min more at most.")
    now[0] += 241
    second = await signing.ready()
    assert second is not None
    assert second.token == "token 2"
    assert "secret" not in f"{signing!r} {second!r}"
    assert {"id", "secret", "token 2"} == {*signing.secrets}
    now[0] += 400
    assert signing.keys is None


class _AwsItself(BaseHTTPRequestHandler):
    """A container's credentials, and STS that gives those of a role."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7200))
        row = {"AccessKeyId": "of-the-container", "SecretAccessKey": "s", "Token": "t", "Expiration": until}
        self._answer(json.dumps(row), "application/json")

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"])).decode()
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        keys = f"<AccessKeyId>of-{'the-role' * ('Bedrock' in asked)}</AccessKeyId>"
        keys += "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        keys += f"<Expiration>{until}</Expiration>"
        made = f"<AssumeRoleResult><Credentials>{keys}</Credentials></AssumeRoleResult>"
        self._answer(f"<AssumeRoleResponse>{made}</AssumeRoleResponse>", "text/xml")

    def _answer(self, text: str, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


async def test_keys_of_a_role_and_of_a_container(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _AwsItself) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/keys")
        for name, key, words in (
            ("role", "of-the-role", "with a role, valid for 59 min"),
            ("nothing", "of-the-container", "with the container's role, valid for 1 h 59 min"),
        ):
            signing = aws_signing(load_settings({"aws_profile": name}, os.environ), os.environ)
            keys = await signing.ready()
            assert keys is not None
            assert keys.access_key == key
            assert words in signing.sentence()
        server.shutdown()


SAID = {
    "sso": "The SSO session of the AWS profile sso has expired: run `aws sso login --profile sso`.",
    "missing": "There is no AWS profile missing: `aws configure list-profiles` lists them.",
    "half": "The AWS profile half has only a part of its credentials: aws_secret_access_key is missing.",
    "nothing": "The AWS profile nothing has no credentials: run `aws configure --profile nothing`, or choose "
    "another.",
    "fails": "The program that gives the credentials of the AWS profile fails (credential_process) failed, "
    "or what it printed is no credentials: run it to see.",
    "slow": "The AWS profile slow gave no keys within 0.15 s: a process, SSO or AWS STS does not answer. "
    "`aws sts get-caller-identity` with it shows which.",
    "with a code": "The AWS profile with a code asks for an MFA code, ",
    "below a code": "The AWS profile with a code asks for an MFA code, ",
    "environment": "There are no AWS credentials in the environment: set AWS_PROFILE, or AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY.",
}


async def test_what_is_wrong_is_said_and_what_to_do(aws: Aws) -> None:
    from tui.wire.aws_keys import find_keys

    for name, sentence in SAID.items():
        signing = AwsSigning(name, find_keys, os.environ, timeout=0.15 if name == "slow" else 20)
        with pytest.raises(TokenError) as caught:
            await signing.ready()
        assert str(caught.value).startswith(sentence), name
        assert signing.sentence() == str(caught.value)
    credentials = Credentials({}, "us-west-2", aws=AwsSigning("missing", find_keys, os.environ))
    await credentials.load("us-west-2")
    assert credentials.status("us-west-2").usable is False
    with pytest.raises(TokenError, match="no AWS profile"):
        credentials.check("us-west-2")
    # A profile of the config file has a token of its own, and the sandbox too.
    assert credentials.signing("profile:gateway") is None
    assert Credentials({}, "us-west-2", sandbox=True, aws=credentials.aws).signing("us-west-2") is None


def test_the_commands_say_how_it_stands(
    aws: Aws, sandbox: SandboxServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.gives("a-session", life=3600)
    assert main(["token", "status", "--aws-profile", "process"]) == 0
    assert "requests are signed (SigV4) with credential_process, valid for 59 min" in capsys.readouterr().out
    url = f"http://127.0.0.1:{sandbox.port}/openai/v1"
    free = ["check", "--only", "token", "--only", "endpoint", "--base-url", url, "--json"]
    assert main([*free, "--aws-profile", "process"]) == 0
    report = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in report["checks"]}
    assert rows["token"]["facts"]["kind"] == "aws profile", rows
    assert rows["token"]["facts"]["expires_at"]
    # Only where it is asked for: AWS_PROFILE is for other tools.
    monkeypatch.setenv("AWS_PROFILE", "keys")
    assert main(["token", "status"]) == 3
    assert "There is no Bedrock key" in capsys.readouterr().out
    monkeypatch.setenv("OUTCROP_AWS_PROFILE", "environment")
    assert main(["token", "status"]) == 0
    assert "AWS credentials of the environment: requests are signed" in capsys.readouterr().out
    assert main(["token", "status", "--aws-profile", "off"]) == 3
    # A batch job is started with it as well.
    assert aws_client("s3", "us-west-2", "keys").meta.region_name == "us-west-2"
    with pytest.raises(TokenMissing, match="give --aws-profile"):
        aws_client("s3", "us-west-2", "missing")
    # Without the extra: how to get it.
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    assert main(["token", "status", "--aws-profile", "keys"]) == 3
    assert "pip install 'outcrop[aws]'" in capsys.readouterr().out.replace("\n", " ")
    assert main(["ask", "--base-url", url, "--aws-profile", "keys", "Hello"]) == 3
    assert "needs botocore, which is not installed" in capsys.readouterr().err


def test_linear_mode_lists_and_takes_them(tmp_path: Path, sandbox: SandboxServer) -> None:
    program = Program(tmp_path / "run", f"http://127.0.0.1:{sandbox.port}/openai/v1", "")
    Aws(program.home).gives("a-session", life=3600)
    typed = (
        "/aws-profile",
        "Reply with exactly: by lines",
        "/aws-profile missing",
        "Hello",
        "/aws-profile off",
    )
    finished = program.run("--plain", "--aws-profile", "process", stdin="\n".join((*typed, "")).encode())
    out = finished.out + finished.err
    for words in (
        "process: process, us-west-2, process, in use",
        "AWS profile process: requests are signed (SigV4) with credential_process",
        "by lines",
        "There is no AWS profile missing",
        "There is no Bedrock key for us-west-2.",
    ):
        assert words in out, (words, out)
    assert [record.ended for record in sandbox.log] == ["finished"]


def test_the_advice_is_about_the_profile() -> None:
    target = load_settings({}, {}).target()
    here = Circumstances(target, load_settings({}, {}).catalogue, "aws profile")
    assert next_step(TokenUnusable("The SSO session has expired: run `aws sso login`."), here) == ""
    refused = next_step(TokenRefused("The server refused it (403).", status=403), here)
    assert refused.startswith("Renew the session of the AWS profile")


def test_the_files_are_read_as_aws_s_tools_do() -> None:
    rows = {
        row.name: row
        for row in profiles_in(CONFIG.format(process="/opt/x --a b", fails="f", slow="s"), CREDENTIALS)
    }
    assert next(iter(rows)) == "default"
    assert (rows["process"].kind, rows["process"].detail) == ("process", "x")
    assert (rows["sso"].kind, rows["sso"].detail) == (
        "SSO",
        "BedrockUser of 210987654321 in the session corp",
    )
    assert rows["with a code"].mfa
    assert rows["below a code"].detail == "Other of 123456789012, from with a code"
    assert (rows["keys"].kind, rows["keys"].region) == ("keys", "us-west-2")
    assert profiles_in("", "") == ()
    with pytest.raises(ValueError, match="line 1") as caught:
        profiles_in("", f"{SECRETS[1]}\n")
    assert SECRETS[1] not in str(caught.value)


# ---- the keys are nowhere


class _Echo(BaseHTTPRequestHandler):
    """Answers with all that it was sent, and with the secret key, which it cannot know."""

    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        every = " ".join([*SECRETS, self.headers["authorization"], self.headers["x-amz-security-token"]])
        every += " " + base64.b64encode(b"x" + every.encode()).decode() + " " + quote(SECRETS[2], safe="")
        body = json.dumps({"message": f"refused: {every}"}).encode()
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("x-amzn-requestid", every[:1000])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def derived_keys(secret: str) -> list[bytes]:
    """What a signature is made with, from the day on to the service: each is as good as the key for a day."""
    found: list[bytes] = []
    for day in (time.strftime("%Y%m%d", time.gmtime(time.time() + shift)) for shift in (-3600, 0)):
        for service in ("bedrock", "bedrock-mantle"):
            key = f"AWS4{secret}".encode()
            for part in (day, "us-west-2", service, "aws4_request"):
                key = hmac.new(key, part.encode(), "sha256").digest()
                found.append(key)
    return found


async def test_the_keys_are_on_no_disk_no_screen_and_in_no_copy(
    aws: Aws, echo: str, sandbox: SandboxServer, tmp_path: Path
) -> None:
    aws.gives(SECRETS[2], life=1000, keys=SECRETS[:2])
    wanted = {needle for secret in SECRETS for needle in written_forms(secret[6:-4])}
    wanted |= {needle for key in derived_keys(SECRETS[1]) for needle in written_forms(key)}
    seen: list[bytes] = []

    def look(program: OutcropApp) -> None:
        text = picture(program, tmp_path, "screen.svg").read_bytes()
        seen.extend((text, text_of(program).encode(), "".join(text_of(program).split()).encode()))

    def flat() -> str:
        return " ".join(text_of(program).replace("│", "").split())

    session = session_at(f"{echo}/openai/v1", max_retries=0)
    program = OutcropApp(session)
    async with program.run_test(size=(160, 48)) as pilot:
        await ready(program, pilot)
        await until(pilot, lambda: "AWS: process, 1" in text_of(program))
        turn = await send(program, pilot, "What did I send?")
        assert "[token]" in (turn.error or "")
        look(program)
        program.chat.pick_aws_profile()
        await until(pilot, lambda: "AWS profile process: requests are signed" in text_of(program))
        assert "BedrockUser of 210987654321" in text_of(program)
        look(program)
        await pilot.press("escape", "f12")
        for tab in "1234":
            await pilot.press(tab)
            await pilot.pause(0.1)
            look(program)
        (exchange,) = session.exchanges(program.chat.conversation_id)
        assert exchange.status == 400
        for form in FORMS:
            try:
                made = export(exchange, form)
            except Unsupported as error:
                seen.append(str(error).encode())
            else:
                seen.extend((made.data, *(file.data for file in made.files)))
        seen.append(repr((exchange, session.credentials, session.credentials.aws)).encode())
        assert {*session.credentials.secrets} & {*SECRETS}, "what crash reports are searched for"
        # By name, kept for every start, and off again.
        assert program.chat.command_given("token.aws", "keys")
        assert session.credentials.aws is not None
        await until(pilot, lambda: session.credentials.aws.profile == "keys")
        await pilot.press("ctrl+x", "s", "k")
        await until(pilot, lambda: "● keys" in flat())
        await pilot.press("s")
        kept = tmp_path / "config" / "config.toml"
        await until(pilot, lambda: kept.exists() and 'aws_profile = "keys"' in kept.read_text())
        # At a key: what is in force is told, and a key that is entered takes its place.
        program.chat.action_ask_token()
        await until(pilot, lambda: "A key that is entered here is sent instead" in flat())
        await pilot.press(*"sandbox", "tab", "down", "space", "shift+tab", "enter")
        await until(pilot, lambda: session.credentials.aws.profile == "")
        assert session.credentials.token_for("us-west-2") == "sandbox"
        await program.chat.shut_down()
        await session.aclose()
    data = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert data
    assert len(seen) > 20
    for text in (*seen, *data):
        for needle in wanted:
            at = text.find(needle)
            assert at < 0, (needle, text[max(0, at - 100) : at + 100])
