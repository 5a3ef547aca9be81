"""The answer to a prompt: a pure function of the visible context. Nothing here is a model."""

from __future__ import annotations

import re

from . import longform, samples
from .context import Context
from .image import Picture
from .pdf import Pdf
from .recall import find_in, is_question, one_line, remembered

NOTICE = (
    "> **This is Outcrop's sandbox, not a model.** It runs on your machine, offline; its answers are put"
    " together from what you send."
)
_EXACT = re.compile(
    r"\b(?:reply|respond|answer)(?: \w+)? with (?:exactly|only)(?: (?:the )?(?:words?|text|this))?\s*:?\s*"
    r"(?P<text>.+)\Z",
    re.I | re.S,
)
_SIZE = re.compile(r"\b(\d{1,3}(?:[ ,]\d{3})+|\d{1,6})[ -]+(word|line|token|paragraph)s?\b", re.I)
_MAKE = re.compile(r"\b(write|make|give|show|draw|list|create|generate|produce|need|want)\b", re.I)
_LANGUAGE = re.compile(r"\b(python|rust|rs|javascript|js|typescript|ts|bash|shell|sql|json)\b", re.I)
_ABOUT_FILE = re.compile(r"\b(pdf|document|file|page|pages|attached|attachment|report|paper)\b", re.I)


def answer(context: Context, verbosity: str = "medium") -> str:
    """What the sandbox says.

    Args:
        context: everything in sight.
        verbosity: `text.verbosity` of the request: low, medium or high.

    Returns:
        Markdown. "Reply with exactly: X" gives X and nothing else.
    """
    prompt = context.asked.text
    if exact := _EXACT.search(prompt):
        return exact["text"].strip()
    body = _body(context, prompt, verbosity)
    first = not any(message.role == "assistant" for message in context.earlier)
    return f"{NOTICE}\n\n{body}" if first else body


def _body(context: Context, prompt: str, verbosity: str) -> str:
    if context.results:
        parts = [_tool_results(context.results)]
        if context.asked.pdfs:
            parts.append(_attached(list(context.asked.pdfs), prompt))
        return "\n\n".join(parts)
    if size := _SIZE.search(prompt):
        wanted = min(int(re.sub(r"[ ,]", "", size[1])), 200_000)
        return longform.long_text(wanted, size[2].lower(), samples.pick(prompt, 1000), context.split)
    if context.asked.pdfs or context.asked.images:
        parts = [_picture(shown) for shown in context.asked.images]
        if context.asked.pdfs:
            parts.append(_attached(list(context.asked.pdfs), prompt))
        return "\n\n".join(parts)
    if asked_for := _asked_for(prompt):
        return asked_for
    return _from_context(context, prompt) or _ordinary(context, prompt, verbosity)


def _title(prompt: str) -> str:
    name = samples.topic(prompt)
    return name[:1].upper() + name[1:]


def _asked_for(prompt: str) -> str | None:
    if not _MAKE.search(prompt):
        return None
    lowered = prompt.lower()
    if re.search(r"\btables?\b", lowered):
        return f"## {_title(prompt)}\n\n{samples.table(prompt, 6)}"
    if re.search(r"\b(code|function|script|program|class)\b", lowered) or _LANGUAGE.search(prompt):
        language = _LANGUAGE.search(prompt)
        block = samples.code(prompt, language[1].lower() if language else "python")
        return f"Here it is:\n\n{block}\n\nIt has **no dependencies** and was not run."
    if re.search(r"\b(lists?|bullets?|steps)\b", lowered):
        return f"## {_title(prompt)}\n\n{samples.bullets(prompt)}\n\n{samples.steps(prompt)}"
    return None


def _from_context(context: Context, prompt: str) -> str | None:
    """Recall: from documents where the question points there, else from what was said."""
    if context.instructions and re.search(r"\byour (system )?instructions\b", prompt, re.I):
        return f"My instructions are: “{one_line(context.instructions)}”"
    found = find_in(context.pdfs, prompt) if context.pdfs else None
    about_file = bool(context.pdfs and _ABOUT_FILE.search(prompt))
    if about_file:
        return _document_question(context.pdfs, prompt)
    said = remembered(context)
    if said is not None:
        return said
    if found is not None and found.score >= 4 and is_question(prompt):
        return f"From `{found.filename}`, page {found.page}: “{one_line(found.sentence)}”"
    return None


def _document_question(pdfs: list[Pdf], prompt: str) -> str:
    parts: list[str] = []
    if re.search(r"\bhow many pages\b|\bpage count\b|\bnumber of pages\b", prompt, re.I):
        parts.append("\n".join(f"`{doc.filename}` has **{_pages(doc)}**." for doc in pdfs))
    found = find_in(pdfs, prompt)
    if found is not None:
        parts.append(f"From `{found.filename}`, page {found.page}: “{one_line(found.sentence)}”")
    if not parts:
        parts.append("\n\n".join(_summary(doc) for doc in pdfs))
    return "\n\n".join(parts)


def _attached(pdfs: list[Pdf], prompt: str) -> str:
    parts = [_summary(doc) for doc in pdfs]
    found = find_in(pdfs, prompt)
    if prompt.strip() and found is not None:
        parts.append(
            f"### What it says about this\n\n> {one_line(found.sentence)}\n\n"
            f"— `{found.filename}`, page {found.page}"
        )
    return "\n\n".join(parts)


def _pages(doc: Pdf) -> str:
    return "1 page" if len(doc.pages) == 1 else f"{len(doc.pages)} pages"


def _picture(shown: Picture) -> str:
    return (
        f"## The image\n\nIt is a **{shown.kind}** of **{shown.width} × {shown.height}** pixels; "
        "this sandbox looks at no more than that."
    )


def _summary(doc: Pdf) -> str:
    head = f"## {one_line(doc.filename, 80)}\n\nThe document has **{_pages(doc)}**"
    lines = doc.lines
    if not lines:
        return f"{head} and no text that can be read."
    count = sum(len(page.split()) for page in doc.pages)
    shown = "\n".join(f"- {one_line(line, 160)}" for line in lines[:5])
    return f"{head} and about {count} words. It begins with:\n\n{shown}"


def _tool_results(results: list[tuple[str, str]]) -> str:
    lines = "\n".join(f"- `{name}` returned: {one_line(output)}" for name, output in results)
    return f"## Tool results\n\n{lines}"


def _ordinary(context: Context, prompt: str, verbosity: str) -> str:
    """Markdown of every kind, about the words of the prompt, and what is in sight."""
    name = samples.topic(prompt)
    opening = (
        f"Here is what can be said about **{name}** without knowing anything.",
        f"Let us take *{name}* apart, one layer at a time.",
        f"**{_title(prompt)}** is best looked at from the side, where the layers show.",
    )[samples.pick(prompt, 3)]
    seen = _in_sight(context)
    if verbosity == "low":
        return f"{opening}\n\n{seen}"
    middles = [
        f"### The short way\n\n{samples.bullets(prompt)}",
        f"### In figures\n\n{samples.table(prompt)}",
        f"### As a program\n\n{samples.code(prompt)}",
        f"### Step by step\n\n{samples.steps(prompt)}",
    ]
    start = samples.pick(prompt[::-1], 4)
    chosen = [middles[(start + n) % 4] for n in range(4 if verbosity == "high" else 3)]
    heading = f"## {_title(prompt)}"
    return "\n\n".join([heading, opening, *chosen, f"### What I can see\n\n{seen}"])


def _in_sight(context: Context) -> str:
    """One line for each thing in the context: the proof that it reached the server."""
    said = [m for m in context.earlier if m.role == "user"]
    lines = [f"- Your message: “{one_line(context.asked.text, 120)}”"]
    if said:
        lines.append(
            f"- Earlier messages of yours: {len(said)}; the first was “{one_line(said[0].text, 120)}”"
        )
    lines += [f"- The file `{one_line(doc.filename, 80)}`, {_pages(doc)}" for doc in context.pdfs]
    lines += [f"- An image, {shown.kind}, {shown.width} × {shown.height} pixels" for shown in context.images]
    return "\n".join(lines)
