"""The network guard that every test runs under."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import NetworkTouchedError


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_a_connection_that_leaves_the_machine_is_refused_and_remembered(
    address: str, network_attempts: list[str]
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock, pytest.raises(NetworkTouchedError, match=address):
        sock.connect((address, 80))
    assert address in network_attempts.pop()


def test_a_name_is_not_looked_up(network_attempts: list[str]) -> None:
    with pytest.raises(NetworkTouchedError, match="example.org"):
        socket.create_connection(("example.org", 80))
    assert "example.org" in network_attempts.pop()


def test_a_packet_is_not_sent(network_attempts: list[str]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(NetworkTouchedError):
        sock.sendto(b"hello", ("192.0.2.1", 53))
    assert network_attempts.pop()


def test_this_machine_may_be_talked_to(network_attempts: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    first, second = socket.socketpair()
    first.close()
    second.close()
    assert network_attempts == []
