"""What may be imported when: the layering's heart, in a process of its own, so that nothing hides it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("openai", "httpx", "httpx2", "keyring", "pydantic", "pypdf", "starlette", "uvicorn")

FIRST_PAINT = f"""
import asyncio, os, sys
from tui.config import load_settings
from tui.startup import session_after_first_paint
from tui.app import OutcropApp

settings = load_settings({{"sandbox": True}}, os.environ)
session = session_after_first_paint(settings)
painted = []

async def warm_up():
    painted.append([name for name in {(*HEAVY, "sqlite3", "tui.session")!r} if name in sys.modules])

session.warm_up = warm_up

async def main():
    app = OutcropApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(200):
            if painted:
                break
            await pilot.pause(0.02)
        assert app.screen.query("Composer"), "no composer was on the screen"

asyncio.run(main())
assert painted, "warm_up was never called"
print(",".join(painted[0]) or "none")
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    assert run(FIRST_PAINT) == "none"


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
    code = f"import sys, tui.session; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert run(code) == "[]"
