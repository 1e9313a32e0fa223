-- Runs that reprice calls or take that back, and their chunks. The rows' old values are in the engine
-- (`store.repricings`); a chunk is done once its rows are written there and in `calls`.

CREATE TABLE IF NOT EXISTS reprice_runs
(
    number   INTEGER PRIMARY KEY AUTOINCREMENT, -- 'r' and this is the run's id
    undoes   INTEGER REFERENCES reprice_runs,   -- the run that this one takes back; NULL: it reprices
    who      TEXT    NOT NULL,                  -- id of an admin key, or 'command line'
    tenant   TEXT,                              -- that the key was bound to; NULL: whatever is asked for
    why      TEXT    NOT NULL,
    asked    TEXT    NOT NULL,                  -- window and filters, as JSON
    book     TEXT    NOT NULL,                  -- fingerprint of the price book
    state    TEXT    NOT NULL CHECK (state IN ('running', 'done', 'cancelled', 'interrupted')),
    fault    TEXT    NOT NULL DEFAULT '',       -- what interrupted it
    began_ns INTEGER NOT NULL,
    ended_ns INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS reprice_chunks
(
    run           INTEGER NOT NULL REFERENCES reprice_runs,
    chunk         INTEGER NOT NULL,
    span          TEXT    NOT NULL,  -- which rows, as JSON
    looked        INTEGER,           -- rows that were looked at; NULL until the chunk is done
    changed       INTEGER,           -- of these
    counted       INTEGER,           -- of these, those that count
    before_amount TEXT,              -- exact dollars of these, as far as they are known
    after_amount  TEXT,
    PRIMARY KEY (run, chunk)
) STRICT, WITHOUT ROWID;
