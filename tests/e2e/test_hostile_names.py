"""Names that the user's own folders, a server or a command give reach no terminal with control characters."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from e2e.test_terminal_injection import harmless, recorded
from support.programs import OUTCROP, Program
from support.terminal import have_tmux, terminal

pytestmark = pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")

EVIL = "hacked\x1b]0;hacked-title\x07\x1b]52;c;aGFja2Vk\x07\x9b31m\u202e[/red][@click=app.quit]"
"""A name that would do something in a terminal, or in markup."""

COMMANDS = (
    "theme", "model", "region", "api", "schema", "instructions", "attach", "detach", "preset", "tool-choice",
    "effort", "verbosity", "maxtokens", "aws-profile", "rename", "export", "copy", "info", "history",
    "cache", "save-json", "replay", "copy-as", "fork", "delete-branch", "tools", "open", "hacked",
)  # fmt: skip
"""Each is given the name."""

LISTS = ("theme", "instructions", "schema", "aws-profile", "tools", "check", "compare", "model", "settings",
         "queue", "attachments", "preview", "why", "turns")  # fmt: skip
"""Each lists what there is."""


def toml(text: str) -> str:
    return json.dumps(text)


def fill(program: Program) -> None:
    """Folders full of such names."""
    config = program.config
    for folder in ("instructions", "themes", "schemas"):
        (config / folder).mkdir(exist_ok=True)
    (config / "instructions" / "a.toml").write_text(f"name = {toml(EVIL)}\ntext = {toml(EVIL)}\n")
    (config / "themes" / "a.toml").write_text(f"name = {toml(EVIL)}\n{EVIL} = 1\n")
    (config / "schemas" / f"{EVIL.replace('/', '')}.json").write_text(json.dumps({EVIL: EVIL}))
    (config / "catalogue.toml").write_text(f"[[model]]\nid = {toml(EVIL)}\nlabel = {toml(EVIL)}\n")
    (config / "tools.toml").write_text(
        f'[[tool]]\nname = "hacked"\ndescription = {toml(EVIL)}\ncommand = [{toml(EVIL)}]\n'
        f"[[mcp]]\nname = {toml(EVIL)}\ncommand = [{toml(EVIL)}]\n"
    )
    (config / "config.toml").write_text(f"[keymap]\n{toml(EVIL)} = {toml(EVIL)}\n")
    aws = program.home / ".aws"
    aws.mkdir()
    (aws / "config").write_text(f"[profile {EVIL}]\nregion = {EVIL}\n")
    (program.cwd / EVIL.replace("/", "")).write_text(EVIL)
    (program.cwd / f"folder {EVIL.replace('/', '')}").mkdir()


def test_names_are_shown_and_do_nothing(program: Program, tmp_path: Path) -> None:
    fill(program)
    asked = program.ask(EVIL)
    assert asked.status == 0, asked.err
    command = [*OUTCROP, "-c"]
    with terminal(
        tmp_path / "t", command, program.environ(), cwd=program.cwd, columns=130, rows=40
    ) as window:
        raw = recorded(window, tmp_path)
        window.wait_for("Message", "stateful")
        window.type("@hack")
        window.wait_for("its text, inserted", timeout=20)
        window.press(*["BSpace"] * 5)
        window.wait_until_gone("@hack", timeout=20)
        for name, argument in [(name, EVIL) for name in COMMANDS] + [(name, "") for name in LISTS]:
            window.paste(f"/{name} {argument}".rstrip())
            window.press("Enter")
            time.sleep(0.15)
            window.press("Escape", "Escape", "Escape", "C-u")
            time.sleep(0.1)
        for key in ("F3", "C-p", "C-x", "F10", "F9", "C-o"):
            window.press(key)
            time.sleep(0.3)
            window.paste(EVIL)
            time.sleep(0.2)
            window.press("Escape", "Escape", "Escape")
        window.wait_for("stateful")
        assert harmless(window, raw) > 100_000
        window.press("C-c", "C-c", "C-c")
        window.press("C-q")
        assert window.status() == 0
    assert not (program.data / "crashes").exists()
