"""Where our baggage may go."""

from __future__ import annotations

import pytest

from watchglass.capture.propagation import destinations
from watchglass.errors import ConfigError


def allows(allowed: destinations.Destinations, target: str) -> bool:
    place = destinations.parsed(target)
    return place is not None and destinations.rule(allowed)(*place)


ALLOWED = ["billing.internal", "*.svc.cluster.local", "api:8080", "10.0.0.0/8", "::1", "secure:443"]


@pytest.mark.parametrize(
    "target",
    [
        "http://billing.internal/x",
        "https://BILLING.internal.:444",
        "billing.internal:5000",
        "http://a.b.svc.cluster.local",
        "http://api:8080/",
        "https://secure/",
        "http://10.2.3.4:99/",
        "http://[::ffff:10.2.3.4]/",
        "http://user:password@10.2.3.4/",
        "http://[::1]:80/",
    ],
)
def test_named_hosts_are_told(target: str) -> None:
    """Names, names below one, ports and networks allow what they name."""
    assert allows(ALLOWED, target)


@pytest.mark.parametrize(
    "target",
    [
        "https://api.openai.com/v1",
        "http://billing.internal.evil.com",
        "http://evilbilling.internal",
        "http://svc.cluster.local",
        "http://evilsvc.cluster.local",
        "http://api:8081/",
        "http://api/",
        "http://secure/",
        "http://11.0.0.1/",
        "http://10.evil.com/",
        "http://billing.internal@evil.com/",
        "http://evil.com\\@billing.internal/",
        "http://evil.com#@billing.internal/",
        "http://billing.internal :80@evil.com/",
        "http://[::2]/",
        "http://[::1",
        "http://api:99999/",
        "/path",
        "",
    ],
)
def test_all_others_are_not(target: str) -> None:
    """What only looks like an allowed host, or is not plainly one host, is not told."""
    assert not allows(ALLOWED, target)


def test_by_default_nobody_is_told() -> None:
    """Without a list no host is allowed, loopback and private addresses included."""
    for target in ("http://localhost", "http://127.0.0.1", "http://10.0.0.1", "http://api"):
        assert not allows((), target)


def test_a_function_may_decide() -> None:
    """A function of host and port is asked instead of a list."""
    assert allows(lambda host, port: (host, port) == ("h", 443), "https://h/")
    assert not allows(lambda host, port: (host, port) == ("h", 443), "http://h/")


@pytest.mark.parametrize("entry", ["http://api", "*", "*.", "", "a b", "api:x", "10.0.0.0/99", "*api"])
def test_what_is_no_host_is_refused(entry: str) -> None:
    """An entry that is no host is an error at set-up that shows it."""
    with pytest.raises(ConfigError, match="no host"):
        destinations.rule([entry])


def test_one_text_is_no_list() -> None:
    """A text in the place of a list would be its letters; it is refused."""
    with pytest.raises(ConfigError, match="give a list"):
        destinations.rule("api")
