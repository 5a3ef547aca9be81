"""An environment of packages that cannot live beside ours, made once and kept in uv's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["python_with"]


def python_with(*requirements: str) -> Path:
    """The interpreter of an environment with these packages from the registry.

    It is made by whoever comes first; others wait for it. A test is skipped where no registry can be reached.
    """
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv, which makes an environment of its own for these packages, is not on the path")
    found = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True)
    key = hashlib.sha256(repr((sys.version_info[:3], requirements)).encode()).hexdigest()[:16]
    folder = Path(found.stdout.strip()) / "outcrop-tests" / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    ready = folder / "ready"
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready.is_file():
            return python
        quiet = {"env": {**os.environ, "VIRTUAL_ENV": ""}, "capture_output": True, "text": True}
        subprocess.run([uv, "venv", "--clear", "-p", sys.executable, str(folder)], check=True, **quiet)
        install = [uv, "pip", "install", "--compile-bytecode", "-p", str(python), *requirements]
        done = subprocess.run(install, check=False, **quiet)
        if done.returncode:
            pytest.skip(f"{', '.join(requirements)} could not be installed: {done.stderr.strip()[-300:]}")
        ready.touch()
    return python
