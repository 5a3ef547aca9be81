"""Writes the tables of keys into README.md, between its two marks, from the code."""

from __future__ import annotations

from pathlib import Path

from tui.keys.key_table import as_markdown, sections
from tui.keys.keymap import check_keymap

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- keys -->\n\n", "\n\n<!-- /keys -->"

if __name__ == "__main__":
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(
        f"{before}{BEGIN}{as_markdown(sections(check_keymap({})))}{END}{after}", encoding="utf-8"
    )
