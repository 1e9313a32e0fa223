"""What may come in: codings, limits, and the byte budget."""

from __future__ import annotations

import contextlib
import gzip
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.errors import BadRequest, Overloaded, TooLarge, UnsupportedMedia
from watchglass.ingest.admission import ByteBudget, Coding, Inflater, coding_of, wire_limit

MIB = 1 << 20


def inflate(coding: Coding, data: bytes, *, limit: int = 64 * MIB, chunk: int | None = None) -> bytes:
    inflater = Inflater(coding, limit)
    for at in range(0, len(data), chunk or max(1, len(data))):
        inflater.feed(data[at : at + (chunk or len(data))])
    return inflater.finish()


@given(bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=5), chunk=st.integers(1, 64))
def test_gzip_members_in_any_chunks_give_the_bodies_in_order(bodies: list[bytes], chunk: int) -> None:
    """A body of several gzip members is their contents joined, wherever the chunks are cut."""
    encoded = b"".join(gzip.compress(body) for body in bodies)
    assert inflate("gzip", encoded, chunk=chunk) == b"".join(bodies)


@given(body=st.binary(max_size=5000), at_most=st.integers(1, 700), chunk=st.integers(1, 200))
def test_inflating_in_steps_gives_the_same_body(body: bytes, at_most: int, chunk: int) -> None:
    """Stopping after any number of output bytes and going on changes nothing, for every coding."""
    raw = zlib.compressobj(wbits=-15)
    encodings: dict[Coding, list[bytes]] = {
        "gzip": [gzip.compress(body), gzip.compress(body[:9]) + gzip.compress(body[9:])],
        "deflate": [zlib.compress(body), raw.compress(body) + raw.flush()],
    }
    for coding, encodeds in encodings.items():
        for encoded in encodeds:
            inflater = Inflater(coding)
            for at in range(0, len(encoded), chunk):
                done = inflater.feed(encoded[at : at + chunk], at_most)
                while not done:
                    before = inflater.size
                    done = inflater.feed(b"", at_most)
                    assert inflater.size - before <= at_most
            assert inflater.finish() == body


def test_identity_passes_unchanged_and_is_not_copied() -> None:
    """A body of one identity chunk comes out as the very same object."""
    body = b"x" * 1000
    assert inflate("identity", body) is body


@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate"])
def test_an_empty_body_is_empty(coding: Coding) -> None:
    """Zero bytes are an empty body under every coding: an empty request is a success."""
    assert inflate(coding, b"") == b""


def test_every_truncation_of_gzip_is_refused() -> None:
    """A gzip body cut anywhere within its last member is a bad request, never a shorter body."""
    one, two = gzip.compress(b"first" * 9), gzip.compress(b"second" * 9)
    for cut in range(1, len(two)):
        with pytest.raises(BadRequest):
            inflate("gzip", one + two[:cut])
    for cut in range(1, len(one)):
        with pytest.raises(BadRequest):
            inflate("gzip", one[:cut])


def test_zero_padding_after_gzip_is_ignored() -> None:
    """Zero bytes after the last member, as tapes and block devices leave them, are padding."""
    encoded = gzip.compress(b"data") + bytes(1000)
    assert inflate("gzip", encoded) == b"data"
    assert inflate("gzip", encoded, chunk=7) == b"data"


@pytest.mark.parametrize("garbage", [b"x", b"\x00\x00x", b"\x1fx", b"{}", gzip.compress(b"m", mtime=0)[:9]])
def test_garbage_after_gzip_is_refused(garbage: bytes) -> None:
    """Bytes after the last member that are no member are an error: it may be half a batch."""
    with pytest.raises(BadRequest):
        inflate("gzip", gzip.compress(b"data") + garbage)


def test_a_damaged_gzip_body_is_refused_with_its_place() -> None:
    """A wrong checksum is a bad request that says where."""
    encoded = bytearray(gzip.compress(b"some text " * 10))
    encoded[-6] ^= 0xFF
    with pytest.raises(BadRequest) as refused:
        inflate("gzip", bytes(encoded))
    assert "not gzip" in str(refused.value)
    assert "byte" in (refused.value.where or "")


def test_garbage_after_deflate_is_refused() -> None:
    """A deflate body is one stream and nothing else."""
    with pytest.raises(BadRequest, match="something else"):
        inflate("deflate", zlib.compress(b"data") + zlib.compress(b"more"))


def test_the_limit_is_exact_and_after_decompression() -> None:
    """A body of exactly the limit comes in, one byte more does not, in one member or many."""
    for parts in ([1000], [400, 600]):
        exact = b"".join(gzip.compress(b"a" * size) for size in parts)
        assert len(inflate("gzip", exact, limit=1000)) == 1000
        with pytest.raises(TooLarge, match="1000 bytes"):
            inflate("gzip", exact + gzip.compress(b"a"), limit=1000)
    with pytest.raises(TooLarge):
        inflate("identity", b"a" * 1001, limit=1000)


def test_a_bomb_is_refused_without_being_inflated() -> None:
    """A quarter of a gigabyte of zeros in a megabyte of gzip costs no more memory than the limit."""
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(256)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(TooLarge):
        inflate("gzip", bomb, limit=8 * MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * MIB


def test_countless_members_are_refused_in_reasonable_time() -> None:
    """A body of hundreds of thousands of empty gzip members is refused, not chewed on."""
    with pytest.raises(BadRequest, match="members"):
        inflate("gzip", gzip.compress(b"") * 400_000)


def test_hostile_bytes_are_refused_or_inflated() -> None:
    """Whatever bytes come, the answer is a body or a `BadRequest`, and nothing else."""
    rng = random.Random(2)
    good = gzip.compress(b"hello " * 50) + gzip.compress(b"world " * 50)
    for _ in range(2000):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        for coding in ("gzip", "deflate"):
            with contextlib.suppress(BadRequest):
                inflate(coding, bytes(bad), chunk=rng.randint(1, 99))


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        *(("", "identity"), ("identity", "identity"), ("GZIP", "gzip"), ("x-gzip", "gzip")),
        *((" gzip , identity", "gzip"), ("deflate", "deflate")),
    ],
)
def test_known_codings(header: str, coding: Coding) -> None:
    """Coding names are case-insensitive, and identity adds nothing."""
    assert coding_of(header) == coding


@pytest.mark.parametrize("header", ["zstd", "br", "gzip, gzip", "snappy", "gzip;q=1"])
def test_unknown_codings_are_refused_with_the_known_ones(header: str) -> None:
    """A coding that nobody reads is refused by a sentence that says what to send."""
    with pytest.raises(UnsupportedMedia, match="gzip, deflate, identity"):
        coding_of(header)


def test_what_the_wire_may_carry_is_bounded() -> None:
    """An incompressible body within the limit fits its coding's wire limit."""
    body = random.Random(1).randbytes(MIB)
    assert len(gzip.compress(body, 0)) <= wire_limit("gzip", MIB)
    assert wire_limit("identity", MIB) == MIB


def test_the_budget_refuses_beyond_its_bytes_and_recovers() -> None:
    """Over the budget a sender is told when to come back; bytes handed back can be taken again."""
    budget = ByteBudget(100)
    budget.take(90)
    with pytest.raises(Overloaded) as refused:
        budget.take(20)
    assert refused.value.retry_after_s == 1
    budget.give(90)
    budget.take(20)
    assert budget.used == 20


def test_a_lone_request_larger_than_the_budget_comes_in() -> None:
    """A budget smaller than one request slows the server down to one at a time, never to none."""
    budget = ByteBudget(10)
    budget.take(50)
    assert budget.used == 50
