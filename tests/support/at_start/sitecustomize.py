"""Python runs this first: watches the event loop of a program that a test started (support/watchdog.py)."""

from __future__ import annotations

import os

if os.environ.get("LOOP_WATCHDOG"):
    from after_import import after_import

    def _begin() -> None:
        from importlib.util import module_from_spec, spec_from_file_location

        path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "watchdog.py")
        spec = spec_from_file_location("loop_watchdog", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        # A dataclass looks its module up.
        import sys

        sys.modules["loop_watchdog"] = module
        spec.loader.exec_module(module)
        module.begin_in_program()

    after_import("textual.app", _begin)
