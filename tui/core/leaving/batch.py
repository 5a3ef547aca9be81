"""A conversation as records of a batch job: one for each prompt of the current path.

    {"recordId": "PROMPT00001", "modelInput": {"messages": […], "max_completion_tokens": 1000}}

Source: AWS, "Format and upload your batch inference data"; bedrock-facts.md section 6.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Final, cast

from tui.core.continuation import Stateless
from tui.core.errors import InputError
from tui.core.export.request import Export, Unsupported
from tui.core.items import dump_json
from tui.core.leaving.parting import Parting, branches_note, functions_only
from tui.core.tools import carries_prompt

__all__ = ["as_batch", "record_id"]

_ENDS_LINES: Final = re.compile("[\x85\u2028\u2029\ud800-\udfff]")


def record_id(number: int) -> str:
    """The name of a record: eleven letters and digits, which every version of the format has taken."""
    return f"PROMPT{number:05}"


def as_batch(parting: Parting) -> Export:
    """A record for each prompt, with all that was said before it: the job answers each of them again.

    Args:
        parting: With a target that is asked by InvokeModel, whose body for these models is that of Chat
            Completions without a model.

    Raises:
        Unsupported: There is no prompt, or a record cannot carry something of the path.
    """
    parting = functions_only(parting)
    whole = parting.conversation
    lines: list[str] = []
    left: dict[str, None] = {}
    for turn in whole.path():
        if not carries_prompt(turn.input):
            continue
        before = replace(whole, tip=turn.parent_id)
        request = Stateless().plan(before, turn.input, parting.options)
        left |= dict.fromkeys(entry.reason for entry in request.left_out)
        try:
            body = cast("dict[str, Any]", json.loads(request.encode(stream=False)))
        except InputError as error:
            raise Unsupported(str(error)) from None
        lines.append(dump_json({"recordId": record_id(len(lines) + 1), "modelInput": body}))
    if not lines:
        raise Unsupported("There is no prompt in this conversation yet.")
    notes = (*branches_note(whole), *parting.notes, *(f"items stay behind: {reason}" for reason in left))
    # Some readers of lines end one at each of these; in JSON they can be written otherwise.
    text = _ENDS_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", "\n".join(lines))
    return Export((text + "\n").encode(), "jsonl", (), notes)
