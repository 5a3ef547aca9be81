"""Finding in the visible context what a question asks for: words that match, and sentences quoted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .context import Context, Message
from .pdf import Pdf

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_COMMON_WORDS = """
a about again all also am an and any are as at be been but by can could did do does for from had has have he
her his how i if in into is it its just know let like me my no not now of on one or our please said say says
she should so some tell than that the their them then there these they this those to told up us was we were
what what's when where which who why will with would you your remember recall earlier before mention
mentioned asked ask
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_QUESTION = re.compile(
    r"^(what|who|whose|where|when|which|why|how|is|are|was|were|do|does|did|can|could|tell me|remind me)\b",
    re.I,
)
_FIRST = re.compile(
    r"\b(say|said|ask|asked|tell|told|write|wrote|message|question|prompt|turn)\b.*\bfirst\b"
    r"|\bfirst\b.*\b(say|said|asked?|message|question|prompt|told|tell|turn|thing)\b",
    re.I | re.S,
)
_LAST = re.compile(
    r"\b(say|said|ask|asked|tell|told|wrote)\b.*\b(last|before|just now|previously)\b"
    r"|\b(last|previous)\b.*\b(message|question|prompt|thing)\b",
    re.I | re.S,
)
_ALL = re.compile(
    r"\b(everything|all)\b.*\b(said|told|asked|wrote)\b|\bsummar\w+\b.*\b(conversation|so far)\b", re.I | re.S
)
_NAME_ASKED = re.compile(r"\b(my name|who am i|what am i called)\b", re.I)
_NAME_SAID = re.compile(r"\b(?:my name is|my name's|call me|i am called)\s+([^\s.,;:!?]+)", re.I)
_PAST = re.compile(
    r"\b(did i|have i|had i|i (?:told|said|gave|asked|mentioned|wrote)|my|remember|recall|remind|earlier"
    r"|told you|gave you)\b",
    re.I,
)
# Weaker signs that something said before is meant: one shared word is enough then.
_PERSONAL = re.compile(r"\b(i|me|mine)\b|^\s*(what|which|who|where|when)\s+(was|were)\b", re.I)
_NAME_GIVEN = re.compile(r"\bI(?:['’]m| am) ([A-Z][^\W\d_]+)")
_STATED = re.compile(r"\b(is|was|are|were)\b", re.I)


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence of a document that matches a question."""

    filename: str
    page: int
    sentence: str
    score: int


def words(text: str) -> list[str]:
    """The words that carry meaning, lower case, in order; a plural's s is dropped."""
    lowered = (word.lower().replace("’", "'") for word in _WORD.findall(text))
    return [
        w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w
        for w in lowered
        if w not in _COMMON
    ]


def is_question(text: str) -> bool:
    """Whether a text asks something."""
    stripped = text.strip()
    return stripped.endswith("?") or bool(_QUESTION.match(stripped))


def one_line(text: str, limit: int = 280) -> str:
    """A text to be quoted: blanks folded, backquotes out, shortened."""
    folded = " ".join(text.replace("`", "'").split())
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def remembered(context: Context) -> str | None:
    """The answer to a question about the conversation itself, or None where it is not one."""
    question = context.asked.text
    said = [m for m in context.earlier if m.role in ("user", "developer") and m.text.strip()]
    if not is_question(question) and not _ALL.search(question):
        return None
    if not said:
        return (
            "This is the first message that I can see; nothing came before it."
            if _FIRST.search(question)
            else None
        )
    if _NAME_ASKED.search(question) and (name := _name(said)):
        return f"Your name is **{name}**. You told me so earlier in this conversation."
    if _ALL.search(question):
        listed = "\n".join(f"{n}. “{one_line(m.text)}”" for n, m in enumerate(said, 1))
        return f"So far you said:\n\n{listed}"
    if _FIRST.search(question):
        questions = [m for m in said if is_question(m.text)]
        first = questions[0] if questions and re.search(r"\bquestion\b", question, re.I) else said[0]
        return f"The first thing you said was: “{one_line(first.text)}”"
    if _LAST.search(question):
        return f"Just before this you said: “{one_line(said[-1].text)}”"
    return _overlap(question, said)


def _name(said: list[Message]) -> str | None:
    for pattern in (_NAME_SAID, _NAME_GIVEN):
        if found := [match[1] for m in said for match in pattern.finditer(m.text)]:
            return found[-1]
    return None


def _overlap(question: str, said: list[Message]) -> str | None:
    """Quote what shares most words with the question; of equals, statements first, then the newer."""
    asked = set(words(question))
    about_past = bool(_PAST.search(question))
    ranked = sorted(
        ((len(asked & set(words(m.text))), not is_question(m.text), index) for index, m in enumerate(said)),
        reverse=True,
    )
    score, _, index = ranked[0]
    if score == 0 and about_past:
        # Nothing matches: the oldest statement is what was most likely asked to be kept.
        statements = [m for m in said if not is_question(m.text)]
        return f"You said earlier: “{one_line((statements or said)[0].text)}”"
    if score == 0 or (score < 2 and not about_past and not _PERSONAL.search(question)):
        return None
    best = _best_sentence(said[index].text, asked)
    more = [one_line(said[i].text, 120) for other, _, i in ranked[1:3] if other == score]
    answer = f"You said earlier: “{one_line(best)}”"
    return (
        answer
        if not more
        else answer + "\n\nThis fits as well:\n\n" + "\n".join(f"- “{text}”" for text in more)
    )


def _best_sentence(text: str, asked: set[str]) -> str:
    """The whole of a short text; of a long one the sentence that matches and its neighbours."""
    if len(text) <= 280:
        return text
    sentences = sentences_of(text)
    scores = [len(asked & set(words(sentence))) for sentence in sentences]
    at = scores.index(max(scores))
    return " ".join(sentences[at : at + 2])


def sentences_of(text: str) -> list[str]:
    """Sentences and lines of a text, blanks folded."""
    parts = re.split(r"(?<=[.!?])\s+|\n+", text)
    return [folded for part in parts if (folded := " ".join(part.split()))]


def find_in(pdfs: list[Pdf], question: str) -> Found | None:
    """The sentence of any document that shares most words with the question; the earliest of equals."""
    asked = set(words(question))
    best: Found | None = None
    for document in pdfs:
        for number, page in enumerate(document.pages, 1):
            for sentence in sentences_of(page):
                score = len(asked & set(words(sentence)))
                # A statement answers better than a bare heading of the same words.
                score = 2 * score + (1 if score and _STATED.search(sentence) else 0)
                if score and (best is None or score > best.score):
                    best = Found(document.filename, number, sentence, score)
    return best
