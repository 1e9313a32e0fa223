-- Who may come in. A revoked key keeps its row: the server stays closed, and the audit can name it.

CREATE TABLE IF NOT EXISTS keys
(
    id             TEXT PRIMARY KEY, -- the public part of the key
    digest         BLOB    NOT NULL, -- SHA-256 of the whole key; the key itself is nowhere
    name           TEXT    NOT NULL,
    role           TEXT    NOT NULL CHECK (role IN ('ingest', 'read', 'admin')),
    tenant         TEXT,             -- NULL: not bound to one
    bytes_per_s    INTEGER,          -- NULL: no limit
    requests_per_s REAL,
    created_ns     INTEGER NOT NULL,
    created_by     TEXT    NOT NULL, -- id of an admin key, or 'command line'
    revoked_ns     INTEGER,
    revoked_by     TEXT
) STRICT;
