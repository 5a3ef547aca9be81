"""The floor under the streaming figures: a Textual app of one line and an input, fed by the same server.

    python tests/benchmarks/floor.py URL MODEL

Enter sends. Each line of SSE is read and its JSON parsed; twenty times a second the line shows what came
last. Nothing is kept, rendered, recorded or scrolled.
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import urlsplit

from textual.app import App, ComposeResult
from textual.widgets import Input, Static

_FRAME = 1 / 20


class Floor(App[None]):
    """One line of text, one of input."""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)
        yield Input(placeholder="Message here")

    def on_input_submitted(self) -> None:
        """Ask for the answer."""
        self.run_worker(self._stream(*sys.argv[1:3]))

    async def _stream(self, base: str, model: str) -> None:
        url = urlsplit(base)
        reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=1 << 20)
        body = json.dumps({"model": model, "input": "x", "stream": True, "store": False}).encode()
        head = (
            f"POST {url.path}/responses HTTP/1.0\r\nhost: {url.netloc}\r\nauthorization: Bearer sandbox\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        line = self.query_one(Static)
        loop = asyncio.get_running_loop()
        text, shown = "", 0.0
        async for raw in reader:
            at = raw.find(b"{")
            if not raw.startswith(b"data:") or at < 0:
                continue
            event = json.loads(raw[at:])
            if event["type"] == "response.output_text.delta":
                text = (text + event["delta"].replace("\n", " "))[-100:]
            if loop.time() - shown > _FRAME or event["type"] == "response.completed":
                shown = loop.time()
                line.update(text)


if __name__ == "__main__":
    Floor().run()
