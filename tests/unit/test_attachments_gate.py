"""What may be attached, and what is said of the rest before anything is sent."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import socket
import time
from pathlib import Path

import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from tui.core.errors import AttachmentError
from tui.session.attachments import read_attachment

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


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdf")
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
