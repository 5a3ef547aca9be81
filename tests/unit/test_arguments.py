"""What starts the TUI without argparse means the same with it."""

from __future__ import annotations

from itertools import combinations

import pytest

from tui.arguments import build_parser, parse

QUICK = ("--sandbox", "--stateful", "--no-mouse", "-c", "--continue")


@pytest.mark.parametrize("count", range(len(QUICK) + 1))
def test_options_read_without_a_parser_are_what_the_parser_reads(count: int):
    parser = build_parser(of_commands=False)
    for arguments in combinations(QUICK, count):
        assert vars(parse(list(arguments))) == vars(parser.parse_args(arguments))
