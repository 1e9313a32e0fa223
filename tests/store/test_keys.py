"""Keys: shown once, kept as a digest, known to a running server whoever changed them."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.clock import ManualClock
from watchglass.errors import BadRequest, NotFound
from watchglass.store import Key, Keyring, Wanted, any_keys, control_file, open_keys
from watchglass.store.keys import LOOK_S


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_key_is_found_by_its_text_alone(data: Path) -> None:
    """The very text that was shown finds the key; one that differs in a sign, or its id alone, does not."""
    with open_keys(data, make=True, clock=ManualClock(7)) as keys:
        made, text = keys.create(Wanted(role="read", tenant="acme", name="n", bytes_per_s=5))
        ring = Keyring(control_file(data))
        assert ring.find(text) == made == keys.list()[0]
        other = text[:-1] + ("A" if text[-1] != "A" else "B")
        for wrong in (other, made.id, "", "wg_", f"{text} ", text.upper(), "wg_\udcff"):
            assert ring.find(wrong) is None
        ring.close()
    assert (made.role, made.tenant, made.created_ns) == ("read", "acme", 7)


def test_only_a_digest_is_kept(data: Path) -> None:
    """The secret stands in no file of the data directory, which nobody else may read."""
    with open_keys(data, make=True) as keys:
        _, text = keys.create(Wanted(role="admin"))
    files = [file for file in data.rglob("*") if file.is_file()]
    assert files and not any(text.split("_", 2)[2].encode() in file.read_bytes() for file in files)
    assert (data.stat().st_mode & 0o777, control_file(data).stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_ring_notices_what_others_change(data: Path) -> None:
    """Made, revoked and forgotten keys are noticed at the next look and told of."""
    now, told = [0.0], list[tuple[str, str]]()
    with open_keys(data, make=True) as keys:

        def note(event: str, key: Key) -> None:
            told.append((event, key.id))

        ring = Keyring(control_file(data), now_s=lambda: now[0], changed=note)
        assert not ring.any
        made, text = keys.create(Wanted(role="ingest"))
        assert ring.find(text) is None
        now[0] += LOOK_S
        assert ring.any and ring.find(text) == made
        keys.revoke(made.id)
        now[0] += LOOK_S
        found = ring.find(text)
        assert found is not None and found.revoked_ns is not None and ring.any
        keys.forget(made.id)
        now[0] += LOOK_S
        assert ring.find(text) is None and not ring.any
        ring.close()
    assert told == [(event, made.id) for event in ("key_created", "key_revoked", "key_forgotten")]


def test_revoking_again_changes_nothing(data: Path) -> None:
    """The first time is kept; a key may be named by its id or by all of it; an unknown one is an error."""
    clock = ManualClock(1)
    with open_keys(data, make=True, clock=clock) as keys:
        _, text = keys.create(Wanted(role="read"))
        clock.advance_ns(1)
        first = keys.revoke(text, by="somebody")
        clock.advance_ns(1)
        assert keys.revoke(first.id) == first and (first.revoked_ns, first.revoked_by) == (2, "somebody")
        with pytest.raises(NotFound):
            keys.revoke("nobody")


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        (Wanted(role="boss"), "role"),  # pyright: ignore[reportArgumentType]  # what a request may say
        (Wanted(role="admin", tenant="acme"), "tenant"),
        (Wanted(role="read", tenant=" "), "tenant"),
        (Wanted(role="read", tenant="a\nb"), "tenant"),
        (Wanted(role="read", name="n" * 201), "name"),
        (Wanted(role="read", bytes_per_s=0), "bytes_per_s"),
        (Wanted(role="read", requests_per_s=-1.0), "requests_per_s"),
    ],
)
def test_what_makes_no_sense_is_refused(data: Path, wanted: Wanted, where: str) -> None:
    """The refusal says which part; no key is made."""
    with open_keys(data, make=True) as keys:
        with pytest.raises(BadRequest) as refused:
            keys.create(wanted)
        assert refused.value.where == where and keys.list() == []


def test_keys_of_nothing(data: Path) -> None:
    """A directory without a store has no keys; asking does not make one."""
    assert not any_keys(control_file(data))
    with pytest.raises(NotFound, match="keys create"), open_keys(data):
        pass
    assert not data.exists()
