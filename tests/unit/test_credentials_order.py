"""Where a token is taken from, what is said of it, and a keyring that does not answer."""

from __future__ import annotations

import asyncio
import pickle
import sys
import threading
import types

import pytest
from support.keyring_support import NOW, DictKeyring, short_term_token

from tui.core.errors import (
    KeyringError,
    KeyringLocked,
    KeyringUnavailable,
    TokenMissing,
    TokenUnusable,
)
from tui.credentials.credentials import VARIABLE, Credentials
from tui.credentials.system_keyring import SystemKeyring


def credentials(keyring=None, region="us-west-2", token=None, **options) -> Credentials:
    environ = {} if token is None else {VARIABLE: token}
    return Credentials(environ, region, keyring=keyring or DictKeyring(), clock=lambda: NOW, **options)


async def test_without_any_token_it_says_what_to_do():
    found = credentials()
    assert (await found.load("us-west-2")).state == "none"
    with pytest.raises(TokenMissing, match=r"AWS_BEARER_TOKEN_BEDROCK.*outcrop token set"):
        found.token_for("us-west-2")
    status = found.status("us-west-2")
    assert (status.source, status.usable) == ("none", False)


async def test_the_environment_comes_before_the_keyring_which_is_not_asked_then():
    keyring = DictKeyring({"us-west-2": "kept"})
    found = credentials(keyring, token=" from-env\n")
    assert (await found.load("us-west-2")).state == "not asked"
    assert found.token_for("us-west-2") == "from-env"
    assert keyring.calls == []


async def test_the_regions_entry_comes_before_default():
    found = credentials(DictKeyring({"us-west-2": "regional", "default": "general"}))
    assert (await found.load("us-west-2")).state == "found"
    assert found.token_for("us-west-2") == "regional"
    assert (await found.load("us-east-1")).state == "not asked"
    assert found.token_for("us-east-1") == "general"
    assert found.status("us-east-1").source == "keyring"


async def test_what_was_entered_in_this_run_wins():
    found = credentials(token="from-env")
    found.remember(" entered ")
    assert found.token_for("us-west-2") == "entered"
    assert found.status("us-west-2").source == "memory"


async def test_an_environment_key_of_another_region_is_passed_over_for_one_that_works():
    found = credentials(DictKeyring({"us-west-2": "kept"}), token=short_term_token("us-east-1"))
    with pytest.raises(TokenUnusable, match="made for us-east-1"):
        found.token_for("us-west-2")
    assert (await found.load("us-west-2")).state == "found"
    assert found.token_for("us-west-2") == "kept"
    assert found.token_for("us-east-1") == short_term_token("us-east-1")


async def test_a_key_of_another_region_or_an_expired_one_is_refused_with_the_reason():
    found = credentials()
    found.remember(short_term_token("us-east-1"))
    with pytest.raises(TokenUnusable, match="made for us-east-1 and works only there"):
        found.token_for("us-west-2")
    found.remember(short_term_token("us-west-2", made=NOW - 7200, life=3600))
    with pytest.raises(TokenUnusable, match="expired at 2026-11-22 11:00 UTC, 1 h ago"):
        found.token_for("us-west-2")


def test_the_status_tells_region_and_expiry_in_words():
    status = credentials(token=short_term_token(life=11_100)).status("us-west-2")
    assert (status.kind, status.region, status.expires_at) == ("short-term", "us-west-2", NOW + 11_100)
    assert status.sentence == (
        "Short-term key from AWS_BEARER_TOKEN_BEDROCK, for us-west-2, valid for 3 h 5 min more at most."
    )


def test_a_broken_token_in_the_environment_is_named_and_not_shown():
    found = credentials(token="SEC RET")
    with pytest.raises(TokenUnusable, match=VARIABLE) as caught:
        found.token_for("us-west-2")
    assert "SEC" not in str(caught.value)
    assert "SEC" not in found.status("us-west-2").sentence


async def test_the_sandbox_reads_no_real_token_anywhere():
    class Environ(dict[str, str]):
        def get(self, *args):
            raise AssertionError("the environment was read")

        __getitem__ = get

    keyring = DictKeyring({"us-west-2": "kept"})
    found = Credentials(Environ(), "us-west-2", sandbox=True, keyring=keyring)
    assert (await found.load("us-west-2")).state == "not asked"
    assert found.token_for("eu-west-1") == "sandbox"
    assert found.status("us-west-2").source == "sandbox"
    assert keyring.calls == []


async def test_storing_goes_to_the_keys_own_region_else_default():
    keyring = DictKeyring()
    found = credentials(keyring)
    assert await found.store("plain-key\n") == "default"
    assert await found.store(short_term_token("us-east-1")) == "us-east-1"
    assert await found.store("other", "eu-west-1") == "eu-west-1"
    assert keyring.entries == {
        "default": "plain-key",
        "us-east-1": short_term_token("us-east-1"),
        "eu-west-1": "other",
    }
    assert found.token_for("us-west-2") == "plain-key"
    with pytest.raises(TokenUnusable, match="made for us-east-1"):
        await found.store(short_term_token("us-east-1"), "us-west-2")
    with pytest.raises(TokenUnusable):
        await found.store("two words")


async def test_clearing_forgets_one_region_or_everything():
    keyring = DictKeyring({"us-west-2": "a", "default": "b", "eu-west-1": "c"})
    found = credentials(keyring, regions=("us-west-2", "eu-west-1", "us-east-1"))
    await found.load("us-west-2")
    found.remember("entered", "us-west-2")
    assert await found.clear("us-west-2") == ("us-west-2",)
    assert found.token_for("us-west-2") == "b"
    assert await found.clear("us-west-2") == ()
    assert await found.clear() == ("default", "eu-west-1")
    assert keyring.entries == {}
    with pytest.raises(TokenMissing):
        found.token_for("us-west-2")


async def test_a_silent_keyring_is_taken_to_be_locked_and_a_late_answer_is_used():
    gate = threading.Event()
    found = credentials(DictKeyring({"us-west-2": "kept"}, gate))
    heard = asyncio.Queue()
    status = await found.load("us-west-2", timeout=0.02, on_late=heard.put_nowait)
    assert status.state == "locked" and "did not answer within 0.02 s" in status.sentence
    with pytest.raises(TokenMissing):
        found.token_for("us-west-2")
    gate.set()
    assert (await asyncio.wait_for(heard.get(), 5)).state == "found"
    assert found.token_for("us-west-2") == "kept"


async def test_storing_and_clearing_give_up_on_a_silent_keyring():
    gate = threading.Event()
    keyring = DictKeyring(gate=gate)
    found = credentials(keyring)
    with pytest.raises(KeyringLocked, match="did not answer"):
        await found.store("key", timeout=0.02)
    with pytest.raises(KeyringLocked, match="did not answer"):
        await found.clear("us-west-2", timeout=0.02)
    gate.set()
    for _ in range(500):
        if found.status("us-west-2").usable:
            break
        await asyncio.sleep(0.01)
    assert found.token_for("us-west-2") == "key"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (KeyringLocked("It is locked."), "locked"),
        (KeyringUnavailable("There is none."), "unavailable"),
        (KeyringError("It refused."), "failed"),
        (ValueError("odd"), "failed"),
    ],
)
async def test_what_the_keyring_says_is_told(error, state):
    keyring = DictKeyring()
    keyring.error = error
    found = credentials(keyring)
    status = await found.load("us-west-2")
    assert status.state == state and status.sentence
    with pytest.raises(KeyringError):
        await found.store("key")
    with pytest.raises(KeyringError):
        await found.clear()


async def test_a_kept_entry_that_is_no_token_is_said_and_not_used():
    found = credentials(DictKeyring({"us-west-2": "SEC RET"}))
    status = await found.load("us-west-2")
    assert status.state == "failed" and "SEC" not in status.sentence


def test_no_repr_shows_the_token_and_it_cannot_be_pickled():
    found = Credentials({VARIABLE: "SECRET"}, "us-west-2")
    found.remember("SECRET")
    assert "SECRET" not in repr(found) and "SECRET" not in repr(vars(found))
    assert "SECRET" not in repr(found.status("us-west-2"))
    with pytest.raises(TypeError, match="not to be copied"):
        pickle.dumps(found)


# The library's own failures, one sentence each, with a stand-in for the backend only.


class Backend:
    def __init__(self, error: Exception | None = None, keeps: bool = True) -> None:
        self.error, self.keeps, self.entries = error, keeps, {}

    def _ask(self):
        if self.error is not None:
            raise self.error

    def get_password(self, service, name):
        self._ask()
        assert service == "outcrop"
        return self.entries.get(name)

    def set_password(self, service, name, secret):
        self._ask()
        if self.keeps:
            self.entries[name] = secret

    def delete_password(self, service, name):
        del self.entries[name]


def backend_named(module: str, **options) -> Backend:
    return type("Keyring", (Backend,), {"__module__": module})(**options)


@pytest.fixture
def use(monkeypatch):
    import keyring

    def install(backend):
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
        monkeypatch.setattr(keyring, "get_keyring", lambda: backend)

    return install


def test_each_failure_of_the_library_has_its_sentence(use):
    from keyring import errors

    expected = [
        (errors.NoKeyringError("x"), KeyringUnavailable, "No keyring can be reached"),
        (errors.InitError("x"), KeyringLocked, "no collection that is open"),
        (errors.KeyringLocked("x"), KeyringLocked, "is locked"),
        (errors.KeyringError("odd \x1b thing"), KeyringError, "odd ␛ thing"),
        (OSError("socket SECRET"), KeyringError, "OSError"),
    ]
    for error, kind, words in expected:
        use(Backend(error))
        for call in (
            lambda: SystemKeyring().get("x"),
            lambda: SystemKeyring().put("x", "SECRET"),
            lambda: SystemKeyring().remove("x"),
        ):
            with pytest.raises(kind, match=words) as caught:
                call()
            assert "AWS_BEARER_TOKEN_BEDROCK" in str(caught.value)
            assert "SECRET" not in str(caught.value)
            assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_a_backend_that_keeps_nothing_is_found_by_reading_back(use):
    use(backend_named("keyring.backends.null", keeps=False))
    with pytest.raises(KeyringError, match=r"keyring\.backends\.null\.Keyring.*does not give it back"):
        SystemKeyring().put("x", "key")


def test_the_windows_limit_is_said_in_words(use):
    use(backend_named("keyring.backends.Windows"))
    SystemKeyring().put("x", "k" * 1280)
    with pytest.raises(KeyringError, match="1,281 characters; the Windows keyring holds 1,280"):
        SystemKeyring().put("x", "k" * 1281)


def test_a_keyring_that_is_a_file_is_not_used(use):
    plain = backend_named("keyrings.alt.file")
    for backend in (plain, types.SimpleNamespace(backends=[plain])):
        use(backend)
        with pytest.raises(KeyringUnavailable, match="in a file"):
            SystemKeyring().put("x", "key")
    assert plain.entries == {}


def test_removing_what_is_not_there_is_no_error(use):
    use(Backend())
    assert SystemKeyring().remove("x") is False


async def test_a_hung_keyring_does_not_hold_the_exit():
    import subprocess

    code = (
        "import asyncio, threading\n"
        "from tui.credentials.credentials import Credentials\n"
        "class Hung:\n"
        "    def get(self, name): threading.Event().wait()\n"
        "found = Credentials({}, 'us-west-2', keyring=Hung())\n"
        "print(asyncio.run(found.load('us-west-2', timeout=0.05)).state)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
    )
    assert result.stdout.strip() == "locked" and result.stderr == ""
