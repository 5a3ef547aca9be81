"""The arguments of `outcrop export`, `outcrop batch`, and `outcrop history export` and `import`.

They are read with every command line, so this imports next to nothing.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    Subcommands = argparse._SubParsersAction[Any]  # pyright: ignore[reportPrivateUsage]

__all__ = ["FORMS", "add_leaving", "add_transfer"]

FORMS: Final = ("markdown", "json", "openai", "strands", "converse", "batch")
"""The names of `LEAVING_FORMS`."""


def add_leaving(commands: Subcommands) -> None:
    """Add `export` and `batch` to the program's parser."""
    export = commands.add_parser("export", help="a conversation as text, data, or a program that goes on")
    _add_export_options(export, FORMS)
    batch = commands.add_parser("batch", help="check records of a batch job, and start it")
    add = batch.add_argument
    add("file", metavar="FILE.jsonl", help="a record a line, as `export --as batch` writes them")
    add("action", choices=["check", "start"], help="check each line, or check, upload and start the job")
    add("--json", action="store_true", help="JSON for scripts")
    start = batch.add_argument_group("start", "needs the extra outcrop[aws] and credentials of AWS")
    add = start.add_argument
    add("--bucket", metavar="NAME", help="the bucket of S3 that holds the records, and the results")
    add("--prefix", metavar="PATH", default="outcrop", help="where in the bucket; by default outcrop/")
    add("--role", metavar="ARN", help="the role with which Bedrock reads and writes there")
    add("--model", metavar="M", help="model id; by default the one that the records name")
    add("--region", metavar="R", help="AWS region; by default the one of the settings")
    add("--aws-profile", metavar="NAME", help="of ~/.aws; by default the one that AWS's tools take")
    add("--name", metavar="NAME", help="of the job; by default the file's, with the time")
    add("--yes", action="store_true", help="upload and start without asking")


def add_transfer(actions: Subcommands) -> None:
    """Add `export` and `import` to the parser of `outcrop history`."""
    export = actions.add_parser("export", help="a conversation, or all of them, for another history")
    _add_export_options(export, ("json", "markdown"))
    take = actions.add_parser("import", help="add conversations from files; nothing is written over")
    take.add_argument("files", nargs="+", metavar="FILE", help="JSON or Markdown that was exported")
    take.add_argument("--json", action="store_true", help="JSON for scripts")


def _add_export_options(parser: argparse.ArgumentParser, forms: tuple[str, ...]) -> None:
    add = parser.add_argument
    what = ", or all" if len(forms) == 2 else ""
    add("id", nargs="?", metavar="ID", help=f"the conversation{what}; by default the last one")
    add("--as", dest="form", choices=forms, default=forms[0], help=f"by default {forms[0]}")
    add(
        "-o", dest="output", metavar="FILE", help="by default standard output; attachments go beside the file"
    )
    add("--force", action="store_true", help="write over files that are there")
    add("--sandbox", action="store_true", help="by default the last one with the sandbox")
