"""Stored responses: one JSON file each, so that a later process goes on with a chain.

Section 1.5: what is stored is a response's own input and output; a chain is followed by previous ids.
Two processes may share the folder: a file is complete from the moment it has its name.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import secrets
from pathlib import Path
from typing import Self

from .shapes import Json

_ID = re.compile(r"[a-z]+_[A-Za-z0-9_-]{1,120}")
KEPT_SECONDS = 30 * 86400  # section 1.5, VERIFIED (aws-resp)


def response_at(record: Json, now: float) -> Json:
    """A stored response as far as it has come; a background one passes through its states by the clock.

    Section 2 "Background", VERIFIED (cb) for the states; it goes on without a process, by its `timing` alone.
    """
    response: Json = record["response"]
    timing: Json | None = record.get("timing")
    if timing is None or now >= timing["ends"]:
        return response
    status = "queued" if now < timing["begins"] else "in_progress"
    unknown: Json = {"completed_at": None, "output": [], "usage": None, "incomplete_details": None}
    return {**response, "status": status, **unknown}


class ResponseStore:
    """The folder of stored responses.

    A record is `{"response": the Response object, "input": its own items, "scope": where it was made,
    "timing": when a background one begins and ends | absent, "streamed": whether it can be streamed again}`.

    Args:
        folder: created with mode 0700 where missing; files are 0600.
    """

    def __init__(self, folder: Path) -> None:
        self._scope = ""
        self._responses = folder / "responses"
        self._items = folder / "items"
        for path in (*reversed(folder.parents), folder, self._responses, self._items):
            # With `parents`, those above would get whatever the umask leaves.
            if not path.is_dir():
                path.mkdir(mode=0o700, exist_ok=True)

    def within(self, scope: str) -> Self:
        """The same folder, as seen from one endpoint, region and project.

        Section 1.5: stored responses are scoped to region and project, VERIFIED (aws-resp); that the two
        endpoints do not share them is ASSUMED.
        """
        view = copy.copy(self)
        view._scope = scope
        return view

    def scope_of(self, response_id: str) -> str | None:
        """Where the response of that id was made; None where there is none."""
        record = self._read(response_id)
        return None if record is None else record["scope"]

    def save(self, record: Json) -> None:
        """Keep a record under its response's id; a crash leaves the older one or this."""
        record = {**record, "scope": self._scope}
        response = record["response"]
        self._write(self._responses / f"{response['id']}.json", json.dumps(record).encode("ascii"))
        for item in response["output"]:
            if isinstance(item.get("id"), str) and _ID.fullmatch(item["id"]):
                self._write(self._items / item["id"], response["id"].encode("ascii"))

    def load(self, response_id: str, now: float) -> Json | None:
        """The record of that id, or None where there is none.

        Section 1.5, VERIFIED (aws-resp): never stored, deleted, of another scope, 30 days old: all alike.
        """
        record = self._read(response_id)
        if record is None or record["scope"] != self._scope:
            return None
        return record if now - record["response"]["created_at"] < KEPT_SECONDS else None

    def _read(self, response_id: str) -> Json | None:
        if not _ID.fullmatch(response_id):
            return None
        try:
            record: Json = json.loads((self._responses / f"{response_id}.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return {"scope": "", **record}

    def delete(self, response_id: str) -> bool:
        """Remove a record and its items' names; False where there was none."""
        record = self._read(response_id)
        if record is None or record["scope"] != self._scope:
            return False
        (self._responses / f"{response_id}.json").unlink(missing_ok=True)
        for item in record["response"]["output"]:
            if isinstance(item.get("id"), str) and _ID.fullmatch(item["id"]):
                (self._items / item["id"]).unlink(missing_ok=True)
        return True

    def item(self, item_id: str, now: float) -> Json | None:
        """The stored output item of that id, or None."""
        if not _ID.fullmatch(item_id):
            return None
        try:
            owner = (self._items / item_id).read_text("ascii")
        except FileNotFoundError:
            return None
        record = self.load(owner, now)
        items: list[Json] = record["response"]["output"] if record else []
        return next((item for item in items if item.get("id") == item_id), None)

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        temporary = path.parent / f".{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
