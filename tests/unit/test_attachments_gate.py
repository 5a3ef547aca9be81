"""What may be attached, and what is said of the rest before anything is sent."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas
from support.hostile_files import jpeg_of, png_of
from support.pictures import gif

from tui.core.errors import AttachmentError
from tui.core.text import visible_line
from tui.session.attachments import attach, attachment_of, read_attachment
from tui.widgets.file_search import ask_disk, read_text

LIMIT = 1_000_000


def pdf(pages: int = 1, text: str = "Granite is coarse-grained.") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for number in range(pages):
        canvas.drawString(72, 700, f"{text} Page {number + 1}.")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def refusal(path: Path, limit: int = LIMIT) -> str:
    started = time.monotonic()
    with pytest.raises(AttachmentError) as caught:
        read_attachment(path, limit=limit)
    assert time.monotonic() - started < 1.0
    return str(caught.value)


def test_a_pdf_is_read_as_it_is(tmp_path):
    path = tmp_path / "rock types.pdf"
    path.write_bytes(pdf(3))
    attachment = read_attachment(path, limit=LIMIT)
    assert attachment.data == path.read_bytes()
    assert attachment.sha256 == hashlib.sha256(attachment.data).hexdigest()
    assert (attachment.name, attachment.path, attachment.pages) == ("rock types.pdf", str(path), 3)
    assert attachment.media_type == "application/pdf"
    part = attachment.content_part()
    assert base64.b64decode(part["file_data"].partition(",")[2]) == attachment.data


def test_the_estimate_grows_with_pages_and_text(tmp_path):
    def estimate(data: bytes) -> int:
        (tmp_path / "a.pdf").write_bytes(data)
        return read_attachment(tmp_path / "a.pdf", limit=LIMIT).estimated_tokens

    one, ten, wordy = estimate(pdf(1)), estimate(pdf(10)), estimate(pdf(1, "many words " * 100))
    assert 400 < one < 1000
    assert 9 * one < ten < 11 * one
    assert wordy > one + 200


@pytest.mark.parametrize("form", ["{}", "  {}\n", "'{}'", '"{}"'])
def test_a_path_may_be_quoted_or_have_spaces_around(tmp_path, form):
    path = tmp_path / "a b.pdf"
    path.write_bytes(pdf())
    assert read_attachment(form.format(path), limit=LIMIT).name == "a b.pdf"


def test_the_home_folder_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.pdf").write_bytes(pdf())
    assert read_attachment("~/a.pdf", limit=LIMIT).pages == 1
    assert "no file" in refusal("~nobody-of-this-name/a.pdf")


def test_bytes_before_the_signature_are_tolerated_but_not_five_kilobytes(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"\n" * 5000 + pdf())
    assert "not a PDF" in refusal(path)


@contextmanager
def open_pipe(path: Path) -> Iterator[BinaryIO]:
    """The writing end of a pipe that is read by nobody else."""
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with path.open("wb", buffering=0) as writer:
            yield writer
    finally:
        os.close(reader)


def test_a_pipe_is_not_opened_so_that_whoever_writes_to_it_is_not_woken(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.pdf")
    opened: list[object] = []
    monkeypatch.setattr("tui.session.attachments.os.open", lambda *args: opened.append(args))
    assert "no regular file" in refusal(tmp_path / "pipe.pdf")
    assert opened == []


def test_what_became_a_pipe_after_it_was_looked_at_is_refused_without_waiting_for_it(tmp_path, monkeypatch):
    """Between a look from outside and opening it anything may happen: what counts is what is open."""
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "a.pdf").write_bytes(pdf())
    sound = os.stat(tmp_path / "a.pdf")
    for kind in (tmp_path / "pipe.pdf", Path("/dev/zero")):
        with monkeypatch.context() as patch:
            patch.setattr("tui.session.attachments.os.stat", lambda _: sound)
            assert "no regular file" in refusal(kind)


def test_five_gigabytes_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(5_000_000_000)
    monkeypatch.setattr("tui.session.attachments.os.read", None)
    assert "has 5,000.0 MB; at most 1 MB are sent" in refusal(path)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EIO, "cannot be read: input/output error."),
        (errno.ESTALE, "cannot be read: stale file handle."),
        (errno.ENOTCONN, "cannot be read: transport endpoint is not connected."),
        (errno.EACCES, "cannot be read: you have no permission."),
    ],
)
@pytest.mark.parametrize("call", ["open", "read", "stat"])
def test_a_disk_or_network_that_fails_is_one_sentence(tmp_path, monkeypatch, number, words, call):
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf())

    def fails(*args: object) -> bytes:
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(f"tui.session.attachments.os.{call}", fails)
        assert refusal(path) == f"{path} {words}"


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path, read = tmp_path / "a.pdf", os.read
    data = pdf()

    def grown(descriptor: int, size: int) -> bytes:
        part = read(descriptor, size)
        with path.open("ab") as file:
            file.write(b"more")
        return part

    path.write_bytes(data)
    with monkeypatch.context() as patch:
        patch.setattr("tui.session.attachments.os.read", grown)
        # It grows for ever, faster than it is read: no more than the limit is read of it.
        assert "at most" in refusal(path, len(data) + 10)
        readings = iter((grown,))
        patch.setattr("tui.session.attachments.os.read", lambda *args: next(readings, read)(*args))
        assert "changed while it was read" in refusal(path)


async def test_a_file_that_never_answers_holds_neither_the_loop_nor_the_exit(tmp_path, monkeypatch):
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf())
    gone = threading.Event()
    monkeypatch.setattr("tui.session.attachments.os.read", lambda *_: gone.wait() and b"")
    monkeypatch.setattr("tui.session.attachments._SECONDS", 0.1)
    with pytest.raises(AttachmentError, match=r"nothing came for .* Is its disk or network there"):
        await attach(str(path), limit=LIMIT)
    (hanging,) = (thread for thread in threading.enumerate() if thread.name == "outcrop-attach")
    assert hanging.daemon
    # Nor does whether a pasted text names a file, what a folder holds, what a mentioned file says.
    assert await ask_disk(gone.wait, None, seconds=0.05) is None
    assert await ask_disk(lambda: 7, None) == 7
    with pytest.raises(ValueError, match="is no regular file"):
        await ask_disk(lambda: read_text("/dev/zero"), "")
    # Who does not want it any longer waits no longer.
    monkeypatch.setattr("tui.session.attachments._SECONDS", 60)
    task = asyncio.create_task(attach(str(path), limit=LIMIT))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gone.set()


def test_pictures_that_say_they_are_huge_cost_nothing_and_are_refused():
    zero_blocks = gif(8, 8)[:-1] + b"\x21\xfe" + b"\x01x" * 10_000_000
    for name, data, words in (
        ("a.png", png_of(2**31 - 1, 2**31 - 1), "2,147,483,647 × 2,147,483,647 pixels"),
        ("a.jpg", jpeg_of(0), "65,535 × 65,535 pixels"),
        ("b.jpg", jpeg_of(4_900_000), "no PNG, JPEG, WebP or GIF image"),
        ("c.jpg", b"\xff\xd8" + b"\xff" * 19_000_000, "no PNG, JPEG, WebP or GIF image"),
        ("a.gif", zero_blocks, ""),
    ):
        started = time.thread_time()
        try:
            assert attachment_of(name, data, limit=30_000_000).width == 8
        except AttachmentError as error:
            assert words and words in str(error) and "\n" not in str(error)
        assert time.thread_time() - started < 0.5, name
    assert attachment_of("p.png", png_of(16_320, 12_240), limit=LIMIT).width == 16_320


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdf")
    os.mkfifo(tmp_path / "written.pdf")
    (tmp_path / "tty.pdf").symlink_to("/dev/tty")
    (tmp_path / "folder.pdf").mkdir()
    (tmp_path / "loop.pdf").symlink_to("loop.pdf")
    (tmp_path / "dangling.pdf").symlink_to("nowhere")
    (tmp_path / "zero.pdf").symlink_to("/dev/zero")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s.pdf"))
    try:
        assert "no regular file" in refusal(tmp_path / "pipe.pdf")
        assert "is a folder" in refusal(tmp_path / "folder.pdf")
        assert "cannot be read" in refusal(tmp_path / "loop.pdf")
        assert "no file" in refusal(tmp_path / "dangling.pdf")
        assert "no regular file" in refusal(tmp_path / "zero.pdf")
        assert "no regular file" in refusal(tmp_path / "s.pdf")
        assert "no regular file" in refusal(tmp_path / "tty.pdf")
        with open_pipe(tmp_path / "written.pdf") as writer:
            assert "no regular file" in refusal(tmp_path / "written.pdf")
            writer.write(b"it is still read by nobody but who reads it")
    finally:
        server.close()
    assert "no file name" in refusal("  ")
    assert "no file name" in refusal("a\0b")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"just text", "not a PDF"),
        (b"%PDF-1.7\n", "damaged"),
        (b"%PDF-1.7\n" + b"garbage " * 500, "damaged"),
    ],
)
def test_what_is_no_sound_pdf_is_refused_by_name(tmp_path, data, words):
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    sentence = refusal(path)
    assert words in sentence and str(path) in sentence


def test_an_encrypted_pdf_is_refused(tmp_path):
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf()))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "a.pdf")
    writer.close()
    assert "is encrypted" in refusal(tmp_path / "a.pdf")


def test_a_pdf_without_pages_is_refused(tmp_path):
    writer = pypdf.PdfWriter()
    writer.write(tmp_path / "a.pdf")
    writer.close()
    assert "no pages" in refusal(tmp_path / "a.pdf")


def test_the_limit_counts_bytes_before_base64(tmp_path):
    path = tmp_path / "a.pdf"
    data = pdf()
    path.write_bytes(data)
    assert read_attachment(path, limit=len(data)).size == len(data)
    path.write_bytes(b"%PDF-" + bytes(LIMIT))
    sentence = refusal(path)
    assert "1.1 MB; at most 1 MB" in sentence and "attachment_limit_mb" in sentence


@pytest.mark.parametrize(
    "name",
    [b"a\x1b]52;c;eA==\x07.pdf", b"a\nb.pdf", "a\u202egnp.pdf".encode(), b"\xff\xfe.pdf", b"\xc2\x9b2J.pdf"],
)
def test_a_name_is_never_written_to_the_terminal_as_it_is(tmp_path, name):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    for content, words in (
        (b"text", "not a PDF"),
        (b"", "is empty"),
        (b"%PDF-1", "damaged"),
        (None, "no file"),
    ):
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        sentence = refusal(path)
        assert words in sentence and sentence == visible_line(sentence)


def test_a_name_is_shown_without_control_characters_and_sent_without_surrogates(tmp_path):
    path = tmp_path / "a\x1b]0;x\x07\n.pdf"
    path.write_bytes(b"text")
    assert "\x1b" not in refusal(path) and "\n" not in refusal(path)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.pdf"))
    odd.write_bytes(pdf())
    attachment = read_attachment(odd, limit=LIMIT)
    assert attachment.name == "\N{REPLACEMENT CHARACTER}.pdf"
    attachment.path.encode()


def test_a_path_through_a_file_is_said(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"x")
    assert "cannot be read" in refusal(file / "a.pdf")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_ends_in_an_attachment_or_a_sentence(tmp_path, data):
    body = bytearray(pdf(2))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(5, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    path = tmp_path / "a.pdf"
    path.write_bytes(body)
    try:
        assert read_attachment(path, limit=LIMIT).data == body
    except AttachmentError as error:
        assert "a.pdf" in str(error)
