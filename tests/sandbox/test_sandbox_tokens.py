from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sandbox_api import Api, text_of

from tui.sandbox import tokens
from tui.sandbox.tokens import BytePairs, Tokenizer

HAS_BPE = importlib.util.find_spec("bpe_openai") is not None
NAMES = ["words", *(["bpe"] if HAS_BPE else [])]


class ByBytes:
    """A vocabulary of single bytes, in tiktoken's shape: every token cuts a character that has several."""

    def encode_ordinary(self, text: str) -> list[int]:
        assert len(text) <= 48_000
        return list(text.encode())

    def decode_tokens_bytes(self, ids: list[int]) -> list[bytes]:
        return [bytes((value,)) for value in ids]


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(text=st.text())
def test_pieces_join_to_the_text(name: str, text: str) -> None:
    assert "".join(_shared(name).split(text)) == text


@functools.cache
def _shared(name: str) -> Tokenizer:
    return Tokenizer(name)


def test_a_character_of_several_tokens_comes_with_the_last_of_them() -> None:
    assert BytePairs(ByBytes()).split("aé🙂") == ["a", "", "é", "", "", "", "🙂"]


def test_long_texts_are_cut_in_front_of_a_space_or_anywhere() -> None:
    pairs = BytePairs(ByBytes())
    for text in ("word " * 30_000, "a" * 100_000, " " * 50_000, "🙂" * 50_000):
        assert "".join(pairs.split(text)) == text
        assert len(pairs.split(text)) == len(text.encode())


def test_a_lone_surrogate_is_cut_by_words() -> None:
    assert BytePairs(ByBytes()).split("a\ud83d b") == tokens.words("a\ud83d b")


def test_a_vocabulary_that_changes_text_is_not_used() -> None:
    class Lossy(ByBytes):
        def encode_ordinary(self, text: str) -> list[int]:
            return super().encode_ordinary(text.lower())

    assert BytePairs(Lossy()).split("Ab cd") == tokens.words("Ab cd")
    assert BytePairs(Lossy()).split("ab") == ["a", "b"]


def test_without_the_package_words_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bpe_openai", None)
    tokenizer = Tokenizer()
    assert not tokenizer.ready
    assert tokenizer.split("Reply with exactly: ok") == tokens.words("Reply with exactly: ok")
    assert tokenizer.ready and not tokenizer.is_bpe
    with pytest.raises(ImportError):
        Tokenizer("bpe").split("x")


def test_a_wrong_name_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="auto, bpe or words"):
        Tokenizer("tiktoken")  # type: ignore[arg-type]


@pytest.mark.skipif(not HAS_BPE, reason="the optional package bpe-openai is not installed")
def test_known_counts_of_the_vocabulary() -> None:
    # Ids published with o200k_base: "hello world" is two tokens, "antidisestablishmentarianism" six.
    tokenizer = _shared("bpe")
    assert tokenizer.is_bpe
    assert tokenizer.split("hello world") == ["hello", " world"]
    assert tokenizer.count("antidisestablishmentarianism") == 6
    assert tokenizer.count("<|endoftext|>") > 1


@pytest.mark.parametrize("name", NAMES)
def test_usage_is_what_the_tokenizer_counts(start: Callable[..., Api], name: str) -> None:
    api = start(tokenizer=name)
    prompt = "Reply with exactly: naïve 🙂 granite, forty-two"
    made = api.create(prompt)
    counted = Tokenizer(name)
    assert made["usage"]["output_tokens"] == counted.count(text_of(made))
    assert made["usage"]["input_tokens"] == tokens.OVERHEAD + tokens.PER_ITEM + counted.count(prompt)
    events = api.stream(prompt)
    deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
    assert "".join(deltas) == text_of(made) and "" not in deltas
    cut = api.create("Write 300 words", max_output_tokens=40)
    assert cut["usage"]["output_tokens"] == 40 == counted.count(text_of(cut))


def test_benchmark_models_load_and_count_nothing(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(name: str) -> object:
        raise AssertionError(f"loaded {name}")

    api = start()
    api.stream("x", model="fake-20-0")
    monkeypatch.setattr(importlib, "import_module", never)
    usage = api.stream("granite " * 40_000, model="fake-20-0")[-1]["response"]["usage"]
    assert 150 + 60_000 < usage["input_tokens"] < 150 + 100_000
    assert usage["output_tokens"] == 20
