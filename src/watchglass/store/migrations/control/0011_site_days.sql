-- Which days have been summed up by line of code, under which generation, and a digest of the generations of
-- the hours that they were made of: while those are the day's hours, its sums are good (rollup_sites.py).

CREATE TABLE IF NOT EXISTS rollup_sites
(
    day        INTEGER PRIMARY KEY, -- days since 1970
    generation INTEGER NOT NULL,
    made_of    TEXT    NOT NULL
) STRICT;
