-- Schema 4: what is dropped is found by its kind, and the kinds that share a chain by their place.
CREATE INDEX entries_by_kind ON entries (kind, seq, at_ms);
CREATE INDEX entries_kept ON entries (seq, at_ms) WHERE kind NOT IN ('decided', 'notified', 'denied');
-- The configuration that was read last, key by key, without secrets: to say what has changed.
CREATE TABLE outline (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL
) STRICT;
