-- What the engine has been migrated to, and single facts about this store.

CREATE TABLE IF NOT EXISTS migrations
(
    target     TEXT    NOT NULL, -- 'engine' or 'control'
    number     INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    checksum   TEXT    NOT NULL,
    applied_ns INTEGER NOT NULL,
    PRIMARY KEY (target, number)
) STRICT;

CREATE TABLE IF NOT EXISTS meta
(
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
