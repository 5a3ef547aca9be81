"""What became of a tool call: kept with the turn that asked for it, before, while and after it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

__all__ = ["CallRecord", "CallState"]


class CallState(StrEnum):
    """Where a call stands."""

    WAITING = "waiting"
    """It is recorded; nothing has run."""
    RUNNING = "running"
    """It was begun; on disk before the tool is started."""
    DONE = "done"
    FAILED = "failed"
    """The tool failed, or was stopped at a limit; what it says of that is its output."""
    REFUSED = "refused"
    """The user, or a rule of theirs, said no; the tool did not run."""
    STOPPED = "stopped"
    """The user stopped it while it ran."""

    @property
    def has_ended(self) -> bool:
        """Whether there is an output that the model can be given."""
        return self in _ENDED


_ENDED: Final = frozenset({CallState.DONE, CallState.FAILED, CallState.REFUSED})


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What became of one call.

    Attributes:
        call_id: The server's id of the call, which its output names.
        state: Where it stands.
        arguments: What the tool was given where the user changed it; `None` as the model wrote it.
        output: What goes back to the model, when it has ended; before that what had come.
        edited: Whether the user changed the output.
        started_at: Seconds since the epoch.
        ended_at: Seconds since the epoch.
    """

    call_id: str
    state: CallState = CallState.WAITING
    arguments: str | None = None
    output: str = ""
    edited: bool = False
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long the tool ran; `None` where it did not."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.started_at)

    def as_json(self) -> dict[str, Any]:
        """The record as a JSON object; what is not known is not in it."""
        fields: dict[str, Any] = {"call_id": self.call_id, "state": self.state.value}
        # Arguments that were emptied are not those that the model gave.
        fields |= {"arguments": self.arguments, "output": self.output or None, "edited": self.edited or None}
        fields |= {"started_at": self.started_at, "ended_at": self.ended_at}
        return {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def from_json(cls, value: object) -> CallRecord | None:
        """Read what `as_json` gave; `None` for what is no record."""
        if not isinstance(value, Mapping):
            return None
        fields = cast("Mapping[str, Any]", value)
        try:
            state = CallState(fields.get("state", ""))
        except ValueError:
            return None
        arguments = fields.get("arguments")
        return cls(
            call_id=str(fields.get("call_id", "")),
            state=state,
            arguments=arguments if isinstance(arguments, str) else None,
            output=str(fields.get("output", "")),
            edited=fields.get("edited") is True,
            started_at=_time(fields.get("started_at")),
            ended_at=_time(fields.get("ended_at")),
        )


def _time(value: object) -> float | None:
    """Seconds since the epoch that a file gave; `None` for none, and for what no clock shows."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 250_000_000_000:
        return None
    return float(value)
