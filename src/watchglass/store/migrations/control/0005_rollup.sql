-- Which hours of calls the hourly rollup answers for (rollup.py). An hour of which any row may have
-- been written is here before the row is; generation 0: it was touched since it was last summed up.

CREATE TABLE IF NOT EXISTS rollup_hours
(
    hour       INTEGER PRIMARY KEY, -- hours since 1970
    generation INTEGER NOT NULL
) STRICT;
