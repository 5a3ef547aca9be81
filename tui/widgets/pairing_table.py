"""How the picker's rows are drawn, and what is said of the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from tui.core import figures
from tui.core.api_rules import API_NAMES
from tui.core.catalogue import ENDPOINTS, Model, Price
from tui.core.costs import kinds_for, price_for
from tui.core.model_rows import doubtful
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.pairings import Choice, Place
from tui.widgets.rows import Mark, Row

__all__ = ["PairingTable", "detail_of"]

_BEFORE_API, _BEFORE_TAIL = 4, 5
_API_WORDS: Final = {**API_NAMES, "chat_completions": "Chat", "invoke_model": "Invoke"}
_LEAST_MODEL: Final = 15
_KINDS: Final = ("text", "image", "pdf")


def _columns(model: int, endpoint: int) -> tuple[Column, ...]:
    """The table's columns; names are as wide as the longest, so that sentences get the rest."""
    return (
        Column("marks", "", 3, 3, 0),
        Column("model", "model", min(model, _LEAST_MODEL), model, 0),
        Column("region", "region", 14, 14, 0),
        Column("endpoint", "endpoint", endpoint, endpoint, 0),
        Column("api", "API", 9, 9, 0),
        Column("context", "context", 7, 7, 2, right=True),
        Column("effort", "effort", 11, 16, 3),
        Column("inputs", "takes", 14, 14, 4),
        Column("price", "$ in / out", 14, 14, 1, right=True),
        Column("note", "", 20, 60, 5),
    )


class PairingTable:
    """Choices as rows."""

    def __init__(self, choices: Sequence[Choice], current: Place) -> None:
        self.choices = choices
        self._current = current
        model = max(13, min(26, max((len(choice.label) for choice in choices), default=0)))
        endpoint = max(8, min(14, max((len(choice.endpoint) for choice in choices), default=0)))
        self._columns = _columns(model, endpoint)

    def of(self, choices: Sequence[Choice]) -> PairingTable:
        """A table of some of the choices, its columns as wide as these."""
        table = PairingTable(choices, self._current)
        table._columns = self._columns
        return table

    def __len__(self) -> int:
        """How many choices."""
        return len(self.choices)

    def titles(self, width: int) -> Row:
        """The line above the columns."""
        return titles_row(self._columns, width)

    def row(self, index: int, width: int) -> Row:
        """The choice at `index`; an impossible one is dimmed, and so is its reason."""
        choice = self.choices[index]
        columns = layout(self._columns, width)
        possible = choice.pairing.possible
        cells = self._name_cells(choice)
        if not possible:
            # The row has said model and region: what is left of the reason is where, or how, it would work.
            rest = choice.pairing.reason.rpartition("; ")[2]
            if choice.model is not None:
                rest = rest.removeprefix(f"{choice.model.id} is ")
            _, other_api, served = rest.partition(" serves ")
            if other_api:
                rest = f"has {served.partition(', not ')[0]}"
            tail = _BEFORE_TAIL if other_api else _BEFORE_API
            return table_row(columns, cells, tail=(tail, rest, "dim"), width=width)
        note, mark = _note(choice)
        if choice.key_elsewhere and not any(column.key == "note" for column, _ in columns):
            return table_row(columns, cells, tail=(_BEFORE_API, note, "warning"), width=width)
        if choice.model is None:
            note = note or choice.pairing.reason or "what it is, only sending can tell"
            return table_row(columns, cells, tail=(_BEFORE_TAIL, note, mark), width=width)
        cells.update(_figures(choice), note=(note, mark))
        return table_row(columns, cells)

    def _name_cells(self, choice: Choice) -> dict[str, Cell]:
        possible = choice.pairing.possible
        marks = "●" if choice.place == self._current else " "
        marks += "★" if choice.favourite else "↺" if choice.recent else " "
        check = choice.check
        marks += " " if check is None else "✓" if check.works else "✗"
        return {
            "marks": (marks, "error" if check and not check.works else "accent"),
            "model": (choice.label, None if possible else "dim"),
            "region": (
                choice.region,
                ("warning" if choice.key_elsewhere else "key") if possible else "dim",
            ),
            "endpoint": (choice.endpoint, "dim"),
            "api": (
                _API_WORDS.get(choice.api, choice.api),
                "dim" if choice.usual or not possible else "accent",
            ),
        }


def _note(choice: Choice) -> tuple[str, Mark]:
    """The most that there is to say of a possible pairing in a few words."""
    if choice.key_elsewhere:
        return f"the key is for {choice.key_elsewhere}", "warning"
    if choice.checked:
        return choice.checked, "success" if choice.check and choice.check.works else "error"
    if choice.listed:
        return "listed by the server", "dim"
    what, _, doubted = choice.pairing.reason.partition(" of ")
    if "not documented for certain" in doubted:
        return f"{what.removeprefix('The ')} in doubt", "dim"
    return choice.pairing.reason, "dim"


def _figures(choice: Choice) -> dict[str, Cell]:
    model = choice.model
    assert model is not None
    effort = model.effort_values
    span = f"{effort[0]}-{effort[-1]}" if len(effort) > 1 else "".join(effort) or figures.UNKNOWN
    inputs = " ".join(kind for kind in _KINDS if kind in model.inputs)

    def cell(text: str, name: str, mark: Mark | None) -> Cell:
        doubts = model.doubts(name)
        return doubtful(text, doubts), "warning" if doubts else mark

    return {
        "context": cell(_context_text(model.context), "context", None),
        "effort": cell(span, "effort_values", "dim"),
        "inputs": cell(inputs, "inputs", "dim"),
        "price": _price_cell(choice),
    }


def _price_cell(choice: Choice) -> Cell:
    """What it costs on Bedrock; what a server of the user's own costs is not known here."""
    model = choice.model
    if model is None or choice.endpoint not in ENDPOINTS:
        return figures.UNKNOWN, "dim"
    price = price_for(model.prices, 0, kinds_for(choice.model_id))
    doubts = price is not None and (price.uncertain or "prices" in model.uncertain)
    return doubtful(_price_text(price), doubts), "warning" if doubts else "number"


def _price_text(price: Price | None) -> str:
    if price is None or price.input is None or price.output is None:
        return figures.UNKNOWN
    return f"{_dollars(price.input)} / {_dollars(price.output)}"


def _dollars(amount: Decimal) -> str:
    """Two places, or as many as there are: `2.75`, `0.075`."""
    exponent = amount.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    return f"{amount:.{max(2, places)}f}"


def _context_text(context: int | None) -> str:
    """`1.05M`, `272k`."""
    if context is None:
        return figures.UNKNOWN
    if context >= 1_000_000:
        return f"{context / 1_000_000:.2f}".rstrip("0").rstrip(".") + "M"
    return figures.count(context)


def detail_of(choice: Choice) -> list[tuple[str, Mark | None]]:
    """What is said of the choice under the cursor, as lines."""
    head = f"{choice.model_id} in {choice.region} on {choice.endpoint}"
    head += f" over {API_NAMES.get(choice.api, choice.api)}"
    lines: list[tuple[str, Mark | None]] = [(head, "key")]
    if choice.pairing.reason:
        lines.append((choice.pairing.reason, None if choice.pairing.possible else "error"))
    if choice.pairing.possible and choice.key_elsewhere:
        key = f"The key in use works in {choice.key_elsewhere} only; {choice.region} needs another one."
        lines.append((key, "warning"))
    if choice.check is not None:
        words = f"Checked: it {choice.checked}. {choice.check.sentence}"
        lines.append((words, "success" if choice.check.works else "error"))
    elif choice.listed:
        lines.append(("The server lists it, which is a hint: a check would tell.", "dim"))
    if choice.model is not None:
        lines.append((_abilities(choice.model), "dim"))
    if choice.model is not None and choice.pairing.possible and choice.endpoint in ENDPOINTS:
        price = price_for(choice.model.prices, 0, kinds_for(choice.model_id))
        if price is not None:
            kind = "" if price.kind == "in-region" else f"{price.kind} price, "
            doubt = "; what is marked ? is in doubt" if _has_doubts(choice.model) else ""
            lines.append((f"USD per million tokens, an estimate: {kind}read {price.date}{doubt}.", "dim"))
        if choice.model.notes and choice.check is None:
            lines.append((choice.model.notes, "dim"))
    return lines


def _abilities(model: Model) -> str:
    """What columns say where there is room for them: input kinds, effort values, context."""

    def doubt(name: str) -> str:
        return "?" if model.doubts(name) else ""

    said = f"Takes {', '.join(kind for kind in _KINDS if kind in model.inputs)}{doubt('inputs')}"
    if model.effort_values:
        said += f" · effort {', '.join(model.effort_values)}{doubt('effort_values')}"
    return f"{said} · {_context_text(model.context)}{doubt('context')} context"


def _has_doubts(model: Model) -> bool:
    return any(model.doubts(name) for name in ("context", "effort_values", "inputs", "prices"))
