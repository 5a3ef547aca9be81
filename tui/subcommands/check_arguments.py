"""The arguments of `outcrop check`; read with every command line, so it imports next to nothing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Subcommands = argparse._SubParsersAction[Any]  # pyright: ignore[reportPrivateUsage]

__all__ = ["add_check"]


def add_check(commands: Subcommands) -> None:
    """Add the subcommand to the parser's."""
    check = commands.add_parser("check", help="whether everything works, from the key to background answers")
    add, nothing = check.add_argument, argparse.SUPPRESS
    add("--free", action="store_true", help="leave out what is paid for")
    add("--yes", action="store_true", help="send what is paid for without asking")
    add("--only", action="append", metavar="NAME", help="this check only; several times for several")
    add("--list", action="store_true", help="name the checks and run none")
    add("--json", action="store_true", help="JSON for scripts")
    add("--junit", metavar="FILE", help="write JUnit XML as well; - is standard output, instead of the table")
    add(
        "--strict", dest="fail_on_check_failure", action="store_true", default=nothing,
        help="exit status 1 when a check failed, as with BEDROCK_FAIL_ON_CHECK_FAILURE",
    )  # fmt: skip
    add("--region", metavar="R", default=nothing, help="AWS region, e.g. us-west-2")
    add("--model", metavar="M", default=nothing, help="model id, e.g. openai.gpt-5.4")
    add("--endpoint", choices=["mantle", "runtime"], default=nothing, help="which Bedrock endpoint")
    add("--api", metavar="A", default=nothing, help="responses, chat_completions, converse or invoke_model")
    add("--profile", metavar="NAME", default=nothing, help="a profile of the config file")
    add("--aws-profile", metavar="NAME", default=nothing, help="sign with this profile of ~/.aws")
    add("--base-url", metavar="URL", default=nothing, help="another OpenAI-compatible base URL")
    add("--sandbox", action="store_true", default=nothing, help="the embedded endpoint")
