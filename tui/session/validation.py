"""Whether a structured answer is what was asked for: JSON, and valid under its schema.

Part of the session layer, beside `instructions.py`. The jsonschema library is imported at the first answer.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from tui.core.items import Outcome, Turn
from tui.core.structured.output_format import schema_of
from tui.core.structured.strict import Problem, is_object
from tui.core.structured.table import structured_text
from tui.core.text import visible_line

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["answer_problems", "is_checked", "turn_problems"]

_MOST: Final = 100
_LONGEST: Final = 160


def is_checked(turn: Turn) -> bool:
    """Whether a turn is a whole answer that was asked for in a form; a refusal is none."""
    return turn.outcome is Outcome.COMPLETED and bool(structured_text(turn))


def turn_problems(turn: Turn) -> tuple[Problem, ...]:
    """What is wrong with a turn's answer; empty also where there is nothing to check.

    The first call imports jsonschema: off the event loop, please.
    """
    return answer_problems(turn.text, turn.text_format) if is_checked(turn) else ()


@lru_cache(maxsize=256)
def answer_problems(text: str, text_format: str) -> tuple[Problem, ...]:
    """What is wrong with an answer, each with its path; at most a hundred."""
    try:
        value: object = json.loads(text)
    except ValueError as error:
        return (Problem((), f"the answer is no JSON: {visible_line(str(error))}", mendable=False),)
    except RecursionError:
        return (Problem((), "the answer is nested too deep to be checked", mendable=False),)
    schema = schema_of(text_format)
    if schema is None:
        return () if is_object(value) else (Problem((), "the answer is no JSON object", mendable=False),)
    return _checked(value, schema)


def _checked(value: object, schema: object) -> tuple[Problem, ...]:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = cast("Any", Draft202012Validator)
    # A registry of its own: what a `$ref` names is never fetched.
    validator = kind(schema, registry=cast("Any", Registry)(), format_checker=kind.FORMAT_CHECKER)
    problems: list[Problem] = []
    try:
        kind.check_schema(schema)
        for error in cast("Iterable[Any]", validator.iter_errors(value)):
            problems.append(Problem(tuple(error.absolute_path), _sentence(error), mendable=False))
            if len(problems) >= _MOST:
                break
    except (SchemaError, Unresolvable) as error:
        said = visible_line(str(error).partition("\n")[0])
        return (Problem((), f"the schema cannot be used: {said}", mendable=False),)
    except RecursionError:
        return (Problem((), "the answer is nested too deep to be checked", mendable=False),)
    return tuple(sorted(problems, key=lambda problem: [str(step) for step in problem.path]))


def _sentence(error: Any) -> str:
    """What jsonschema says, without the value that it repeats: that stands beside it."""
    message = str(error.message)
    shown = repr(error.instance)
    if message.startswith(shown):
        message = "this" + message.removeprefix(shown)
    line = visible_line(message)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
