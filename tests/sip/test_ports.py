"""RTP ports: even, free in fact, one call each."""

from __future__ import annotations

import socket

from softagent.config import PortRange
from softagent.sip.ports import RtpPorts

HOST = "127.0.0.1"


def test_even_ports_each_once() -> None:
    """21951-21955 has two even ports."""
    ports = RtpPorts(PortRange(21951, 21955))
    assert [ports.reserve(HOST) for _ in range(3)] == [21952, 21954, None]


def test_released_port_comes_round_again() -> None:
    """The longest unused first, so that late packets of the last call go nowhere."""
    ports = RtpPorts(PortRange(21960, 21963))
    first = ports.reserve(HOST)
    assert first == 21960
    ports.release(first)
    ports.release(first)
    assert [ports.reserve(HOST) for _ in range(3)] == [21962, 21960, None]


def test_port_in_use_is_passed_over() -> None:
    """What another program has bound is left to it, and found again later."""
    ports = RtpPorts(PortRange(21970, 21973))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 21970))
        assert ports.reserve(HOST) == 21972
        assert ports.reserve(HOST) is None
    assert ports.reserve(HOST) == 21970


def test_port_in_use_in_the_other_family_is_passed_over() -> None:
    """Without a host: a call over IPv6 takes its port there."""
    ports = RtpPorts(PortRange(21980, 21983))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as taken:
        taken.bind(("::1", 21980))
        assert [ports.reserve(""), ports.reserve("")] == [21982, None]
