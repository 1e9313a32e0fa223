-- Prices and discounts that the user has set one by one, and every change of the price book, for good.

CREATE TABLE IF NOT EXISTS price_overrides
(
    id         TEXT PRIMARY KEY,  -- of what it is for: provider, model, tier, tenant and time
    kind       TEXT    NOT NULL CHECK (kind IN ('price', 'discount')),
    terms      TEXT    NOT NULL,  -- JSON; amounts are decimals as text
    changed_ns INTEGER NOT NULL,
    changed_by TEXT    NOT NULL   -- id of an admin key, or 'command line'
) STRICT;

CREATE TABLE IF NOT EXISTS price_changes
(
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ns  INTEGER NOT NULL,
    who      TEXT    NOT NULL,    -- id of an admin key, 'command line', or '' where a file or package changed
    action   TEXT    NOT NULL,    -- set, unset, import, file, file_refused, update, sources
    override TEXT    NOT NULL,    -- id of the override; '' where it is about none
    tenant   TEXT,                -- whose price it is; NULL is everybody's
    before   TEXT,                -- JSON of what was there, NULL where nothing was
    after    TEXT                 -- JSON of what is there, or a sentence
) STRICT;
