"""Pictures: told by their first bytes, attached, sent as `input_image`, refused where a model takes none."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.pictures import gif, jpeg, png, webp

from tui.config.settings import load_catalogue
from tui.core.attachments import file_kinds, later_turns, why_not_in_path, why_not_taken
from tui.core.errors import AttachmentError
from tui.core.images import image_info, image_tokens
from tui.core.items import Turn, user_message
from tui.screens.turn_blocks import attachment_lines
from tui.session.attachments import attachment_of, attachments_in, read_attachment
from tui.widgets.attachment_chips import size_words

LIMIT = 1_000_000


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(300, 200), "image/png"),
        (jpeg(300, 200), "image/jpeg"),
        (gif(300, 200), "image/gif"),
        (webp(300, 200, "VP8X"), "image/webp"),
        (webp(300, 200, "VP8L"), "image/webp"),
        (webp(300, 200, "VP8 "), "image/webp"),
    ],
)
def test_each_kind_is_told_with_its_size(data: bytes, kind: str) -> None:
    found = image_info(data)
    assert found is not None
    assert (found.media_type, found.width, found.height, found.animated) == (kind, 300, 200, False)
    for end in range(len(data)):  # cut anywhere it is no picture, or the same one: never an error
        cut = image_info(data[:end])
        assert cut is None or (cut.width, cut.height) == (300, 200)


def test_what_moves_and_what_is_no_picture() -> None:
    moving = image_info(gif(4, 4, frames=2))
    assert moving is not None
    assert moving.animated
    assert image_info(b"%PDF-1.7") is None
    assert image_info(png(0, 5)) is None
    with pytest.raises(AttachmentError, match=r"a\.gif is animated"):
        attachment_of("a.gif", gif(4, 4, frames=3), limit=LIMIT)


def test_the_estimate_is_that_of_tiles() -> None:
    assert image_tokens(512, 512) == 70 + 140
    assert image_tokens(1024, 1024) == 70 + 4 * 140  # made 768 x 768
    assert image_tokens(8000, 100) == 70 + 4 * 140  # made 2048 x 26


def test_a_picture_is_attached_sent_and_had_again(tmp_path: Path) -> None:
    (tmp_path / "a b.png").write_bytes(png(640, 480))
    read = read_attachment(tmp_path / "a b.png", limit=LIMIT)
    assert (read.kind, read.name, read.pages, read.width, read.height) == ("image", "a b.png", None, 640, 480)
    part = read.content_part()
    assert part == {
        "type": "input_image",
        "image_url": "data:image/png;base64," + base64.b64encode(png(640, 480)).decode(),
        "detail": "auto",
    }
    item = user_message("what is it", [part])
    assert file_kinds(item) == ("image",)
    (again,) = attachments_in(item)
    assert (again.sha256, again.name, again.width) == (read.sha256, "image 1.png", 640)
    assert again.content_part() == part


def test_the_suffix_does_not_matter_the_bytes_do(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"hello")
    with pytest.raises(AttachmentError, match="is not a PDF, and no PNG"):
        read_attachment(tmp_path / "a.png", limit=LIMIT)


def test_a_model_that_takes_no_files_is_said_with_what_to_do(tmp_path: Path) -> None:
    catalogue = load_catalogue(tmp_path)
    sees, blind = catalogue.model("openai.gpt-5.4"), catalogue.model("openai.gpt-oss-20b")
    assert blind is not None
    picture = attachment_of("a.png", png(8, 8), limit=LIMIT)
    document = attachment_of("a.pdf", make_pdf("x"), limit=LIMIT)
    assert why_not_taken(sees, [picture, document]) == ""
    assert why_not_taken(None, [picture]) == ""
    assert "takes no images: remove a.png" in why_not_taken(blind, [picture])
    assert "takes no PDFs: remove a.pdf" in why_not_taken(blind, [document])
    turns = [
        Turn("t1", None, (user_message("hello"),), 0.0),
        Turn("t2", "t1", (user_message("see", [picture.content_part()]),), 0.0),
    ]
    assert why_not_in_path(sees, turns, ()) == ""
    assert why_not_in_path(blind, turns[:1], ()) == ""
    said = why_not_in_path(blind, turns, ())
    assert "turn 2 of this conversation holds an image" in said
    assert "takes no images: remove them" in why_not_in_path(blind, (), turns[1].input)
    only_pictures = replace(blind, inputs=frozenset({"text", "image"}))
    assert why_not_in_path(only_pictures, turns, ()) == ""


def test_what_later_turns_carry() -> None:
    files = [attachment_of(f"{n}.png", png(512, 512, bytes([n])), limit=LIMIT) for n in range(2)]
    later = later_turns(files)
    sent = sum(len(base64.b64encode(file.data)) for file in files)
    assert (later.stateless_bytes, later.stateful_bytes, later.tokens) == (sent, 0, 2 * 210)


def test_a_kept_turn_says_what_was_sent_with_it() -> None:
    picture = attachment_of("a.png", png(640, 480), limit=LIMIT)
    document = attachment_of("b \u202e.pdf", make_pdf("x"), limit=LIMIT)
    parts = [picture.content_part(), document.content_part(), jpeg_part(b"\xff\xd8\xff")]
    words = 'look at "file_data":"data:x;base64,AAAA" here'
    lines = attachment_lines(user_message(words, parts))
    assert [line.split("  ") for line in lines] == [
        ["PNG image", "640 × 480", size_words(picture.size)],
        ["b \ufffd.pdf", size_words(document.size)],
        ["JPEG image", "3 B"],
    ]
    assert attachment_lines(user_message(words)) == []


def jpeg_part(data: bytes) -> dict[str, str]:
    return {"type": "input_image", "image_url": f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"}


def test_pictures_of_tests_are_real() -> None:
    """The PNG of these tests can be decoded: its chunks and checksums are right."""
    data, at, seen = png(3, 2), 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunk = data[at + 4 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(chunk)
        seen.append(chunk[:4])
        at += 12 + length
    assert seen == [b"IHDR", b"IDAT", b"IEND"]
