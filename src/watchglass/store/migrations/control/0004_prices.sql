-- Prices that the user has imported. Amounts are decimals as text, exactly as they came.

CREATE TABLE IF NOT EXISTS prices
(
    provider       TEXT    NOT NULL,
    model          TEXT    NOT NULL,
    effective_date TEXT    NOT NULL, -- ISO 8601; '' is since ever
    input_per_1k   TEXT    NOT NULL, -- US dollars a thousand tokens
    output_per_1k  TEXT    NOT NULL,
    source         TEXT    NOT NULL, -- name of the file it came from
    changed_ns     INTEGER NOT NULL,
    PRIMARY KEY (provider, model, effective_date)
) STRICT;
