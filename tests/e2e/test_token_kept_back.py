"""No program that is started gets the token or the keys, and a token that is no good goes nowhere."""

from __future__ import annotations

import ast
import os
import resource
import sys
from pathlib import Path

import pytest
from support.keyring_support import short_term_token
from support.programs import Finished, Program, until

import tui
from tui.sandbox.server import SandboxServer
from tui.terminal import clipboard, clipboard_reading, external_editor, open_link
from tui.tools.definitions import read_tools

TOKEN = short_term_token("us-west-2", life=10**8)
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxR",
        "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEXAMPLE" * 4}  # fmt: skip

# Writes down what it was given, and answers as each of the programs that it stands for does.
DOUBLE = f"""#!{sys.executable} -IS
import json, os, sys, time
given = open("/proc/self/cmdline").read() + open("/proc/self/environ").read()
with open({{log!r}} + "/" + os.path.basename(sys.argv[0]) + ".seen", "a") as file:
    file.write(given + " " + os.environ.get("HOME", "") + "\\n")
name = os.path.basename(sys.argv[0])
if name == "keys":
    print(json.dumps({{{{"Version": 1, "AccessKeyId": "sandbox", "SecretAccessKey": "sandbox"}}}}))
elif name == "wl-paste":
    print("text/plain")
elif name == "xclip" and "-in" in sys.argv:
    sys.stdin.read()
"""


def doubles(folder: Path, *names: str) -> dict[str, str]:
    """Programs that write down what they were given, each under its name; gives their paths."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(DOUBLE.format(log=str(folder)))
        (folder / name).chmod(0o755)
    return {name: str(folder / name) for name in names}


def given(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text() for path in folder.glob("*.seen")}


async def test_editor_browser_and_clipboard_tools_get_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = doubles(tmp_path / "bin", "edit", "browser", "xclip", "wl-paste")
    for name, value in {
        "AWS_BEARER_TOKEN_BEDROCK": TOKEN,
        **KEYS,
        "BROWSER": f"{made['browser']} %s",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":9")
    assert (await clipboard.copy("granite", None, os.environ)).tool == "xclip"
    monkeypatch.setenv("WAYLAND_DISPLAY", "w")
    await clipboard_reading.read_clipboard(os.environ)
    await external_editor.edit_text("granite", [made["edit"]])
    assert await open_link.open_link("https://example.com/") == ""
    seen = given(tmp_path / "bin")
    assert sorted(seen) == ["browser", "edit", "wl-paste", "xclip"]
    for name, text in seen.items():
        assert os.environ["HOME"] in text, "the rest of the environment is there"
        assert not [secret for secret in (TOKEN, *KEYS.values()) if secret in text], name


STARTS = {"create_subprocess_exec", "create_subprocess_shell", "Popen", "check_output", "system"}


def test_what_starts_a_program_says_what_it_inherits() -> None:
    """A start without `env` gives a program the whole environment, secrets included."""
    starts: list[str] = []
    for path in sorted(Path(tui.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in STARTS:
                starts.append(path.name)
                assert any(keyword.arg == "env" for keyword in node.keywords), f"{path}:{node.lineno}"
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "os.fork":
                # A child that was started without secrets, and has none to pass on.
                assert path.parts[-2:] == ("pdf", "child.py")
    assert len(starts) >= 7


def test_a_tool_that_asks_for_a_secret_is_refused(tmp_path: Path) -> None:
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "OPENAI_API_KEY"):
        file = tmp_path / f"{name}.toml"
        file.write_text(
            f'[[tool]]\nname = "t"\ndescription = "d"\ncommand = ["true"]\nenvironment = ["{name}"]\n'
        )
        with pytest.raises(Exception, match=f"{name} holds a secret"):
            read_tools(file)


def test_the_program_gives_its_token_to_no_child(program: Program) -> None:
    """The keys of a profile come from a program of the user's, which botocore starts."""
    made = doubles(program.root / "bin", "keys")
    (program.home / ".aws").mkdir()
    (program.home / ".aws" / "config").write_text(
        f"[profile work]\nregion = us-west-2\ncredential_process = {made['keys']}\n"
    )
    program.token = TOKEN
    (program.config / "config.toml").write_text(
        '[profiles.gateway]\nbase_url = "http://127.0.0.1:9/v1"\ntoken_env = "GATEWAY_TOKEN"\n'
    )
    program.more |= {**KEYS, "GATEWAY_TOKEN": "gateway-token-of-the-test"}
    finished = program.run("token", "status", "--aws-profile", "work")
    assert finished.status == 0 and "signed (SigV4) with credential_process" in finished.out, finished
    (text,) = given(program.root / "bin").values()
    assert str(program.home) in text
    # What it needs as a tool of AWS's is left to it.
    assert not [secret for secret in (TOKEN, "gateway-token-of-the-test") if secret in text]


def test_memory_is_not_written_to_a_disk(program: Program) -> None:
    with program.running("ask", "-", stdin=-1) as process:
        assert process.stdin is not None
        until(lambda: resource.prlimit(process.pid, resource.RLIMIT_CORE)[0] == 0, "no memory in a file")
        process.stdin.close()
        process.wait(20)


# Each is given by every way in; the middle of it must be nowhere afterwards.
SECRET = "5ECRET" * 6
UNUSABLE = {
    "a line break": f"{SECRET}\n{SECRET}",
    "a space": f"{SECRET} {SECRET}",
    "a letter beyond ASCII": f"{SECRET}é",
    "Latin-1": f"{SECRET}\udce9",
    "a control": f"{SECRET}\x1b]0;x\x07",
    "a mark of direction": f"{SECRET}\u202e{SECRET}",
    "8 KB and more": SECRET * 250,
    "nothing": "  \n ",
    "a mark and nothing": "\ufeff''",
}


def refused(finished: Finished, status: int) -> None:
    assert finished.status == status, finished
    words = finished.sentence()
    assert "5ECRET" not in finished.err and "5ECRET" not in finished.out
    assert "\x1b" not in words


def test_a_token_that_no_header_could_carry_is_refused_before_any_request_and_not_shown(
    program: Program, server: SandboxServer
) -> None:
    (program.config / "config.toml").write_text(
        f'[profiles.gateway]\nbase_url = "{program.base_url}"\ntoken_env = "GATEWAY_TOKEN"\n'
    )
    for name in ("a line break", "a control", "Latin-1", "8 KB and more"):
        program.token = UNUSABLE[name]
        refused(program.ask("hello"), 3)
    program.token = ""
    given = {"GATEWAY_TOKEN": UNUSABLE["a mark of direction"], "BEDROCK_BASE_URL": None}
    refused(program.ask("--profile", "gateway", "hello", **given), 3)
    for name, status in {"a space": 3, "Latin-1": 2, "8 KB and more": 3, "nothing": 3}.items():
        entered = UNUSABLE[name].encode("utf-8", "surrogateescape")
        refused(program.run("token", "set", stdin=entered), status)
    assert len(server.log) == 0
    files = [path for path in program.root.rglob("*") if path.is_file()]
    assert files and not [path for path in files if b"5ECRET" in path.read_bytes()]


def test_what_is_around_a_token_is_taken_off_wherever_it_comes_from(program: Program) -> None:
    program.token = '\ufeff "sandbox"\r\n'
    assert program.ask("Reply with exactly: trimmed").out == "trimmed"
    program.token = ""
    # The keyring is out of reach here: that is what it says of a token it would have kept.
    for text in ("\ufeffsandbox\r\n".encode("utf-16-le"), " “sandbox”\n".encode()):
        finished = program.run("token", "set", stdin=text)
        assert finished.status == 1 and "No keyring can be reached" in finished.err, (text, finished)
