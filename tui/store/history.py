"""The history: conversations, turns, drafts, exchanges, and what the server keeps.

Synchronous, used from one thread (`StoreThread` brings it to the event loop). Every method that writes
has committed durably when it returns, or raises `StoreError` and has written nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from tui.core.attachments import Attachment
from tui.core.controls import Controls
from tui.core.conversation import Conversation, ConversationSummary
from tui.core.drafts import Draft, Span
from tui.core.errors import NoSuchConversation
from tui.core.exchange import Exchange
from tui.core.garbage import collector_paused
from tui.core.items import Item, Target, Turn, dump_json
from tui.core.text import storable
from tui.core.tools import Rule, ToolUse
from tui.store import drafts, exchange_notes, exchanges, responses, tool_rules, turns
from tui.store.abandoned import ENDED_WHILE_RUNNING, end_abandoned
from tui.store.branches import delete_branch, forget_turns
from tui.store.database import Database
from tui.store.importing import add_conversation
from tui.store.ledger import Ledger
from tui.store.process import this_process
from tui.store.repair import renew_search
from tui.store.rows import TURN_COLUMNS, items_reader, turn_from_row
from tui.store.search import SUMMARY_COLUMNS, search, summary_from_row

__all__ = ["ENDED_WHILE_RUNNING", "History"]

# Names of their own, as the class has a method `list`.
Summaries = list[ConversationSummary]
StoredResponses = list[responses.StoredResponse]
Exchanges = list[Exchange]
ExchangePlaces = list[exchanges.ExchangePlace]


class History(Ledger):
    """The history in one SQLite file.

    Args:
        path: The file; it and its folder are made when missing, private to the user. `None` is a history
            in memory.
        owner: Who marks running turns as its own; this process by default.
        wait: Seconds for another program's lock; 5 by default.

    Attributes:
        to_erase: Whether deleted text is left in the log, as another program is reading it.

    Raises:
        HistoryUnusable: The file cannot be used; it was left as it was.
    """

    def __init__(self, path: Path | None, owner: str | None = None, wait: float | None = None) -> None:
        self._owner = owner or this_process()
        self._db = Database(path, wait)
        self.to_erase = False
        # Which input a turn was last saved with: large attachments are hashed once, not at every save.
        self._input_saved: tuple[str, tuple[Item, ...]] | None = None
        self._left_running: dict[str, Turn] = {}
        try:
            self._end_abandoned()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file; the history is not usable after that."""
        self._db.close()

    def wait_at_most(self, seconds: float) -> None:
        """How long to wait for another program's lock from now on."""
        with self._db.sentences():
            self._db.wait_at_most(seconds)

    def renew_search(self) -> bool:
        """Make the search index anew, if it alone is damaged; whether it is sound then."""
        return renew_search(self._db)

    def empty_log(self) -> bool:
        """Try again to take deleted text out of the log; whether nothing is left there."""
        self.to_erase = not self._db.empty_log()
        return not self.to_erase

    # Conversations

    def save_conversation(self, conversation: Conversation) -> None:
        """Insert or update what belongs to the conversation itself; its turns are saved one by one.

        An empty title keeps the one that is there.
        """
        with self._db.transaction() as db:
            _save_conversation(db, conversation)

    def change_conversation(self, conversation: Conversation) -> None:
        """As `save_conversation`, but only where it is in the history: another window may have deleted it."""
        with self._db.transaction() as db:
            if db.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation.id,)).fetchone():
                _save_conversation(db, conversation)

    def add_conversation(self, conversation: Conversation) -> Conversation:
        """Add a conversation that came from a file, with its turns; what is there is never written over.

        Returns:
            It as it is in the history: under new ids where one of its own is taken.
        """
        with self._db.transaction() as db:
            return add_conversation(db, conversation, _save_conversation)

    def load(self, conversation_id: str) -> Conversation:
        """Everything of a conversation.

        A turn that nobody runs any more comes back as failed, with the text that had come.

        Raises:
            NoSuchConversation: There is none of that id.
            StoreError: The file cannot be read.
        """
        self._end_abandoned()
        row = self._row(
            "SELECT id, created_at, title, sandbox, continuation, instructions, model, region, tip, lost,"
            " controls, endpoint, tools, api FROM conversations WHERE id = ?",
            conversation_id,
        )
        if row is None:
            raise NoSuchConversation(
                f"There is no conversation {conversation_id}; `outcrop history list` shows those there are."
            )
        all_turns = self._turns("conversation_id = ? ORDER BY seq", conversation_id)
        if self._left_running:  # it could not be written down
            all_turns = {name: self._left_running.get(name, turn) for name, turn in all_turns.items()}
        tip = row[8]
        if tip is not None and tip not in all_turns:
            # The program was ended between saving the conversation and saving the turn.
            tip = next(reversed(all_turns), None)
        return Conversation(
            id=row[0],
            created_at=row[1],
            title=row[2],
            sandbox=bool(row[3]),
            continuation=row[4],
            instructions=row[5],
            model=row[6],
            region=row[7],
            turns=all_turns,
            tip=tip,
            lost=frozenset(json.loads(row[9])) if row[9] else frozenset(),
            controls=Controls.from_json(json.loads(row[10])),
            endpoint=row[11],
            tools=ToolUse.from_json(json.loads(row[12])),
            api=row[13],
        )

    def in_background(self, sandbox: bool) -> tuple[str, ...]:
        """Ids of the conversations with a background turn that has not ended, last used first."""
        rows = self._db.rows(
            "SELECT id FROM conversations AS c WHERE sandbox = ? AND EXISTS (SELECT 1 FROM turns"
            " WHERE conversation_id = c.id AND background = 1 AND outcome IS NULL"
            " AND response_id IS NOT NULL) ORDER BY updated_at DESC, rowid DESC",
            (sandbox,),
        )
        return tuple(row[0] for row in rows)

    def set_title(self, conversation_id: str, title: str) -> None:
        """Give the conversation another title."""
        self._write("UPDATE conversations SET title = ? WHERE id = ?", storable(title), conversation_id)

    def set_lost(self, conversation_id: str, response_ids: frozenset[str]) -> None:
        """Remember all responses of the conversation that the server no longer has."""
        lost = json.dumps(sorted(response_ids)) if response_ids else ""
        self._write("UPDATE conversations SET lost = ? WHERE id = ?", lost, conversation_id)

    def list(self, limit: int = 200, sandbox: bool | None = None) -> Summaries:
        """The conversations used last, newest first.

        Args:
            limit: At most this many.
            sandbox: Only those of the sandbox, or only those of the service; `None` for both.
        """
        rows = self._db.rows(
            f"SELECT {SUMMARY_COLUMNS} FROM conversations AS c"
            " WHERE ?1 IS NULL OR sandbox = ?1 ORDER BY updated_at DESC, rowid DESC LIMIT ?2",
            (sandbox, limit),
        )
        return [summary_from_row(row) for row in rows]

    def latest(self, sandbox: bool) -> str | None:
        """The id of the conversation used last with the sandbox, or with the service."""
        found = self.list(1, sandbox)
        return found[0].id if found else None

    def search(self, text: str, limit: int = 50) -> Summaries:
        """The conversations that hold every word of `text`, the last used first, with the words around it.

        What is typed is data: it is never read as query syntax. The last word may be unfinished.
        """
        with self._db.sentences():
            return search(self._db.connection, storable(text), limit)

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation with its exchanges, drafts and attachments; its text leaves the file.

        What the server keeps is not touched, nor is the knowledge of it. A missing id is no error.
        """
        with self._db.transaction() as db:
            rows = db.execute("SELECT id, seq FROM turns WHERE conversation_id = ?", (conversation_id,))
            forget_turns(db, dict(rows.fetchall()))
            rows = db.execute("SELECT id FROM exchanges WHERE conversation_id = ?", (conversation_id,))
            exchanges.forget_exchanges(db, [row[0] for row in rows.fetchall()])
            drafts.forget(db, conversation_id)
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))
        self.to_erase = not self._db.erase_deleted()

    def delete_branch(
        self, conversation_id: str, turn_id: str, tip: str | None
    ) -> tuple[frozenset[str], str]:
        """Delete a turn and all that goes on from it; its text leaves the file.

        A conversation that has no turn then is deleted as a whole. What the server keeps is not touched, nor
        is the knowledge of it. A missing turn is no error.

        Args:
            conversation_id: The conversation.
            turn_id: Where the branch begins.
            tip: Where the conversation stands afterwards.

        Returns:
            The ids of the turns that are gone, and the conversation's title as it is then.

        Raises:
            StoreError: A turn of the branch is still running, here or in another window.
        """
        self._end_abandoned()
        with self._db.transaction() as db:
            gone, title = delete_branch(db, conversation_id, turn_id, tip)
        if self._row("SELECT 1 FROM turns WHERE conversation_id = ?", conversation_id):
            self.to_erase = not self._db.erase_deleted()
        else:
            self.delete(conversation_id)
        return gone, title

    # Turns

    def save_turn(self, conversation_id: str, turn: Turn) -> None:
        """Insert a turn, which becomes the tip and gives an untitled conversation its title; or update it.

        Raises:
            StoreError: The conversation is not in the history, or the file cannot be written.
        """
        same_input = self._input_saved is not None and (
            self._input_saved[0] == turn.id and self._input_saved[1] is turn.input
        )
        with self._db.transaction() as db:
            turns.save_turn(db, conversation_id, turn, self._owner, same_input=same_input)
        self._input_saved = (turn.id, turn.input)

    def begin_turn(self, conversation: Conversation, turn: Turn) -> None:
        """Insert a turn with its conversation, which stands at it by now.

        Raises:
            StoreError: The turn before is not in the history; then the conversation is not put there either.
        """
        with self._db.transaction() as db:
            _save_conversation(db, conversation)
            turns.save_turn(db, conversation.id, turn, self._owner, same_input=False)
        self._input_saved = (turn.id, turn.input)

    def save_partial(
        self,
        turn_id: str,
        partial_text: str,
        partial_reasoning: str = "",
        output: tuple[Item, ...] = (),
        response_id: str | None = None,
        *,
        stored: bool = False,
    ) -> None:
        """Save what a running turn has so far: one row is written, the search index is left alone.

        With `stored`, the response is known as one that the server keeps from its first event on.
        """
        with self._db.transaction() as db:
            turns.save_partial(db, turn_id, partial_text, partial_reasoning, output, response_id)
            if stored and response_id:
                responses.save_of_turn(db, turn_id)

    def _turns(self, where: str, *values: object) -> dict[str, Turn]:
        read_items = items_reader(self._db.connection)
        found: dict[str, Turn] = {}
        with self._db.sentences(), collector_paused():
            for row in self._db.connection.execute(f"SELECT {TURN_COLUMNS} FROM turns WHERE {where}", values):
                # The parent's id is a string that is there already.
                parent = found.get(row[1])
                found[row[0]] = turn_from_row(row, read_items, row[1] if parent is None else parent.id)
        return found

    def _end_abandoned(self) -> None:
        """Mark what ran in a program that is gone as failed; where nothing can be written, in memory."""
        self._left_running = end_abandoned(self._db, self._owner, self._turns)

    # Drafts

    def save_draft(self, conversation_id: str, text: str, pastes: Sequence[Span] = ()) -> None:
        """Keep what is typed and not sent; an empty text removes it. The id `""` is the new conversation.

        Args:
            conversation_id: Whose draft.
            text: All of it, pastes expanded.
            pastes: The stretches of it that are shown as chips.
        """
        with self._db.transaction() as db:
            drafts.save_text(db, conversation_id, text, pastes)

    def save_draft_files(self, conversation_id: str, files: Sequence[Attachment]) -> None:
        """Keep the files of a draft, in their order, instead of those kept before."""
        with self._db.transaction() as db:
            drafts.save_files(db, conversation_id, files)

    def load_draft(self, conversation_id: str) -> Draft:
        """What was typed and not sent, with its files; empty when there is nothing."""
        with self._db.sentences():
            return drafts.load(self._db.connection, conversation_id)

    def recent_prompts(self, sandbox: bool, limit: int) -> tuple[str, ...]:
        """The prompts sent last, of all conversations with the sandbox or the service, oldest first."""
        rows = self._db.rows(
            # In this order, from the last turn on: by itself SQLite reads all texts first.
            "SELECT s.prompt FROM turns AS t CROSS JOIN conversations AS c ON c.id = t.conversation_id"
            " CROSS JOIN turn_search AS s ON s.rowid = t.seq"
            " WHERE c.sandbox = ? AND t.summary = 0 AND s.prompt != '' ORDER BY t.seq DESC LIMIT ?",
            (sandbox, limit),
        )
        return tuple(str(row[0]) for row in reversed(rows))

    def drafts(self) -> dict[str, str]:
        """Every draft by conversation id."""
        return dict(self._db.rows("SELECT conversation_id, text FROM drafts"))

    # Exchanges and stored responses

    def save_exchange(self, exchange: Exchange) -> None:
        """Insert an exchange or update it; its secrets were masked when it was recorded."""
        with self._db.transaction() as db:
            exchanges.save(db, exchange, self._owner if exchange.outcome is None else "")

    def load_exchanges(self, conversation_id: str) -> Exchanges:
        """The exchanges of a conversation in the order of their numbers, bodies included."""
        self._end_abandoned()
        with self._db.sentences():
            found = exchanges.load(self._db.connection, conversation_id)
            exchange_notes.lay_over(self._db.connection, found)
            return found

    def load_exchange(self, exchange_id: str) -> Exchange | None:
        """One exchange, bodies included; `None` when there is none of that id."""
        self._end_abandoned()
        with self._db.sentences():
            found = exchanges.load_one(self._db.connection, exchange_id)
            exchange_notes.lay_over(self._db.connection, [found] if found else [])
            return found

    def note_exchange(self, exchange_id: str, bookmarked: bool, note: str) -> None:
        """Keep the user's bookmark and note on an exchange."""
        with self._db.transaction() as db:
            exchange_notes.save(db, exchange_id, bookmarked, note)

    def prune_exchanges(self, most_bytes: int, made_before: float) -> bool:
        """Delete some of the exchanges that are too old or too many; one step of a few milliseconds.

        Args:
            most_bytes: What all of them may take; 0 is no limit.
            made_before: Older ones go, seconds since the epoch.

        Returns:
            Whether there may be more to do.
        """
        with self._db.transaction() as db:
            if exchanges.prune(db, most_bytes, made_before):
                return True
        return self._db.shrink()

    def exchange_places(self, conversation_id: str | None = None) -> ExchangePlaces:
        """Where every exchange is, or those of a conversation, oldest first; no body is read."""
        with self._db.sentences():
            return exchanges.places(self._db.connection, conversation_id)

    def save_stored_response(
        self, response_id: str, target: Target, created_at: float, conversation_id: str
    ) -> None:
        """Remember a response that the server keeps and that belongs to no turn: that of a replay."""
        with self._db.transaction() as db:
            responses.save(db, response_id, target, created_at, conversation_id)

    def stored_responses(self, *, deleted: bool = False) -> StoredResponses:
        """What the server keeps (or kept, with `deleted`), newest first."""
        with self._db.sentences():
            return responses.load(self._db.connection, deleted=deleted)

    def mark_response_deleted(self, response_id: str, at: float) -> None:
        """Remember that the server no longer keeps a response; `at` is seconds since the epoch.

        No later turn of its conversation continues from it.
        """
        with self._db.transaction() as db:
            responses.mark_deleted(db, response_id, at)

    def expire_responses(self, made_before: float, lifetime: float) -> None:
        """Take responses for gone that are as old as the server lets them become; times in seconds."""
        with self._db.transaction() as db:
            responses.mark_expired(db, made_before, lifetime)

    def want_response_deleted(self, response_ids: Iterable[str]) -> None:
        """Remember that responses are to be deleted at the server: at the next start, if not before.

        Ids that the history does not know, or knows as deleted, are passed over.
        """
        with self._db.transaction() as db:
            db.executemany(
                "UPDATE stored_responses SET delete_wanted = 1 WHERE response_id = ? AND deleted_at IS NULL",
                [(response_id,) for response_id in response_ids],
            )

    def refuse_parameter(self, endpoint: str, model: str, parameter: str, at: float) -> None:
        """Remember that a model refuses a parameter at an endpoint; `at` is seconds since the epoch."""
        self._write(
            "INSERT OR REPLACE INTO refused_parameters VALUES (?, ?, ?, ?)", endpoint, model, parameter, at
        )

    def refused_parameters(self) -> set[tuple[str, str, str]]:
        """What was refused: endpoint, model, parameter."""
        return set(self._db.rows("SELECT endpoint, model, parameter FROM refused_parameters"))

    def save_tool_rule(self, rule: Rule, at: float) -> None:
        """Keep an answer that holds for every call of a tool that it matches; `at` is in seconds."""
        with self._db.transaction() as db:
            tool_rules.save(db, rule, at)

    def tool_rules(self) -> tuple[Rule, ...]:
        """Those answers, oldest first."""
        with self._db.sentences():
            return tool_rules.load(self._db.connection)

    def forget_tool_rule(self, rule_id: int) -> None:
        """Ask again about what a rule decided."""
        self._write("DELETE FROM tool_rules WHERE id = ?", rule_id)

    def _row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        rows = self._db.rows(sql, values)
        return rows[0] if rows else None

    def _write(self, sql: str, *values: object) -> None:
        with self._db.transaction() as db:
            db.execute(sql, values)


def _save_conversation(db: sqlite3.Connection, conversation: Conversation) -> None:
    lost = json.dumps(sorted(conversation.lost)) if conversation.lost else ""
    values = {
        "id": conversation.id,
        "title": storable(conversation.title),
        "created_at": conversation.created_at,
        "sandbox": conversation.sandbox,
        "continuation": conversation.continuation,
        "instructions": storable(conversation.instructions),
        "model": conversation.model,
        "region": conversation.region,
        "endpoint": conversation.endpoint,
        "api": conversation.api,
        "tip": conversation.tip,
        "lost": lost,
        "controls": dump_json(conversation.controls.as_json()),
        "tools": dump_json(conversation.tools.as_json()),
    }
    db.execute(_SAVE_CONVERSATION, values)


_SAVE_CONVERSATION: Final = """
INSERT INTO conversations (id, title, created_at, updated_at, sandbox, continuation, instructions, model,
                           region, tip, lost, controls, endpoint, tools, api)
VALUES (:id, :title, :created_at, :created_at, :sandbox, :continuation, :instructions, :model, :region, :tip,
        :lost, :controls, :endpoint, :tools, :api)
ON CONFLICT (id) DO UPDATE SET
    title = iif(excluded.title = '', title, excluded.title), continuation = excluded.continuation,
    instructions = excluded.instructions, model = excluded.model, region = excluded.region,
    tip = excluded.tip, lost = excluded.lost, controls = excluded.controls,
    endpoint = excluded.endpoint, tools = excluded.tools, api = excluded.api
"""
