"""The arguments of `outcrop compare`; read with every command line, so this imports next to nothing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Subcommands = argparse._SubParsersAction[Any]  # pyright: ignore[reportPrivateUsage]

__all__ = ["add_compare"]


def add_compare(commands: Subcommands, common: argparse.ArgumentParser) -> None:
    """Add `compare` to the program's parser."""
    compare = commands.add_parser(
        "compare",
        parents=[common],
        help="one prompt to two to four models, regions, efforts or modes at once",
        description="Each target is a conversation of its own afterwards: go on with `--conversation ID`.",
    )
    add = compare.add_argument
    add("prompt", nargs="?", metavar="PROMPT", help="- or nothing reads standard input")
    add(
        "--with", dest="targets", action="append", required=True, metavar="TARGET",
        help="such as 'gpt-5.5@us-east-2 effort=low' or 'gpt-oss-20b api=chat stateless'; up to four times,"
        " and once compares it with the settings' own target",
    )  # fmt: skip
    add("--diff", action="store_true", help="the differences of each answer from the first one, too")
    add("--json", action="store_true", help="one JSON document")
    add(
        "--schema", metavar="FILE",
        help="answer in JSON: a JSON Schema's file or name, fields such as 'name, age int', or json",
    )  # fmt: skip
    add("--mend-schema", action="store_true", help="change a schema that breaks a strict rule")
    add("--over-budget", action="store_true", help="send also where a budget is used up")
