"""The sockets of a call: what comes, from where and when, and what a sick network does."""

import errno
import logging
import socket

import pytest

from softagent.errors import PortInUse
from softagent.media.port import MediaPort, is_closed

HOST = "127.0.0.1"
PATIENCE_SECONDS = 10


def free_pair():
    """A port whose neighbour is free too."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
            first.bind((HOST, 0))
            number = first.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
                try:
                    second.bind((HOST, number + 1))
                except (OSError, OverflowError):
                    continue
                return number


@pytest.fixture
def phone():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((HOST, 0))
        endpoint.settimeout(PATIENCE_SECONDS)
        yield endpoint


@pytest.fixture
def port():
    number = free_pair()
    opened = MediaPort((HOST, number))
    opened.number = number
    yield opened
    opened.close()


def test_datagrams_come_with_their_source_time_and_port(port, phone):
    phone.sendto(b"sound", (HOST, port.number))
    (sound,) = port.receive(PATIENCE_SECONDS)
    phone.sendto(b"report", (HOST, port.number + 1))
    (report,) = port.receive(PATIENCE_SECONDS)
    assert (sound.datagram, sound.is_at_report_port) == (b"sound", False)
    assert (report.datagram, report.is_at_report_port) == (b"report", True)
    assert sound.source == report.source == phone.getsockname()
    assert 0 <= report.seconds - sound.seconds < PATIENCE_SECONDS


def test_nothing_comes_within_the_timeout(port):
    assert port.receive(0) == []


def test_sound_and_reports_leave_from_their_own_port(port, phone):
    assert port.send(b"sound", phone.getsockname())
    assert phone.recvfrom(100) == (b"sound", (HOST, port.number))
    assert port.send_report(b"report", phone.getsockname())
    assert phone.recvfrom(100) == (b"report", (HOST, port.number + 1))


@pytest.mark.parametrize(
    ("packet", "peer"),
    [
        (b"", ("240.0.0.1", 5000)),
        (bytes(70_000), (HOST, 5000)),
        (b"", (HOST, 65536)),
        (b"", (HOST, 0)),
    ],
    ids=["unreachable", "too long", "no port", "port 0"],
)
def test_what_cannot_be_sent_is_told_and_breaks_nothing(port, phone, packet, peer):
    assert port.send(packet, peer) is False
    assert port.send(b"next", phone.getsockname())
    assert phone.recv(100) == b"next"


def test_a_taken_report_port_is_said_once_and_done_without(phone, caplog):
    number = free_pair()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, number + 1))
        port = MediaPort((HOST, number), name="reception")
    assert not port.has_report_port
    assert not port.send_report(b"report", phone.getsockname())
    assert port.send(b"sound", phone.getsockname())
    phone.sendto(b"answer", (HOST, number))
    assert [arrival.datagram for arrival in port.receive(PATIENCE_SECONDS)] == [b"answer"]
    port.close()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"event=rtcp-port-in-use name=reception port={number + 1}" in record.message


def test_a_taken_port_is_named():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 0))
        number = other.getsockname()[1]
        with pytest.raises(PortInUse, match=f"RTP port {number}.*rtp_ports"):
            MediaPort((HOST, number))


def test_a_closed_port_says_that_there_is_nothing_left():
    port = MediaPort((HOST, free_pair()))
    port.close()
    port.close()
    with pytest.raises(OSError, match=str(errno.EBADF)) as caught:
        port.receive(PATIENCE_SECONDS)
    assert is_closed(caught.value)
    assert not is_closed(OSError(errno.ENETUNREACH, "unreachable"))


def test_ipv6():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as phone:
        phone.bind(("::1", 0))
        phone.settimeout(PATIENCE_SECONDS)
        port = MediaPort(("::1", 0))
        assert port.send(b"sound", phone.getsockname()[:2])
        datagram, source = phone.recvfrom(100)
        phone.sendto(b"answer", source)
        (arrival,) = port.receive(PATIENCE_SECONDS)
        assert (datagram, arrival.datagram) == (b"sound", b"answer")
        assert arrival.source == phone.getsockname()[:2]
        port.close()
