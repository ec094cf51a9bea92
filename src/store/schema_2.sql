-- The chain: what each entry says, bound to all entries before it.
ALTER TABLE entries ADD COLUMN seal BLOB;
-- One row for each chain. The entries up to start_seq are not in it: they were written before there were chains, or
-- dropped since, because they were old; start is the seal of the last of them.
CREATE TABLE chains (
    name       TEXT    PRIMARY KEY,
    start      BLOB    NOT NULL,
    start_seq  INTEGER NOT NULL,
    head       BLOB    NOT NULL,
    head_seq   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
