"""Hostile PDFs: read in processes of their own, which end in time, stay small, and take nobody with them."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.hostile_files import encrypted_pdf, hostile_pdfs, pages_of, slow_pdf
from support.pdfs import make_pdf
from support.programs import is_alive, until

from tui.core.errors import AttachmentError
from tui.pdf import child
from tui.pdf.reading import Limits, Stop, end_process, read_pdf
from tui.session.attachments import attach, attachment_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")

LIMITS = Limits(1.0)
LIMIT = 20_000_000
TOKEN = "bedrock-api-key-that-no-child-may-have"


def children(*pids: int) -> list[int]:
    """The living processes that were started by any of these."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) in pids and state != b"Z":
                found.append(int(entry.name))
    return found


def reader() -> int:
    """The process that starts one for each file."""
    (pid,) = (pid for pid in children(os.getpid()) if "child.py" in command(pid))
    return pid


def command(pid: int) -> str:
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes().decode()
    except OSError:
        return ""


def reading(data: bytes, limits: Limits, stop: Stop | None = None) -> tuple[threading.Thread, list, int, int]:
    """A reading under way: its thread, where its outcome will be, the reader, the file's own process."""
    outcome: list = []
    thread = threading.Thread(target=lambda: outcome.append(read_pdf(data, limits=limits, stop=stop)))
    thread.start()
    pid = until(lambda: [pid for pid in children(os.getpid()) if "child.py" in command(pid)], "the reader")[0]
    worker = until(lambda: [one for one in children(pid) if is_limited(one)], "a process for the file")
    return thread, outcome, pid, worker[0]


def is_limited(pid: int) -> bool:
    """Whether it has begun with the file: until then it is a copy of the reader."""
    try:
        return resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] < 100
    except ProcessLookupError:
        return False


def resident() -> int:
    """Bytes of memory that this process had at most since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1000 for line in lines if line.startswith("VmHWM"))


def test_each_hostile_pdf_ends_in_time_and_in_little_memory_with_a_file_or_a_sentence() -> None:
    corpus = hostile_pdfs()
    assert len(corpus) > 20
    read_pdf(make_pdf("warm"))
    Path("/proc/self/clear_refs").write_text("5")
    before = resident()

    def attempt(entry: tuple[str, bytes]) -> tuple[str, float, str]:
        name, data = entry
        started = time.monotonic()
        try:
            file = attachment_of(f"{name}.pdf", data, limit=LIMIT, limits=LIMITS)
        except AttachmentError as error:
            return name, time.monotonic() - started, str(error)
        assert file.data == data
        # Either it is known how many pages there are, or that is said.
        assert (file.pages is None) == ("Its pages are unknown" in file.doubt), name
        assert file.estimated_tokens > 0
        return name, time.monotonic() - started, file.doubt

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(attempt, corpus.items()))
    for name, seconds, sentence in ended:
        assert seconds <= LIMITS.seconds + 1.0, (name, seconds)
        assert "\n" not in sentence and sentence.count(". ") <= 1
    # A thousand times a megabyte was squeezed into two of these; nothing of it came here.
    assert resident() - before < 40_000_000
    for name, data in corpus.items():
        facts = read_pdf(data, limits=LIMITS)  # known from above
        assert facts.kilobytes * 1000 < LIMITS.memory, name
        assert facts.trouble != "unavailable", name
    doubts = {name: sentence for name, _, sentence in ended}
    assert "counting them took too long" in doubts["page tree grows"]
    assert "damaged or unusual" in doubts["cut"]


def test_memory_ends_where_the_limit_is_and_the_next_file_is_read_by_a_sound_process() -> None:
    bomb, sound = hostile_pdfs()["content grows twice"], make_pdf("Granite", "Basalt")
    facts = read_pdf(bomb, limits=Limits(8.0, 80_000_000))
    assert facts.trouble == "memory" and facts.kilobytes < 80_000
    pid = reader()
    again = read_pdf(sound, limits=Limits(7.9))
    assert (again.pages, again.trouble) == (2, "") and again.characters > 10
    assert reader() == pid
    assert until(lambda: not children(pid), "no process is left of any file")


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256"])
@pytest.mark.parametrize("password", ["secret", ""])
def test_an_encrypted_pdf_is_refused_whatever_its_password(algorithm: str, password: str) -> None:
    with pytest.raises(AttachmentError, match="is encrypted; save a copy without a password"):
        attachment_of("a.pdf", encrypted_pdf(password, algorithm), limit=LIMIT)


def test_a_pdf_that_cannot_be_read_to_its_end_is_refused_when_it_says_that_it_is_encrypted() -> None:
    locked = encrypted_pdf("secret", "AES-128")
    damaged = locked[: locked.rindex(b"startxref")].replace(b"xref", b"xxxx")
    with pytest.raises(AttachmentError, match="is encrypted"):
        attachment_of("a.pdf", damaged, limit=LIMIT)


def test_three_thousand_pages_are_counted_and_bytes_before_the_beginning_are_said() -> None:
    file = attachment_of("long.pdf", pages_of(3000), limit=LIMIT)
    assert file.pages == 3000 and not file.doubt
    late = attachment_of("late.pdf", b"\n" * 500 + make_pdf("x"), limit=LIMIT)
    assert late.pages == 1
    assert late.doubt == "It begins with 500 bytes that belong to no PDF; the service may refuse it."


def test_the_processes_have_no_token_no_environment_and_no_descriptors_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", TOKEN)
    end_process()  # so that it is started with that in our environment
    stop = Stop()
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        thread, _, pid, worker = reading(slow_pdf(1), Limits(30.0), stop)
        for one in (pid, worker):
            place = Path("/proc", str(one))
            assert (place / "environ").read_bytes().replace(b"LC_CTYPE=C.UTF-8\0", b"") == b""
            assert TOKEN not in command(one)
            links = [os.readlink(entry) for entry in (place / "fd").iterdir()]
            assert str(ours.name) not in links
            # Standard streams, sockets and pipes of its own; nothing else.
            files = {link for link in links if not link.startswith(("socket:", "pipe:"))}
            assert files <= {"/dev/null"}, files
            assert os.readlink(place / "cwd") == "/"
        for what in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
            assert 0 <= resource.prlimit(worker, what)[1] < 1_000_000_000
        stop.set()
        thread.join(5)


def test_a_reading_that_is_stopped_takes_its_process_with_it() -> None:
    stop = Stop()
    thread, outcome, pid, worker = reading(slow_pdf(2), Limits(30.0), stop)
    stop.set()
    thread.join(5.0)
    assert outcome and outcome[0].trouble == "stopped"
    assert until(lambda: not is_alive(worker), "its process has ended", 5.0)
    assert is_alive(pid)
    # One that is stopped before it begins does not begin.
    assert read_pdf(slow_pdf(3), limits=Limits(30.0), stop=stop).trouble == "stopped"


async def test_who_is_cancelled_takes_the_process_with_him(tmp_path: Path) -> None:
    (tmp_path / "slow.pdf").write_bytes(slow_pdf(6))
    task = asyncio.create_task(attach(str(tmp_path / "slow.pdf"), limit=LIMIT))
    for _ in range(400):
        await asyncio.sleep(0.02)
        workers = [one for one in children(*children(os.getpid())) if is_limited(one)]
        if workers:
            break
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert until(lambda: not is_alive(workers[0]), "its process has ended", 5.0)


def test_when_the_reader_is_killed_the_file_is_said_to_be_unknown_and_the_next_one_is_read() -> None:
    thread, outcome, pid, worker = reading(slow_pdf(4), Limits(30.0))
    os.kill(pid, signal.SIGKILL)
    thread.join(5.0)
    assert outcome and outcome[0].trouble == "crash"
    assert until(lambda: not is_alive(worker), "the file's process died with it", 5.0)
    assert read_pdf(make_pdf("a", "b", "c"), limits=Limits(7.8)).pages == 3
    assert reader() != pid


def test_when_the_program_is_killed_nothing_of_a_reading_is_left(tmp_path: Path) -> None:
    hostile = tmp_path / "slow.pdf"
    hostile.write_bytes(slow_pdf(5))
    code = (
        "import sys; from tui.pdf.reading import Limits, read_pdf;"
        "read_pdf(open(sys.argv[1], 'rb').read(), limits=Limits(60.0))"
    )
    program = subprocess.Popen([sys.executable, "-c", code, str(hostile)])
    try:
        (pid,) = until(lambda: children(program.pid), "the reader")
        (worker,) = until(lambda: children(pid), "the file's process")
    finally:
        program.kill()
        program.wait()
    assert until(lambda: not is_alive(worker) and not is_alive(pid), "both have ended", 5.0)


def test_the_reader_ends_when_there_is_nothing_to_read_and_is_there_again_for_the_next_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(child.__file__).read_text(encoding="utf-8")
    assert "IDLE: Final = 60.0" in source
    soon = tmp_path / "child.py"
    soon.write_text(source.replace("IDLE: Final = 60.0", "IDLE: Final = 0.1"))
    monkeypatch.setattr("tui.pdf.reading._CHILD", soon)
    end_process()
    for number in range(2):
        assert read_pdf(make_pdf("x"), limits=Limits(6.0 + number)).pages == 1
        pids = [pid for pid in children(os.getpid()) if "child.py" in command(pid)]
        assert until(lambda pids=pids: not any(map(is_alive, pids)), "it has ended", 5.0)
    end_process()


def test_a_process_that_was_taken_over_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What hostile code in the file's process could say instead of what it is asked for."""
    source = Path(child.__file__).read_text(encoding="utf-8")
    place = source.index("    import pypdf\n    from pypdf.errors")
    taken_over = tmp_path / "child.py"
    monkeypatch.setattr("tui.pdf.reading._CHILD", taken_over)
    taken_over.write_text(f"{source[:place]}    return _tell(answers, **eval(data))\n{source[place:]}")
    end_process()
    for answer in (
        b"dict(pages=-1)",
        b"dict(pages='<b>', characters=10**30)",
        b"dict(pages=True)",
        b"dict(pages=10**12)",
        b"dict(trouble='be quiet')",
        b"dict(pages=3, x='y' * 70_000_000)",
        b"dict(encrypted='no')",
        b"dict(ended='well', late=0)",
        b"dict(ended=0, late=False, kilobytes='x', seconds=float('nan'))",
    ):
        facts = read_pdf(answer)
        assert (facts.pages, facts.encrypted, facts.trouble) == (None, False, "crash"), answer
    end_process()
