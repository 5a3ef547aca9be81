"""The rows of the picker: every model in every region for one endpoint, with what is impossible and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from textual.fuzzy import FuzzySearch

from tui.core import figures
from tui.core.catalogue import Catalogue, Model, Pairing, Price
from tui.core.costs import price_for
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.rows import Mark, Row

__all__ = ["Choice", "PairingTable", "all_choices", "detail_of", "search"]

_BEFORE_TAIL: Final = 3
_LONGEST_WORD: Final = 24
_KINDS: Final = ("text", "image", "pdf")


def _columns(model: int) -> tuple[Column, ...]:
    """The table's columns; the first is as wide as the longest name, so that sentences get the rest."""
    return (
        Column("current", "", 1, 1, 0),
        Column("model", "model", model, model, 0),
        Column("region", "region", 14, 14, 0),
        Column("context", "context", 7, 7, 2, right=True),
        Column("effort", "effort", 11, 16, 3),
        Column("inputs", "takes", 14, 14, 4),
        Column("price", "$ in / out", 14, 14, 1, right=True),
        Column("note", "", 28, 60, 5),
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """A model in a region.

    Attributes:
        model_id: As it would be sent.
        region: AWS region.
        model: Its row of the catalogue; `None` when it has none.
        pairing: What the catalogue says of it.
        key_elsewhere: The region that the token in use is bound to, when it is another one.
    """

    model_id: str
    region: str
    model: Model | None
    pairing: Pairing
    key_elsewhere: str | None = None

    @property
    def label(self) -> str:
        """The model's name, or the id where the id says more."""
        if self.model is None:
            return self.model_id
        return self.model.label if self.model_id == self.model.id else self.model_id

    @property
    def searched(self) -> str:
        """The text that typing searches."""
        return f"{self.label} {self.region} {self.model_id}"


def all_choices(
    catalogue: Catalogue, current: tuple[str, str], endpoint: str, token_region: str | None
) -> list[Choice]:
    """Every pairing on an endpoint: what works first, in the catalogue's order, then what does not.

    Args:
        catalogue: The catalogue.
        current: Model id and region in use; listed even when the catalogue does not know them.
        endpoint: `mantle`, `runtime` or `custom`; a custom one has no regions to choose from.
        token_region: The region that the token is bound to, if it is.
    """
    regions = (
        (current[1],) if endpoint == "custom" else tuple(dict.fromkeys([*catalogue.regions, current[1]]))
    )
    models: list[tuple[str, Model | None]] = []
    if catalogue.model(current[0]) is None:
        models.append((current[0], None))
    for model in catalogue.models:
        place = model.place(endpoint)
        models.extend((name, model) for name in (place.ids if place is not None else (model.id,)))
    choices = [
        Choice(
            name,
            region,
            model,
            catalogue.pairing(name, region, endpoint),
            token_region if token_region not in (None, region) and endpoint != "custom" else None,
        )
        for name, model in models
        for region in regions
        if model is not None or region == current[1]
    ]
    return sorted(choices, key=lambda choice: not choice.pairing.possible)


def search(choices: Iterable[Choice], typed: str) -> list[Choice]:
    """The choices that match every word typed, in any order; the best first, the possible before the rest.

    Letters may be skipped only where no choice holds the words as they are: `5.5 west` is meant.
    """
    words = [word[:_LONGEST_WORD].lower() for word in typed.split()]
    choices = list(choices)
    exact = [choice for choice in choices if all(word in choice.searched.lower() for word in words)]
    if exact or not words:
        return exact
    fuzzy = FuzzySearch()
    scored: list[tuple[float, Choice]] = []
    for choice in choices:
        scores = [fuzzy.match(word, choice.searched)[0] for word in words]
        if all(scores):
            scored.append((sum(scores), choice))
    scored.sort(key=lambda pair: (not pair[1].pairing.possible, -pair[0]))
    return [choice for _, choice in scored]


class PairingTable:
    """Choices as rows."""

    def __init__(self, choices: Sequence[Choice], current: tuple[str, str]) -> None:
        self.choices = choices
        self._current = current
        self._columns = _columns(max(13, min(30, max((len(choice.label) for choice in choices), default=0))))

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
        current = (choice.model_id, choice.region) == self._current
        possible = choice.pairing.possible
        cells: dict[str, Cell] = {
            "current": ("●" if current else " ", "accent"),
            "model": (choice.label, None if possible else "dim"),
            "region": (choice.region, ("warning" if choice.key_elsewhere else "key") if possible else "dim"),
        }
        if not possible:
            # The row has said model and region: what is left of the reason is where it would work.
            said, _, rest = choice.pairing.reason.rpartition("; ")
            why = f"not here; {rest}" if said else rest
            return table_row(columns, cells, tail=(_BEFORE_TAIL, why, "dim"), width=width)
        note = _key_note(choice)
        if note and not any(column.key == "note" for column, _ in columns):
            return table_row(columns, cells, tail=(_BEFORE_TAIL, note, "warning"), width=width)
        if choice.model is None:
            return table_row(columns, cells, tail=(_BEFORE_TAIL, choice.pairing.reason, "dim"), width=width)
        cells.update(
            _figures(choice.model), note=(note or choice.pairing.reason, "warning" if note else "dim")
        )
        return table_row(columns, cells)


def _key_note(choice: Choice) -> str:
    return f"the key is for {choice.key_elsewhere}" if choice.key_elsewhere else ""


def _figures(model: Model) -> dict[str, Cell]:
    effort = model.effort_values
    span = f"{effort[0]}-{effort[-1]}" if len(effort) > 1 else "".join(effort) or figures.UNKNOWN
    doubtful: Mark = "warning"
    return {
        "context": (
            _context_text(model.context) + ("?" if "context" in model.uncertain else ""),
            doubtful if "context" in model.uncertain else None,
        ),
        "effort": (span, "dim"),
        "inputs": (" ".join(kind for kind in _KINDS if kind in model.inputs), "dim"),
        "price": (_price_text(price_for(model.prices, 0)), "number"),
    }


def _price_text(price: Price | None) -> str:
    if price is None or price.input is None or price.output is None:
        return figures.UNKNOWN
    sign = "~" if price.uncertain or price.kind != "in-region" else ""
    return f"{sign}{_dollars(price.input)} / {_dollars(price.output)}"


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
    head = f"{choice.model_id}  in  {choice.region}"
    if choice.model is not None:
        takes = ", ".join(kind for kind in _KINDS if kind in choice.model.inputs)
        head += f"   takes {takes}"
    lines: list[tuple[str, Mark | None]] = [(head, "key")]
    if choice.pairing.reason:
        lines.append((choice.pairing.reason, None if choice.pairing.possible else "error"))
    if choice.pairing.possible and choice.key_elsewhere:
        key = f"The key in use works in {choice.key_elsewhere} only; {choice.region} needs another one."
        lines.append((key, "warning"))
    if choice.model is not None and choice.pairing.possible:
        price = price_for(choice.model.prices, 0)
        if price is not None:
            kind = "" if price.kind == "in-region" else f"{price.kind} price, "
            lines.append((f"USD per million tokens, an estimate: {kind}read {price.date}.", "dim"))
        if choice.model.notes:
            lines.append((choice.model.notes, "dim"))
    return lines
