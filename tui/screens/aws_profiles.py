"""Choose with which AWS profile requests are signed, or that a Bedrock API key is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.core.aws import ENVIRONMENT, AwsProfile
from tui.core.text import visible
from tui.screens.list_dialog import ListDialog
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.rows import Row

__all__ = ["AwsChoice", "AwsProfilesScreen"]

_COLUMNS: Final = (
    Column("force", "", 1, 1, 0),
    Column("name", "profile", 20, 26, 0),
    Column("kind", "kind", 12, 12, 1),
    Column("region", "region", 14, 14, 2),
    Column("detail", "comes from", 20, 70, 3),
)
_FRAME: Final = 10
"""Lines of the dialog that are not the list's: frame, sentences, titles."""
_KEY: Final = AwsProfile("", kind="token", detail="environment, keyring or this run")


@dataclass(frozen=True, slots=True)
class AwsChoice:
    """What was chosen.

    Attributes:
        profile: Its name; empty sends a key.
        keep: Whether it is taken at every start.
    """

    profile: str
    keep: bool = False


class _Table:
    """A key, what the environment gives, and the profiles, as rows."""

    def __init__(self, rows: Sequence[AwsProfile], current: str) -> None:
        self.rows = rows
        self._current = current

    def __len__(self) -> int:
        """How many."""
        return len(self.rows)

    def titles(self, width: int) -> Row:
        """The line above the columns."""
        return titles_row(_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The profile at `index`."""
        one = self.rows[index]
        cells: dict[str, Cell] = {
            "force": ("●" if one.name == self._current else " ", "accent"),
            "name": (one.name or "off: Bedrock API key", None if one.kind != "token" else "dim"),
            "kind": (one.kind, "accent"),
            "region": (one.region, None),
            "detail": (one.detail, "dim"),
        }
        return table_row(layout(_COLUMNS, width), cells)


class AwsProfilesScreen(ListDialog[AwsChoice | None]):
    """Gives what was chosen, or `None`.

    Args (of the constructor):
        profiles: Those of AWS's files.
        current: The name of the one in force; empty where a key is sent.
        sentence: What is in force, its expiry, or what is wrong with it.
        named: What AWS_PROFILE names; empty for nothing.
        alarm: Whether the sentence is why the list is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("s", "keep", "Take at every start", show=False, id="aws.keep"),
    ]
    DEFAULT_CSS = """
    AwsProfilesScreen Dialog { height: auto; max-width: 120; max-height: 90%; }
    AwsProfilesScreen #aws-said { height: auto; padding: 0 1 1 1; }
    AwsProfilesScreen #aws-said.-alarm { color: $text-error; }
    """
    NAME = "aws"

    def __init__(
        self,
        profiles: Sequence[AwsProfile],
        current: str,
        sentence: str,
        named: str = "",
        *,
        alarm: bool = False,
    ) -> None:
        super().__init__()
        names = {profile.name for profile in profiles}
        gives = AwsProfile(
            ENVIRONMENT,
            kind="AWS's own",
            detail=f"AWS_PROFILE={named}" if named else "variables, [default], container",
        )
        rows = [_KEY, *(() if ENVIRONMENT in names else (gives,)), *profiles]
        if current and current not in names and current != ENVIRONMENT:
            rows.append(AwsProfile(current, kind="unknown", detail="no such profile"))
        self._table = _Table(rows, current)
        self._current = current
        self._sentence = sentence
        self._alarm = alarm
        self._has_profiles = bool(profiles)

    def compose(self) -> ComposeResult:
        """What is in force, the list, and a line about the profile under the cursor."""
        yield self._framed(
            Static(Content(visible(self._sentence)), id="aws-said", classes="-alarm" * self._alarm),
            title="AWS profile",
            keys="Enter for this run   s at every start   Esc cancel",
        )

    def on_mount(self) -> None:
        """What is in force is under the cursor."""
        rows = self._table.rows
        here = next((index for index, one in enumerate(rows) if one.name == self._current), 0)
        self._show_rows(self._table, here, "")
        self._fit()
        self._list.focus()
        self._describe()

    def on_resize(self) -> None:
        """The list is as high as it is long, where that fits."""
        self._fit()

    def _fit(self) -> None:
        self._list.styles.height = max(3, min(len(self._table), self.size.height * 9 // 10 - _FRAME))

    def _titles_row(self, width: int) -> Row:
        return self._table.titles(width)

    @property
    def _highlighted(self) -> AwsProfile | None:
        index = self._list.cursor
        return None if index is None else self._table.rows[index]

    def _describe(self) -> None:
        one = self._highlighted
        if one is None:
            return
        if one.kind == "token":
            more = "" if self._has_profiles else " There are no profiles in ~/.aws."
            self._say(f"Requests carry a Bedrock API key; nothing is signed.{more}")
        elif one.mfa:
            self._say("It asks for an MFA code, which nothing here could ask you for.", "$text-warning")
        elif one.name == ENVIRONMENT and one.kind == "AWS's own":
            self._say("What AWS's own tools take when no profile is named; your region stays.")
        else:
            self._say(f"Requests are signed with its keys (SigV4); your region stays. {one.detail}")

    def _choose(self) -> None:
        self._take(keep=False)

    def action_keep(self) -> None:
        """Take the one under the cursor now and at every start."""
        self._take(keep=True)

    def _take(self, *, keep: bool) -> None:
        one = self._highlighted
        if one is not None:
            self.dismiss(AwsChoice(one.name, keep))

    def action_cancel(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)
