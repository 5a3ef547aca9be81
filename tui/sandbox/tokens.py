"""Cutting text into tokens, and counting them.

With the package bpe-openai (the extra `sandbox`) the tokens are those of o200k_base, whose vocabulary lies in
that package: nothing is fetched. That the models on Bedrock count with it is ASSUMED. Without the package the
pieces are approximated by words with their leading space, cut after eight letters, groups of up to three
digits, and runs of punctuation. Either way they join to the text again and so are the deltas of a stream.
"""

from __future__ import annotations

import importlib
import re
import threading
import warnings
from collections.abc import Callable
from typing import Any, Literal

# Section 2 "Preflight", VERIFIED (cb): a prompt of five words counted 162. The number here is ASSUMED.
OVERHEAD = 150
# ASSUMED: what marks the beginning, the role and the end of an item.
PER_ITEM = 4
# Section 2, VERIFIED (cb): a PDF of one page made 713; section 4 "PDF": an image of each page, too.
PER_PAGE = 420

ENCODING = "o200k_base"
Split = Callable[[str], list[str]]
TokenizerName = Literal["auto", "bpe", "words"]

_PIECE = re.compile(r"\n+|[ \t]?[^\W\d_]{1,8}|[ ]?\d{1,3}|[ ]?[^\w\s]{1,4}|[ \t]+|.", re.DOTALL)
# The package takes 200,000 tokens at once; a character is at most four.
_AT_ONCE = 48_000


def words(text: str) -> list[str]:
    """The approximation, the same on every machine; joined they are `text`."""
    return _PIECE.findall(text)


class Tokenizer:
    """How one server counts. The vocabulary is loaded with the first text, not before: it takes a second.

    Args:
        name: `bpe`, `words`, or `auto` for `bpe` where its package is installed.

    Raises:
        ValueError: another name.
    """

    def __init__(self, name: TokenizerName = "auto") -> None:
        if name not in ("auto", "bpe", "words"):
            raise ValueError(f"tokenizer {name!r}: expected auto, bpe or words")
        self._name = name
        self._split: Split | None = words if name == "words" else None
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether `split` answers without loading anything."""
        return self._split is not None

    @property
    def is_bpe(self) -> bool:
        """Whether tokens are those of the vocabulary; loads it."""
        return self._loaded() is not words

    def split(self, text: str) -> list[str]:
        """The tokens of `text`, as many as its length; joined they are `text`.

        A character of several tokens is told by the last of them: those before it are empty strings.

        Raises:
            ImportError: `bpe` was asked for by name and is not installed.
        """
        return self._loaded()(text)

    def count(self, text: str) -> int:
        """How many tokens `text` has."""
        return len(self.split(text))

    def _loaded(self) -> Split:
        if self._split is None:
            with self._lock:
                self._split = self._split or self._load()
        return self._split

    def _load(self) -> Split:
        with warnings.catch_warnings():
            # It reads its data with a function that Python 3.11 and 3.12 call deprecated (and 3.13 does not).
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                package: Any = importlib.import_module("bpe_openai")
            except ImportError:
                if self._name == "bpe":
                    raise
                return words
            return BytePairs(package.get_encoding(ENCODING)).split


class BytePairs:
    """The pieces of a byte-pair vocabulary.

    Args:
        encoding: of `bpe_openai.get_encoding`, or anything with tiktoken's `encode_ordinary` and
            `decode_tokens_bytes`.
    """

    def __init__(self, encoding: Any) -> None:
        self._encoding = encoding

    def split(self, text: str) -> list[str]:
        """See `Tokenizer.split`. Text that UTF-8 cannot hold (a lone surrogate) is cut by `words`."""
        out: list[str] = []
        start = 0
        while start < len(text):
            end = start + _AT_ONCE
            if end < len(text):
                # A token begins with its space, so that a cut in front of one changes nothing.
                space = text.rfind(" ", start + 1, end)
                end = space if space > 0 else end
            out += self._part(text[start:end])
            start = end
        return out

    def _part(self, text: str) -> list[str]:
        try:
            data = text.encode()
        except UnicodeEncodeError:
            return words(text)
        parts: list[bytes] = self._encoding.decode_tokens_bytes(self._encoding.encode_ordinary(text))
        if b"".join(parts) != data:
            # A vocabulary that normalizes text would change what is streamed.
            return words(text)
        out: list[str] = []
        held = b""
        for part in parts:
            held += part
            try:
                out.append(held.decode())
                held = b""
            except UnicodeDecodeError:
                out.append("")
        return out
