"""Ask for the Bedrock API key. What is typed is masked, and is in no view, log line or undo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, RadioButton, RadioSet, Static

from tui.core.text import visible
from tui.core.token import LONGEST_TOKEN
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog

__all__ = ["SecretInput", "TokenChoice", "TokenDialog", "why_unusable"]

_NO_KEYRING = (
    "No keyring can be reached here, so the key is kept for this run only. To have it at every start, "
    "set the environment variable AWS_BEARER_TOKEN_BEDROCK."
)


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """What the user entered.

    Attributes:
        token: The bearer token, without surrounding white space; never shown by `repr`.
        keep: `keyring` to store it, `run` to hold it in memory.
    """

    token: str = field(repr=False)
    keep: Literal["keyring", "run"]


def why_unusable(token: str) -> str | None:
    """Why a trimmed token cannot be sent in a header; a sentence that does not hold it, or `None`."""
    if not token:
        return "Nothing was entered. Paste the key, then press Enter."
    if len(token) > LONGEST_TOKEN:
        return f"It has more than {LONGEST_TOKEN:,} characters, and no header holds that. Copy the key alone."
    if any(character.isspace() for character in token):
        return "There is white space inside it. Paste the key alone, without “Bearer” and in one line."
    if any(not 0x21 <= ord(character) <= 0x7E for character in token):
        return (
            "It holds characters that no key has (control characters or letters beyond ASCII). Copy it again."
        )
    return None


class SecretInput(Input):
    """A masked input that gives its value to nobody but its owner: no copy, no cut, no value in messages."""

    class Changed(Input.Changed):
        """As the base's; its text does not show the value."""

        def __repr__(self) -> str:
            """Without the value."""
            return "SecretInput.Changed()"

    class Entered(Message):
        """Enter was pressed; the owner reads the value itself."""

    def __init__(self, *, placeholder: str, id: str | None = None) -> None:
        super().__init__(placeholder=placeholder, password=True, select_on_focus=False, id=id)

    def action_copy(self) -> None:
        """Nothing is copied."""

    def action_cut(self) -> None:
        """Cut forgets."""
        self.delete_selection()

    async def action_submit(self) -> None:
        """Say that it is done, without the value."""
        self.post_message(self.Entered())


class TokenDialog(ModalScreen[TokenChoice | None]):
    """Gives what the user entered, or `None`.

    Args (of the constructor):
        message: Why the key is asked for.
        keyring_available: Whether it can be kept in the OS keyring.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close")
    ]
    DEFAULT_CSS = """
    TokenDialog {
        align: center middle;
        & Dialog { width: 72; max-width: 92%; height: auto; max-height: 100%; padding: 1 2; }
        & Static { height: auto; }
        & Input { margin: 1 0; }
        & RadioSet { width: 1fr; height: auto; border: none; background: transparent; padding: 0; }
        & RadioSet:focus { border: none; background: transparent; }
        & RadioButton { width: 1fr; background: transparent; border: none; padding: 0; }
        & RadioButton:disabled { opacity: 45%; }
        & #token-problem { color: $text-error; padding-bottom: 1; display: none; }
        & #token-hint { color: $text-muted; padding-top: 1; }
    }
    """

    def __init__(self, message: str, *, keyring_available: bool) -> None:
        super().__init__()
        self._message = message
        self._keyring = keyring_available

    def compose(self) -> ComposeResult:
        """Why, the masked input, where to keep it."""
        hint = (
            "In the keyring it is there at the next start; it is never written to a file."
            if self._keyring
            else _NO_KEYRING
        )
        yield Dialog(
            Static(Content(visible(self._message)), id="token-message"),
            SecretInput(placeholder="Paste the key", id="token-input"),
            Static("", id="token-problem", markup=False),
            RadioSet(
                RadioButton(
                    Content("Keep in the keyring"),
                    value=self._keyring,
                    disabled=not self._keyring,
                    id="keep-keyring",
                ),
                RadioButton(Content("This run only"), value=not self._keyring, id="keep-run"),
                id="token-keep",
            ),
            Static(Content(hint), id="token-hint"),
            title="Bedrock API key",
            keys="Enter use it   Tab where to keep it   Esc cancel",
        )

    def on_mount(self) -> None:
        """Ready for a paste."""
        self.query_one(SecretInput).focus()

    @on(SecretInput.Entered)
    def _entered(self) -> None:
        self._use()

    @on(SecretInput.Changed, "#token-input")
    def _changed(self, event: SecretInput.Changed) -> None:
        event.stop()
        self.query_one("#token-problem", Static).display = False

    def _use(self) -> None:
        secret = self.query_one(SecretInput)
        problem = why_unusable(secret.value.strip())
        if problem is not None:
            shown = self.query_one("#token-problem", Static)
            shown.update(Content(problem))
            shown.display = True
            secret.focus()
            return
        in_keyring = self.query_one("#keep-keyring", RadioButton).value and self._keyring
        self._close(TokenChoice(secret.value.strip(), "keyring" if in_keyring else "run"))

    def action_cancel(self) -> None:
        """Enter no key."""
        self._close(None)

    def _close(self, choice: TokenChoice | None) -> None:
        with self.prevent(SecretInput.Changed):
            self.query_one(SecretInput).value = ""
        self.dismiss(choice)
