"""The checks there are, in the order in which they run. Source: the guide's smoke checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tui.checks import answers, connection, features
from tui.checks.definition import MOST_OUTPUT, Check
from tui.core.catalogue import Catalogue, Model
from tui.core.costs import CostEstimate, cost_of_model, kinds_for, upper_cost
from tui.core.errors import InputError
from tui.core.figures import money
from tui.core.items import Target, Usage
from tui.core.text import visible_line

__all__ = ["CHECKS", "chosen", "price_words"]

_REACHED: Final = ("token", "endpoint")
_ANSWERS: Final = ("preflight",)

_REASONING: Final = 120
"""Tokens that a model which reasons by itself may take for so simple a request; nobody documents it."""

# What requests take: the guide counted 162 tokens in and 5 out for its preflight, 713 in for a one-page PDF.
CHECKS: Final[tuple[Check, ...]] = (
    Check("configuration", "what is in force, and from where", connection.configuration),
    Check("token", "the key's form, region and expiry", connection.token),
    Check("dns", "the host has an address", connection.dns),
    Check("tls", "the certificate is trusted", connection.tls, needs=("dns",)),
    Check("endpoint", "something answers there", connection.endpoint, needs=("token", "dns", "tls")),
    Check("clock", "this clock is the server's", connection.clock, needs=("endpoint",)),
    Check("models", "what the endpoint lists", connection.models, needs=("endpoint",)),
    Check("preflight", "the smallest answer", answers.preflight, 1, (162, 5), _REACHED),
    Check(
        "schema", "the response's fields", answers.schema, 1, (162, 5), _ANSWERS, shares="preflight"
    ),
    Check("usage", "tokens are counted", answers.usage, 1, (162, 5), _ANSWERS, shares="preflight"),
    Check("error", "how a wrong model is refused", answers.error, needs=_REACHED),
    Check(
        "stream", "text in pieces, the first soon", answers.stream, 1, (170, 60), _ANSWERS,
        feature="streaming",
    ),
    Check(
        "responsiveness", "how soon, several times", answers.responsiveness, 3, (486, 15), _ANSWERS,
        timing=True, feature="streaming",
    ),
    Check(
        "stateful", "continuing by a response's id", features.stateful, 2, (360, 10), _ANSWERS,
        feature="stored_responses", stores=True,
    ),
    Check("stateless", "continuing from the items", features.stateless, 2, (360, 10), _ANSWERS),
    Check(
        "structured", "JSON by a schema", features.structured, 1, (230, 30), _ANSWERS,
        feature="json_schema",
    ),
    Check("tool", "a function is called", features.tool, 2, (480, 60), _ANSWERS, feature="tools"),
    Check("pdf", "a word is read in a PDF", features.pdf, 1, (720, 5), _ANSWERS, takes="pdf"),
    Check("cache", "the second of two equal requests", features.cache, 2, (5_000, 10), _ANSWERS),
    Check(
        "background", "the server goes on alone", features.background, 1, (162, 5), _ANSWERS,
        feature="background", stores=True,
    ),
    Check("cleanup", "what was stored is deleted", features.cleanup),
)  # fmt: skip


def chosen(
    only: Sequence[str] = (), *, free: bool = False, timing: bool = True
) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
    """Which checks to run, and which of the others to show as left out.

    Args:
        only: Names; empty for all.
        free: Leave out those that are paid for.
        timing: Whether to measure.

    Returns:
        Those to run, in the table's order, with the clean-up where one of them needs it; and those that
        were left out although they were asked for.

    Raises:
        InputError: A name is none of them.
    """
    from tui.config.values import closest

    names = [check.name for check in CHECKS]
    for name in only:
        if name not in names:
            shown = visible_line(name)[:40]
            raise InputError(
                f"There is no check '{shown}'{closest(name, names)}. There are {', '.join(names)}."
            )
    asked = [check for check in CHECKS if not only or check.name in only]
    if any(check.stores for check in asked) and not free:
        asked = [check for check in CHECKS if check in asked or check.name == "cleanup"]
    run = [check for check in asked if not (free and check.paid)]
    # Who names a check wants it.
    run = [check for check in run if timing or not check.timing or check.name in only]
    return tuple(run), tuple(check for check in asked if check not in run)


def price_words(checks: Iterable[Check], target: Target, catalogue: Catalogue) -> str:
    """What the paid ones among these send and cost, to be said before; empty where none is paid for."""
    model = catalogue.model(target.model)
    paid = [check for check in checks if check.paid and check.why_not(target, catalogue) is None]
    sending = [check for check in paid if not any(other.name == check.shares for other in paid)]
    # Of several that look at one answer, the first sends for all.
    sending = [
        check
        for index, check in enumerate(sending)
        if not check.shares or all(check.shares != other.shares for other in sending[:index])
    ]
    if not sending:
        return ""
    requests = sum(check.requests for check in sending)
    many = "1 paid request" if requests == 1 else f"{requests} paid requests"
    names = ", ".join(check.name for check in paid)
    said = f"{many} to {visible_line(target.model)} in {target.region} ({names})"
    if target.sandbox:
        return f"{said}; in the sandbox they cost nothing."
    likely, most = _likely(sending, target, model), _most(sending, target, model)
    if likely is None or most is None:
        return f"{said}; what they cost is not known here."
    return (
        f"{said}: about {money(likely.usd, estimate=False)}, at most about {money(most.usd, estimate=False)}."
    )


def _likely(checks: Sequence[Check], target: Target, model: Model | None) -> CostEstimate | None:
    tokens_in, tokens_out = (sum(check.likely[index] for check in checks) for index in (0, 1))
    if model is not None and model.default_effort not in (None, "none"):
        tokens_out += _REASONING * sum(check.requests for check in checks)
    usage = Usage(tokens_in, 0, 0, tokens_out, 0, tokens_in + tokens_out)
    return cost_of_model(usage, model, target.model)


def _most(checks: Sequence[Check], target: Target, model: Model | None) -> CostEstimate | None:
    if model is None:
        return None
    tokens_in = sum(check.likely[0] for check in checks)
    tokens_out = sum(check.requests for check in checks) * MOST_OUTPUT
    return upper_cost(tokens_in, tokens_out, model.prices, kinds_for(target.model))
