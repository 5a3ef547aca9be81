"""The words after `outcrop`: every subcommand, its arguments and options.

Those of the larger subcommands are told by modules beside them, `tui/subcommands/*_arguments.py`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

if TYPE_CHECKING:
    import argparse

    from _typeshed import SupportsWrite

    Subcommands = argparse._SubParsersAction[Any]  # pyright: ignore[reportPrivateUsage]

__all__ = ["build_parser", "parse"]

_WITHOUT_PARSER: Final = {
    "--sandbox": ("sandbox", True),
    "--stateful": ("continuation", "stateful"),
    "--no-mouse": ("mouse", "off"),
    "-c": ("continue_latest", True),
    "--continue": ("continue_latest", True),
}
"""Options that start the TUI and take no value: argparse's import and its parser are a tenth of a start."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the arguments.

    The TUI waits for the parsers of the subcommands only if it must, and for none if nothing needs one.

    Raises:
        InputError: They are wrong.
    """
    if all(argument in _WITHOUT_PARSER for argument in arguments):
        from types import SimpleNamespace

        given = dict(_WITHOUT_PARSER[argument] for argument in arguments)
        bare = SimpleNamespace(version=False, plain=False, command=None, **given)
        return cast("argparse.Namespace", bare)
    from tui.core.errors import InputError

    if arguments[0].startswith("-"):
        try:
            return build_parser(of_commands=False).parse_args(arguments)
        except InputError:
            pass  # A subcommand, a wish for help, or an error that the whole parser words better.
    return build_parser().parse_args(arguments)


def build_parser(*, of_commands: bool = True) -> argparse.ArgumentParser:
    """The parser of every subcommand; wrong usage raises `InputError` (exit status 2).

    Args:
        of_commands: Whether it knows the subcommands and `--help`, or what starts the TUI only.
    """
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            import re

            from tui.core.errors import InputError

            # A key given as an argument is in the shell's history already; it need not be in a log as well.
            message = re.sub(r"(bedrock-api-key-|ABSK)[^\s'\"]*", "[token]", message)
            raise InputError(f"{message}. Try `{self.prog} --help`.")

        def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
            # As argparse does it, but for the disk that is full: that is not to be passed over.
            (file or sys.stderr).write(message)

    common = _common_options(Parser(add_help=False))
    parser = Parser(
        prog="outcrop",
        description="Chat with OpenAI models on Amazon Bedrock, and see every byte of it.",
        parents=[common],
        add_help=of_commands,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument(
        "--plain", action="store_true", help="by lines, without a full screen: for screen readers and pipes"
    )
    if not of_commands:
        parser.set_defaults(command=None)
        return parser
    commands: Subcommands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_ask(commands, common)
    _add_history(commands)
    _add_responses(commands)
    _add_token(commands)
    _add_models(commands)
    _add_usage(commands)
    from tui.subcommands.inspect_arguments import add_inspect

    add_inspect(commands)
    from tui.subcommands.check_arguments import add_check

    add_check(commands)
    from tui.subcommands.compare_arguments import add_compare
    from tui.subcommands.leaving_arguments import add_leaving

    add_leaving(commands)
    add_compare(commands, common)
    _add_cassette(commands)
    keys = commands.add_parser("keys", help="every key, chord and command with its id, as they are now")
    form = keys.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as tables in Markdown")
    form.add_argument("--json", action="store_true", help="JSON for scripts")
    sandbox = commands.add_parser(
        "sandbox",
        help="serve the embedded endpoint on loopback until interrupted",
        description="Plays all APIs offline and prints the base URL of mantle's GPT models. Below the same"
        " address are /v1 (gpt-oss), /runtime/openai/v1, /runtime and /bedrock, with a region in front if"
        " wanted. The bearer token is sandbox; so are the access key and the secret key.",
    )
    sandbox.add_argument("--port", type=int, default=0, metavar="N", help="by default one that is free")
    sandbox.add_argument("--region", metavar="R", help="the region it plays; by default us-west-2")
    return parser


def _common_options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    import argparse

    # SUPPRESS: an option before the subcommand is not undone by the subcommand's own default.
    add = parser.add_argument
    nothing = argparse.SUPPRESS
    add(
        "--sandbox",
        action="store_true",
        default=nothing,
        help="talk to the embedded endpoint, offline",
    )
    add("--region", metavar="R", default=nothing, help="AWS region, e.g. us-west-2")
    add("--model", metavar="M", default=nothing, help="model id, e.g. openai.gpt-5.4")
    add("--endpoint", choices=["mantle", "runtime"], default=nothing, help="which Bedrock endpoint")
    add(
        "--api", metavar="NAME", default=nothing,
        help="responses, chat_completions (chat), converse, invoke_model (invoke)",
    )  # fmt: skip
    add("--base-url", metavar="URL", default=nothing, help="another OpenAI-compatible base URL")
    add("--profile", metavar="NAME", default=nothing, help="a named base URL of the config file")
    add(
        "--aws-profile", metavar="NAME", default=nothing,
        help="sign with this profile of ~/.aws instead of a key; environment, or off",
    )  # fmt: skip
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--stateful", dest="continuation", action="store_const", const="stateful", default=nothing,
        help="continue by previous_response_id (the default)",
    )  # fmt: skip
    mode.add_argument(
        "--stateless", dest="continuation", action="store_const", const="stateless", default=nothing,
        help="send the whole conversation each time; the server keeps nothing",
    )  # fmt: skip
    add("--theme", metavar="NAME", default=nothing, help="colours of the TUI")
    add(
        "--no-mouse", dest="mouse", action="store_const", const="off", default=nothing,
        help="leave the mouse to the terminal, for its own selecting",
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "-c", "--continue", dest="continue_latest", action="store_true", default=nothing,
        help="go on with the last conversation",
    )  # fmt: skip
    which.add_argument("--conversation", metavar="ID", default=nothing, help="go on with this conversation")
    add(
        "--replay", metavar="FILE", default=nothing,
        help="play a cassette instead of asking a server; nothing is sent or kept",
    )  # fmt: skip
    add(
        "--replay-speed", metavar="X", default=nothing,
        help="1 as it was recorded (the default), 2.5 faster, max without waiting",
    )  # fmt: skip
    add(
        "--tools", action="append", metavar="FILE", default=nothing,
        help="a file of tools beside tools.toml; with ask, all of them are on",
    )  # fmt: skip
    add(
        "--preset", metavar="NAME", default=nothing,
        help="a preset's tools, instructions, schema: brightcart",
    )  # fmt: skip
    add(
        "-f",
        "--file",
        dest="files",
        action="append",
        metavar="FILE",
        default=nothing,
        help="attach a PDF or image",
    )
    return parser


def _add_ask(commands: Subcommands, common: argparse.ArgumentParser) -> None:
    ask = commands.add_parser("ask", parents=[common], help="one turn, no TUI: streams the answer to stdout")
    ask.add_argument("prompt", nargs="?", metavar="PROMPT", help="- or nothing reads standard input")
    ask.add_argument("--json", action="store_true", help="JSON Lines: one object per event")
    ask.add_argument(
        "--schema", metavar="FILE",
        help="answer in JSON: a JSON Schema's file or name, fields such as 'name, age int', or json, off",
    )  # fmt: skip
    ask.add_argument("--mend-schema", action="store_true", help="change a schema that breaks a strict rule")
    ask.add_argument("--yes", action="store_true", help="let tools run without asking")
    sampling = ask.add_argument_group("sampling, where the API and the model take it")
    sampling.add_argument("--temperature", metavar="X", help="from 0 to 2")
    sampling.add_argument("--top-p", metavar="X", help="from 0 to 1")
    sampling.add_argument("--stop", action="append", metavar="TEXT", help="end the answer there; up to 4")
    guardrail = ask.add_argument_group("a guardrail, over every API but Responses")
    guardrail.add_argument("--guardrail", metavar="ID", help="id or ARN")
    guardrail.add_argument("--guardrail-version", metavar="V", help="by default DRAFT")
    guardrail.add_argument("--guardrail-trace", choices=["off", "on", "full"], help="what it is to tell")
    guardrail.add_argument("--guardrail-tag-suffix", metavar="S", help="of the tags around the input")
    ask.add_argument("--over-budget", action="store_true", help="send also where a budget is used up")


def _add_history(commands: Subcommands) -> None:
    history = commands.add_parser("history", help="the conversations on this machine")
    metavar = "list|show|search|delete|export|import"
    actions = history.add_subparsers(dest="action", metavar=metavar, required=True)
    listing = actions.add_parser("list", help="every conversation, last used first")
    show = actions.add_parser("show", help="one conversation")
    show.add_argument("id", metavar="ID")
    search = actions.add_parser("search", help="conversations that hold these words")
    search.add_argument("text", metavar="TEXT")
    delete = actions.add_parser("delete", help="remove a conversation for good")
    delete.add_argument("id", metavar="ID")
    for action in (listing, show, search, delete):
        action.add_argument("--json", action="store_true", help="JSON for scripts")
    from tui.subcommands.leaving_arguments import add_transfer

    add_transfer(actions)


def _add_responses(commands: Subcommands) -> None:
    import argparse

    responses = commands.add_parser("responses", help="what the server keeps of what was sent from here")
    actions = responses.add_subparsers(dest="action", metavar="list|show|delete|clean", required=True)
    listing = actions.add_parser("list", help="every stored response with its age; asks no server")
    listing.add_argument("--all", action="store_true", help="also those that are deleted")
    show = actions.add_parser("show", help="one response as the server has it now: JSON")
    show.add_argument("id", metavar="ID")
    delete = actions.add_parser("delete", help="have the server delete responses; what fails is tried again")
    delete.add_argument("ids", nargs="+", metavar="ID")
    clean = actions.add_parser("clean", help="have the server delete every response that is known here")
    for action in (listing, show, delete, clean):
        add = action.add_argument
        add("--json", action="store_true", help="JSON for scripts")
        add("--sandbox", action="store_true", default=argparse.SUPPRESS, help="of the embedded endpoint")
        add("--base-url", metavar="URL", default=argparse.SUPPRESS, help="made at this base URL")


def _add_token(commands: Subcommands) -> None:
    token = commands.add_parser("token", help="the bearer token in the OS keyring")
    actions = token.add_subparsers(dest="action", metavar="set|status|clear", required=True)
    for name, text in (
        ("set", "keep a token: asks without echo, or reads standard input"),
        ("status", "where the token comes from, its region and expiry; never the token"),
        ("clear", "remove it from the keyring"),
    ):
        action = actions.add_parser(name, help=text)
        which = action.add_mutually_exclusive_group()
        which.add_argument("--region", metavar="R", help="for this region only")
        which.add_argument("--profile", metavar="NAME", help="of this profile of the config file")
        if name == "status":
            action.add_argument("--aws-profile", metavar="NAME", help="of this profile of ~/.aws")


def _add_models(commands: Subcommands) -> None:
    import argparse

    models = commands.add_parser("models", help="which models there are, where, and what they cost")
    add, nothing = models.add_argument, argparse.SUPPRESS
    add("--region", metavar="R", default=nothing, help="in this region; by default the one of the settings")
    add("--model", metavar="M", default=nothing, help="this model only; with --check, the one to check")
    add("--endpoint", choices=["mantle", "runtime"], default=nothing, help="on this endpoint")
    add("--api", metavar="NAME", default=nothing, help="over this API: chat, converse, invoke, responses")
    add("--profile", metavar="NAME", default=nothing, help="of a profile of the config file")
    add("--aws-profile", metavar="NAME", default=nothing, help="sign with this profile of ~/.aws")
    add("--base-url", metavar="URL", default=nothing, help="of another OpenAI-compatible base URL")
    add("--sandbox", action="store_true", default=nothing, help="of the embedded endpoint")
    add("--check", action="store_true", help="send the smallest paid request, and say whether it works")
    add("--offline", action="store_true", help="ask no server: what the catalogue knows")
    add("--json", action="store_true", help="JSON for scripts")


def _add_usage(commands: Subcommands) -> None:
    usage = commands.add_parser("usage", help="tokens and costs over days, models and regions")
    add = usage.add_argument
    add("--since", metavar="D", help="a day such as 2026-11-01, or 7d for seven days; by default 30d")
    add("--by", choices=["day", "model", "region"], default="day", help="by default by local day")
    add("--sandbox", action="store_true", help="what was sent to the embedded endpoint instead")
    form = usage.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON for scripts")
    form.add_argument("--csv", action="store_true", help="CSV for spreadsheets")


def _add_cassette(commands: Subcommands) -> None:
    cassette = commands.add_parser("cassette", help="conversations in a file, to be played with --replay")
    actions = cassette.add_subparsers(dest="action", metavar="save", required=True)
    save = actions.add_parser("save", help="write a conversation's requests and answers to a file")
    save.add_argument("id", nargs="?", metavar="ID", help="the conversation; by default the last one")
    save.add_argument("-o", dest="output", metavar="FILE", required=True, help="the file to write")
    save.add_argument("--sandbox", action="store_true", help="by default the last one with the sandbox")
    save.add_argument("--force", action="store_true", help="write over a file that is there")
