"""Output that cannot be written is one sentence and a status; a reader who has gone is no news."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import pytest

from tui.cli import main

COMMANDS = [
    ["--help"], ["token", "--help"], ["--version"], ["keys"], ["keys", "--json"], ["usage", "--csv"],
    ["token", "status"], ["check", "--list"],
]  # fmt: skip


def run(command: Sequence[str]) -> int:
    try:
        return main(command)
    except SystemExit as end:
        return int(end.code or 0)


def test_on_a_full_disk_every_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in COMMANDS:
        with open("/dev/full", "w") as full:
            monkeypatch.setattr(sys, "stdout", full)
            assert run(command) == 1, command
        assert capsys.readouterr().err == (
            "outcrop: The output cannot be written: No space left on device.\n"
        ), command


def test_a_reader_who_has_gone_ends_a_command_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in COMMANDS:
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            monkeypatch.setattr(sys, "stdout", pipe)
            assert run(command) == 1, command
        assert capsys.readouterr().err == "", command
