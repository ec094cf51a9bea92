-- Schema 3: messages to people. The desk says up to which entry they were made, and what waits to be sent.
CREATE TABLE desk (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    body TEXT    NOT NULL
) STRICT;
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    rank     INTEGER NOT NULL,
    made_ms  INTEGER NOT NULL,
    due_ms   INTEGER NOT NULL,
    tries    INTEGER NOT NULL DEFAULT 0,
    -- NULL while it waits; then what became of it, and when.
    fate     TEXT,
    fate_ms  INTEGER,
    body     TEXT    NOT NULL
) STRICT;
CREATE INDEX outbox_waiting ON outbox (channel, rank, id) WHERE fate IS NULL;
