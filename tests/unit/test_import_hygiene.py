"""What may be imported when: the layering's heart, in a process of its own, so that nothing hides it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("openai", "httpx", "httpx2", "keyring", "pydantic", "pypdf", "starlette", "uvicorn")
# What the first picture may be made of; everything else of the program waits for it to be on the screen.
# Each module here costs every start about a millisecond: add one only when the first picture needs it.
FIRST_PICTURE = {
    *("app", "commands", "config", "core", "crash", "credentials", "keys", "messages", "own_files"),
    *("screens", "screens.base", "startup", "terminal", "themes", "widgets"),
    *("commands.chords", "commands.command", "commands.conversation", "commands.looking"),
    *("commands.program", "commands.reading", "commands.tools", "commands.turn"),
    *("config.places", "config.profiles", "config.settings", "config.values"),
    *("core.api_choice", "core.api_rules", "core.apis", "core.cache_controls", "core.catalogue"),
    *("core.catalogue_file", "core.controls", "core.drafts", "core.errors", "core.figures"),
    *("core.garbage", "core.items", "core.suffixes", "core.text", "core.token"),
    *("credentials.credentials", "credentials.system_keyring"),
    *("keys.key_names", "keys.keymap"),
    *("screens.chat", "screens.chat_aws", "screens.chat_background", "screens.chat_compaction"),
    *("screens.chat_compare", "screens.chat_composer", "screens.chat_frame", "screens.chat_leaving"),
    *("screens.chat_open", "screens.chat_picker", "screens.chat_preview", "screens.chat_reading"),
    *("screens.chat_responses", "screens.chat_sending", "screens.chat_settings"),
    *("screens.chat_structured", "screens.chat_target", "screens.chat_tools", "screens.chat_turns"),
    *("screens.chat_usage", "screens.chat_views", "screens.inspector_actions", "screens.queue"),
    *("terminal.children", "terminal.driver", "terminal.notification", "terminal.pastes"),
    *("widgets.completion_list", "widgets.composer", "widgets.composer_input", "widgets.compositor"),
    *("widgets.paste_marks", "widgets.pasted_paths", "widgets.prompt_history"),
    *("widgets.safe_text_area", "widgets.status_line", "widgets.welcome"),
}

FIRST_PAINT = f"""
import asyncio, os, sys
from tui.config.settings import load_settings
from tui.startup import session_after_first_paint
from tui.app import OutcropApp

settings = load_settings({{"sandbox": True}}, os.environ)
session = session_after_first_paint(settings)
painted = []

async def get_ready():
    painted.append([name for name in {(*HEAVY, "sqlite3", "tui.session.session")!r} if name in sys.modules])

session.get_ready = get_ready

async def main():
    app = OutcropApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(200):
            if painted:
                break
            await pilot.pause(0.02)
        assert app.screen.query("Composer"), "no composer was on the screen"

asyncio.run(main())
assert painted, "get_ready was never called"
print(",".join(painted[0]) or "none")
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    assert run(FIRST_PAINT) == "none"


def test_the_first_picture_imports_only_what_is_on_it() -> None:
    code = (
        "import os, sys; from tui.app import OutcropApp; from tui.config.settings import load_settings;"
        "from tui.startup import session_after_first_paint;"
        "settings = load_settings({'sandbox': True}, os.environ);"
        "OutcropApp(session_after_first_paint(settings)).get_default_screen();"
        "print(*(name for name in sys.modules if name.startswith('tui.')))"
    )
    assert {name.removeprefix("tui.") for name in run(code).split()} - FIRST_PICTURE == set()


def test_the_version_imports_nothing_of_the_program_but_its_name() -> None:
    code = (
        "import sys; from tui.cli import main; main(['--version']);"
        "print([m for m in sys.modules if m.startswith(('tui.', 'textual', 'argparse')) and m != 'tui.cli'])"
    )
    assert run(code).splitlines()[-1] == "[]"


def test_core_imports_core_and_the_standard_library_only() -> None:
    code = (
        "import importlib, pkgutil, sys, tui.core;"
        "[importlib.import_module(f'tui.core.{m.name}') for m in pkgutil.iter_modules(tui.core.__path__)];"
        "print([m for m in sys.modules if m.partition('.')[0] not in sys.stdlib_module_names"
        " and not (m == 'tui' or m == 'tui.core' or m.startswith('tui.core.')) and m != '__main__'"
        " and not m.startswith('_')])"
    )
    assert run(code) == "[]"


def test_the_session_imports_neither_the_wire_nor_the_network() -> None:
    code = f"import sys, tui.session.session; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert run(code) == "[]"
