"""A conversation is saved as a cassette and played back where nobody listens: by ask, and on a terminal."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.programs import OUTCROP, Program, until
from support.terminal import have_tmux, terminal

FIRST = "How heavy is the basalt sample?"
SECOND = "Reply with exactly: *grün* und gut"


@pytest.fixture
def cassette(program: Program) -> Path:
    """Two stateful turns, the first with a PDF."""
    pdf = program.cwd / "sample.pdf"
    pdf.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    first = program.run("ask", "--json", "-f", str(pdf), FIRST).ended
    second = program.run("ask", "--conversation", first["conversation"], SECOND)
    assert second.out == "*grün* und gut"
    saved = program.run("cassette", "save", first["conversation"], "-o", "talk.json")
    assert saved.status == 0 and "2 exchanges" in saved.err
    return program.cwd / "talk.json"


def elsewhere(program: Program) -> Program:
    """Another machine: no token, no history, and a base URL where nobody listens."""
    return Program(program.root / "elsewhere", "http://127.0.0.1:9/openai/v1", token="")


def test_a_cassette_is_written_and_played_without_a_network(program: Program, cassette: Path) -> None:
    assert stat.S_IMODE(cassette.stat().st_mode) == 0o600
    text = cassette.read_text(encoding="utf-8")
    document = json.loads(text)
    assert (document["format"], document["version"]) == ("outcrop cassette", 1)
    assert "Bearer [token]" in text and "Bearer sandbox" not in text
    again = program.run("cassette", "save", "-o", "talk.json")
    assert again.status == 2 and "is there already" in again.sentence()
    assert program.run("cassette", "save", "-o", "talk.json", "--force").status == 0

    other = elsewhere(program)
    pdf = str(program.cwd / "sample.pdf")
    played = other.run("ask", "--replay", str(cassette), "--replay-speed", "max", "-f", pdf, FIRST)
    assert played.status == 0 and "812 grams" in played.out
    differs = other.run("ask", "--replay", str(cassette), "Something else")
    assert (
        differs.status == 1 and "is another request than this one: $.input[0].content" in differs.sentence()
    )
    wrong = other.run("ask", "--replay", str(program.cwd / "sample.pdf"), "x")
    assert wrong.status == 2 and "no cassette" in wrong.sentence()
    both = other.run("ask", "--sandbox", "--replay", str(cassette), "x")
    assert both.status == 2 and "--sandbox" in both.sentence()
    assert not list(other.data.iterdir())
    assert not list(other.tmp.glob("outcrop-replay-*"))


@pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")
def test_a_cassette_is_played_on_a_terminal(program: Program, cassette: Path, tmp_path: Path) -> None:
    other = elsewhere(program)
    command = [*OUTCROP, "--replay", str(cassette), "--replay-speed", "20"]
    with terminal(tmp_path / "t", command, other.environ(), cwd=other.cwd, columns=100, rows=40) as window:
        # The notice goes after some seconds, which may be before the last answer is there.
        said = "A cassette is played, 2 prompts"
        until(lambda: said in " ".join(window.screen.replace("▌", " ").split()), "the notice")
        window.wait_for(FIRST, "sample.pdf", "812 grams", SECOND, "grün und gut")
        window.type("One more")
        window.press("Enter")
        window.wait_for("The cassette holds no more POST /responses;", "it is at its end.", timeout=20)
        window.press("C-q")
        assert window.status() == 0
    assert not list(other.data.iterdir())
    assert not list(other.tmp.glob("outcrop-replay-*"))
