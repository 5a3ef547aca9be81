"""What was checked is what is sent: the server's log holds the SHA-256 of the bytes that were looked at."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest
from support.hostile_files import hostile_pdfs, slow_pdf
from support.pdfs import make_pdf
from support.pictures import png
from support.programs import Program
from support.sessions import make_session, take_turn

from tui.core.errors import AttachmentError
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer


def digests(server: SandboxServer) -> list[str]:
    """SHA-256 of each file in the newest request, decoded from what arrived."""
    parts = server.log[-1].json["input"][-1]["content"]
    urls = [part.get("file_data") or part.get("image_url") for part in parts if part["type"] != "input_text"]
    return [hashlib.sha256(base64.b64decode(url.partition(",")[2])).hexdigest() for url in urls]


async def test_a_file_that_is_swapped_grown_or_gone_after_it_was_chosen_is_sent_as_it_was_checked(
    server: SandboxServer, tmp_path: Path
) -> None:
    checked = {
        "swapped.pdf": make_pdf("Granite is what was checked."),
        "grown.pdf": make_pdf("Basalt is what was checked."),
        "linked.png": png(40, 30),
        "gone.pdf": make_pdf("Slate is what was checked."),
        "cut.pdf": hostile_pdfs()["cut"],
    }
    session = make_session(server)
    files = []
    for name, data in checked.items():
        place = tmp_path / name
        if name == "linked.png":
            (tmp_path / "real.png").write_bytes(data)
            place.symlink_to("real.png")
        else:
            place.write_bytes(data)
        files.append(await session.attach(str(place)))
    files.append(await session.attach_data("clipboard", png(20, 10)))
    assert files[4].pages is None and "damaged or unusual" in files[4].doubt
    other = tmp_path / "other"
    other.write_bytes(make_pdf("Something else altogether"))
    os.replace(other, tmp_path / "swapped.pdf")
    with (tmp_path / "grown.pdf").open("ab") as grown:
        grown.write(b"\n% more")
    (tmp_path / "linked.png").unlink()
    (tmp_path / "linked.png").symlink_to("/dev/zero")
    (tmp_path / "gone.pdf").unlink()
    conversation = await session.new()
    taken = await take_turn(session, conversation.id, "Read", *files)
    assert digests(server) == [hashlib.sha256(data).hexdigest() for data in [*checked.values(), png(20, 10)]]
    assert digests(server) == [file.sha256 for file in files]
    # The service is the judge of what could not be read here: it says so, and the files are the user's again.
    assert taken.turn.outcome is Outcome.FAILED and "damaged" in (taken.turn.error or "")
    del files[4]
    conversation = await session.new()
    taken = await take_turn(session, conversation.id, "Read", *files)
    assert taken.turn.outcome is Outcome.COMPLETED
    # Sent once more from the history, it is the same bytes, and looked at in the same way.
    again = await session.attachments_of(conversation.id, taken.turn.id)
    assert [(file.sha256, file.pages) for file in again] == [(file.sha256, file.pages) for file in files]
    with pytest.raises(AttachmentError, match="no regular file"):
        await session.attach(str(tmp_path / "linked.png"))
    await session.aclose()


async def test_the_sandbox_refuses_a_pdf_that_takes_for_ever_and_goes_on(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads what it is sent in the program's own process, where `--sandbox` runs."""
    monkeypatch.setattr("tui.sandbox.pdf._SECONDS", 0.5)
    session = make_session(server)
    file = await session.attach_data("a.pdf", make_pdf("x"))
    slow = type(file)("slow.pdf", "", file.media_type, slow_pdf(7), "0" * 64, None, 500)
    conversation = await session.new()
    taken = await take_turn(session, conversation.id, "Read", slow)
    assert "takes too much time or memory" in (taken.turn.error or "")
    other = await session.new()
    taken = await take_turn(session, other.id, "Read", file)
    assert taken.turn.outcome is Outcome.COMPLETED
    await session.aclose()


def test_what_is_not_known_of_a_file_is_said_by_the_command_before_it_is_sent(
    program: Program, server: SandboxServer, tmp_path: Path
) -> None:
    cut = tmp_path / "cut \u202egnp.pdf"
    cut.write_bytes(hostile_pdfs()["cut"])
    os.mkfifo(tmp_path / "pipe.pdf")
    done, refused = program.together(
        ("ask", "-f", str(cut), "Read"), ("ask", "-f", str(tmp_path / "pipe.pdf"), "Read")
    )
    said = (
        "outcrop: cut \N{REPLACEMENT CHARACTER}gnp.pdf is attached. Its pages are unknown: "
        "the PDF is damaged or unusual, and the service may refuse it."
    )
    assert done.err.splitlines()[0] == said
    assert refused.status == 2 and "no regular file" in refused.err and refused.err.count("\n") == 1
    assert done.status == 1 and len(server.log) == 1
