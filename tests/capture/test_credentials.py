"""No credential of a known shape survives, ordinary text does, and no text takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.capture.credentials import SHAPES, Shape, scrub, scrub_start
from watchglass.capture.personal import redact_personal

BODY = "Ab3" * 12
PREFIXES = {"A[KS]IA": ("AKIA", "ASIA"), "gh[pousr]_": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")}


def examples(shape: Shape) -> list[str]:
    """Credentials of a shape; the body is recognised by its digits."""
    bodies = {
        "aws_key": "AB3D5F7H9JKLMN2P",
        "jwt": "hbGciOi3.eyJzdWIi.c2ln4",
        "watchglass_key": f"{'0a' * 6}_{BODY}",
    }
    first = shape.prefix.replace("[rs]k", "sk").replace("[abeoprs]", "b")
    return [each + bodies.get(shape.kind, BODY) for each in PREFIXES.get(shape.prefix, (first,))]


KNOWN = [each for shape in SHAPES for each in examples(shape)]
AROUND = [
    "{}",
    "the key is {}.",
    "({})",
    '{{"key": "{}"}}',
    "a\n{}\nb",
    '{{"a": "x\\n{}"}}',
    "é{}",
    "x={}&y",
    "–{},",
]


@pytest.mark.parametrize("secret", KNOWN)
@pytest.mark.parametrize("around", AROUND)
def test_each_known_shape_is_taken_out(secret: str, around: str) -> None:
    """A credential of each shape goes, whatever is around it, and cleaning again changes nothing."""
    cleaned = scrub(around.format(secret))
    assert secret[6:] not in cleaned and "[redacted:" in cleaned
    assert scrub(cleaned) == cleaned


NAMED = {
    "password=hunter2": "hunter2",
    "PASSWORD = geheim99": "geheim99",
    '{"db_password": "with blanks in it"}': "blanks",
    '{\\"api_key\\": \\"abc12345\\"}': "abc12345",
    "api-key: abcdef99": "abcdef99",
    "client_secret='abcdef99'": "abcdef99",
    "authorization: bearer abc12345": "abc12345",
    "Authorization: Bearer abc12345": "abc12345",
    "Authorization: Basic dXNlcjpwYXNz": "dXNlcj",
    "X-Api-Key: abcdef99": "abcdef99",
    '{"apiKey": "abcdef99"}': "abcdef99",
    "access_token=abcdefgh99&x=1": "abcdefgh99",
    "postgres://app:p@ss@host/db": "p@ss",
    "redis://:s3cret@host": "s3cret",
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG": "wJalr",
    "Cookie: session=abcdef": "abcdef",
    "authorization: ApiKey PLANTEDv1234": "PLANTED",
    "bearer PLANTEDlower12345678": "PLANTED",
    "DB_PASS=PLANTEDpw1": "PLANTED",
    "https://h/x?api_key=PLANTEDq1&sig=PLANTEDsig": "PLANTED",
    "https://h/x?key=PLANTEDq2": "PLANTED",
    "https://s3/x?X-Amz-Signature=0123456789abcdef&x=1": "abcdef",
    "sk_PLANTEDelevenlabs123456": "PLANTED",
    "postgres://u:PLAN/TED@host/db": "TED",
    '{"password": "PLAN\\"quoted rest"}': "rest",
    "password=PLAN$TED": "TED",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIabc\n-----END RSA PRIVATE KEY-----": "MII",
    "-----BEGIN PRIVATE KEY-----\\nMIIabc\\nabc and then it ends": "MII",
}


@pytest.mark.parametrize("text", NAMED)
def test_what_is_named_a_credential_is_taken_out(text: str) -> None:
    """Passwords, keys and tokens by their names, in addresses, headers and PEM go; cleaning again is idle."""
    cleaned = scrub(text)
    assert NAMED[text] not in cleaned and "[redacted:" in cleaned
    assert scrub(cleaned) == cleaned


ORDINARY = [
    "a risk-assessment-framework-2024 and a task-oriented-dialogue-system",
    "max_tokens: 500, prompt_tokens=12, key: customer_segment",
    "def login(user: str, password: str) -> None:",
    "See https://example.com:8080/a@b and mailto:jane@example.com",
    "The Basic plan; the Bearer of this; JSON, KIA, AIzawa",
    "550e8400-e29b-41d4-a716-446655440000 and 2024-01-02T03:04:05Z",
    "hf_hub_download(repo_id)  # sk-learn",
    "the bearer of responsibilities; bypass: nothing, compass=north; cache_key=customer_segment",
    "https://[::1]:80/a and https://example.com:443?x=1 or a@b",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    """What only looks a little like a credential is the very same object afterwards."""
    assert scrub(text) is text


@given(st.text(), st.sampled_from(KNOWN), st.text())
def test_any_text_around_a_credential(before: str, secret: str, after: str) -> None:
    """Between any texts, parted by a blank, a credential goes."""
    assert secret[6:] not in scrub(f"{before} {secret} {after}")


HOSTILE = [
    *("a", "-", "_", ":", "=", "@", "1", "4", "\\", "sk-", "sk-a", "eyJ", "eyJa.", "\\neyJ", "eyJaaaaaaaa"),
    *("-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA ", "password:", 'password="', "password:'a", "token: "),
    *("://", "://a:", "://a:b", "a@", "a@b.c", "x.y@x.y.", "4111 ", "4111 1111 1111 1111 ", "444 444 ", "4-"),
    *("Bearer ", "Basic ", "AIz", "AKI", "ghp_", "wg_", "wg_0123456789ab_", "a.b-", "authorization: bearer "),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_megabyte_takes_linear_time(unit: str) -> None:
    """A megabyte made to be hard takes seconds at most (some µs for each repetition), not hours. A slow
    machine takes some of them more."""
    text = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
    started = time.thread_time()
    scrub(text)
    redact_personal(text)
    assert time.thread_time() - started < 60


@pytest.mark.parametrize("before", range(0, 60, 7))
def test_a_credential_at_the_cut_goes(before: int) -> None:
    """Whether a text is cut before, within or after a credential, no part of it is kept."""
    for after in (0, 5_000):
        kept = scrub_start("x " * before + f"sk-proj-{BODY} " + "y " * after, 100)
        assert len(kept) <= 100
        assert BODY[:3] not in kept
    assert len(scrub_start("y" * 5_000, 100)) == 100
