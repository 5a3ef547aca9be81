"""The token in a real Secret Service: set, get, clear, locked, absent; secret-tool is the witness.

Each test that changes what the process or the service knows runs Outcrop in a process of its own, because
the keyring library looks for its backend once per process.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.keyring_support import short_term_token

from tui.credentials.credentials import Credentials

pytestmark = pytest.mark.keyring


def run(code: str, **environ: str) -> list[str]:
    """Run code that has a `Credentials` called `found`; the lines that it prints."""
    script = (
        "import asyncio, sys\n"
        "from tui.credentials.credentials import Credentials\n"
        "from tui.core.errors import *\n"
        "found = Credentials({}, 'us-west-2', regions=('us-west-2', 'eu-west-1'))\n"
        "async def main():\n"
        + "".join(f"    {line}\n" for line in code.splitlines())
        + "asyncio.run(main())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def fresh() -> Credentials:
    return Credentials({}, "us-west-2", regions=("us-west-2", "eu-west-1", "us-east-1"))


async def test_a_stored_token_is_in_the_keyring_and_found_again(oracle):
    token = short_term_token("us-east-1", life=10**8)
    assert await fresh().store(token) == "us-east-1"
    assert oracle.lookup("us-east-1") == token
    assert await fresh().store("plain-key") == "default"
    assert oracle.lookup("default") == "plain-key"
    found = fresh()
    assert (await found.load("us-east-1")).state == "found"
    assert found.token_for("us-east-1") == token
    assert found.token_for("us-west-2") == "plain-key"
    assert found.status("us-east-1").source == "keyring"


async def test_an_entry_of_another_program_for_the_same_names_is_read(oracle):
    oracle.put("us-west-2", "made-by-secret-tool")
    found = fresh()
    assert (await found.load("us-west-2")).state == "found"
    assert found.token_for("us-west-2") == "made-by-secret-tool"


async def test_storing_again_replaces_and_leaves_one_entry(oracle):
    await fresh().store("first", "us-west-2")
    await fresh().store("second", "us-west-2")
    assert (oracle.lookup("us-west-2"), oracle.entries()) == ("second", 1)


async def test_clearing_leaves_nothing_behind(oracle):
    for name in ("us-west-2", "eu-west-1", "default"):
        await fresh().store("key", name)
    assert oracle.entries() == 3
    assert await fresh().clear("eu-west-1") == ("eu-west-1",)
    assert (oracle.lookup("eu-west-1"), oracle.entries()) == (None, 2)
    assert set(await fresh().clear()) == {"us-west-2", "default"}
    assert oracle.entries() == 0
    assert await fresh().clear() == ()


async def test_an_empty_keyring_says_that_it_has_no_key(oracle):
    status = await fresh().load("us-west-2")
    assert status.state == "none" and "no Bedrock key for us-west-2" in status.sentence


async def test_a_long_key_survives(oracle):
    token = "k" * 8192
    await fresh().store(token, "us-west-2")
    assert oracle.lookup("us-west-2") == token


def test_a_locked_keyring_is_said_to_be_locked(secret_service):
    """Under a service of its own, as a locked one cannot be unlocked again without its prompt."""
    wrapper = os.path.join(os.path.dirname(__file__), "..", "..", ".ci", "with-keyring")
    code = (
        "import secretstorage, asyncio\n"
        "from tui.credentials.credentials import Credentials\n"
        "from tui.core.errors import KeyringLocked\n"
        "async def main():\n"
        "    found = Credentials({}, 'us-west-2')\n"
        "    await found.store('key')\n"
        "    connection = secretstorage.dbus_init()\n"
        "    collection = secretstorage.get_default_collection(connection)\n"
        "    collection.lock()\n"
        "    assert collection.is_locked()\n"
        "    connection.close()\n"
        "    found = Credentials({}, 'us-west-2')\n"
        "    status = await found.load('us-west-2')\n"
        "    print(status.state, '|', status.sentence)\n"
        "    for call in (found.store('other'), found.clear()):\n"
        "        try:\n"
        "            await call\n"
        "        except KeyringLocked as error:\n"
        "            print(error)\n"
        "asyncio.run(main())\n"
    )
    environ = {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    result = subprocess.run(
        ["bash", wrapper, sys.executable, "-c", code],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("locked | ")
    for line in lines:
        assert "locked" in line and "AWS_BEARER_TOKEN_BEDROCK" in line


ABSENT = """
status = await found.load('us-west-2')
print(status.state, '|', status.sentence)
for call in (found.store('key'), found.clear()):
    try:
        await call
    except KeyringUnavailable as error:
        print(error)
found.remember('for-this-run')
print(found.token_for('us-west-2'))
"""


@pytest.mark.parametrize(
    "address", ["unix:path=/nonexistent/bus", "garbage", "unix:path=/dev/null"], ids=["dead", "bad", "null"]
)
def test_without_a_secret_service_it_is_said_and_the_run_goes_on(address, tmp_path):
    """Needs no service: it is about having none."""
    lines = run(
        ABSENT,
        DBUS_SESSION_BUS_ADDRESS=address,
        XDG_RUNTIME_DIR=str(tmp_path),
        HOME=str(tmp_path),
        XDG_DATA_HOME=str(tmp_path / "data"),
    )
    assert lines[0].startswith("unavailable | No keyring can be reached")
    assert len(lines) == 4 and lines[3] == "for-this-run"
    assert list(tmp_path.iterdir()) == []


def test_a_bus_without_a_secret_service_is_no_keyring(tmp_path):
    if not os.path.exists("/usr/bin/dbus-run-session"):
        pytest.skip("dbus-run-session is not installed")
    empty = tmp_path / "session.conf"
    empty.write_text(
        "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/>'
        '<allow eavesdrop="true"/><allow own="*"/></policy>'
        "</busconfig>"
    )
    code = (
        "import asyncio; from tui.credentials.credentials import Credentials\n"
        "print(asyncio.run(Credentials({}, 'us-west-2').load('us-west-2')).state)"
    )
    result = subprocess.run(
        ["dbus-run-session", f"--config-file={empty}", "--", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stdout.strip() == "unavailable", result.stderr


@pytest.mark.parametrize(
    ("backend", "state", "words"),
    [
        ("bogus.Keyring", "unavailable", "PYTHON_KEYRING_BACKEND names the keyring 'bogus.Keyring'"),
        ("keyring.backends.null.Keyring", "none", "does not give it back"),
        ("keyring.backends.fail.Keyring", "unavailable", "No keyring can be reached"),
    ],
)
def test_backends_that_keep_nothing_are_named(backend, state, words):
    code = (
        "print((await found.load('us-west-2')).state)\n"
        "try:\n"
        "    await found.store('SECRET')\n"
        "except KeyringError as error:\n"
        "    print(error)"
    )
    lines = run(code, PYTHON_KEYRING_BACKEND=backend)
    assert lines[0] == state
    assert words in lines[1] and "SECRET" not in lines[1]
