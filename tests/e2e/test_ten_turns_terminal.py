"""The signature of the program, by keys in a real terminal with `--sandbox`: ten turns, a switch at each, two
forks, a new model in a new region, every stored response lost, a PDF in turn 3; nothing is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.programs import OUTCROP, Program, until
from support.terminal import Terminal, have_tmux, terminal

from tui.core.conversation import Conversation
from tui.core.items import Outcome
from tui.store.history import History

pytestmark = pytest.mark.skipif(not have_tmux(), reason="tmux is not installed")

FROM_PDF = "812 grams"
FROM_FIRST = "Your name is Ada"  # on the screen; in the answer's Markdown the name is bold
BEFORE = ("openai.gpt-5.4", "us-west-2")
AFTER = ("openai.gpt-5.5", "us-east-2")


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn: its prompt, what its answer must show, and whether a fork leaves it behind."""

    prompt: str
    shows: str
    target: tuple[str, str] = BEFORE
    left: bool = False


# No prompt has the figure and only the first has the name: an answer that shows one has it from turn 1 or
# from the PDF. No prompt is like another, as the sandbox may quote a like one for an answer.
TURNS = (
    Asked("My name is Ada. Reply with exactly: Hello.", "Hello."),
    Asked("What is my name?", FROM_FIRST),
    Asked("How heavy is the basalt?", FROM_PDF),
    Asked("Who am I?", FROM_FIRST, left=True),
    Asked("What does the document say of basalt?", FROM_PDF),
    Asked("What am I called?", FROM_FIRST, AFTER, left=True),
    Asked("Which sample is in the PDF?", FROM_PDF, AFTER),
    Asked("Can you still say my name?", FROM_FIRST, AFTER),
    Asked("How many grams does the attached paper name?", FROM_PDF, AFTER),
    Asked("Tell me my name once more.", FROM_FIRST, AFTER),
)
MODES = ["stateful", "stateless"] * 5


def status_line(window: Terminal) -> str:
    """The last line that is drawn: where the next turn goes, and whether one runs."""
    return window.screen.rstrip().rpartition("\n")[2]


def in_status(window: Terminal, *texts: str) -> None:
    """Wait until the status line has these texts."""

    def shown() -> bool:
        line = status_line(window)
        return all(text in line for text in texts)

    until(shown, f"{texts} in the status line, which is {status_line(window)!r}", every=0.05)


def ask(window: Terminal, number: int, turn: Asked) -> str:
    """Send a turn's prompt and wait for its end; what the screen then shows from its prompt on, unwrapped."""
    window.type(turn.prompt)
    window.wait_for(turn.prompt)
    window.press("Enter")

    def answered() -> str:
        _, found, after = window.screen.rpartition(f"▌ {turn.prompt}")
        there = found and turn.shows in after and "Message openai" in after and "Esc stops" not in after
        return " ".join(after.split()) if there else ""

    try:
        return until(answered, "the answer", 20, 0.05)
    except AssertionError:
        raise AssertionError(f"turn {number} did not show {turn.shows!r}\n{window.screen}") from None


def lose_stored_responses(program: Program) -> set[str]:
    """Delete what the sandbox keeps of every response, as the service might: the program is told nothing."""
    files = list((program.data / "sandbox" / "responses").glob("*.json"))
    for file in files:
        file.unlink()
    return {file.stem for file in files}


def fork(window: Terminal, after: int) -> None:
    """Go on from the turn of this number on the path."""
    window.type(f"/fork {after}")
    window.wait_for(f"/fork {after}")
    window.press("Enter")
    window.wait_for(f"The next prompt goes after turn {after}.")
    in_status(window, "branch 2/2")


def choose_model_and_region(window: Terminal) -> None:
    """By the picker; both at once."""
    window.press("C-o")
    window.wait_for("Search model, region, endpoint")
    window.type("5.5 us-east-2")
    window.wait_for("openai.gpt-5.5 in us-east-2")
    window.press("Enter")
    window.wait_until_gone("Search model, region, endpoint")
    in_status(window, *AFTER)


def all_turns(program: Program, conversation_id: str) -> Conversation:
    """The conversation with the branches that `history show` leaves out."""
    history = History(program.data / "history.db")
    try:
        return history.load(conversation_id)
    finally:
        history.close()


def test_ten_turns_by_keys(tmp_path: Path) -> None:
    program = Program(tmp_path / "program", token="")
    pdf = tmp_path / "sample.pdf"
    pdf.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    lost: set[str] = set()
    command = [*OUTCROP, "--sandbox"]
    with terminal(
        tmp_path / "t", command, program.environ(), cwd=program.cwd, columns=100, rows=40
    ) as window:
        window.wait_for("Message openai.gpt-5.4", "SANDBOX")
        in_status(window, *BEFORE, "stateful")
        for number, (turn, mode) in enumerate(zip(TURNS, MODES, strict=True), 1):
            if number > 1:
                window.press("C-t")
                in_status(window, mode)
            if number == 3:
                window.paste(str(pdf))
                window.wait_for("sample.pdf", "1 page")
            if number == 5:
                fork(window, 3)
            if number == 6:
                choose_model_and_region(window)
            if number == 7:
                fork(window, 4)
            if number == 9:
                lost = lose_stored_responses(program)
            shown = ask(window, number, turn)
            mended = "answered 404): the conversation was sent again from the local history." in shown
            assert mended is (number == 9), (number, shown)
        window.press("C-q")
        assert window.status() == 0

    (row,) = program.history("list")
    document = program.history("show", row["id"])
    assert document["sandbox"] is True
    path = [(turn, mode) for turn, mode in zip(TURNS, MODES, strict=True) if not turn.left]
    assert [turn["prompt"] for turn in document["turns"]] == [turn.prompt for turn, _ in path]
    for kept, (turn, mode) in zip(document["turns"], path, strict=True):
        assert (kept["model"], kept["region"]) == turn.target, turn.prompt
        assert (kept["continuation"], kept["outcome"]) == (mode, "completed"), turn.prompt
        assert turn.shows in kept["text"].replace("**", ""), turn.prompt
    # What turn 9 would have gone on from was among what was lost.
    assert {kept["response_id"] for kept in document["turns"] if kept["continuation"] == "stateful"} > lost
    assert document["turns"][4]["response_id"] in lost

    conversation = all_turns(program, row["id"])
    turns = list(conversation.turns.values())
    assert [turn.prompt for turn in turns] == [turn.prompt for turn in TURNS]
    assert [turn.continuation for turn in turns] == MODES
    assert [turn.outcome for turn in turns] == [Outcome.COMPLETED] * 10
    assert [(turn.target.model, turn.target.region) for turn in turns if turn.target] == [
        turn.target for turn in TURNS
    ]
    numbers = {turn.id: number for number, turn in enumerate(turns, 1)}
    assert [numbers.get(turn.parent_id or "", 0) for turn in turns] == [0, 1, 2, 3, 3, 5, 5, 7, 8, 9]
