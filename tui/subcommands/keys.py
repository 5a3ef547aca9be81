"""`outcrop keys`: every key and command with its id, as the config file has them now."""

from __future__ import annotations

import argparse
import os
import sys

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print the table; what is wrong with the config file's keys goes to stderr."""
    from tui.config.settings import load_settings
    from tui.keys.contexts import check_others
    from tui.keys.key_table import as_json, as_markdown, as_text, sections
    from tui.keys.keymap import check_keymap

    settings = load_settings({}, os.environ)
    keymap = check_keymap(
        settings.keymap, {settings.send_key: "send_key", settings.newline_key: "newline_key"}
    )
    local, problems = check_others(keymap.others)
    found = sections(keymap, local)
    print(as_json(found) if options.json else as_markdown(found) if options.markdown else as_text(found))
    for problem in (*keymap.problems, *problems):
        print(f"outcrop: {problem}", file=sys.stderr)
    return 1 if keymap.problems or problems else 0
