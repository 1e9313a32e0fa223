"""Which address the server may take, and taking it."""

from __future__ import annotations

import errno
import ipaddress
import socket

from watchglass.errors import ConfigError


def addresses(host: str) -> list[str]:
    """The addresses that `host` stands for. Raises `ConfigError` if that cannot be found out."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"the address {host!r} cannot be resolved ({error}); use --host 127.0.0.1"
        ) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`, under all addresses that it stands for."""
    return all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in addresses(host))


def bind(host: str, port: int, flag: str = "--port") -> list[socket.socket]:
    """Sockets bound to every address of `host`, all on one port; with `port` 0 any free one.

    They do not listen yet: until the store is open, senders are better refused than left waiting.
    Raises `ConfigError`, which advises to use `flag`.
    """
    sockets: list[socket.socket] = []
    for address in addresses(host):
        try:
            sockets.append(_bind_one(address, port_of(sockets[0]) if sockets else port))
        except OSError as error:
            if sockets and error.errno == errno.EADDRNOTAVAIL:
                continue  # `localhost` also names ::1 on machines that have no IPv6
            for taken in sockets:
                taken.close()
            raise ConfigError(_sentence(address, port, flag, error)) from None
    return sockets


def probe(host: str, port: int, flag: str) -> None:
    """Raise what `bind` would, without keeping the port: for one that somebody else will bind."""
    for each in bind(host, port, flag):
        each.close()


def listen(sockets: list[socket.socket]) -> None:
    """Let clients connect. Raises `ConfigError` if somebody else has begun to listen meanwhile."""
    for each in sockets:
        try:
            each.listen(2048)
        except OSError as error:
            address = str(each.getsockname()[0])
            raise ConfigError(_sentence(address, port_of(each), "--port", error)) from None


def port_of(bound: socket.socket) -> int:
    """The port of a bound socket."""
    return int(bound.getsockname()[1])


def address_text(host: str, port: int) -> str:
    """`host:port`, with the brackets that an IPv6 address needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bind_one(address: str, port: int) -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        # So that a restart need not wait for the last run's connections to time out.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((address, port))
    except OSError:
        one.close()
        raise
    return one


def _sentence(address: str, port: int, flag: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {address} is in use; if that is another watchglass, use it or stop it, "
            f"else choose another port with {flag}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs privileges that this process does not have; use {flag} with one above 1023"
    return f"{address} port {port} cannot be used ({error.strerror}); choose others with --host and {flag}"
