"""Tokens and keyrings for tests."""

from __future__ import annotations

import base64
import threading
from datetime import UTC, datetime

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()


def short_term_token(region: str = "us-west-2", *, made: float = NOW, life: int = 43_200) -> str:
    """A short-term key in the documented form (bedrock-facts.md 1.2); its signature is made up."""
    date = datetime.fromtimestamp(made, UTC)
    query = (
        "Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential=ASIAEXAMPLE%2F{date:%Y%m%d}%2F{region}%2Fbedrock%2Faws4_request"
        f"&X-Amz-Date={date:%Y%m%dT%H%M%SZ}&X-Amz-Expires={life}&X-Amz-SignedHeaders=host"
        f"&X-Amz-Signature={'5ec7e7' * 10}&Version=1"
    )
    url = f"bedrock.amazonaws.com/?{query}"
    return "bedrock-api-key-" + base64.b64encode(url.encode()).decode()


class DictKeyring:
    """A keyring in memory; with `gate`, every call waits until it is opened, as behind an unlock prompt."""

    def __init__(self, entries: dict[str, str] | None = None, gate: threading.Event | None = None) -> None:
        self.entries = dict(entries or {})
        self.gate = gate
        self.calls: list[str] = []
        self.error: Exception | None = None

    def _called(self, what: str) -> None:
        self.calls.append(what)
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.error is not None:
            raise self.error

    def get(self, name: str) -> str | None:
        self._called(f"get {name}")
        return self.entries.get(name)

    def put(self, name: str, secret: str) -> None:
        self._called(f"put {name}")
        self.entries[name] = secret

    def remove(self, name: str) -> bool:
        self._called(f"remove {name}")
        return self.entries.pop(name, None) is not None
