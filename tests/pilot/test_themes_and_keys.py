from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from textual.color import Color
from textual.widgets import Input, OptionList, Static
from ui_stand_in import StandInSession, app_for, settled, until

import tui
from tui.app import OutcropApp
from tui.cli import main
from tui.commands import COMMANDS, by_id, split_slash
from tui.commands.chords import PREFIXES
from tui.config.settings import load_settings
from tui.core.errors import ConfigError
from tui.keys.contexts import CONTEXTS, keys_in
from tui.keys.key_names import display_key, read_key, types_character
from tui.keys.key_table import as_markdown, sections
from tui.keys.keymap import bindings, check_keymap
from tui.screens.chat import ChatScreen
from tui.screens.help import HelpScreen
from tui.screens.theme_picker import ThemePicker
from tui.screens.which_key import WhichKey
from tui.themes import load_theme, load_themes, own_folder, parse_theme
from tui.widgets.virtual_lines import VirtualLines

OWN = [path.stem for path in sorted(own_folder().glob("*.toml"))]


def test_there_are_six_themes_or_more_and_every_file_is_good() -> None:
    loaded = load_themes(own_folder())
    assert loaded.problems == ()
    assert [theme.name for theme in loaded.themes] == OWN
    assert {"outcrop-dark", "outcrop-light", "high-contrast", "colour-safe", "ansi"} < set(OWN)
    assert any(not theme.dark for theme in loaded.themes)


def test_a_folder_of_themes_holds_no_code() -> None:
    assert list(own_folder().rglob("*.py")) == []


def contrast(one: Color, other: Color) -> float:
    """The ratio of WCAG 2: 1 (the same) to 21 (black on white)."""

    def luminance(color: Color) -> float:
        parts = [part / 255 for part in (color.r, color.g, color.b)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("background", "surface", "panel")
READ = ("foreground", "text-muted", *(f"text-{role}" for role in ("primary", "secondary", "accent")))
READ = (*READ, "text-error", "text-warning", "text-success")


@pytest.mark.parametrize("name", [name for name in OWN if name not in ("ansi", "no-colour")])
def test_text_can_be_read_in_every_theme(name: str) -> None:
    """WCAG 2.2: 4.5:1 for text, 3:1 for what is not in use, and for edges that say what has the focus."""
    theme = load_theme(name, own_folder())
    assert theme is not None
    colours = theme.to_color_system().generate()
    floor = 10.0 if name == "high-contrast" else 4.5

    def ratio(above: str, below: str) -> float:
        ground = Color.parse(colours[below])
        return contrast(ground.blend(Color.parse(colours[above]), Color.parse(colours[above]).a), ground)

    for ground in GROUNDS:
        for role in READ:
            assert ratio(role, ground) >= floor, (role, ground)
        assert ratio("text-disabled", ground) >= 3.0, ("text-disabled", ground)
        assert ratio("border", ground) >= 3.0, ("border", ground)
    assert ratio("block-cursor-foreground", "block-cursor-background") >= floor
    assert ratio("input-cursor-foreground", "input-cursor-background") >= floor
    for role in ("primary", "error"):
        # Buttons, whose text is of a colour of its own or of the ground's contrast.
        words = colours["button-color-foreground"]
        if not words.startswith("auto"):
            assert ratio("button-color-foreground", role) >= floor, role
    for ground in ("background", "surface"):
        # What is selected is read on a ground that shines through.
        colour, _, share = colours["screen-selection-background"].partition(" ")
        selected = Color.parse(colour).with_alpha(float(share.rstrip("%") or 100) / 100)
        below = Color.parse(colours[ground]).blend(selected, selected.a)
        assert contrast(Color.parse(colours["foreground"]), below) >= 4.5, ground


def seen_by(color: Color, kind: str) -> tuple[float, float, float]:
    """A colour as somebody without one kind of cones sees it (Vienot, Brettel and Mollon 1999)."""
    linear = [(part / 255) ** 2.2 for part in (color.r, color.g, color.b)]
    rows = {
        "protan": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
        "deutan": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
    }[kind]
    red, green, blue = (sum(a * b for a, b in zip(row, linear, strict=True)) for row in rows)
    return tuple(max(0.0, part) ** (1 / 2.2) * 255 for part in (red, green, blue))  # type: ignore[return-value]


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_good_and_bad_stay_apart_for_the_colour_blind(kind: str) -> None:
    theme = load_theme("colour-safe", own_folder())
    assert theme is not None
    for one, other in (("success", "error"), ("success", "warning"), ("warning", "error")):
        pair = [seen_by(Color.parse(getattr(theme, role)), kind) for role in (one, other)]
        distance = sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5
        assert distance >= 60, (one, other, distance)


async def test_the_ansi_theme_sends_nothing_but_the_sixteen_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for theme, variable in (("ansi", ""), ("glacier", "1")):
        monkeypatch.setenv("NO_COLOR", variable)
        folder = tmp_path / theme
        folder.mkdir()
        app = app_for(StandInSession(folder), theme=theme)
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda app=app: bool(app.chat.conversation_id))
            app.chat.composer.put_back("# Hello")
            await pilot.press("enter")
            await settled(pilot)
            seen = colours_of(app)
            for keys in (["f1"], ["ctrl+o"], ["ctrl+r"], ["f9"], ["ctrl+x"], ["f12"]):
                await pilot.press(*keys)
                await settled(pilot)
                seen |= colours_of(app)
                await pilot.press("escape", "escape")
                await settled(pilot)
        if variable:
            assert app.theme == "no-colour" and seen == {None}
        else:
            assert {None, 3, 6} < seen <= {None, *range(16)}


def colours_of(app: OutcropApp) -> set[int | str | None]:
    """The colours that reach the terminal: numbers, `None` for its own two, the name of any other."""
    found: set[int | str | None] = set()
    for strip in app.screen._compositor.render_strips():
        for filter_ in app.get_line_filters():
            strip = strip.apply_filter(filter_, Color.parse("black"))
        for segment in strip:
            for color in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                if color is not None:
                    found.add(color.name if color.triplet else color.number)
    return found


async def test_without_motion_nothing_moves_by_itself(tmp_path: Path) -> None:
    environ = {"OUTCROP_CONFIG_DIR": str(tmp_path), "OUTCROP_DATA_DIR": str(tmp_path)}
    assert load_settings({}, {**environ, "OUTCROP_REDUCED_MOTION": "1"}).reduced_motion
    app = app_for(StandInSession(tmp_path, reduced_motion=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        assert app.animation_level == "none"
        assert not app.chat.composer.input.cursor_blink
        await pilot.press("ctrl+x")
        assert app.screen.has_class("-shown"), "the list of keys comes at once"
        await pilot.press("h")
        await until(pilot, lambda: bool(app.screen.query("#history-search")))
        assert not app.screen.query_one("#history-search", Input).cursor_blink
        await pilot.press("escape")
        app.chat.status.running(0.0)
        first = app.chat.status.render().plain
        assert first.startswith("● ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("primary = ", "is not valid TOML"),
        ('primary = "#123456"\nprimry = "#fff"', "`primry`"),
        ('primary = "coper"', "`primary` is no colour: 'coper'"),
        ("primary = 7", "`primary` is no colour: 7"),
        ('dark = true\nsurface = "#000"', "no key `primary`"),
        ('primary = "#123"\ndark = "yes"', "`dark` must be true or false"),
        ('primary = "#123"\n[variables]\nborder = "moss"', "`variables.border`"),
        ('primary = "#123"\nname = "a\\u001b]0;x"', "`name`"),
    ],
)
def test_a_bad_theme_is_told_by_file_and_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse_theme(text, name="mine", where="/themes/mine.toml")
    assert said in str(told.value)
    assert "/themes/mine.toml" in str(told.value)
    assert "\x1b" not in str(told.value)


def test_a_users_theme_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "outcrop-dark.toml").write_text('primary = "#010203"')
    theme = load_theme("outcrop-dark", own_folder(), tmp_path)
    assert theme is not None and theme.primary == "#010203"
    assert load_theme("../outcrop-dark", own_folder()) is None


async def test_a_bad_theme_file_is_said_and_the_app_starts(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('primary = "nothing"')
    app = app_for(StandInSession(tmp_path), theme="mine")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: any("`primary`" in note.message for note in app._notifications))
        assert app.theme == "outcrop-dark"
        assert len([note for note in app._notifications if "mine.toml" in note.message]) == 1


async def test_a_theme_is_looked_at_while_choosing_and_taken_off_again(tmp_path: Path) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app.theme_names()) > 6)
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, ThemePicker))
        await pilot.press("down")
        await until(pilot, lambda: app.theme == "ansi")
        await pilot.press("escape")
        await until(pilot, lambda: app.theme == "outcrop-dark")
        assert not (tmp_path / "config" / "config.toml").exists()
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, ThemePicker))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.screen is app.chat)
        assert app.theme == "colour-safe"
        await until(pilot, lambda: kept(tmp_path) == "colour-safe")


async def test_an_ansi_theme_of_the_users_own_needs_only_its_colours(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "themes"
    folder.mkdir(parents=True)
    (folder / "plain.toml").write_text('ansi = true\nprimary = "ansi_blue"')
    app = app_for(StandInSession(tmp_path), theme="plain")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        assert app.theme == "plain"
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))


async def test_slash_theme_takes_a_name(tmp_path: Path) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app.theme_names()) > 6)
        app.chat.composer.text = "/theme glacier"
        await pilot.press("enter")
        await until(pilot, lambda: app.theme == "glacier")
        await until(pilot, lambda: kept(tmp_path) == "glacier")
        (tmp_path / "config" / "config.toml").write_text("theme = ")
        app.chat.composer.text = "/theme ansi"
        await pilot.press("enter")
        await until(pilot, lambda: any("theme is not kept" in note.message for note in app._notifications))
        assert app.theme == "ansi"


def kept(folder: Path) -> str:
    """The theme that the next run begins with."""
    environ = {"OUTCROP_CONFIG_DIR": str(folder / "config"), "OUTCROP_DATA_DIR": str(folder)}
    return load_settings({}, environ).theme


# ---- keys and commands


def test_no_two_commands_share_a_key_a_chord_a_slash_name_or_an_id() -> None:
    keys = [key for command in COMMANDS for key in command.keys.split(",") if key]
    assert len(keys) == len(set(keys))
    slashes = [command.slash for command in COMMANDS if command.slash]
    assert len(slashes) == len(set(slashes))
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    defaults = {command.id: command.keys or f"ctrl+x {command.chord}" for command in COMMANDS}
    assert check_keymap(defaults, {"enter": "send_key", "ctrl+j": "newline_key"}).problems == ()
    chords = {command.id: tuple(command.chord.split()) for command in COMMANDS}
    for id_, chord in chords.items():
        for other, its in chords.items():
            assert other == id_ or its[: len(chord)] != chord, (id_, other)


def test_every_command_has_a_chord_and_an_action() -> None:
    for command in COMMANDS:
        first, *rest = command.chord.split()
        assert len(rest) <= 1 and (first in PREFIXES) == bool(rest), command.id
        assert all(read_key(key) == key for key in (first, *rest)), command.id
        owner, name = command.action.split("(")[0].split(".")
        assert hasattr(OutcropApp if owner == "app" else ChatScreen, f"action_{name}"), command.id


def test_a_keymap_is_checked() -> None:
    checked = check_keymap(
        {
            "turn.stop": "f11",
            "no.such": "f5",
            "help.open": "ctrl+t",
            "theme.pick": "enter",
            "history.open": "",
            "turn.edit": "F24, Ctrl+X l l",
            "turn.fork": "ctrl+x n x",
            "turn.preview": "ctrl+b p",
            "conversation.new": "j",
            "app.quit": "ctrl+foo",
        }
    )
    assert checked.changed == {"turn.stop": "f11", "turn.edit": "F24, Ctrl+X l l"}
    assert checked.keys["turn.edit"] == ("f24",) and checked.chords["turn.edit"] == (("l", "l"),)
    assert checked.for_textual == {"turn.stop": "f11", "turn.edit": "f24"}
    assert checked.others == {"no.such": "f5"}
    assert checked.problems == (
        "The keymap gives theme.pick Enter, which text fields need.",
        "The keymap gives history.open nothing, which it cannot have.",
        "The keymap gives turn.preview 'ctrl+b p', but chords begin with the leader, Ctrl+X.",
        "The keymap gives conversation.new j, which text fields need.",
        "The keymap gives app.quit 'ctrl+foo', which is no key.",
        "The keymap gives help.open the key Ctrl+T, which continuation.toggle has.",
        "The keymap gives turn.fork the chord Ctrl+X n x, which can never be pressed: "
        "Ctrl+X n is conversation.new.",
    )


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"help.open": "f11, ctrl+x s"}, "the chord Ctrl+X s, which begins a chord of"),
        ({"help.open": "ctrl+x n"}, "the chord Ctrl+X n, which conversation.new has"),
        ({"leader": "ctrl+t"}, "leader cannot be Ctrl+T, which continuation.toggle has. It stays Ctrl+X."),
        ({"leader": "b"}, "must be one key that types nothing"),
        ({"help.open": "ctrl+x"}, "Ctrl+X, which begins chords"),
        # What is left out takes its own key back, which another entry has taken by then.
        ({"help.open": "ctrl+t", "theme.pick": "f1"}, "theme.pick the key F1, which help.open has"),
    ],
)
def test_conflicts_of_keys_and_of_chords_are_sentences(wanted: dict[str, str], said: str) -> None:
    checked = check_keymap(wanted)
    assert any(said in problem for problem in checked.problems), checked.problems
    assert not checked.changed


def test_two_commands_may_swap_their_keys() -> None:
    checked = check_keymap({"help.open": "f9", "theme.pick": "f1"})
    assert (checked.first("help.open"), checked.first("theme.pick")) == ("F9", "F1")
    assert checked.problems == ()


def test_another_leader_takes_every_chord_with_it() -> None:
    checked = check_keymap({"leader": "Ctrl+B", "turn.edit": "leader l l", "turn.fork": "ctrl+b j"})
    assert checked.problems == ()
    assert checked.shown("turn.edit") == ("Ctrl+B l l",)
    assert checked.shown("turn.fork") == ("Ctrl+B j",)
    assert checked.shown("turn.regenerate") == ("Ctrl+B r",)
    assert checked.for_textual["leader"] == "ctrl+b"


def test_a_key_of_the_composer_that_a_command_has_too_is_told() -> None:
    checked = check_keymap({}, {"ctrl+s": "send_key", "ctrl+j": "newline_key"})
    assert checked.problems == (
        "send_key is Ctrl+S, which responses.open has too: in the composer it is send_key's.",
    )


@pytest.mark.parametrize("character", "?/-.,+_@#[]{}|\\<>'\"`~!$%^&*()=:;é")
def test_a_character_is_read_as_the_key_that_types_it(character: str) -> None:
    from textual.keys import _character_to_key

    assert read_key(character) == _character_to_key(character)
    assert display_key(read_key(character) or "") == character


def test_keys_are_written_as_people_write_them() -> None:
    assert [display_key(key) for key in ("ctrl+shift+p", "escape", "f12", "alt+up")] == [
        "Ctrl+Shift+P",
        "Esc",
        "F12",
        "Alt+↑",
    ]
    assert {binding.id for binding in bindings("screen.")} >= {"turn.stop", "history.open"}


def test_only_one_line_that_begins_with_a_word_is_a_command() -> None:
    assert split_slash("/attach a b.pdf") == ("attach", "a b.pdf")
    assert split_slash("/help\n") == ("help", "")
    for text in ("/etc/hosts", "/1/2", "/", "/help\nme", "1/2", "// comment"):
        assert split_slash(text) is None, text


async def test_the_users_keys_and_chords_work_and_are_the_ones_shown(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.toml").write_text(
        '[keymap]\nhelp.open = "f11, ctrl+x l l"\ntheme.pick = "ctrl+x j"\nnonsense = "f5"\n'
        'dialog.close = "ctrl+y"\nlist.down = "j"\nlines.dwon = "f5"\nhelp.top = "ctrl+b"\n'
    )
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: len(app._notifications) >= 3)
        said = " ".join(note.message for note in app._notifications)
        assert "no command: nonsense" in said and "lines.dwon (did you mean 'lines.down'?)" in said
        assert "gives list.down j, which types a character in the" in said
        await pilot.press("f1")
        await settled(pilot)
        assert app.screen is app.chat
        await pilot.press("ctrl+x", "l", "l")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("escape", "f11")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        help_screen = app.screen
        assert isinstance(help_screen, HelpScreen)
        page = "\n".join(line.text for line in help_screen.page(88))
        for command in COMMANDS:
            assert command.title in page and command.id in page, command.id
        assert "F1          Ctrl" not in page and "Ctrl+X ?" not in page and "Ctrl+X l l" in page
        await pilot.press(*"theme")
        found = on_the_page(help_screen)
        assert "Ctrl+X j" in found and "/theme [NAME]" in found and "In the choice of a theme" in found
        assert "Ctrl+Y" in found and "Quit" not in found
        await pilot.press(*" xyzzy")
        assert "Nothing here has “theme xyzzy” in it." in on_the_page(help_screen)
        await pilot.press("escape")
        assert app.screen is help_screen and "Quit" in on_the_page(help_screen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert "F11 help" in app.chat.status.render().plain
        await pilot.press("ctrl+x", "j")
        await until(pilot, lambda: isinstance(app.screen, ThemePicker))
        await pilot.press("ctrl+y")
        await until(pilot, lambda: app.screen is app.chat)


def on_the_page(screen: HelpScreen) -> str:
    source = screen.query_one(VirtualLines).source
    return "\n".join(source.row(index, 88).text for index in range(len(source)))


async def test_the_leader_waits_lists_and_leaves_and_cuts_what_is_selected(tmp_path: Path) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        composer = app.chat.composer
        composer.text = "one two"
        await pilot.press("ctrl+x")
        panel = app.screen
        assert isinstance(panel, WhichKey) and not panel.has_class("-shown")
        await until(pilot, lambda: panel.has_class("-shown"))
        listed = panel.query_one(Static).content.plain
        assert "n  New conversation" in listed and "s  Settings …" in listed and "Esc leaves" in listed
        assert max(len(line) for line in listed.splitlines()) <= 76 and len(listed.splitlines()) <= 20
        await pilot.press("s")
        listed = panel.query_one(Static).content.plain
        assert "e  Reasoning effort" in listed and "New conversation" not in listed
        await pilot.press("Z")
        assert "Ctrl+X s Z is no command." in panel.query_one(Static).content.plain
        await pilot.press("backspace")
        assert "New conversation" in panel.query_one(Static).content.plain
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert composer.text == "one two" and composer.input.has_focus
        await pilot.press("ctrl+x", "ctrl+x")
        await until(pilot, lambda: app.screen is app.chat)
        await pilot.press("ctrl+shift+left", "ctrl+x")
        await until(pilot, lambda: composer.text == "one ")
        assert app.screen is app.chat
        # As fast as keys come, before the list has been there.
        await pilot.press("ctrl+x", "c", "l")
        await until(pilot, lambda: "stateless" in app.chat.status.render().plain)
        assert app.screen is app.chat


async def test_every_command_is_in_the_palette_with_its_key(tmp_path: Path) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen is not app.chat)
        found = app.screen.query_one("CommandList", OptionList)
        await until(pilot, lambda: found.option_count == len(COMMANDS))
        lines = [str(found.get_option_at_index(index).prompt) for index in range(found.option_count)]
        for command, line in zip(COMMANDS, lines, strict=True):
            assert line.startswith(command.title) and app.keys_of(command.id) in line, command.id


async def test_the_palette_runs_a_command_found_by_a_part_of_its_name(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen is not app.chat)
        await pilot.press(*"stateless")
        await until(pilot, lambda: app.screen.query_one("CommandList").option_count > 0)
        await asyncio.sleep(0.1)
        await pilot.press("down", "enter")
        mode = lambda: session.conversation(app.chat.conversation_id).continuation  # noqa: E731
        await until(pilot, lambda: mode() == "stateless")


async def test_the_status_line_fits_and_its_parts_can_be_clicked(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        line = app.chat.status.render()
        assert line.cell_length <= 38
        assert "openai.gpt-5.4" in line.plain and "stateful" in line.plain
        column = line.plain.index("stateful") + 1
        await pilot.click(app.chat.status, offset=(column, 0))
        await until(pilot, lambda: "stateless" in app.chat.status.render().plain)


def test_the_app_imports_nothing_that_the_first_picture_does_not_need() -> None:
    heavy = [
        "openai",
        "httpx",
        "keyring",
        "pypdf",
        "sqlite3",
        "starlette",
        "uvicorn",
        "tui.wire",
        "tui.store",
    ]
    code = f"import sys, tui.app; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_key_inside_a_dialog_or_a_pane_has_an_id_and_is_listed() -> None:
    listed = {place for context in CONTEXTS for place in context.places}
    here = Path(tui.__file__).parent
    for path in [*here.glob("screens/*.py"), *here.glob("widgets/**/*.py")]:
        name = ".".join(("tui", *path.relative_to(here).with_suffix("").parts))
        for class_ in vars(importlib.import_module(name)).values():
            if isinstance(class_, type) and class_.__module__ == name and vars(class_).get("BINDINGS"):
                place = f"{name}:{class_.__name__}"
                assert place in listed or place in ELSEWHERE, f"add {place} to tui/keys/contexts.py"
    for context in CONTEXTS:
        for key in keys_in(context):
            assert key.id and key.title, (context.title, key)
            assert not by_id(key.id) or key.id.startswith("pane."), key.id
            assert not context.types or not any(map(types_character, key.keys)), (context.title, key)


# Their keys are the commands' own, or those of the widget that they hold.
ELSEWHERE = {
    "tui.screens.chat:ChatScreen",
    "tui.screens.inspector_screen:InspectorScreen",
    "tui.widgets.composer_input:ComposerInput",
}


def test_the_tables_of_the_readme_are_made_from_the_code() -> None:
    text = (Path(tui.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    kept = text.partition("<!-- keys -->\n\n")[2].partition("\n\n<!-- /keys -->")[0]
    made = as_markdown(sections(check_keymap({})))
    assert kept == made, "README.md is stale: run `uv run python tests/support/readme_keys.py`"


def test_outcrop_keys_says_what_is_the_users_and_what_is_wrong(tmp_path: Path) -> None:
    own = 'turn.fork = "f24"\ndialog.close = "ctrl+y"\nnope = "f5"'
    (tmp_path / "config.toml").write_text(f"[keymap]\n{own}\n")
    environ = {"OUTCROP_CONFIG_DIR": str(tmp_path), "OUTCROP_DATA_DIR": str(tmp_path)}
    with (
        patch.dict(os.environ, environ),
        redirect_stdout(StringIO()) as out,
        redirect_stderr(StringIO()) as err,
    ):
        assert main(["keys"]) == 1
        printed = out.getvalue()
        assert main(["keys", "--json"]) == 1
    rows = {row["id"]: row for row in json.loads(out.getvalue()[len(printed) :])}
    assert rows["turn.fork"]["keys"] == ["F24"] and rows["turn.fork"]["yours"]
    assert rows["dialog.close"]["keys"] == ["Ctrl+Y"]
    assert set(rows) >= {command.id for command in COMMANDS}
    line = next(line for line in printed.splitlines() if "turn.fork " in line)
    assert line.split() == ["turn.fork", "F24", "Fork", "/fork", "[NUMBER]", "(yours)"]
    assert err.getvalue().count("no command: nope") == 2
