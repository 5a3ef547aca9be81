"""The forms in which a conversation leaves, by the names the command line gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tui import __version__
from tui.core.export.request import Export
from tui.core.leaving.batch import as_batch
from tui.core.leaving.converse_script import as_converse_script
from tui.core.leaving.document import as_document
from tui.core.leaving.markdown import as_markdown
from tui.core.leaving.openai_script import as_openai_script
from tui.core.leaving.parting import Parting
from tui.core.leaving.strands_script import as_strands_script

__all__ = ["LEAVING_FORMS", "LeavingForm"]


@dataclass(frozen=True, slots=True)
class LeavingForm:
    """A form.

    Attributes:
        name: As given to `--as`.
        label: For people.
        apis: The APIs that it can go on by, the first wherever the conversation's own is not among them; none
            where it asks no model.
        make: Makes it; may take long, and may raise `Unsupported`.
    """

    name: str
    label: str
    apis: tuple[str, ...]
    make: Callable[[Parting], Export]


LEAVING_FORMS: Final[Mapping[str, LeavingForm]] = {
    form.name: form
    for form in (
        LeavingForm(
            "markdown", "Markdown", (), lambda parting: as_markdown(parting.conversation, parting.beginning)
        ),
        LeavingForm(
            "json", "JSON, whole", (), lambda parting: as_document([parting.conversation], __version__)
        ),
        LeavingForm("openai", "Python (openai SDK)", ("chat_completions", "responses"), as_openai_script),
        LeavingForm(
            "strands", "Strands agent", ("converse", "responses", "chat_completions"), as_strands_script
        ),
        LeavingForm("converse", "Converse (boto3)", ("converse",), as_converse_script),
        LeavingForm("batch", "Batch records", ("invoke_model",), as_batch),
    )
}
