from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from ui_stand_in import Held, StandInSession, app_for, settled, typed, until

from tui.keys.keymap import tell_alt_enter_apart
from tui.widgets.completion import complete_command, complete_path
from tui.widgets.pasted_paths import pasted_paths


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    folder = tmp_path / "my papers"
    folder.mkdir()
    file = folder / "it's an order.pdf"
    file.write_bytes(b"%PDF-1.4")
    return file


def spellings(file: Path) -> dict[str, str]:
    path = str(file)
    escaped = path.replace(" ", "\\ ").replace("'", "\\'")
    return {
        "plain": path,
        "with blanks around": f"  {path}\n",
        "double quotes": f'"{path}"',
        "shell quotes": "'" + path.replace("'", "'\\''") + "'",
        "backslashes": escaped,
        "file URL": "file://" + quote(path),
        "file URL with host": "file://localhost" + quote(path),
    }


@pytest.mark.parametrize("spelling", list(spellings(Path("/x"))))
def test_every_spelling_of_a_dropped_path_is_read(pdf: Path, spelling: str) -> None:
    assert pasted_paths(spellings(pdf)[spelling]) == (str(pdf),)


def test_several_dropped_files_are_read(pdf: Path) -> None:
    other = pdf.with_name("b.PDF")
    other.write_bytes(b"%PDF-1.4")
    escaped = str(other).replace(" ", "\\ ")
    both = (str(pdf), str(other))
    assert pasted_paths(f"{spellings(pdf)['backslashes']} {escaped}") == both
    assert pasted_paths(f"file://{quote(str(pdf))}\nfile://{quote(str(other))}\n") == both


def test_text_that_only_speaks_of_files_is_text(pdf: Path) -> None:
    assert pasted_paths(f"please read {pdf}") == ()
    assert pasted_paths(str(pdf.with_name("missing.pdf"))) == ()
    assert pasted_paths(str(pdf.parent)) == ()
    assert pasted_paths("file://elsewhere/etc/a.pdf") == ()
    assert pasted_paths("a\0b.pdf") == ()


def test_paths_complete_to_folders_and_pdf_files(pdf: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "a.pdf").write_bytes(b"")
    (tmp_path / ".hidden.pdf").write_bytes(b"")
    found = complete_path("attach", f"{tmp_path}/")
    assert [completion.label for completion in found] == ["a.pdf", "my papers/"]
    assert [completion.final for completion in found] == [True, False]
    assert complete_path("attach", f"{tmp_path}/my")[0].text == f"/attach {tmp_path}/my papers/"
    assert complete_path("attach", f"{tmp_path}/nothing/here") == ()


def test_commands_complete_from_the_beginning_first() -> None:
    labels = [completion.label for completion in complete_command("/st")]
    assert labels[:3] == ["/stop", "/stateful", "/stateless"]
    assert "/history [WORDS]" in labels


def test_alt_enter_is_told_from_enter() -> None:
    tell_alt_enter_apart()
    keys = [event.key for event in XTermParser().feed("\x1b\r") if isinstance(event, events.Key)]
    assert keys == ["alt+enter"]


async def test_each_newline_key_makes_a_line_and_sends_nothing(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "ctrl+j", "b", "shift+enter", "c", "alt+enter", "d")
        assert app.chat.composer.text == "a\nb\nc\nd"
        assert session.sent == []


async def test_send_and_newline_keys_come_from_the_config_file(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.toml").write_text('send_key = "ctrl+s"\nnewline_key = "enter"\n')
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "enter", "b")
        await settled(pilot)
        assert session.sent == []
        assert app.chat.composer.text == "a\nb"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: [prompt for prompt, _ in session.sent] == ["a\nb"])


async def test_a_paste_of_many_lines_never_sends_and_can_be_undone(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.Paste("one\r\ntwo\rthree\n"))
        await settled(pilot)
        assert app.chat.composer.text == "one\ntwo\nthree\n"
        assert session.sent == []
        await pilot.press("ctrl+z")
        assert app.chat.composer.text == ""


async def test_pasted_controls_are_shown_and_never_reach_the_terminal(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.Paste("a\x1b]52;c;eA==\x07b"))
        await settled(pilot)
        assert app.chat.composer.text == "a␛]52;c;eA==␇b"


async def test_a_key_typed_right_after_enter_is_not_sent(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        composer = app.chat.composer
        for key in ("a", "enter", "b"):
            composer.input.post_message(events.Key(key, key if len(key) == 1 else "\r"))
        await until(pilot, lambda: len(session.sent) == 1)
        assert session.sent[0][0] == "a"
        assert composer.text == "b"


async def test_a_dropped_file_becomes_a_chip_and_goes_with_the_prompt(tmp_path: Path, pdf: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.Paste(f"'{pdf}'" if "'" not in str(pdf) else spellings(pdf)["backslashes"]))
        await until(pilot, lambda: len(app.chat.query("Chip")) == 1)
        assert app.chat.composer.text == ""
        await typed(pilot, "read")
        await pilot.press("enter")
        await until(pilot, lambda: len(session.sent) == 1)
        assert [file.data for file in session.sent[0][1]] == [b"%PDF-1.4"]
        await until(pilot, lambda: len(app.chat.query("Chip")) == 0)


async def test_a_chip_is_removed_by_key_by_click_and_by_command(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.pdf" for name in "abc"]
    for file in files:
        file.write_bytes(file.name.encode())
    session = StandInSession(tmp_path)
    app = app_for(session, files=[str(file) for file in files])
    async with app.run_test(size=(160, 24)) as pilot:
        chips = app.chat.chips
        # Each file that has been read draws all chips anew.
        await until(pilot, lambda: len(chips.query("Chip")) == 3 and not app.chat.query("ComingChip"))
        await settled(pilot)
        chips.query("Chip")[0].focus()
        await until(pilot, lambda: chips.query("Chip")[0].has_focus)
        await chips.show(app.chat._attachments)
        await until(pilot, lambda: chips.query("Chip")[0].has_focus)
        await pilot.press("delete")
        await until(pilot, lambda: len(chips.query("Chip")) == 2)
        chip = chips.query("Chip")[0]
        await pilot.click(chip, offset=(chip.size.width + 1, 0))
        await until(pilot, lambda: len(chips.query("Chip")) == 1)
        app.chat.composer.text = "/detach"
        await pilot.press("enter")
        await until(pilot, lambda: len(chips.query("Chip")) == 0)


async def test_a_file_that_cannot_be_attached_is_said_before_sending(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session, files=[str(tmp_path / "[b]no.txt")])
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: "[b]no.txt is no PDF." in [note.message for note in app._notifications])
        assert len(app.chat.query("Chip")) == 0


async def test_attach_completes_paths_with_tab(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "order.pdf").write_bytes(b"%PDF-1.4 x")
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        composer = app.chat.composer
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await typed(pilot, "/attach ")
        composer.input.insert(f"{tmp_path}/de")
        await pilot.press("tab")
        assert composer.text == f"/attach {tmp_path}/de", "the list was for another text"
        await until(pilot, lambda: composer.offers == ("deep/",))
        await pilot.press("tab")
        assert composer.text == f"/attach {tmp_path}/deep/"
        await until(pilot, lambda: composer.offers == ("order.pdf",))
        await pilot.press("tab")
        assert composer.text == f"/attach {tmp_path}/deep/order.pdf"
        await pilot.press("enter")
        await until(pilot, lambda: len(app.chat.query("Chip")) == 1)
        assert composer.text == ""


async def test_slash_lists_commands_escape_closes_the_list_and_stops_nothing(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        composer = app.chat.composer
        await typed(pilot, "/stl")
        assert not composer.input.popup_open
        await pilot.press("backspace")
        assert composer.input.popup_open
        await pilot.press("escape")
        assert not composer.input.popup_open
        assert composer.text == "/st"


async def test_the_chosen_command_runs_with_one_enter(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await typed(pilot, "/st")
        await pilot.press("down", "down", "enter")
        conversation_id = app.chat.conversation_id
        await until(pilot, lambda: session.conversation(conversation_id).continuation == "stateless")
        assert app.chat.composer.text == ""
        assert session.sent == []


async def test_a_mistyped_command_is_not_sent_and_a_path_is(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.chat.composer.text = "/atach"
        await pilot.press("enter")
        await settled(pilot)
        assert session.sent == []
        assert app.chat.composer.text == "/atach"
        app.chat.composer.text = "/etc/hosts is what?"
        await pilot.press("enter")
        await until(pilot, lambda: [prompt for prompt, _ in session.sent] == ["/etc/hosts is what?"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/efort high", "There is no command /efort. Did you mean /effort?"),
        ("/nonsense foo", "There is no command /nonsense. Type / for a list."),
        ("/atach /tmp/a.pdf", "There is no command /atach. Did you mean /attach?"),
    ],
)
async def test_a_mistyped_command_with_its_argument_is_said_and_not_sent(
    tmp_path: Path, text: str, said: str
) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        app.chat.composer.text = text
        await pilot.press("enter")
        await until(pilot, lambda: any(note.message.startswith(said) for note in app._notifications))
        assert (session.sent, app.chat.composer.text) == ([], text)
        app.chat.composer.text = f" {text}"
        await pilot.press("enter")
        await until(pilot, lambda: [prompt for prompt, _ in session.sent] == [text])


async def test_up_goes_through_earlier_prompts_and_down_back_to_the_draft(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        for text in ("first", "second"):
            await typed(pilot, text)
            await pilot.press("enter")
            await settled(pilot)
        await typed(pilot, "draft")
        composer = app.chat.composer
        await pilot.press("up")
        assert composer.text == "second"
        await pilot.press("up", "up")
        assert composer.text == "first"
        await pilot.press("down", "down")
        assert composer.text == "draft"


async def test_up_inside_a_wrapped_prompt_moves_the_cursor(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(40, 24)) as pilot:
        composer = app.chat.composer
        composer.set_history(["earlier"])
        composer.text = "word " * 20
        await pilot.pause()
        await pilot.press("up")
        assert composer.text == "word " * 20


async def test_a_draft_is_saved_as_typed_and_there_at_the_next_start(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await typed(pilot, "half a th")
        await asyncio.sleep(0.1)
        await until(pilot, lambda: session.drafts.get("") == "half a th")
    again = app_for(session)
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: again.chat.composer.text == "half a th")


async def test_a_sent_prompt_leaves_no_draft_behind(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await typed(pilot, "sent")
        await until(pilot, lambda: session.drafts.get("") == "sent")
        await pilot.press("enter")
        await until(pilot, lambda: session.drafts.get("") == "" and app.chat.answers_arriving == 0)
        await settled(pilot)
        assert set(session.drafts.values()) == {""}


async def test_the_composer_grows_to_a_third_of_the_screen(tmp_path: Path) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 48)) as pilot:
        composer = app.chat.composer
        before = composer.input.size.height
        composer.text = "\n".join("abcdef")
        await settled(pilot)
        grown = composer.input.size.height
        composer.text = "\n".join("x" * 100)
        await settled(pilot)
        assert before < grown < composer.input.outer_size.height <= 16


async def test_alt_and_a_letter_that_is_bound_to_nothing_inserts_nothing(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await typed(pilot, "one")
        app.post_message(events.Key("alt+r", "r"))
        app.post_message(events.Key("alt+up", None))
        await settled(pilot)
        assert app.chat.composer.text == "one"


async def test_alt_up_takes_back_what_is_queued(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await typed(pilot, "one")
        await pilot.press("enter")
        await until(pilot, lambda: len(session.sent) == 1)
        await typed(pilot, "two")
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.composer.take_back_first)
        app.post_message(events.Key("alt+up", None))
        await until(pilot, lambda: app.chat.composer.text == "two")
        held.go.set()
        await until(pilot, lambda: app.chat.answers_arriving == 0)
