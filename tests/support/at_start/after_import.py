"""Does something as soon as a module is imported, without importing it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

__all__ = ["after_import"]


class _Finder:
    """Stands before the usual finder for one module, once."""

    def __init__(self, name: str, do: Callable[[], None]) -> None:
        self._name, self._do = name, do

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        sys.meta_path.remove(self)  # pyright: ignore[reportArgumentType]
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def execute_then_do(module: Any) -> None:
                execute(module)
                self._do()

            loader.exec_module = execute_then_do
        return spec


def after_import(name: str, do: Callable[[], None]) -> None:
    """Call `do` once `name` has been imported; at once where it already is."""
    if name in sys.modules:
        do()
    else:
        sys.meta_path.insert(0, _Finder(name, do))  # pyright: ignore[reportArgumentType]
