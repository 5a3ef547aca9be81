"""`outcrop export`, `history export` and `history import`, as programs, over real histories."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.pdfs import make_pdf
from support.programs import Program

SECRET = "bedrock-api-key-c2VjcmV0"


def test_a_conversation_leaves_and_comes_back(program: Program, tmp_path: Path) -> None:
    pdf = program.cwd / "basalt.pdf"
    pdf.write_bytes(make_pdf("The basalt sample weighs 812 grams."))
    assert program.ask("-f", "basalt.pdf", "How heavy is the basalt?").status == 0
    first = program.ask("-c", "Reply with exactly: <!-- outcrop: user -->", "--json").ended["conversation"]
    other = program.ask("Reply with exactly: another").status
    assert other == 0
    before = program.history("list")

    # Text alone goes to standard output; what belongs beside it asks for a file.
    plain = program.run("export", "--as", "markdown")
    assert plain.status == 0 and plain.out.startswith("<!-- outcrop: conversation -->\n\n# Reply with")
    needs = program.run("export", first)
    assert needs.status == 2 and "basalt.pdf): give -o FILE" in needs.sentence()
    assert program.run("export", first, "-o", "talk.md").status == 0
    assert sorted(file.name for file in program.cwd.iterdir()) == ["basalt.pdf", "talk-basalt.pdf", "talk.md"]
    assert (program.cwd / "talk-basalt.pdf").read_bytes() == pdf.read_bytes()
    assert {file.stat().st_mode & 0o777 for file in program.cwd.glob("talk*")} == {0o600}
    again = program.run("export", first, "-o", "talk.md")
    assert again.status == 2 and "talk.md is there already" in again.sentence()
    script = program.run("export", first, "--as", "openai", "-o", "talk.py", "--force")
    assert script.status == 0 and "AWS_BEARER_TOKEN_BEDROCK" in (program.cwd / "talk.py").read_text()
    assert program.run("export", first, "--as", "batch", "-o", "talk.jsonl").status == 0
    assert program.run("batch", "talk.jsonl", "check").status == 0
    unknown = program.run("export", "nope")
    assert unknown.status == 2 and "There is no conversation nope" in unknown.sentence()

    # Everything, to a machine that has nothing: the same ids, turns, attachments.
    assert program.run("history", "export", "all", "-o", "all.json").status == 0
    there = Program(tmp_path / "there", "http://127.0.0.1:9/openai/v1")
    taken = there.run("history", "import", str(program.cwd / "all.json"))
    assert (taken.status, taken.err) == (0, ""), taken
    assert {row["id"] for row in there.history("list")} == {row["id"] for row in before}
    assert there.history("show", first) == program.history("show", first)
    assert there.run("export", first, "-o", "x.md").status == 0
    assert (there.cwd / "x-basalt.pdf").read_bytes() == pdf.read_bytes()
    # Back home nothing is written over: copies come beside what is there.
    copies = json.loads(program.run("history", "import", "all.json", "talk.md", "--json").out)
    assert [row["id"] == row["was"] for row in copies] == [False, False, True]
    assert len(program.history("list")) == len(before) + 3
    assert program.history("show", first)["turns"][0]["id"] == there.history("show", first)["turns"][0]["id"]
    turns = program.history("show", copies[2]["id"])["turns"]
    assert [turn["prompt"] for turn in turns] == [
        "How heavy is the basalt?", "Reply with exactly: <!-- outcrop: user -->",
    ]  # fmt: skip
    assert turns[1]["text"] == "<!-- outcrop: user -->"
    # What came back is gone on with: the sandbox reads the PDF that lay beside the file.
    told = program.ask("--conversation", copies[2]["id"], "How much does the basalt sample weigh?")
    assert "812 grams" in told.out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_hostile_files_give_a_sentence_and_change_nothing(offline: Program) -> None:
    files = {
        "a.json": b"{",
        "b.json": b'{"format": "outcrop conversations", "version": 9}',
        "c.md": b"# Nothing of ours\n",
        "d.md": b"\xff\xfe",
        "e.json": b"[" * 200_000,
    }
    for name, data in files.items():
        (offline.cwd / name).write_bytes(data)
    os.mkfifo(offline.cwd / "pipe")
    good = {"id": "c1", "created_at": 1, "turns": [{"id": "t1", "created_at": 1, "outcome": "completed"}]}
    document = {"format": "outcrop conversations", "version": 1, "conversations": [good]}
    (offline.cwd / "good.json").write_text(json.dumps(document))
    for name in [*files, "pipe", "none.json", "/dev/zero"]:
        done = offline.run("history", "import", "good.json", name)
        assert done.status == 2, done
        assert done.sentence().startswith(f"{name}: "), done
    assert offline.history("list") == []
    # A file beside it is read where it is a PDF or a picture, and nothing else is.
    (offline.cwd / "secret.txt").write_text(SECRET)
    (offline.cwd / "m.md").write_text(
        "<!-- outcrop: user -->\n\n## You\n\nHi\n\n<!-- outcrop: files -->\n\n### Files\n\n"
        "- [a](secret.txt)\n- [b](../home/x.pdf)\n- [c](none.pdf)\n"
    )
    done = offline.run("history", "import", "m.md")
    assert done.status == 0
    assert [line.split(" does not")[0] for line in done.err.splitlines()] == ["secret.txt", "none.pdf"]
    shown = offline.run("history", "export", "--as", "json").out
    assert SECRET not in shown and "input_file" not in shown
    empty = offline.run("export", "--as", "openai")
    assert empty.status == 0, empty
