"""The engine's own settings file: sized for a guest in somebody's machine, not for its owner."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

_MB = 1 << 20

SETTINGS: dict[str, int | str] = {
    # Caches are upper bounds; the engine's defaults add up to more than a laptop has.
    "mark_cache_size": 64 * _MB,
    "primary_index_cache_size": 64 * _MB,
    "index_mark_cache_size": 16 * _MB,
    "uncompressed_cache_size": 0,
    "mmap_cache_size": 0,
    "query_condition_cache_size": 16 * _MB,
    "compiled_expression_cache_size": 16 * _MB,
    # Merges: two at once keep up with one writer (measured with bench/store.py).
    "background_pool_size": 2,
    "background_merges_mutations_concurrency_ratio": 2,
    "background_schedule_pool_size": 2,
    # All queries, inserts and merges together; past it, the one that asks for more fails.
    "max_server_memory_usage_to_ram_ratio": "0.5",
}

# Where a table names no codec (messages): small parts, which merges soon rewrite, are packed fast
# (lz4), and what stays is packed well. The size of a new part is before packing, a merged one's after.
_COMPRESSION = f"""\
    <compression><case>
        <min_part_size>{32 * _MB}</min_part_size><min_part_size_ratio>0</min_part_size_ratio>
        <method>zstd</method><level>2</level>
    </case></compression>"""

# Parts that a merge or a deletion has replaced are kept for eight minutes by default, for the case that the
# new one is lost with the power. Ours are synced before the old ones are given up.
_PARTS = """\
    <merge_tree><old_parts_lifetime>20</old_parts_lifetime></merge_tree>"""


def write_settings(path: Path, settings: Mapping[str, int | str] = SETTINGS) -> Path:
    """Write the file whole or not at all, and return its path."""
    lines = [f"    <{name}>{escape(str(value))}</{name}>" for name, value in settings.items()]
    text = "\n".join(
        [
            "<!-- Written at each start; changes are lost. -->",
            "<clickhouse>",
            *lines,
            _COMPRESSION,
            _PARTS,
            "</clickhouse>",
            "",
        ]
    )
    draft = path.with_suffix(".new")
    draft.write_text(text, "utf-8")
    os.replace(draft, path)
    return path
