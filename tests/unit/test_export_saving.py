"""Saving an export, completing its path, and what sending again costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ui_samples import exchange, stream_events

from tui.config.settings import load_settings
from tui.core.costs import price_for
from tui.core.errors import InputError
from tui.core.export import Export, SideFile
from tui.core.resend import cost_words
from tui.export_files import export_path, taken, write_export
from tui.widgets.path_input import completed

MADE = Export(b"curl -d @body.json\n", "sh", (SideFile("body.json", b"{}"),))


def test_files_are_written_beside_each_other_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    assert taken(MADE, path) == []
    assert write_export(MADE, path) == [(path, 19), (tmp_path / "body.json", 2)]
    assert {file.name: (file.read_bytes(), file.stat().st_mode & 0o777) for file in tmp_path.iterdir()} == {
        "a.sh": (MADE.data, 0o600), "body.json": (b"{}", 0o600),
    }  # fmt: skip


def test_what_is_there_is_not_written_over_unless_that_is_said(tmp_path: Path) -> None:
    path, beside = tmp_path / "a.sh", tmp_path / "body.json"
    beside.write_text("mine")
    beside.chmod(0o644)
    assert taken(MADE, path) == [beside]
    with pytest.raises(InputError, match=r"body\.json is there already"):
        write_export(MADE, path)
    assert not path.exists() and beside.read_text() == "mine"
    write_export(MADE, path, over=True)
    assert (beside.read_bytes(), beside.stat().st_mode & 0o777) == (b"{}", 0o600)
    # A link that leads nowhere is there too, and what it points to is not written.
    (tmp_path / "b.sh").symlink_to(tmp_path / "elsewhere")
    assert taken(MADE, tmp_path / "b.sh")[0] == tmp_path / "b.sh"
    write_export(MADE, tmp_path / "b.sh", over=True)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [(" ", "Type the path"), ("{}/", "is a folder"), ("{}", "is a folder"), ("{}/no/x.sh", "no folder")],
)
def test_a_path_that_names_no_file_is_told(tmp_path: Path, typed: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        export_path(typed.format(tmp_path))


def test_a_path_is_completed_as_far_as_it_is_certain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert export_path("~/x.sh") == tmp_path / "x.sh"
    (tmp_path / "requests").mkdir()
    for name in ("report-1.sh", "report-2.sh", ".hidden"):
        (tmp_path / name).touch()
    base = str(tmp_path)
    assert completed("req", base) == ("requests/", ())
    assert completed("~/req", "/") == ("~/requests/", ())
    text, choices = completed("rep", base)
    assert (text, [choice.name for choice in choices]) == ("report-", ["report-1.sh", "report-2.sh"])
    assert completed(f"{base}/report-1", "/") == (f"{base}/report-1.sh", ())
    assert completed("nothing", base) == ("nothing", ())
    assert completed(".h", base) == (".hidden", ())


def test_the_price_is_said_for_one_and_for_many() -> None:
    usage = {
        "input_tokens": 12_000, "output_tokens": 1000, "total_tokens": 13_000,
        "input_tokens_details": {"cached_tokens": 2000},
    }  # fmt: skip
    sent = exchange(1, events=stream_events(["a"], usage))
    model = load_settings({}, {}).catalogue.model(sent.model)
    assert model is not None
    price = price_for(model.prices, 12_000)
    assert price is not None and price.input and price.cached and price.output
    usd = (10_000 * price.input + 2000 * price.cached + 1000 * price.output) / 1_000_000
    one = cost_words(sent, model)
    assert one == f"A paid request. The recorded one cost ~${usd:.4f}."
    many = cost_words(sent, model, 5)
    assert many == f"5 paid requests. At the ~${usd:.4f} of the recorded one they come to ~${5 * usd:.3f}."
    assert cost_words(sent, None) == "A paid request. What the recorded one cost is not known."
    assert cost_words(sent, None, 9, sandbox=True) == "The sandbox answers: nothing is paid."
