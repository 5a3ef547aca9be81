"""`outcrop models`: what there is in a region, what it costs, and whether a pairing works."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from tui.config.settings import load_settings
from tui.core.api_rules import API_NAMES
from tui.core.discovery import ModelList, PairingCheck, check_words, fallback_model, place_name
from tui.core.errors import TokenError
from tui.core.items import Target
from tui.core.model_rows import ModelRow, doubtful, model_document, model_rows
from tui.core.text import visible_line
from tui.session.session import Session
from tui.startup import make_session

__all__ = ["run"]

_UNKNOWN: Final = "–"
_TITLES: Final = ("model", "API", "context", "effort", "takes", "$ per M: in/cached/out", "listed", "checked")


def run(options: argparse.Namespace) -> int:
    """List, and check if asked to; returns the exit status: 0, or 1 where the check says that it fails.

    Raises:
        TokenError: A check was asked for and there is no token, or it is refused.
        WireError: A check was asked for and could not be made.
        StoreError: The history cannot be read or written.
    """
    settings = load_settings(vars(options), os.environ)
    return asyncio.run(_act(make_session(settings), options))


async def _act(session: Session, options: argparse.Namespace) -> int:
    try:
        if session.settings.sandbox:
            # Where it listens, and with that what there is to list, is known only now.
            await session.warm_up()
        settings = session.settings
        target = settings.target()
        found, said = await _listed(session, target, options.offline)
        if said and not options.json:
            for sentence in said:
                print(visible_line(sentence), file=sys.stderr)
        checked: PairingCheck | None = None
        if options.check:
            print(visible_line(check_words(target, session.catalogue.model(target.model))), file=sys.stderr)
            checked = await session.discovery.check(target)
            if not options.json:
                verdict = "works" if checked.works else "does not work"
                over = "" if target.api == "responses" else f" over {API_NAMES[target.api]}"
                where = f"{target.model} in {target.region} on {target.endpoint}{over}"
                print(visible_line(f"{where} {verdict}. {checked.sentence}") + "\n")
        place = settings.token_place(target)
        bound = None if target.sandbox else session.credentials.status(place).region
        rows = model_rows(
            session.catalogue,
            target,
            bound,
            found.routes if found is not None else None,
            await session.discovery.checks(),
            [settings.model],
            settings.api or None,
        )
        if hasattr(options, "model"):
            rows = [row for row in rows if row.model_id == target.model or _is(row, target.model)]
        default = fallback_model(found.models if found is not None else ())
        configured = settings.sources.get("model") != "default"
        if options.json:
            print(json.dumps(_document(rows, target, said, default, configured, checked), indent=2))
        else:
            _print_table(rows)
            if not configured and found is not None:
                print(f"No model is configured: {visible_line(default)} is taken.", file=sys.stderr)
        return 0 if checked is None or checked.works else 1
    finally:
        await session.aclose()


def _is(row: ModelRow, wanted: str) -> bool:
    return row.model is not None and row.model.id == wanted


async def _listed(session: Session, target: Target, offline: bool) -> tuple[ModelList | None, list[str]]:
    """What the server lists, and what there is to say of that in plain words."""
    if offline:
        kept = await session.discovery.remembered(target)
        if kept is None:
            return None, []
        when = datetime.fromtimestamp(kept[0]).strftime("%Y-%m-%d %H:%M")
        routes = {model: ("remembered",) for model in kept[1]}
        return ModelList(kept[1], routes, ()), [f"The list is that of {when}; nothing was asked now."]
    try:
        found = await session.discovery.models(target)
    except TokenError as error:
        return None, [f"The server was not asked for its list. {error}"]
    return found, list(found.said)


def _document(
    rows: Sequence[ModelRow],
    target: Target,
    said: Sequence[str],
    default: str,
    configured: bool,
    checked: PairingCheck | None,
) -> dict[str, Any]:
    return {
        "region": target.region,
        "endpoint": target.endpoint,
        "api": target.api,
        "place": place_name(target),
        "model": target.model if configured else default,
        "model_is_configured": configured,
        "lists": list(said),
        "check": None
        if checked is None
        else {"model": checked.model, "at": checked.at, "works": checked.works, "sentence": checked.sentence},
        "models": [model_document(row, target) for row in rows],
    }


def _print_table(rows: Sequence[ModelRow]) -> None:
    possible = [row for row in rows if row.pairing.possible]
    lines = [_TITLES, *(_cells(row) for row in possible)]
    if possible:
        widths = [max(len(line[index]) for line in lines) for index in range(len(_TITLES))]
        for line in lines:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if doubted := [row.model_id for row in possible if row.pairing.reason and row.model is not None]:
        print(f"Not documented for certain in this region: {', '.join(doubted)}.", file=sys.stderr)
    impossible = [row for row in rows if not row.pairing.possible]
    if impossible:
        print("\nNot possible here:" if possible else "Not possible here:")
    for row in impossible:
        near = ""
        if row.pairing.nearest is not None:
            model, region = row.pairing.nearest
            by, usual = row.pairing.nearest_api, {"responses", row.api}
            over = "" if usual == {by} else f" over {API_NAMES[by]}"
            near = f" Nearest: {model} in {region} on {row.pairing.nearest_endpoint}{over}."
        print(visible_line(f"  {row.model_id}: {row.pairing.reason}{near}"))


def _cells(row: ModelRow) -> tuple[str, ...]:
    model = row.model
    listed = _UNKNOWN if row.listed is None else "yes" if row.listed else "no"
    if model is None:
        return (visible_line(row.model_id), *[_UNKNOWN] * 5, listed, _checked(row.check))
    efforts = ",".join(f"{name}*" if name == model.default_effort else name for name in model.effort_values)
    doubts = any("apis" in place.uncertain for place in model.places if row.model_id in place.ids)
    return (
        row.model_id,
        doubtful(", ".join(API_NAMES[api] for api in row.apis), doubts),
        doubtful(f"{model.context:,}" if model.context else _UNKNOWN, model.doubts("context")),
        doubtful(efforts or _UNKNOWN, model.doubts("effort_values")),
        doubtful(" ".join(kind for kind in ("text", "image", "pdf") if kind in model.inputs), False),
        _price(row),
        listed,
        _checked(row.check),
    )


def _price(row: ModelRow) -> str:
    price = row.price
    if price is None:
        return _UNKNOWN

    def text(amount: Decimal | None) -> str:
        return _UNKNOWN if amount is None else f"{amount:f}"

    return doubtful(f"{text(price.input)}/{text(price.cached)}/{text(price.output)}", price.uncertain)


def _checked(check: PairingCheck | None) -> str:
    if check is None:
        return _UNKNOWN
    when = datetime.fromtimestamp(check.at).strftime("%Y-%m-%d %H:%M")
    return f"{'works' if check.works else 'fails'}, {when}"
