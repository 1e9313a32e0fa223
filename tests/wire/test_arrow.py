"""Arrow does without pandas."""

from __future__ import annotations

import subprocess
import sys

_USED = """
import sys
from watchglass.wire.arrow import without_pandas
without_pandas()
import pyarrow as pa
assert pa.array(["a", None]).to_pylist() == ["a", None]
assert pa.table({"at": pa.array([1], pa.timestamp("ns"))}).num_rows == 1
assert not any(name.partition(".")[0] == "pandas" for name in sys.modules), "Arrow has loaded pandas"
"""


def test_no_list_makes_arrow_load_pandas() -> None:
    """In a process of ours pandas stays out, which is half a second and 55 MB of each that it gets into."""
    subprocess.run([sys.executable, "-c", _USED], check=True)


def test_who_imports_pandas_gets_it() -> None:
    """Afterwards pandas can be imported as ever, or is missing as ever."""
    code = (
        "from importlib.util import find_spec\nthere = find_spec('pandas') is not None\n"
        "from watchglass.wire.arrow import without_pandas\nwithout_pandas()\n"
        "assert (find_spec('pandas') is not None) is there"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
