"""A crash report holds no secret, in whatever form an error quotes it and wherever its words are cut."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from urllib.parse import quote

import pytest
from support.keyring_support import short_term_token
from support.token_search import Search

from tui.crash import Crashes, report_text

TOKEN = short_term_token("us-west-2")
GATEWAY = "gw-0123456789/abcdef+ghijklmnopqrstuvwxyz=="
SECRET_KEY = "wJalrXU/nFEMI+K7MDENG/bPxRfiCYzEXAMPLEtk"


def raised(words: str) -> Exception:
    """An error that quotes a secret wherever an error can."""
    secret_local = words
    try:
        try:
            try:
                raise KeyError(words)
            except KeyError as error:
                raise OSError(5, words, words) from error
        except OSError:
            raise ExceptionGroup(words, [ValueError(words), LookupError({words: words})])  # noqa: B904
    except ExceptionGroup as error:
        error.add_note(words)
        try:
            raise RuntimeError(f"{secret_local} is no good") from error
        except RuntimeError as last:
            return last


@pytest.mark.parametrize("secret", [TOKEN, GATEWAY, SECRET_KEY], ids=["token", "gateway", "AWS"])
def test_a_report_holds_no_secret_in_any_form(secret: str, tmp_path: Path) -> None:
    search = Search(secret, ends=(20, 8) if secret == TOKEN else (4, 4))
    crashes = Crashes(tmp_path, lambda: (secret,))
    plain = secret.encode()
    written = [base64.b64encode(b"xyz"[:shift] + plain) for shift in range(3)]
    written += [base64.urlsafe_b64encode(plain), quote(secret, safe="").encode(), plain.hex().encode()]
    written += [
        plain,
        secret.encode("utf-16-be"),
        secret.encode("utf-16-le"),
        secret.replace("/", "\\/").encode(),
    ]
    for number, form in enumerate(written):
        text = form.decode("latin-1")
        # The words are cut after 400 characters: in the middle of it, before it, and not at all.
        for before in ("", "x" * (390 - len(text) // 2) if number == 0 else "x" * 370):
            error = raised(before + text)
            assert search.hits(str(error)), "it is there to be found"
            report = report_text(error, "a test", (secret,))
            assert not search.hits(report), (form, before[:1])
            # Nor the beginning of it, where it is cut.
            assert secret[20:32] not in report
    said = crashes.write(raised(secret), "a test")
    assert not search.hits(said) and crashes.path is not None
    assert search.in_files(tmp_path) == []
    assert stat.S_IMODE(crashes.path.stat().st_mode) == 0o600
    assert "RuntimeError" in crashes.path.read_text() and "is no good" in crashes.path.read_text()


def test_secrets_of_the_environment_are_masked_before_anyone_says_which_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    assert SECRET_KEY[:12] not in report_text(ValueError("x" * 380 + SECRET_KEY), "a test")
    assert "a short one" in report_text(ValueError("a short one"), "a test", ("one",))
