"""Which keys are worth knowing where in the inspector."""

from __future__ import annotations

from typing import Final

from tui.widgets.inspection.lines import Hint
from tui.widgets.inspection.views import FORMS, Tab

__all__ = ["hints_for"]

_TREE: Final[tuple[Hint, ...]] = (
    ("y", "copy value", "copy_node"),
    ("Y", "path", "copy_path"),
)
_TREES: Final = frozenset({Tab.REQUEST, Tab.RESPONSE, Tab.CACHE})


def hints_for(tab: Tab, form: int, *, filtered: bool) -> tuple[Hint, ...]:
    """The hints of a tab in one of its forms, the most useful first, the way out last."""
    forms = FORMS[tab]
    hints: list[Hint] = []
    if len(forms) > 1:
        hints.append(("r", forms[(form + 1) % len(forms)], "form"))
    if tab is Tab.DIFF:
        hints.append(("m", "mark to compare", "mark"))
    hints.append(("/", "find", "find"))
    if tab in _TREES and form == 0:
        hints += _TREE
    hints.append(("f", "filter", "filter"))
    hints += [
        ("s", "save as", "screen.copy_request_as"),
        ("e", "edit", "screen.edit_request"),
        ("a", "again", "screen.replay_request"),
        ("c", "copy", "copy"),
        ("b", "bookmark", "bookmark"),
        ("w", "note", "note"),
        ("m", "mark", "mark"),
        ("z", "zoom", "zoom"),
    ]
    unique = {hint[0]: hint for hint in reversed(hints)}
    ordered = [hint for hint in hints if unique.get(hint[0]) and unique[hint[0]] is hint]
    return (*ordered, ("Esc", "all again" if filtered else "close", "close"))
