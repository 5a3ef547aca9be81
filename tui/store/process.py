"""Who is writing a turn: tells a turn that still runs in another window from one that a crash left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["is_alive", "this_process"]


def this_process() -> str:
    """A name of this process that no later process gets, where the system can tell."""
    pid = os.getpid()
    return f"{pid}:{_birth(pid)}"


def is_alive(owner: str) -> bool:
    """Whether the process that `this_process` named still runs."""
    pid_text, _, birth = owner.partition(":")
    if not pid_text.isdigit() or not 0 < int(pid_text) < 2**31:
        return False
    pid = int(pid_text)
    if pid == os.getpid():
        return birth == _birth(pid)
    if sys.platform == "win32":  # os.kill(pid, 0) would end it there
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return birth == _birth(pid)


def _birth(pid: int) -> str:
    """When the process began, as the kernel counts it, and in which boot; empty where /proc is not there."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    fields = status.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return "" if fields[0] in ("Z", "X") else f"{fields[19]}:{boot}"  # field 22 of proc(5)
