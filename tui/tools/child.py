"""`python -m tui.tools.child`: describes or calls one Python function, in a process of its own.

Reads one JSON object from standard input, `{"do": "describe" | "call" | "call_text", "file": ...,
"function": ..., "input": ..., "limit": BYTES}`, and writes one to standard output, `{"ok": ...}` or
`{"error": ...}`; a text that is longer than the limit comes cut, its whole length beside it as `size`. What
the function itself prints goes to standard error. pydantic checks the arguments and makes the schema.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

__all__ = ["main"]


def main() -> None:
    """Do what standard input asks for."""
    # The pipe to the parent is ours alone: what a tool prints must not look like its answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)
    request: dict[str, Any] = json.load(sys.stdin.buffer)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    try:
        result: dict[str, Any] = _cut(_do(request), request.get("limit"))
    except BaseException as error:  # The worker's edge: whatever a tool raises is its output.
        result = {"error": _told(error)}
    with answer:
        json.dump(result, answer, ensure_ascii=False)
    sys.stderr.flush()
    # A thread that a tool left running must not keep the process.
    os._exit(0)


def _do(request: dict[str, Any]) -> Any:
    function = _load(Path(request["file"]), str(request["function"]))
    match request["do"]:
        case "describe":
            return _describe(function)
        case "call_text":
            return _as_text(_awaited(function(request["input"])))
        case _:
            from pydantic import validate_call

            checked = validate_call(function)
            return _as_text(_awaited(checked(**request["input"])))


def _cut(value: Any, limit: int | None) -> dict[str, Any]:
    if not isinstance(value, str) or limit is None:
        return {"ok": value}
    data = value.encode("utf-8", "replace")
    return {"ok": data[:limit].decode("utf-8", "ignore"), "size": len(data)}


def _load(path: Path, name: str) -> Callable[..., Any]:
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    # Type hints that are texts are looked up in the module of this name.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    function: object = getattr(module, name, None)
    if not callable(function):
        raise AttributeError(f"{path.name} has no function {name}")
    return cast("Callable[..., Any]", function)


def _describe(function: Callable[..., Any]) -> dict[str, Any]:
    from pydantic import TypeAdapter

    schema = cast("dict[str, Any]", _untitled(TypeAdapter(cast("Any", function)).json_schema()))
    schema.setdefault("properties", {})
    schema.setdefault("required", [])
    return {"description": inspect.getdoc(function) or "", "parameters": schema}


def _untitled(schema: Any, *, names: bool = False) -> Any:
    """The schema without the titles that repeat its names; under `properties` the keys are names."""
    if isinstance(schema, list):
        return [_untitled(entry) for entry in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, Any]", schema)
    return {
        key: _untitled(value, names=not names and key in ("properties", "$defs"))
        for key, value in fields.items()
        if names or key != "title"
    }


def _awaited(value: Any) -> Any:
    if not inspect.isawaitable(value):
        return value
    import asyncio

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    from pydantic_core import to_json

    return to_json(value).decode()


def _told(error: BaseException) -> str:
    """The error in words, for the model: where it came from is nobody's business."""
    name = type(error).__name__
    if name == "ValidationError":
        errors: list[dict[str, Any]] = cast("Any", error).errors(include_url=False, include_input=False)
        lines = [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in errors]
        return "The arguments do not fit: " + "; ".join(lines)
    return f"{name}: {error}" if str(error) else name


if __name__ == "__main__":
    main()
