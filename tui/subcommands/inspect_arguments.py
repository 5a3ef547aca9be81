"""The arguments of `outcrop inspect`; read with every command line, so it imports next to nothing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Subcommands = argparse._SubParsersAction[Any]  # pyright: ignore[reportPrivateUsage]

__all__ = ["add_inspect"]

_NAMES = "an id or its beginning, `last`, or -N: -1 is the last, -2 the one before it"


def add_inspect(commands: Subcommands) -> None:
    """Add the subcommand to the parser's."""
    inspect = commands.add_parser("inspect", help="what was sent and what came back, byte for byte")
    metavar = "list|show|export|diff|replay"
    actions = inspect.add_subparsers(dest="action", metavar=metavar, required=True)
    listing = actions.add_parser("list", help="the requests, newest last", epilog=_FILTER_HELP)
    listing.add_argument("filter", nargs="*", metavar="FILTER", help="e.g. status:4xx model:gpt-5.5 words")
    listing.add_argument(
        "-n", dest="limit", type=int, default=50, metavar="N", help="at most N (50); 0 is all"
    )
    show = actions.add_parser("show", help="one request and its answer")
    show.add_argument("id", metavar="ID", help=_NAMES)
    show.add_argument("--part", choices=["summary", "request", "response", "stream"], default="summary",
                      help="request and response are the bytes themselves")  # fmt: skip
    _add_export(actions.add_parser("export", help="as a command, a program, HTTP, JSON or HAR"))
    diff = actions.add_parser("diff", help="what differs between two requests' bodies")
    diff.add_argument("a", metavar="A", help=_NAMES)
    diff.add_argument("b", nargs="?", metavar="B", help="by default A is compared with the request before it")
    replay = actions.add_parser(
        "replay", help="send a request again, with a table of times and cached tokens"
    )
    _add_replay(replay)
    for action in (listing, show, diff, replay):
        action.add_argument("--json", action="store_true", help="JSON for scripts")
    for action in actions.choices.values():
        action.add_argument("--conversation", metavar="ID", help="only the requests of this conversation")


_FILTER_HELP = (
    "A filter beginning with a minus, which turns it around, stands after --: "
    "outcrop inspect list -- -status:2xx"
)


def _add_export(export: argparse.ArgumentParser) -> None:
    forms = ["curl", "python", "httpx", "boto3", "httpie", "http", "json", "har"]
    export.add_argument("id", metavar="ID", help=f"{_NAMES}; with --as har also `all`: the conversation")
    export.add_argument("--as", dest="form", choices=forms, required=True, help="python is OpenAI's SDK")
    export.add_argument("-o", dest="output", metavar="FILE", help="large bodies go to a file beside it")
    export.add_argument("--force", action="store_true", help="write over files that are there")


def _add_replay(replay: argparse.ArgumentParser) -> None:
    add = replay.add_argument
    add("id", metavar="ID", help=_NAMES)
    add("-n", dest="times", type=int, default=1, metavar="N", help="how often, one after the other")
    add("--body", metavar="FILE", help="send this body instead, checked before; - reads standard input")
    add("--anyway", action="store_true", help="send the body in spite of what the check finds")
    add("--keep", action="store_true", help="keep it as a branch of the conversation")
    add("--sandbox", action="store_true", default=argparse.SUPPRESS, help="with the embedded endpoint")
    add("--base-url", metavar="URL", default=argparse.SUPPRESS, help="where it was sent to")
    add("--profile", metavar="NAME", default=argparse.SUPPRESS, help="a named base URL of the config file")
    add("--aws-profile", metavar="NAME", default=argparse.SUPPRESS, help="sign with this profile of ~/.aws")
