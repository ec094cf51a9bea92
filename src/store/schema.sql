-- Schema 1. Each later one is a file of its own, applied in order, and counted in user_version.
CREATE TABLE entries (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms      INTEGER NOT NULL,
    last_ms    INTEGER NOT NULL,
    count      INTEGER NOT NULL DEFAULT 1,
    service    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    incident   TEXT,
    body       TEXT    NOT NULL
) STRICT;
CREATE INDEX entries_by_service ON entries (service, kind, seq);
