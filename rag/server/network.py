"""Addresses to listen on: whether other machines reach them, and whether they are free."""

from __future__ import annotations

import errno
import ipaddress
import socket

from rag.errors import ConfigError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""The names of this machine for itself, as a browser sends them."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_port(host: str, port: int, how: str) -> None:
    """Raise `ConfigError` when a server cannot listen there. `how` tells how to set another port: "--port {port}"."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigError(
                    f"cannot listen on {host}, port {port} ({error.strerror}); correct the address, or use a port above 1023"
                ) from None
            other = how.format(port=port + 1 if port < 65535 else 7860)
            raise ConfigError(
                f"port {port} is in use on {host} ({error.strerror}); use {other} or stop the other program"
            ) from None


def free_port() -> int:
    """A free port on the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
