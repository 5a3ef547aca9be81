"""A real Secret Service, where there is one; elsewhere these tests are skipped with the reason."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest


def why_not() -> str | None:
    """Why no real, unlocked Secret Service can be used; `None` when one can."""
    if shutil.which("secret-tool") is None:
        return "secret-tool is not installed (libsecret-tools)"
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    if not address:
        return "there is no D-Bus session bus; run under .ci/with-keyring"
    import secretstorage

    try:
        connection = secretstorage.dbus_init()
    except secretstorage.SecretServiceNotAvailableException as error:
        return f"the session bus does not answer: {error}"
    try:
        if not secretstorage.check_service_availability(connection):
            return "no Secret Service is on the session bus; run under .ci/with-keyring"
        collection = secretstorage.get_default_collection(connection)
        return "the keyring is locked; run under .ci/with-keyring" if collection.is_locked() else None
    except secretstorage.SecretStorageException as error:
        return f"the Secret Service has no default collection: {error}"
    finally:
        connection.close()


@pytest.fixture(scope="session")
def secret_service() -> None:
    reason = why_not()
    if reason is None:
        return
    if os.environ.get("OUTCROP_REQUIRE_KEYRING"):  # set by .ci/with-keyring: there a skip is a failure
        pytest.fail(reason)
    pytest.skip(reason)


def secret_tool(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["secret-tool", *arguments], input=text, capture_output=True, text=True, timeout=20, check=False
    )


@pytest.fixture
def oracle(secret_service: None) -> Iterator[Oracle]:
    oracle = Oracle()
    yield oracle
    oracle.clear()


class Oracle:
    """Looks at the keyring with libsecret's own tool, which shares no code with Outcrop."""

    def lookup(self, name: str) -> str | None:
        found = secret_tool("lookup", "service", "outcrop", "username", name)
        return found.stdout if found.returncode == 0 else None

    def entries(self) -> int:
        found = secret_tool("search", "--all", "service", "outcrop")
        return found.stdout.count("\nsecret = ")

    def put(self, name: str, secret: str) -> None:
        stored = secret_tool(
            *("store", "--label=outcrop test", "service", "outcrop", "username", name), text=secret
        )
        assert stored.returncode == 0, stored.stderr

    def clear(self) -> None:
        secret_tool("clear", "service", "outcrop")
