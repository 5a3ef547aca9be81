-- A history as version 9 of the schema left it: its tables as the commit that released it made them, and rows.
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
, controls TEXT NOT NULL DEFAULT '{}', endpoint TEXT, tools TEXT NOT NULL DEFAULT '{}', api TEXT) STRICT;
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
, background INTEGER NOT NULL DEFAULT 0, summary INTEGER NOT NULL DEFAULT 0, calls TEXT NOT NULL DEFAULT '', text_format TEXT NOT NULL DEFAULT '') STRICT;
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
CREATE TABLE drafts (conversation_id TEXT PRIMARY KEY, text TEXT NOT NULL, pastes TEXT NOT NULL DEFAULT '[]') STRICT;
CREATE TABLE stored_responses (
    response_id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    created_at REAL NOT NULL,
    conversation_id TEXT NOT NULL,
    deleted_at REAL
, delete_wanted INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE refused_parameters (
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    parameter TEXT NOT NULL,
    refused_at REAL NOT NULL,
    PRIMARY KEY (endpoint, model, parameter)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE pairing_checks (
    model TEXT NOT NULL,
    region TEXT NOT NULL,
    place TEXT NOT NULL,
    at REAL NOT NULL,
    works INTEGER NOT NULL,
    sentence TEXT NOT NULL,
    PRIMARY KEY (model, region, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE model_lists (
    region TEXT NOT NULL,
    place TEXT NOT NULL,
    at REAL NOT NULL,
    models TEXT NOT NULL,
    PRIMARY KEY (region, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE draft_files (
    conversation_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    about TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (conversation_id, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE exchange_notes (
    exchange_id TEXT PRIMARY KEY,
    bookmarked INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tool_rules (
    id INTEGER PRIMARY KEY,
    tool TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    pattern TEXT NOT NULL,
    allow INTEGER NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE INDEX conversations_by_time ON conversations (updated_at);
CREATE INDEX turns_by_conversation ON turns (conversation_id, seq);
CREATE INDEX turns_running ON turns (owner) WHERE outcome IS NULL;
CREATE INDEX exchanges_by_conversation ON exchanges (conversation_id, number);
CREATE INDEX exchanges_running ON exchanges (owner) WHERE outcome IS NULL;
CREATE INDEX uses_by_blob ON uses (sha256);
CREATE INDEX usage_by_time ON usage_records (at);
CREATE INDEX exchanges_by_age ON exchanges
    (started_at, length(request_body) + length(response_body) + length(arrivals));
INSERT INTO schema_versions (version, applied_at) VALUES (1, '2026-01-01T00:00:00+00:00');
INSERT INTO schema_versions (version, applied_at) VALUES (2, '2026-01-01T00:00:00+00:00');
INSERT INTO schema_versions (version, applied_at) VALUES (3, '2026-01-01T00:00:00+00:00');
INSERT INTO schema_versions (version, applied_at) VALUES (4, '2026-01-01T00:00:00+00:00');
INSERT INTO schema_versions (version, applied_at) VALUES (5, '2026-01-01T00:00:00+00:00');
INSERT INTO schema_versions (version, applied_at) VALUES (6, '2026-01-01T00:00:00+00:00');
INSERT INTO schema_versions (version, applied_at) VALUES (7, '2026-01-01T00:00:00+00:00');
INSERT INTO schema_versions (version, applied_at) VALUES (8, '2026-01-01T00:00:00+00:00');
INSERT INTO schema_versions (version, applied_at) VALUES (9, '2026-01-01T00:00:00+00:00');
INSERT INTO conversations (id, title, created_at, updated_at, sandbox, continuation, instructions, model, region, tip, lost, turn_count, last_model, controls, endpoint, tools, api) VALUES ('c1', 'Rocks', 1001.0, 2001.0, 0, 'stateless', 'Be brief', 'openai.gpt-5.4', 'us-west-2', 't2', '["resp_old"]', 2, 'openai.gpt-5.4', '{}', NULL, '{}', NULL);
INSERT INTO turns (seq, id, conversation_id, parent_id, created_at, ended_at, outcome, target, continuation, response_id, request_id, stored, usage, error, notices, input, output, partial_text, partial_reasoning, owner, background, summary, calls, text_format) VALUES (1, 't1', 'c1', NULL, 2000.0, 2001.0, 'completed', '["openai.gpt-5.4", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1", false]', 'stateful', 'resp_t1', 'req_t1', 1, '[10, 0, null, 5, null, 15]', NULL, '["a chain was mended"]', '{"role":"user","content":"Hello basalt"}', '{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"Hi there","annotations":[]}]}', '', '', '', 0, 0, '', '');
INSERT INTO turns (seq, id, conversation_id, parent_id, created_at, ended_at, outcome, target, continuation, response_id, request_id, stored, usage, error, notices, input, output, partial_text, partial_reasoning, owner, background, summary, calls, text_format) VALUES (2, 't2', 'c1', 't1', 2000.0, NULL, NULL, '["openai.gpt-5.4", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1", false]', 'stateful', NULL, NULL, 0, NULL, NULL, '', '{"role":"user","content":[{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,'||char(31)||'bf3fa71318fdd4b275c9410a859557a6b1b45da0d2891b4745fb25fe804791fa6'||char(31)||'"},{"type":"input_text","text":"look at this"}]}', '', 'It is a dark', '', '1:never', 0, 0, '', '');
INSERT INTO turn_search (rowid, prompt, answer) VALUES (1, 'Hello basalt', 'Hi there');
INSERT INTO turn_search (rowid, prompt, answer) VALUES (2, 'look at this', '');
INSERT INTO exchanges (id, conversation_id, turn_id, number, started_at, outcome, owner, head, request_body, response_body, arrivals) VALUES ('e1', 'c1', 't1', 1, 2000.0, 'failed', '', '{"attempt": 1, "method": "POST", "url": "https://h/responses", "status": null, "http_version": "", "error": "no", "usage_line": "", "model": "", "request_headers": [], "response_headers": [], "timings": {"connected": null, "request_sent": null, "headers": null, "first_byte": null, "first_text": null, "ended": null, "secured": null}, "request_size": 24}', x'7801ab56cacc2b282d51b252f248cdc9c957484a2c4ecc2951aa050068870876', x'', x'027801ab564ace28cdcb2e56b25230d051504a2d4bcd2b8171f212735341ece858a04c714962115806cc4b492c4984c924e5e427830d888eade50200bef61761');
INSERT INTO blobs (sha256, deflated, data) VALUES ('f3fa71318fdd4b275c9410a859557a6b1b45da0d2891b4745fb25fe804791fa6', 1, x'7801530d7071d335d43351484a2c4ecc2919a546836034158c6604e4b20000bc418669');
INSERT INTO uses (user_id, sha256) VALUES ('t2', 'f3fa71318fdd4b275c9410a859557a6b1b45da0d2891b4745fb25fe804791fa6');
INSERT INTO drafts (conversation_id, text, pastes) VALUES ('c1', 'half typed', '[]');
INSERT INTO stored_responses (response_id, target, created_at, conversation_id, deleted_at, delete_wanted) VALUES ('resp_t1', '["openai.gpt-5.4", "us-west-2", "mantle", "https://bedrock-mantle.us-west-2.api.aws/openai/v1", false]', 2000.0, 'c1', NULL, 0);
INSERT INTO usage_records (id, at, conversation_id, kind, model, region, endpoint, sandbox, usage) VALUES ('t1', 2000.0, 'c1', 'turn', 'openai.gpt-5.4', 'us-west-2', 'mantle', 0, '[10, 0, null, 5, null, 15]');
PRAGMA user_version = 9;
PRAGMA application_id = 1333097571;
