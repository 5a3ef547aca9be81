"""What the endpoint sees: the items of the whole chain, and what they say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import errors, image, pdf, tokens
from .sealed import unseal
from .shapes import Json
from .store import ResponseStore, response_at
from .tokens import Split


@dataclass(frozen=True, slots=True)
class Message:
    """One message as text, with the documents and pictures attached to it."""

    role: str
    text: str
    pdfs: tuple[pdf.Pdf, ...] = ()
    images: tuple[image.Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Everything an answer may draw on.

    Attributes:
        items: the chain's, oldest first: input and output of each earlier response, then the new input.
        messages: the messages among them, in order.
        results: (tool name, output) of the tool outputs at the end of the items.
        instructions: of this request only; section 8.1, VERIFIED (sdk): not inherited.
        split: how this server cuts text into tokens.
        tools: as offered with this request.
    """

    items: list[Json]
    messages: list[Message]
    results: list[tuple[str, str]]
    instructions: str | None
    split: Split
    tools: tuple[Json, ...] = ()

    @property
    def asked(self) -> Message:
        """The newest user message; an empty one where there is none."""
        return next((m for m in reversed(self.messages) if m.role == "user"), Message("user", ""))

    @property
    def earlier(self) -> list[Message]:
        """The messages before the newest user message."""
        for index in range(len(self.messages) - 1, -1, -1):
            if self.messages[index].role == "user":
                return self.messages[:index]
        return self.messages

    @property
    def pdfs(self) -> list[pdf.Pdf]:
        """Every document in sight, oldest first, each once."""
        return list(dict.fromkeys(doc for message in self.messages for doc in message.pdfs))

    @property
    def images(self) -> list[image.Picture]:
        """Every picture in sight, oldest first, each once."""
        return list(dict.fromkeys(shown for message in self.messages for shown in message.images))


def chain(store: ResponseStore, response_id: str, now: float) -> list[Json]:
    """The items of a response and of all before it, from the store.

    Section 8.3, VERIFIED (aws-resp): every link must be stored, in the same region and project.

    Raises:
        ApiError: 404 when a link is missing; 400 when the newest has not ended (ASSUMED).
    """
    links: list[list[Json]] = []
    next_id: str | None = response_id
    while next_id is not None:
        record = store.load(next_id, now)
        if record is None:
            raise errors.no_previous(response_id)
        response = response_at(record, now)
        if not links and response["status"] not in ("completed", "incomplete"):
            raise errors.invalid(
                "previous_response_id", f"the response has the status '{response['status']}'"
            )
        links.append([*record["input"], *response["output"]])
        next_id = response["previous_response_id"]
    return [item for link in reversed(links) for item in link]


def resolve(items: list[Json], store: ResponseStore, model: str, place: str, now: float) -> list[Json]:
    """Check replayed items against what the server knows, and put items in place of references.

    Raises:
        ApiError: 404 for a reasoning item that is neither stored nor carries its content (section 4), 400 for
            encrypted content that was altered or is another model's, endpoint's or region's (section 8.5).
    """
    resolved: list[Json] = []
    for item in items:
        kind = item.get("type")
        if kind == "item_reference":
            found = store.item(str(item["id"]), now)
            if found is None:
                raise errors.not_persisted(item["id"])
            resolved.append(found)
            continue
        if kind == "reasoning":
            blob = item.get("encrypted_content")
            if blob and unseal(str(blob), model, place) is None:
                raise errors.bad_encrypted(str(item.get("id")))
            if not blob and store.item(str(item.get("id")), now) is None:
                raise errors.not_persisted(str(item.get("id")))
        resolved.append(item)
    return resolved


def read(items: list[Json], instructions: str | None, split: Split, tools: Sequence[Json] = ()) -> Context:
    """Take the messages and tool results out of the items.

    Raises:
        ApiError: 400 for a document that cannot be read.
    """
    messages = [
        _message(item) for item in items if "role" in item and item.get("type", "message") == "message"
    ]
    names = {
        item["call_id"]: item["name"]
        for item in items
        if item.get("type") in ("function_call", "custom_tool_call")
    }
    results: list[tuple[str, str]] = []
    for item in reversed(items):
        if item.get("type") not in ("function_call_output", "custom_tool_call_output"):
            break
        output = item["output"]
        text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
        results.insert(0, (names.get(item["call_id"], item["call_id"]), text))
    for item in items:
        if str(item.get("type")).endswith("_call_output") and item["call_id"] not in names:
            # ASSUMED: OpenAI's rule and words.
            raise errors.invalid("input", f"No tool call found for call_id {item['call_id']}.")
    answered = {item["call_id"] for item in items if str(item.get("type")).endswith("_call_output")}
    for call_id in names:
        if call_id not in answered:
            # ASSUMED: OpenAI's rule and words.
            raise errors.invalid("input", f"No tool output found for function call {call_id}.")
    return Context(items, messages, results, instructions, split, tuple(tools))


def _message(item: Json) -> Message:
    content = item["content"]
    if isinstance(content, str):
        return Message(item["role"], content)
    texts: list[str] = []
    documents: list[pdf.Pdf] = []
    images: list[image.Picture] = []
    for part in content:
        if part["type"] == "input_file":
            documents.append(pdf.read(str(part.get("filename") or "file.pdf"), part["file_data"]))
        elif part["type"] == "input_image":
            images.append(image.read(part["image_url"]))
        else:
            texts.append(str(part.get("text") or part.get("refusal") or ""))
    return Message(item["role"], "\n".join(text for text in texts if text), tuple(documents), tuple(images))


def pieces(context: Context) -> list[str]:
    """The prompt as a list of tokens; `len` of it, and `tokens.OVERHEAD`, is what the request costs.

    Tools come first, then instructions, then the items in the order of the wire, so that two prompts share a
    prefix exactly when all of these do. ASSUMED: where tools stand, and that their JSON is what they cost.
    """
    out: list[str] = []
    for tool in context.tools:
        out += ["\0tool"] * tokens.PER_ITEM + context.split(json.dumps(tool, ensure_ascii=False))
    if context.instructions:
        out += ["\0system"] * tokens.PER_ITEM + context.split(context.instructions)
    for item in context.items:
        out += [f"\0{item.get('role') or item['type']}"] * tokens.PER_ITEM
        for text in _texts(item):
            out += context.split(text)
        if "role" in item:
            message = _message(item)
            for shown in message.images:
                out += [f"\0image {shown.digest}"] * shown.tokens
            for document in message.pdfs:
                for number, page in enumerate(document.pages):
                    image = hashlib.sha256(page.encode("utf-8", "replace")).hexdigest()[:12]
                    out += [f"\0page {number} {image}"] * tokens.PER_PAGE + context.split(page)
    return out


def kept(context: Context, options: Json) -> int | None:
    """How many leading pieces the cache is asked to keep; None for all of them.

    Section 2, the names VERIFIED (sdk): with the mode `explicit`, what ends at the last breakpoint, and
    without one nothing; what counts otherwise is ASSUMED.
    """
    if options.get("mode") != "explicit":
        return None
    marked = [
        index
        for index, item in enumerate(context.items)
        if isinstance(item.get("content"), list)
        and any(part.get("prompt_cache_breakpoint") for part in item["content"])
    ]
    return len(pieces(replace(context, items=context.items[: marked[-1] + 1]))) if marked else 0


def rough(context: Context) -> int:
    """About how many tokens the context has, without cutting it: a quarter of its characters."""
    texts = [text for item in context.items for text in _texts(item)]
    pages = sum(len(doc.pages) for message in context.messages for doc in message.pdfs)
    seen = sum(shown.tokens for message in context.messages for shown in message.images)
    return sum(map(len, texts)) // 4 + tokens.PER_ITEM * len(context.items) + tokens.PER_PAGE * pages + seen


def _texts(item: Json) -> list[str]:
    if "role" in item:
        content = item["content"]
        if isinstance(content, str):
            return [content]
        return [str(part.get("text") or part.get("refusal") or "") for part in content]
    keys = ("name", "arguments", "input", "output", "encrypted_content")
    # Reasoning costs what its text is long, not what the blob is.
    return [
        str(item[key])[:400] if key == "encrypted_content" else str(item[key])
        for key in keys
        if item.get(key)
    ]
