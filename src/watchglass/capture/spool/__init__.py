"""Where a record is safe from the moment it is made until the server has acknowledged it.

A spool is a directory, one for each server and key, that many processes share:

    <spool>/<hash of endpoint and key>/
        endpoint                     the server's address, for people
        dropped.json                 how many records were dropped, by reason
        <time>-<pid>-<salt>/         one process; it holds a kernel lock on `owner` as long as it lives
            owner                    who it is
            <time>.segment           its records, oldest segment first

Records survive the death of the process, not that of the machine: nothing is synced to the disk. On a machine
whose disk stalls, put the spool on a tmpfs: it keeps the same promise.
"""

from watchglass.capture.spool.spool import Batch, Spool

__all__ = ["Batch", "Spool"]
