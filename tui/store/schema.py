"""The schema, as numbered migrations: each is applied once, in order, and is never changed afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS", "SCHEMA_VERSION"]

APPLICATION_ID: Final = 0x4F757463  # "Outc": tells a history from another program's database

_FIRST: Final = """
CREATE TABLE schema_versions (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT;

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    sandbox INTEGER NOT NULL,
    continuation TEXT NOT NULL,
    instructions TEXT NOT NULL,
    model TEXT,
    region TEXT,
    tip TEXT,
    lost TEXT NOT NULL,
    turn_count INTEGER NOT NULL DEFAULT 0,
    last_model TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX conversations_by_time ON conversations (updated_at);

-- `seq` keeps the order in which turns were added and is the row of the turn in turn_search.
CREATE TABLE turns (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id TEXT,
    created_at REAL NOT NULL,
    ended_at REAL,
    outcome TEXT,
    target TEXT,
    continuation TEXT NOT NULL,
    response_id TEXT,
    request_id TEXT,
    stored INTEGER NOT NULL,
    usage TEXT,
    error TEXT,
    notices TEXT NOT NULL,
    input TEXT NOT NULL,
    output TEXT NOT NULL,
    partial_text TEXT NOT NULL,
    partial_reasoning TEXT NOT NULL,
    owner TEXT NOT NULL
) STRICT;
CREATE INDEX turns_by_conversation ON turns (conversation_id, seq);
CREATE INDEX turns_running ON turns (owner) WHERE outcome IS NULL;

CREATE VIRTUAL TABLE turn_search USING fts5 (prompt, answer, tokenize = "unicode61 remove_diacritics 2");

CREATE TABLE exchanges (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    started_at REAL NOT NULL,
    outcome TEXT,
    owner TEXT NOT NULL,
    head TEXT NOT NULL,
    request_body BLOB NOT NULL,
    response_body BLOB NOT NULL,
    arrivals BLOB NOT NULL
) STRICT;
CREATE INDEX exchanges_by_conversation ON exchanges (conversation_id, number);
CREATE INDEX exchanges_running ON exchanges (owner) WHERE outcome IS NULL;

-- Large data URLs, each stored once; `uses` says which turn or exchange needs it.
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY,
    deflated INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE TABLE uses (
    user_id TEXT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    PRIMARY KEY (user_id, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX uses_by_blob ON uses (sha256);

CREATE TABLE drafts (conversation_id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;

-- What the server keeps. No foreign key: the server keeps it also when the conversation is deleted here.
CREATE TABLE stored_responses (
    response_id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    created_at REAL NOT NULL,
    conversation_id TEXT NOT NULL,
    deleted_at REAL
) STRICT;
"""

_SECOND: Final = """
-- What the conversation asks for beside its text: a JSON object, see core/controls.py.
ALTER TABLE conversations ADD COLUMN controls TEXT NOT NULL DEFAULT '{}';
-- `background`: the answer is made without a connection, and outlives the program that asked for it.
ALTER TABLE turns ADD COLUMN background INTEGER NOT NULL DEFAULT 0;
-- `summary`: the turn stands for the turns of another branch that it sums up.
ALTER TABLE turns ADD COLUMN summary INTEGER NOT NULL DEFAULT 0;
-- To be deleted at the server, which could not be made to yet.
ALTER TABLE stored_responses ADD COLUMN delete_wanted INTEGER NOT NULL DEFAULT 0;

-- Parameters that a model refuses at an endpoint, so that it is asked for them once and not at every turn.
CREATE TABLE refused_parameters (
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    parameter TEXT NOT NULL,
    refused_at REAL NOT NULL,
    PRIMARY KEY (endpoint, model, parameter)
) STRICT, WITHOUT ROWID;
"""

_THIRD: Final = """
-- What each response came to, one row each whatever asked for it (a turn, a summary, a check). It holds no
-- text, and stays when its conversation is deleted: the money is spent all the same.
CREATE TABLE usage_records (
    id TEXT PRIMARY KEY,
    at REAL NOT NULL,
    conversation_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    region TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    sandbox INTEGER NOT NULL,
    usage TEXT
) STRICT;
CREATE INDEX usage_by_time ON usage_records (at);
INSERT INTO usage_records
    SELECT t.id, t.created_at, t.conversation_id, 'turn', json_extract(t.target, '$[0]'),
        json_extract(t.target, '$[1]'), json_extract(t.target, '$[2]'), c.sandbox, t.usage
    FROM turns AS t JOIN conversations AS c ON c.id = t.conversation_id
    WHERE t.target IS NOT NULL AND t.summary = 0 AND t.outcome IS NOT NULL
        AND (t.usage IS NOT NULL OR t.response_id IS NOT NULL);

-- What came of checking whether a model answers somewhere; `place` is an endpoint, a profile or a base URL.
CREATE TABLE pairing_checks (
    model TEXT NOT NULL,
    region TEXT NOT NULL,
    place TEXT NOT NULL,
    at REAL NOT NULL,
    works INTEGER NOT NULL,
    sentence TEXT NOT NULL,
    PRIMARY KEY (model, region, place)
) STRICT, WITHOUT ROWID;
-- Which models a place listed when it was last asked: a JSON list of ids.
CREATE TABLE model_lists (
    region TEXT NOT NULL,
    place TEXT NOT NULL,
    at REAL NOT NULL,
    models TEXT NOT NULL,
    PRIMARY KEY (region, place)
) STRICT, WITHOUT ROWID;
-- `endpoint`: the one last chosen in the conversation (mantle, runtime, or the name of a profile).
ALTER TABLE conversations ADD COLUMN endpoint TEXT;
"""

_DRAFTS: Final = """
-- `pastes`: the stretches of the text that are shown as chips, a JSON list of [first, after the last].
ALTER TABLE drafts ADD COLUMN pastes TEXT NOT NULL DEFAULT '[]';
-- `about`: name, kind and estimates as JSON; `data`: the data URL, its bytes packed into a blob.
CREATE TABLE draft_files (
    conversation_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    about TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (conversation_id, place)
) STRICT, WITHOUT ROWID;
"""

_NOTES: Final = """
-- What the user says of an exchange. A table of its own: writing it must not touch megabytes of bodies, and
-- an exchange is written again each time it grows.
CREATE TABLE exchange_notes (
    exchange_id TEXT PRIMARY KEY,
    bookmarked INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

_SIZES: Final = """
-- Which exchanges are the oldest and what they take, without reading their bodies (exchanges.prune).
CREATE INDEX exchanges_by_age ON exchanges
    (started_at, length(request_body) + length(response_body) + length(arrivals));
"""

_TOOLS: Final = """
-- `tools`: what a conversation offers the model, see core/tools.py (ToolUse).
ALTER TABLE conversations ADD COLUMN tools TEXT NOT NULL DEFAULT '{}';
-- `calls`: what became of a turn's tool calls, written before, while and after they run: a JSON list.
ALTER TABLE turns ADD COLUMN calls TEXT NOT NULL DEFAULT '';
-- Answers of the user's that hold for every call of a tool whose arguments match; see core/tools.py (Rule).
CREATE TABLE tool_rules (
    id INTEGER PRIMARY KEY,
    tool TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    pattern TEXT NOT NULL,
    allow INTEGER NOT NULL,
    at REAL NOT NULL
) STRICT;
"""

_FORMATS: Final = """
-- `text_format`: the form its answer was asked for in, a JSON object; empty for prose.
ALTER TABLE turns ADD COLUMN text_format TEXT NOT NULL DEFAULT '';
"""

_APIS: Final = """
-- `api`: the one last chosen in the conversation, see API_NAMES in core/catalogue.py.
ALTER TABLE conversations ADD COLUMN api TEXT;
"""


def _first(db: sqlite3.Connection) -> None:
    for statement in _statements(_FIRST):
        db.execute(statement)


def _second(db: sqlite3.Connection) -> None:
    for statement in _statements(_SECOND):
        db.execute(statement)


def _third(db: sqlite3.Connection) -> None:
    for statement in _statements(_THIRD):
        db.execute(statement)


def _drafts(db: sqlite3.Connection) -> None:
    for statement in _statements(_DRAFTS):
        db.execute(statement)


def _notes(db: sqlite3.Connection) -> None:
    for statement in _statements(_NOTES):
        db.execute(statement)


def _sizes(db: sqlite3.Connection) -> None:
    for statement in _statements(_SIZES):
        db.execute(statement)


def _tools(db: sqlite3.Connection) -> None:
    for statement in _statements(_TOOLS):
        db.execute(statement)


def _formats(db: sqlite3.Connection) -> None:
    for statement in _statements(_FORMATS):
        db.execute(statement)


def _apis(db: sqlite3.Connection) -> None:
    for statement in _statements(_APIS):
        db.execute(statement)


def _statements(script: str) -> list[str]:
    """The script's statements one by one: `executescript` would commit the migration's transaction."""
    statements: list[str] = []
    buffer = ""
    for line in script.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            statements.append(buffer)
            buffer = ""
    return statements


MIGRATIONS: Final[list[Callable[[sqlite3.Connection], None]]] = [
    _first,
    _second,
    _third,
    _drafts,
    _notes,
    _sizes,
    _tools,
    _formats,
    _apis,
]
SCHEMA_VERSION: Final = len(MIGRATIONS)
