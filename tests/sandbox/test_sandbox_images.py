from __future__ import annotations

import base64

import pytest
from support.pictures import gif, jpeg, png, webp
from support.sandbox_api import MODEL, Api, text_of


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


def _asked(url: object, **more: object) -> list[dict[str, object]]:
    part = {"type": "input_image", "image_url": url, **more}
    return [{"role": "user", "content": [part, {"type": "input_text", "text": "What is it?"}]}]


def _url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def test_pictures_are_read_counted_and_remembered(api: Api) -> None:
    made = api.create(_asked(_url(png(640, 480), "png"), detail="auto"))
    assert "**PNG** of **640 × 480** pixels" in text_of(made)
    assert made["usage"]["input_tokens"] > 150 + 2 * 140
    later = api.create("Tell me about trams", previous_response_id=made["id"])
    assert "An image, PNG, 640 × 480 pixels" in text_of(later)
    assert later["usage"]["input_tokens"] > made["usage"]["input_tokens"]
    for data, kind in ((jpeg(9, 8), "jpeg"), (gif(9, 8), "gif"), (webp(9, 8, "VP8X"), "webp")):
        assert "**9 × 8** pixels" in text_of(api.create(_asked(_url(data, kind))))


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (_asked("https://example.com/a.png"), "must be a data URL"),
        (_asked(None), "did not match any expected variant"),
        (_asked(None, file_id="file_1"), "'file_id' is not supported"),
        (_asked(_url(png(4, 4), "png"), detail="huge"), "did not match any expected variant"),
        (_asked(_url(png(4, 4), "jpeg")), "no JPEG image"),
        (_asked(_url(png(4, 4)[:18], "png")), "no PNG image"),
        (_asked(_url(b"x", "svg+xml")), "expected a data URL of image/png"),
        (_asked("data:image/png;base64,!!"), "cannot be decoded"),
    ],
)
def test_refused_pictures(api: Api, items: list[dict[str, object]], said: str) -> None:
    assert said in api.refused(400, model=MODEL, input=items)["message"]


def test_text_models_take_none(api: Api) -> None:
    items = _asked(_url(png(4, 4), "png"))
    answer = api.http.post(
        api.url.replace("/openai/v1", "/v1/responses"), json={"model": "openai.gpt-oss-20b", "input": items}
    )
    assert answer.status_code == 400
    assert "text only" in answer.text
