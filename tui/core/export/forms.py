"""The forms there are, by the names the command line gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui import __version__
from tui.core.apis.asked import asked_of
from tui.core.catalogue import NATIVE_APIS
from tui.core.exchange import Exchange
from tui.core.export.boto import as_boto3
from tui.core.export.har import as_har
from tui.core.export.plain import as_http, as_json
from tui.core.export.python import as_httpx, as_openai
from tui.core.export.request import Export
from tui.core.export.shell import as_curl, as_httpie

__all__ = ["FORMS", "Form", "export", "export_har"]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of export.

    Attributes:
        name: As given to `--as`.
        label: For people.
        make: Makes it of an exchange and the folder of its side files.
        apis: The APIs whose requests it is for; empty for any request.
    """

    name: str
    label: str
    make: Callable[[Exchange, str], Export]
    apis: frozenset[str] = frozenset()

    def is_for(self, exchange: Exchange) -> bool:
        """Whether to offer it for this exchange; another one says why it has no such form."""
        asked = asked_of(exchange)
        return not self.apis or (asked is not None and asked.api in self.apis)


FORMS: Final[Mapping[str, Form]] = {
    form.name: form
    for form in (
        Form("curl", "curl", as_curl),
        Form("python", "Python (openai SDK)", as_openai),
        Form("httpx", "Python (httpx)", as_httpx),
        Form("boto3", "Python (boto3)", as_boto3, NATIVE_APIS),
        Form("httpie", "HTTPie", as_httpie),
        Form("http", "raw HTTP", lambda exchange, _: as_http(exchange)),
        Form("json", "JSON body", lambda exchange, _: as_json(exchange)),
        Form("har", "HAR 1.2", lambda exchange, _: as_har([exchange], __version__)),
    )
}


def export(exchange: Exchange, form: str, folder: str = "") -> Export:
    """An exchange in a form; with large bodies call it off the event loop.

    Args:
        exchange: The exchange.
        form: One of `FORMS`.
        folder: Put before the names of side files, with a slash at its end; empty when the command is run,
            and the program lies, where they are.

    Raises:
        KeyError: There is no such form.
        Unsupported: This exchange has no such form; the text is a sentence.
    """
    return FORMS[form].make(exchange, folder)


def export_har(exchanges: Sequence[Exchange]) -> Export:
    """Several exchanges, a conversation's say, as one HAR."""
    return as_har(exchanges, __version__)
