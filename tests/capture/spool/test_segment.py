"""A segment: whatever happens to its bytes, what is intact is read, and nothing else is."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.capture.spool import frames
from watchglass.capture.spool.segment import HEAD, Segment, head

SALT = 0x5EED
PAYLOADS = st.lists(st.binary(max_size=300), min_size=1, max_size=20)


def written(folder: Path, payloads: list[bytes], size: int = 16384) -> Path:
    """A segment of these records."""
    made = Segment.create(folder, size, b"about", SALT)
    assert all(made.append(each) for each in payloads)
    path = made.path
    assert path is not None
    return path


def read(path: Path) -> tuple[list[bytes], int]:
    """What is intact in a segment, and how many records are damaged."""
    segment = Segment.load(path, SALT)
    found = list(segment.records(segment.acked))
    return [segment.payload(each) for each in found if each.length >= 0], sum(each.lost for each in found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@given(PAYLOADS)
def test_round_trip(payloads: list[bytes]) -> None:
    """What is appended is read, with what its process said of itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), payloads)
        assert read(path) == (payloads, 0)
        assert Segment.load(path, SALT).about == b"about"


@given(PAYLOADS, st.binary(min_size=1, max_size=100), st.data())
@settings(max_examples=50)
def test_torn(payloads: list[bytes], last: bytes, data: st.DataObject) -> None:
    """A record of which only some bytes were written, whichever, is not there, and the others are."""
    with tempfile.TemporaryDirectory() as folder:
        before = written(Path(folder), payloads).read_bytes()
        after = written(Path(folder), [*payloads, last])
        whole = after.read_bytes()
        end = head(b"about") + sum(frames.room(len(each)) for each in payloads)
        for cut in range(len(last) + 1):
            torn = bytearray(before)
            torn[end + 8 : end + 8 + cut] = whole[end + 8 : end + 8 + cut]
            after.write_bytes(torn)
            assert read(after) == (payloads, 0)
        after.write_bytes(whole)
        assert read(after) == ([*payloads, last], 0)


@given(PAYLOADS, st.randoms(use_true_random=False), st.integers(1, 5))
@settings(max_examples=200)
def test_flipped(payloads: list[bytes], chance: random.Random, flips: int) -> None:
    """Whichever bytes are flipped, each record that they do not touch is read, in order, and no other.

    How many are lost is not always known: where a length is hit, what lies behind it may look like one.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), payloads)
        content = bytearray(path.read_bytes())
        starts = [head(b"about")]
        for each in payloads:
            starts.append(starts[-1] + frames.room(len(each)))
        hit: set[int] = set()
        header_hit = False
        for _ in range(flips):
            place = chance.randrange(starts[-1])
            content[place] ^= 1 << chance.randrange(8)
            header_hit |= place < starts[0]
            hit |= {
                number
                for number, each in enumerate(payloads)
                if starts[number] <= place < starts[number] + 8 + len(each)
            }
        path.write_bytes(content)
        found, lost = read(path)
        # A byte flipped twice may be whole again; then it counts as touched here and is read all the same.
        intact = [each for number, each in enumerate(payloads) if number not in hit]
        remaining = iter(found)
        assert all(any(each == other for other in remaining) for each in intact)
        assert len(found) <= len(payloads) and all(each in payloads for each in found)
        # What a damaged header says of the process may be taken for a damaged record.
        assert (lost > 0) == (len(found) < len(payloads)) or header_hit


def test_every_damaged_payload_is_counted(folder: Path) -> None:
    """Damaged payloads next to each other are counted one by one, at the end too."""
    payloads = [bytes([number]) * 50 for number in range(1, 11)]
    path = written(folder, payloads)
    content = bytearray(path.read_bytes())
    for number in (3, 4, 5, 9):
        content[head(b"about") + number * frames.room(50) + 20] ^= 1
    path.write_bytes(content)
    assert read(path) == ([payloads[number] for number in (0, 1, 2, 6, 7, 8)], 4)


def test_damaged_header(folder: Path) -> None:
    """A header of zeros costs what the process said of itself, and no record."""
    payloads = [b"one", b"two" * 100]
    path = written(folder, payloads)
    content = bytearray(path.read_bytes())
    content[: head(b"about")] = bytes(head(b"about"))
    path.write_bytes(content)
    assert read(path)[0] == payloads
    assert Segment.load(path, SALT).about == b""


def test_acknowledged(folder: Path) -> None:
    """Acknowledged records are not read again; a damaged note of how far that is reads all again."""
    path = written(folder, [b"one", b"two"])
    segment = Segment.load(path, SALT)
    first = next(iter(segment.records(segment.acked)))
    segment.acknowledge(first.end, 1)
    assert read(path) == ([b"two"], 0)
    content = bytearray(path.read_bytes())
    content[9] ^= 1
    path.write_bytes(content)
    assert read(path) == ([b"one", b"two"], 0)


def test_imitation(folder: Path) -> None:
    """A payload that holds the bytes of another segment's record is not taken for one, damaged or not."""
    inner = written(folder, [b"forged"]).read_bytes()[head(b"about") :][:16]
    other = Segment.create(folder, 4096, b"about", SALT + 1)
    other.append(inner * 3)
    path = other.path
    assert path is not None
    content = bytearray(path.read_bytes())
    content[head(b"about")] ^= 64
    path.write_bytes(content)
    segment = Segment.load(path, SALT + 1)
    assert [each.length for each in segment.records(segment.acked)] == [-1]


@pytest.mark.parametrize("size", [0, 7, HEAD - 1])
def test_no_segment(folder: Path, size: int) -> None:
    """A file too small to be a segment is an error that names it."""
    path = folder / "1.segment"
    path.write_bytes(bytes(size))
    with pytest.raises(OSError, match="no segment"):
        Segment.load(path, SALT)
