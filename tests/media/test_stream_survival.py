"""A stream on a network that fails in every way: both threads go on, and so does the call."""

import errno
import socket
import threading

import pytest
from aiortp import RtpPacket
from loopback import HOST, PATIENCE_SECONDS, Ears, free_ports, stream

from softagent.media.port import MediaPort

REASONS = [
    errno.ECONNREFUSED,
    errno.ENETUNREACH,
    errno.ENETDOWN,
    errno.EHOSTUNREACH,
    errno.EMSGSIZE,
    errno.ENOBUFS,
    errno.EPERM,
    errno.EINVAL,
]


class SickPort(MediaPort):
    """A real port that fails as long as it is told to, each time in the next way."""

    sick = threading.Event()
    refused = 0

    def receive(self, timeout_seconds):
        if self.sick.is_set():
            raise self.ailment()
        return super().receive(timeout_seconds)

    def send(self, packet, peer, **when):
        if not self.sick.is_set():
            return super().send(packet, peer, **when)
        type(self).refused += 1
        return False

    def ailment(self):
        type(self).refused += 1
        reason = REASONS[self.refused % len(REASONS)]
        return OSError(reason, errno.errorcode[reason])


class BrokenPort(SickPort):
    """Fails in ways that no network does."""

    def ailment(self):
        type(self).refused += 1
        return ZeroDivisionError("a defect")


@pytest.fixture
def phone():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((HOST, 0))
        endpoint.settimeout(PATIENCE_SECONDS)
        yield endpoint


@pytest.mark.parametrize("kind", [SickPort, BrokenPort])
def test_an_outage_costs_its_packets_and_nothing_else(phone, kind):
    kind.sick, kind.refused = threading.Event(), 0
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, phone.getsockname()[1], on_tick=ears, open_port=kind)
    ours.start()
    first = RtpPacket.parse(phone.recv(2048))
    kind.sick.set()
    ears.wait_until(lambda: kind.refused > 30)
    count = len(ears.ticks)
    kind.sick.clear()
    ears.wait_for(count + 5)
    sound = RtpPacket(payload_type=0, sequence_number=1, payload=bytes(160)).serialize()
    phone.sendto(sound, (HOST, port))
    ears.wait_until(lambda: ours.stats().packets_received == 1)
    ours.stop()
    assert [tick.index for tick in ears.ticks] == list(range(len(ears.ticks)))
    phone.setblocking(False)
    last = first
    while True:
        try:
            datagram = phone.recv(2048)
        except BlockingIOError:
            break
        last = RtpPacket.parse(datagram)
    sent = (last.sequence_number - first.sequence_number) % 65536
    assert sent >= 10
    assert (last.timestamp - first.timestamp) % 2**32 == sent * 160, "on the same timeline"


def test_a_trace_that_fails_costs_the_trace(phone, caplog):
    (port,) = free_ports(1)
    ears, seen = Ears(), []

    def fail(datagram, *_, **__):
        seen.append(datagram)
        raise OSError(errno.ENOSPC, "disk full")

    ours = stream(port, phone.getsockname()[1], on_tick=ears, observe=fail)
    ours.start()
    ears.wait_for(5)
    ours.stop()
    assert len(seen) == 1
    assert ours.stats().failures == 0
    assert [record.message for record in caplog.records] == [f"event=trace-failed port={port}"]


def test_refused_packets_are_counted(phone):
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, 9, on_tick=ears, agreed={"remote_host": "240.0.0.1"})
    ours.start()
    ears.wait_for(5)
    ours.stop()
    assert ours.stats().unsent >= 5
    assert ours.stats().failures == 0
