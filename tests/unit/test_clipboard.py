from __future__ import annotations

import base64
import os
import re
import stat
from pathlib import Path
from time import monotonic

import pytest

from tui.terminal import clipboard
from tui.terminal.clipboard import Tool, amount, copy, osc52, tools_for
from tui.terminal.open_link import open_link, read_link


def tool(folder: Path, name: str, script: str) -> Path:
    """An executable that stands in for a clipboard tool."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def names(environ: dict[str, str], folder: Path, platform: str = "linux") -> list[str]:
    return [one.name for one in tools_for({"PATH": str(folder), **environ}, platform)]


def test_which_tools_may_work_depends_on_where_this_is(tmp_path: Path) -> None:
    for name in ("pbcopy", "wl-copy", "xclip", "xsel", "clip.exe", "termux-clipboard-set", "tmux"):
        tool(tmp_path, name, "cat")
    assert names({}, tmp_path) == []
    assert names({"DISPLAY": ":0"}, tmp_path) == ["xclip", "xsel"]
    assert names({"DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}, tmp_path) == ["wl-copy", "xclip", "xsel"]
    assert names({}, tmp_path, "darwin") == ["pbcopy"]
    assert names({"SSH_CONNECTION": "1"}, tmp_path, "darwin") == [], "that clipboard is on another desk"
    assert names({"WSL_DISTRO_NAME": "u"}, tmp_path) == ["clip.exe"]
    assert names({"TERMUX_VERSION": "1"}, tmp_path) == ["termux-clipboard-set"]
    assert names({"TMUX": "s"}, tmp_path) == ["tmux"]
    (tmp_path / "xclip").unlink()
    assert names({"DISPLAY": ":0"}, tmp_path) == ["xsel"], "only what is installed"


async def test_a_tool_gets_the_text_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, "wl-copy", f'cat >"{tmp_path}/taken"; echo "$@" >"{tmp_path}/args"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    written: list[str] = []
    text = "one ✓\ntwo 'quoted' $HOME\n"
    done = await copy(text, written.append, {"PATH": os.environ["PATH"], "WAYLAND_DISPLAY": "w"})
    assert (tmp_path / "taken").read_text(encoding="utf-8") == text
    assert text not in (tmp_path / "args").read_text(), "never as an argument, which every process may read"
    assert done.sentence(amount(text)) == "Copied 2 lines with wl-copy." and not written


async def test_where_no_tool_works_the_terminal_is_asked_and_the_reason_said(tmp_path: Path) -> None:
    bad = Tool("xclip", (str(tool(tmp_path, "xclip", "exit 3")),))
    gone = Tool("xsel", (str(tmp_path / "nothing"),))
    written: list[str] = []
    done = await copy("word", written.append, {}, tools=[bad, gone])
    assert written == ["\x1b]52;c;d29yZA==\x07"]
    assert done.sentence(amount("word")).startswith(
        "Copied 4 characters by the terminal (OSC 52). xsel does not start"
    )
    done = await copy("word", None, {}, tools=[bad])
    assert not done.worked and done.sentence("it") == "Not copied: xclip failed (status 3)."


async def test_a_tool_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "_TIME_LIMIT", 0.2)
    slow = Tool("xsel", (str(tool(tmp_path, "xsel", "exec sleep 30")),))
    started = monotonic()
    done = await copy("x" * 200_000, None, {}, tools=[slow])
    assert monotonic() - started < 5 and "did not answer" in done.problem


async def test_a_tool_that_stays_behind_to_serve_holds_nobody_up(tmp_path: Path) -> None:
    serving = Tool("xclip", (str(tool(tmp_path, "xclip", "cat >/dev/null; sleep 3 & exit 0")),))
    started = monotonic()
    done = await copy("x", None, {}, tools=[serving])
    assert done.tool == "xclip" and monotonic() - started < 2.5


async def test_large_texts_are_sent_with_a_warning_or_not_at_all() -> None:
    written: list[str] = []
    done = await copy("x" * 80_000, written.append, {}, tools=[])
    assert "no more than 74 kB" in done.sentence("it") and len(written) == 1
    done = await copy("x" * 800_000, written.append, {}, tools=[])
    assert not done.worked and len(written) == 1
    assert "800 kB are too much" in done.sentence("it")


async def test_over_ssh_the_terminal_is_asked_besides_a_forwarded_display(tmp_path: Path) -> None:
    written: list[str] = []
    forwarded = Tool("xclip", (str(tool(tmp_path, "xclip", "cat >/dev/null")),))
    done = await copy("x", written.append, {"SSH_TTY": "/dev/pts/1"}, tools=[forwarded])
    assert written and done.sentence("it") == "Copied it with xclip, and sent to the terminal (OSC 52)."


def test_the_sequence_is_wrapped_for_what_is_around_the_terminal() -> None:
    plain = osc52("héllo", {})
    match = re.fullmatch("\x1b\\]52;c;([A-Za-z0-9+/=]*)\x07", plain)
    assert match is not None and base64.b64decode(match[1]).decode() == "héllo"
    assert osc52("héllo", {"TMUX": "x"}) == f"{plain}\x1bPtmux;\x1b{plain}\x1b\\"
    inside = osc52("x" * 900, {"STY": "x"})
    chunks = re.findall("\x1bP(.*?)\x1b\\\\", inside, re.DOTALL)
    assert "".join(chunks) == osc52("x" * 900, {}) and max(map(len, chunks)) <= 240


@pytest.mark.parametrize(
    ("href", "place", "refused"),
    [
        ("https://docs.example.com/a?b=c", "docs.example.com", ""),
        ("HTTP://Example.com", "example.com", ""),
        ("mailto:rock@example.com", "rock@example.com", ""),
        ("javascript:alert(1)", "", "javascript:"),
        ("file:///etc/passwd", "", "file:"),
        ("x-man-page://ls", "", "x-man-page:"),
        ("../relative", "", "no http:// or https://"),
        ("https://", "", "names no host"),
        ("https://a\nb", "", ""),
        ("http://[broken", "", "no address"),
        ("https://bank.example\\@evil.example/", "", "a backslash"),
        ("\x01https://evil.example", "", "characters that no address has"),
        ("https:evil.example", "", "names no host"),
        ("vbscript:x", "", "vbscript:"),
        ("data:text/html,x", "", "data:"),
    ],
)
def test_only_web_and_mail_links_are_opened(href: str, place: str, refused: str) -> None:
    link = read_link(href)
    assert refused in link.refusal
    assert bool(link.refusal) == (not place)
    assert link.place == place and "\n" not in link.href


def test_a_link_that_may_deceive_is_told() -> None:
    assert "leads to evil.example" in read_link("https://bank.example@evil.example/x").caution
    assert read_link("https://xn--bnk-zna.example/").caution and read_link("https://bänk.example/").caution
    assert (
        read_link("https://XN--bnk-zna.example/").caution and read_link("https://b\u0430nk.example/").caution
    )
    hidden = read_link("https://bank.example:443%2flogin@evil.example/")
    assert hidden.place == "evil.example" and "leads to evil.example" in hidden.caution
    assert "bcc=eve@evil.example" in read_link("mailto:a@b.example?bcc=eve%40evil.example").caution
    assert not read_link("https://bank.example/").caution


async def test_the_browser_is_started_apart_and_its_failure_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tool(tmp_path, "browser", f'echo "$1" >"{tmp_path}/asked"; echo noise; test ! -t 0')
    monkeypatch.setenv("BROWSER", str(browser))
    assert await open_link("https://example.com/?q=$(id)&x='y'") == ""
    assert (tmp_path / "asked").read_text().strip() == "https://example.com/?q=$(id)&x='y'"
    tool(tmp_path, "browser", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DISPLAY", raising=False)
    assert await open_link("https://example.com/") == "There is no browser here that could open it."
