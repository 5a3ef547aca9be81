"""A run of checks: one after the other, each to one result; what they stored is not forgotten."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from tui.checks.connection import about
from tui.checks.context import CheckContext, Sent
from tui.checks.definition import Check, CheckFailed, CheckSkipped
from tui.core.checks.advice import next_step
from tui.core.checks.results import CheckResult
from tui.core.costs import total_cost
from tui.core.errors import InputError, OutcropError, TokenError
from tui.core.exchange import Exchange
from tui.core.text import visible_line
from tui.crash import report
from tui.store.history import History

__all__ = ["CheckRun", "left_out", "left_out_lines", "waiting"]

_TIMING: Final = "BEDROCK_RESPONSIVENESS_CHECK"


def waiting(check: Check) -> CheckResult:
    """A check that has not begun."""
    return CheckResult(check.name, check.title, check.paid)


def left_out(check: Check, *, free: bool) -> CheckResult:
    """A check that is not run because of what was asked for."""
    why = "It is paid for, and was left out." if free and check.paid else f"{_TIMING} leaves it out."
    return replace(waiting(check), state="skipped", sentence=why)


def left_out_lines(checks: Sequence[Check], free: bool) -> list[str]:
    """Which checks are not run, and why, a line for each reason."""
    paid = [check.name for check in checks if free and check.paid]
    timing = [check.name for check in checks if check.name not in paid]
    return [
        *([f"Left out, as they are paid for: {', '.join(paid)}."] if paid else []),
        *([f"Left out by {_TIMING}: {', '.join(timing)}."] if timing else []),
    ]


class CheckRun:
    """Runs checks against one target.

    Args:
        context: What they share; its conversation is one of the session that is never saved.
    """

    def __init__(self, context: CheckContext) -> None:
        self.target = context.target
        self.conversation_id = context.conversation_id
        self._reach = context.reach
        self._monotonic = context.monotonic
        self._context = context

    @property
    def about(self) -> Mapping[str, object]:
        """The configuration in force, by name; never the token."""
        return about(self._context)

    @property
    def exchanges(self) -> list[Exchange]:
        """What was sent so far, oldest first."""
        return self._reach.exchanges(self.conversation_id)

    async def run(self, checks: Sequence[Check]) -> AsyncGenerator[CheckResult, None]:
        """Run checks in order; each is yielded when it begins (`running`) and when it has ended.

        Those that need one that failed, here, are skipped. When the consumer goes away, the check that runs
        is stopped; what the server keeps of it is deleted when the program starts next.
        """
        stuck: dict[str, str] = {}
        self._context.forget()
        try:
            for check in checks:
                if cause := next((stuck[name] for name in check.needs if name in stuck), ""):
                    stuck[check.name] = cause
                    said = f"It needs {cause}, which failed."
                    yield replace(waiting(check), state="skipped", sentence=said)
                    continue
                yield replace(waiting(check), state="running")
                result = await self._one(check)
                if result.state == "failed":
                    stuck[check.name] = check.name
                yield result
        finally:
            if self._context.stored:
                self._reach.records.later(History.want_response_deleted, list(self._context.stored))

    async def _one(self, check: Check) -> CheckResult:
        context, began = self._context, self._monotonic()
        context.sent = Sent()
        row = waiting(check)
        try:
            if why := check.why_not(self.target, self._reach.catalogue):
                raise CheckSkipped(why)
            found = await check.run(context)
            row = replace(row, state="passed", sentence=found.sentence, facts=found.facts)
        except CheckSkipped as skipped:
            row = replace(row, state="skipped", sentence=str(skipped))
        except CheckFailed as failed:
            facts = failed.facts
            row = replace(row, state="failed", sentence=str(failed), next_step=failed.next_step, facts=facts)
        except OutcropError as error:
            row = self._refused(row, error)
        except Exception as error:  # The worker's edge: one check's fault must not end the others.
            said = report(error, "this check")
            row = replace(row, state="failed", sentence=said, next_step="Report it, with the request.")
        return self._measured(row, began)

    def _refused(self, row: CheckResult, error: OutcropError) -> CheckResult:
        said = visible_line(str(error))
        if isinstance(error, InputError) and not isinstance(error, TokenError):
            # The API cannot carry it: that is no fault of the endpoint.
            return replace(row, state="skipped", sentence=said)
        step = next_step(error, self._context.circumstances())
        return replace(row, state="failed", sentence=said, next_step=step)

    def _measured(self, row: CheckResult, began: float) -> CheckResult:
        sent = self._context.sent
        ids = [exchange.request_id for exchange in sent.exchanges]
        known = [cost for cost in sent.costs if cost is not None]
        seconds = None if row.state == "skipped" and not sent.exchanges else self._monotonic() - began
        return replace(
            row,
            seconds=seconds,
            request_id=next((visible_line(name) for name in reversed(ids) if name), None),
            exchange_ids=tuple(exchange.id for exchange in sent.exchanges),
            cost=total_cost(known),
            unpriced=len(sent.costs) - len(known),
        )
