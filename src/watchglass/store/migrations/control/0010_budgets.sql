-- Budgets and what is reserved of them. Dollars are decimals as text; what is counted is an integer of 1e-18
-- dollars as text, for a thousand dollars of them are more than SQLite's integers hold.

CREATE TABLE IF NOT EXISTS budgets
(
    id         TEXT PRIMARY KEY,
    name       TEXT    NOT NULL, -- one of a name at a time; a removed one keeps its row
    kind       TEXT    NOT NULL CHECK (kind IN ('soft', 'hard')),
    period     TEXT    NOT NULL CHECK (period IN ('hour', 'day', 'month')),
    zone       TEXT    NOT NULL, -- IANA
    scope      TEXT    NOT NULL, -- JSON: dimension → value
    unsettled  TEXT    NOT NULL CHECK (unsettled IN ('charge', 'release')),
    limit_usd  TEXT    NOT NULL,
    warn       TEXT    NOT NULL, -- JSON: percents
    since_ns   INTEGER,
    until_ns   INTEGER,
    created_ns INTEGER NOT NULL,
    created_by TEXT    NOT NULL, -- id of an admin key, or 'command line'
    changed_ns INTEGER NOT NULL,
    changed_by TEXT    NOT NULL,
    removed_ns INTEGER
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS budgets_by_name ON budgets (name) WHERE removed_ns IS NULL;

-- What was settled in a period of a hard budget, what is taken for spent because nobody settled it, and
-- what recorded calls cost when that was last asked.
CREATE TABLE IF NOT EXISTS budget_accounts
(
    budget    TEXT    NOT NULL,
    period_ns INTEGER NOT NULL, -- its start
    settled   TEXT    NOT NULL,
    assumed   TEXT    NOT NULL,
    recorded  TEXT    NOT NULL,
    PRIMARY KEY (budget, period_ns)
) STRICT, WITHOUT ROWID;

-- Rows are found by number alone, which only grows, so that a commit touches few pages.
CREATE TABLE IF NOT EXISTS budget_reservations
(
    number      INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL,
    owner       TEXT    NOT NULL, -- the tenant that the asking key is bound to, '' for none
    idempotency TEXT    NOT NULL, -- '' for none
    asked       TEXT    NOT NULL, -- what was asked, to tell a retry from another request
    scope       TEXT    NOT NULL, -- JSON: dimension → value
    amount      TEXT    NOT NULL,
    made_ns     INTEGER NOT NULL,
    expires_ns  INTEGER NOT NULL,
    charges     TEXT    NOT NULL, -- JSON: [[budget, period_ns], …]
    state       TEXT    NOT NULL CHECK (state IN ('open', 'settled', 'expired')),
    actual      TEXT,
    closed_ns   INTEGER
) STRICT;

-- What was told of a budget, once each period.
CREATE TABLE IF NOT EXISTS budget_events
(
    number    INTEGER PRIMARY KEY,
    budget    TEXT    NOT NULL,
    period_ns INTEGER NOT NULL,
    event     TEXT    NOT NULL CHECK (event IN ('threshold', 'forecast')),
    percent   INTEGER NOT NULL,
    at_ns     INTEGER NOT NULL,
    spent_usd TEXT    NOT NULL,
    limit_usd TEXT    NOT NULL,
    crosses_ns INTEGER,          -- of a forecast: when
    UNIQUE (budget, period_ns, event, percent, limit_usd) -- of another limit it is told again
) STRICT;
