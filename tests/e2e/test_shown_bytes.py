"""The raw view of a stream shows the bytes that the server sent, all of them and no others."""

from __future__ import annotations

import random

from support.sessions import make_session, take_turn

from tui.sandbox.server import SandboxServer
from tui.store.history import History
from tui.widgets.inspection.raw_bytes import RawBytes
from tui.widgets.inspection.views import Asked, Tab, make_page

STREAMS = 50
PROMPTS = ("Write a table of three rocks", "Says „größer“, 日本語 and 🎉?", "hello")


def raw_view(exchange: object, width: int) -> RawBytes:
    page = make_page(Asked(exchange, Tab.STREAM, 1, width, 4000))  # type: ignore[arg-type]
    assert isinstance(page, RawBytes)
    while page.waits:
        page.count_more()
    return page


def shown_bytes(page: RawBytes) -> bytes:
    return b"".join(page.bytes_of(index) for index in range(len(page)))


def shown_text(page: RawBytes, width: int) -> str:
    """What stands on the screen, line ends back to what they stand for."""
    rows = ((page.bytes_of(index), page.row(index, width).text) for index in range(len(page)))
    # A line that fills its row to the last cell has no room for the sign of its end.
    lines = (
        text if text.endswith("␊") or not data.endswith(b"\n") else f"{text}␊" for data, text in rows if data
    )
    return "".join(lines).replace("␊", "\n").replace("␍", "\r")


async def test_fifty_streams_cut_anywhere_are_shown_as_they_were_sent(sandbox: SandboxServer) -> None:
    dice = random.Random(5)
    session = make_session(sandbox)
    conversation = await session.new()
    for number in range(STREAMS):
        # From the first byte to beyond the end of a short answer: some are whole.
        sandbox.fault({"cut_bytes": dice.randint(1, 9000), "one_byte": number % 10 == 9})
        await take_turn(session, conversation.id, PROMPTS[number % 3])
    served = {record.request_id: record for record in sandbox.log if record.path.endswith("/responses")}
    live = [exchange for exchange in session.exchanges(conversation.id) if exchange.request_id]
    await session.aclose()
    history = History(session.settings.data_dir / "history.db")
    kept = [exchange for exchange in history.load_exchanges(conversation.id) if exchange.request_id]
    history.close()
    assert len(live) == len(kept) >= STREAMS
    cut = 0
    for exchange in [*live, *kept]:
        record = served[exchange.request_id or ""]
        cut += record.ended == "cut"
        for width in (54, 120):
            page = raw_view(exchange, width)
            assert shown_bytes(page) == record.sent
            if width == 120:
                text = record.sent.decode("utf-8", "backslashreplace")
                assert shown_text(page, width).count("\n") == text.count("\n")
                if record.sent.isascii():
                    assert shown_text(page, width) == text
    assert cut > STREAMS
