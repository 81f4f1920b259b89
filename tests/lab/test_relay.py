"""The relay on real sockets: what goes through it, and what it notes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from aiortp import RtpPacket

from softagent.lab.impairment import Impairment
from softagent.lab.relay import Relay
from softagent.lab.tap import bind_even

HOST = "127.0.0.1"
PATIENCE_SECONDS = 5.0


class End:
    """One side of a call: an RTP and an RTCP socket."""

    def __init__(self) -> None:
        self.rtp = bind_even(HOST)
        self.rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtcp.bind((HOST, self.address[1] + 1))
        for one in (self.rtp, self.rtcp):
            one.settimeout(PATIENCE_SECONDS)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.rtp.getsockname()
        return host, port

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


@contextmanager
def connected(to_near: Impairment, to_far: Impairment) -> Iterator[tuple[Relay, End, End]]:
    relay, near, far = Relay(HOST, to_near=to_near, to_far=to_far, seed=1), End(), End()
    relay.connect(near=near.address, far=far.address)
    relay.start()
    try:
        yield relay, near, far
    finally:
        relay.stop()
        near.close()
        far.close()


def rtp(number: int) -> bytes:
    return RtpPacket(0, 0, number, number * 160, 7, b"x" * 160).serialize()


def test_packets_and_reports_pass_both_ways() -> None:
    """RTCP goes from port to port beside the RTP."""
    with connected(Impairment(), Impairment()) as (relay, near, far):
        near.rtp.sendto(rtp(1), relay.near)
        near.rtcp.sendto(b"report", (HOST, relay.near[1] + 1))
        assert (far.rtp.recv(2048), far.rtcp.recv(2048)) == (rtp(1), b"report")
        far.rtp.sendto(rtp(2), relay.far)
        far.rtcp.sendto(b"answer", (HOST, relay.far[1] + 1))
        assert (near.rtp.recv(2048), near.rtcp.recv(2048)) == (rtp(2), b"answer")


def test_what_the_near_end_sends_is_noted_before_it_can_get_lost() -> None:
    """With the kernel's time; what is lost is counted on its road."""
    with connected(Impairment(), Impairment(loss_pct=50)) as (relay, near, far):
        for number in range(40):
            near.rtp.sendto(rtp(number), relay.near)
            far.rtp.sendto(b"?", relay.far)  # taken after the one before it
            near.rtp.recv(2048)
        relay.stop()
        assert [arrival.sequence for arrival in relay.arrivals] == list(range(40))
        times = [arrival.at_ns for arrival in relay.arrivals]
        assert times == sorted(times)
        assert relay.to_far.lost + relay.to_far.passed == 40
        assert 0 < relay.to_far.lost < 40


def test_a_duplicate_arrives() -> None:
    """The same bytes twice."""
    with connected(Impairment(), Impairment(duplicate_pct=100)) as (relay, near, far):
        near.rtp.sendto(rtp(1), relay.near)
        assert [far.rtp.recv(2048) for _ in range(2)] == [rtp(1), rtp(1)]


def test_it_survives_a_far_end_that_is_gone() -> None:
    """An ICMP error for what was sent there costs nothing but that packet."""
    with connected(Impairment(), Impairment()) as (relay, near, far):
        far.rtp.close()
        for number in range(3):
            near.rtp.sendto(rtp(number), relay.near)
        near.rtcp.sendto(b"report", (HOST, relay.near[1] + 1))
        assert far.rtcp.recv(2048) == b"report"
