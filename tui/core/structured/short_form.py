"""The short form of a schema: `name, age int, tags: list of string`.

    form   = field {("," | newline) field}
    field  = name [":"] [type] ["description" in quotes]
    type   = "list of" type | "{" form "}" | word {"|" word} | one of `TYPES`; a "?" after it: may be null

A field without a type is a string; words with bars between them are the only values there are.
"""

from __future__ import annotations

import re
from typing import Any, Final

from tui.core.errors import InputError
from tui.core.text import visible_line

__all__ = ["TYPES", "expand"]

TYPES: Final[dict[str, dict[str, Any]]] = {
    **{name: {"type": "string"} for name in ("string", "str", "text")},
    **{name: {"type": "integer"} for name in ("integer", "int")},
    **{name: {"type": "number"} for name in ("number", "num", "float")},
    **{name: {"type": "boolean"} for name in ("boolean", "bool")},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "email": {"type": "string", "format": "email"},
    "uuid": {"type": "string", "format": "uuid"},
}
"""The names of types, with what they stand for."""

_MOST_NESTED: Final = 10
_TOKEN: Final = re.compile(r'\s*(?:(?P<text>"[^"\n]*")|(?P<sign>[,:{}|?])|(?P<word>[^\s,:{}|?"]+))')


def expand(text: str) -> dict[str, Any]:
    """The JSON Schema that a short form stands for; it keeps the strict rules.

    Raises:
        InputError: It is none; the sentence says where.
    """
    tokens = _tokens(text)
    parser = _Parser(tokens)
    schema = parser.form(1, "")
    if not schema["properties"]:
        raise InputError("A schema needs a field: for instance name, age int, tags: list of string.")
    return schema


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    # A line's end separates fields; inside braces too.
    for line in text.strip().splitlines():
        at = 0
        line = line.rstrip()
        while at < len(line):
            match = _TOKEN.match(line, at)
            if match is None:
                raise InputError(f"In the short form, a quote is not closed: {visible_line(line[at:][:40])}")
            tokens.append(match[0].strip())
            at = match.end()
        tokens.append(",")
    return tokens


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self._at += 1
        return token

    def _skip_ends(self) -> None:
        while self._next() == ",":
            self._at += 1

    def form(self, depth: int, closing: str) -> dict[str, Any]:
        """Fields up to `closing`."""
        if depth > _MOST_NESTED:
            raise InputError(f"The short form nests deeper than {_MOST_NESTED} levels.")
        properties: dict[str, Any] = {}
        self._skip_ends()
        while (token := self._next()) and token != closing:
            name = self._name()
            if name in properties:
                raise InputError(f"The field {visible_line(name)} is there twice.")
            properties[name] = self._field(depth, name)
            if self._next() not in (",", closing):
                raise InputError(
                    f"After the field {visible_line(name)} a comma was expected, not "
                    f"{visible_line(self._next()) or 'the end'}."
                )
            self._skip_ends()
        if self._take() != closing and closing:
            raise InputError("In the short form, a brace is not closed.")
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def _name(self) -> str:
        token = self._take()
        if token in (":", "{", "}", "|", "?") or token.startswith('"'):
            raise InputError(f"The name of a field was expected, not {visible_line(token)}.")
        return token

    def _field(self, depth: int, name: str) -> dict[str, Any]:
        if self._next() == ":":
            self._at += 1
        schema = {"type": "string"} if self._ends() else self._type(depth, name)
        if self._next().startswith('"'):
            schema = {**schema, "description": self._take().strip('"')}
        return schema

    def _ends(self) -> bool:
        token = self._next()
        return token in ("", ",", "}") or token.startswith('"')

    def _type(self, depth: int, name: str) -> dict[str, Any]:
        token = self._take()
        if token.casefold() == "list" and self._next().casefold() == "of":
            self._at += 1
            schema: dict[str, Any] = {"type": "array", "items": self._type(depth + 1, name)}
        elif token == "{":
            schema = self.form(depth + 1, "}")
        elif self._next() == "|":
            schema = {"type": "string", "enum": self._choice(token)}
        elif token == "?":
            self._at -= 1
            schema = {"type": "string"}
        elif token.casefold() in TYPES:
            schema = dict(TYPES[token.casefold()])
        else:
            raise InputError(
                f"The field {visible_line(name)} has no type {visible_line(token)}; there are string, "
                "integer, number, boolean, date, datetime, time, email, uuid, list of …, {…} and a|b|c."
            )
        if self._next() == "?":
            self._at += 1
            schema = _or_null(schema)
        return schema

    def _choice(self, first: str) -> list[str]:
        values = [first]
        while self._next() == "|":
            self._at += 1
            value = self._take()
            if value in (",", ":", "{", "}", "|", "?", ""):
                raise InputError("After a bar another value was expected.")
            values.append(value)
        return list(dict.fromkeys(value.strip('"') for value in values))


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}
