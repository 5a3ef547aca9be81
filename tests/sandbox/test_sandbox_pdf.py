from __future__ import annotations

import base64
import io

import pypdf
import pytest
from support.sandbox_api import MODEL, Api, file_part, text_of


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


def _with(prompt: str, part: dict[str, object]) -> list[dict[str, object]]:
    return [{"role": "user", "content": [part, {"type": "input_text", "text": prompt}]}]


def test_answers_from_the_document(api: Api, pdf_bytes: bytes) -> None:
    made = api.create(_with("How thick is the granite layer?", file_part(pdf_bytes)))
    text = text_of(made)
    assert "**2 pages**" in text
    assert "Survey of the northern ridge" in text
    assert "> The granite layer is 42 metres thick." in text
    assert made["usage"]["input_tokens"] > 150 + 2 * 400
    assert (
        base64.b64decode(api.server.log[-1].json["input"][0]["content"][0]["file_data"].partition(",")[2])
        == pdf_bytes
    )


def test_still_knows_it_later_in_both_modes(api: Api, pdf_bytes: bytes) -> None:
    items = _with("Summarise the attached file", file_part(pdf_bytes))
    first = api.create(items)
    middle = api.create("Thank you, that helps", previous_response_id=first["id"])
    by_id = api.create("What was the budget for drilling?", previous_response_id=middle["id"])
    assert "From `survey.pdf`, page 2: “The budget for drilling was 9000 crowns.”" in text_of(by_id)
    question = {"role": "user", "content": "How many pages does the document have?"}
    replayed = api.create([*items, *first["output"], question], store=False)
    assert "`survey.pdf` has **2 pages**" in text_of(replayed)
    unrelated = api.create("Tell me about trams", previous_response_id=by_id["id"])
    assert "The file `survey.pdf`, 2 pages" in text_of(unrelated)


def test_refused_files(api: Api, pdf_bytes: bytes) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret")
    locked = io.BytesIO()
    writer.write(locked)
    cases = [
        (file_part(b"hello"), "not a PDF"),
        (file_part(locked.getvalue()), "encrypted"),
        (file_part(b"%PDF-1.7\nnothing"), "damaged"),
        ({**file_part(b""), "file_data": "data:application/pdf;base64,!!!"}, "base64"),
        ({**file_part(b""), "file_data": "data:text/plain;base64,AAAA"}, "data URL"),
        ({"type": "input_file", "file_url": "https://example.com/a.pdf"}, "'file_url' is not supported"),
        ({"type": "input_file", "filename": "a.pdf"}, "did not match any expected variant"),
    ]
    for part, needle in cases:
        error = api.refused(400, model=MODEL, input=_with("Read this", part))
        assert needle in error["message"]


def test_a_page_without_text(api: Api) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    blank = io.BytesIO()
    writer.write(blank)
    assert "no text that can be read" in text_of(
        api.create(_with("What is this?", file_part(blank.getvalue(), "b.pdf")))
    )
