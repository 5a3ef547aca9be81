"""Values for tests of the history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui.core.conversation import Conversation
from tui.core.items import Item, Outcome, Target, Turn, Usage, user_message

TARGET = Target("openai.gpt-5.4", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1")


def conversation(number: int = 1, **changes: Any) -> Conversation:
    return replace(Conversation(id=f"c{number}", created_at=1000.0 + number), **changes)


def output(text: str) -> tuple[Item, ...]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return (Item.of({"type": "message", "id": "msg_1", "role": "assistant", "content": content}),)


def turn(turn_id: str, prompt: str, parent: str | None = None, **changes: Any) -> Turn:
    return replace(Turn(turn_id, parent, (user_message(prompt),), created_at=2000.0), **changes)


def completed(turn_id: str, prompt: str, answer: str, parent: str | None = None, **changes: Any) -> Turn:
    values: dict[str, Any] = {
        "output": output(answer),
        "outcome": Outcome.COMPLETED,
        "target": TARGET,
        "response_id": f"resp_{turn_id}",
        "request_id": f"req_{turn_id}",
        "stored": True,
        "usage": Usage(10, 0, None, 5, None, 15),
        "ended_at": 2001.0,
    }
    return turn(turn_id, prompt, parent, **{**values, **changes})
