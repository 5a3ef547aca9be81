"""The OS keyring, and a sentence for each way in which it fails.

Everything here blocks, some of it for ever (an unlock prompt), so it runs in a daemon thread only. keyring
is imported when it is first asked: with its backend it costs 0.2 s.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from tui.core.errors import KeyringError, KeyringLocked, KeyringUnavailable, OutcropError
from tui.core.text import visible_line

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SERVICE", "Keyring", "SystemKeyring"]

SERVICE: Final = "outcrop"
_WINDOWS_LIMIT: Final = 1_280  # UTF-16 characters in the 2,560 bytes of a credential
T = TypeVar("T")
_INSTEAD: Final = "Set AWS_BEARER_TOKEN_BEDROCK, or enter the key for this run only."


class Keyring(Protocol):
    """A place that keeps a secret by name. Its methods block and raise `KeyringError`."""

    def get(self, name: str) -> str | None:
        """The secret; `None` when there is none."""
        ...

    def put(self, name: str, secret: str) -> None:
        """Keep a secret, and make sure that it is kept."""
        ...

    def remove(self, name: str) -> bool:
        """Remove a secret; whether there was one."""
        ...


class SystemKeyring:
    """What the keyring library finds on this machine; service `outcrop`, user name as given.

    Every method raises `KeyringUnavailable` where no keyring can be reached, `KeyringLocked` where it is
    locked, and `KeyringError` for the rest.
    """

    def get(self, name: str) -> str | None:
        """The secret kept under `name`; `None` when there is none."""
        return _told(lambda: _backend().get_password(SERVICE, name))

    def put(self, name: str, secret: str) -> None:
        """Keep a secret and read it back: the null backend takes everything and keeps nothing."""
        _told(lambda: _put(name, secret), secret)

    def remove(self, name: str) -> bool:
        """Remove the secret; `False` when there was none, which is no error."""
        return _told(lambda: _remove(name))


def _put(name: str, secret: str) -> None:
    backend = _backend()
    if _is_windows(backend) and len(secret.encode("utf-16-le")) > 2 * _WINDOWS_LIMIT:
        raise KeyringError(
            f"The key has {len(secret):,} characters; the Windows keyring holds {_WINDOWS_LIMIT:,} at most. "
            f"Nothing is kept. {_INSTEAD}"
        )
    backend.set_password(SERVICE, name, secret)
    if backend.get_password(SERVICE, name) != secret:
        raise KeyringError(
            f"The keyring ({_name(backend)}) took the key but does not give it back; nothing is kept. "
            f"{_INSTEAD}"
        )


def _remove(name: str) -> bool:
    backend = _backend()
    if backend.get_password(SERVICE, name) is None:
        return False
    backend.delete_password(SERVICE, name)
    if backend.get_password(SERVICE, name) is not None:
        raise KeyringError(f"The keyring ({_name(backend)}) still has the key after removing it.")
    return True


def _backend() -> Any:
    backend = _chosen_backend()
    # Where several are usable, keyring chains them and asks the first.
    first = next(iter(getattr(backend, "backends", ())), backend)
    if type(first).__module__.startswith("keyrings.alt"):
        raise KeyringUnavailable(
            f"The only keyring found ({_name(first)}) keeps secrets in a file; Outcrop never does. {_INSTEAD}"
        )
    return backend


def _chosen_backend() -> Any:
    import keyring

    failure = ""
    try:
        return keyring.get_keyring()
    except Exception as error:  # whatever importing and making the class named in a setting can raise
        failure = visible_line(f"{type(error).__name__}: {error}")
    variable = os.environ.get("PYTHON_KEYRING_BACKEND", "")
    if variable:
        raise KeyringUnavailable(
            f"PYTHON_KEYRING_BACKEND names the keyring {visible_line(variable)!r}, which cannot be loaded. "
            f"Unset it. {_INSTEAD}"
        )
    raise KeyringUnavailable(f"The keyring that keyringrc.cfg names cannot be loaded ({failure}). {_INSTEAD}")


def _told(work: Callable[[], T], secret: str = "") -> T:
    """Do the work; turn whatever the keyring library raises into a `KeyringError` with a sentence.

    This is the edge of a worker, hence the broad except: backends raise errors of D-Bus libraries and of
    the operating system. The new error is raised outside the handler, so that it holds no reference to the
    original, which may hold the secret.
    """
    try:
        return work()
    except OutcropError:
        raise
    except Exception as error:
        failure = _as_sentence(error, secret)
    raise failure


def _as_sentence(error: Exception, secret: str) -> KeyringError:
    from keyring import errors

    if isinstance(error, errors.NoKeyringError):
        return KeyringUnavailable(f"No keyring can be reached on this machine. {_INSTEAD}")
    if isinstance(error, errors.InitError):
        return KeyringLocked(
            "The keyring has no collection that is open, and none could be made without its prompt. "
            f"Log in to the desktop, or make a keyring named Login with Seahorse. {_INSTEAD}"
        )
    if isinstance(error, errors.KeyringLocked):
        return KeyringLocked(f"The keyring is locked. Unlock it and try again. {_INSTEAD}")
    detail = visible_line(str(error))
    if not isinstance(error, errors.KeyringError) or not detail or (secret and secret in detail):
        detail = type(error).__name__
    return KeyringError(f"The keyring failed ({detail}). {_INSTEAD}")


def _is_windows(backend: Any) -> bool:
    first = next(iter(getattr(backend, "backends", ())), backend)
    return type(first).__module__ == "keyring.backends.Windows"


def _name(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
