"""The process that sends packets when they are due: a real one, waited for by what it sends."""

import logging
import os
import signal
import socket
import struct
import time

import pytest
from aiortp import RtpPacket
from loopback import HOST, PATIENCE_SECONDS, Ears, free_ports, stream

from softagent.media import courier as courier_module
from softagent.media.courier import LEAD_SECONDS, Courier
from softagent.media.courier_process import ORDER, Rounds, Stream
from softagent.media.port import MediaPort


@pytest.fixture
def courier():
    courier = Courier()
    yield courier
    courier.stop()


@pytest.fixture
def phone():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((HOST, 0))
        endpoint.settimeout(PATIENCE_SECONDS)
        yield endpoint


@pytest.fixture
def port(courier, phone):
    """A port whose courier is up."""
    port = MediaPort((HOST, free_ports(1)[0]), courier=courier)
    port.send(b"up", phone.getsockname())
    assert phone.recv(100) == b"up"
    yield port
    port.close()


def die(courier):
    """End the process as a crash would, and see it gone."""
    process = courier._process
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_packets_leave_in_the_order_in_which_they_are_due_and_not_before(port, phone):
    now = time.monotonic()
    for name, due in ((b"third", 0.8), (b"first", -1.0), (b"second", 0.4)):
        assert port.send(name, phone.getsockname(), due_seconds=now + due)
    came = [(phone.recvfrom(100), time.monotonic()) for _ in range(3)]
    assert [datagram for (datagram, _), _ in came] == [b"first", b"second", b"third"]
    assert came[1][1] >= now + 0.4
    assert came[2][1] >= now + 0.8
    assert {source for (_, source), _ in came} == {port._socket.getsockname()}


def test_what_was_sent_is_counted_there(port, phone):
    due = time.monotonic()
    for number in range(5):
        port.send(b"", phone.getsockname(), due_seconds=due + number / 100, begins=number == 0)
    port.send(b"", ("240.0.0.1", 9), due_seconds=due + 0.05)
    for _ in range(5):
        phone.recv(100)
    port.send(b"", phone.getsockname(), due_seconds=due + 0.06)
    phone.recv(100)
    unsent, intervals = port.sent
    assert unsent == 1
    assert sum(intervals._counts) >= 5
    port.close()
    assert port.sent[0] == 1, "it is known after the end, too"


def test_a_closed_port_is_free_at_once(courier):
    (number,) = free_ports(1)
    for _ in range(20):
        MediaPort((HOST, number), courier=courier).close()


def test_several_streams_share_the_process(courier, phone):
    ports = [MediaPort((HOST, number), courier=courier) for number in free_ports(3)]
    due = time.monotonic() + 0.01
    for number, port in enumerate(ports):
        port.send(bytes([number]), phone.getsockname(), due_seconds=due)
    assert sorted(phone.recv(100) for _ in ports) == [b"\0", b"\1", b"\2"]
    ports[0].close()
    ports[1].send(b"still", phone.getsockname(), due_seconds=0)
    assert phone.recv(100) == b"still"
    for port in ports:
        port.close()


def test_ipv6(courier):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as phone:
        phone.bind(("::1", 0))
        phone.settimeout(PATIENCE_SECONDS)
        port = MediaPort(("::1", 0), courier=courier)
        assert port.send(b"sound", phone.getsockname()[:2])
        assert phone.recv(100) == b"sound"
        port.close()


def test_when_the_process_dies_packets_leave_at_once_and_it_is_said_once(
    courier, port, phone, caplog
):
    die(courier)
    for number in range(5):
        assert port.send(bytes([number]), phone.getsockname(), due_seconds=time.monotonic() + 60)
        assert phone.recv(100) == bytes([number])
    assert port.sent[0] == 0
    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.ERROR
    assert "event=courier-lost" in caplog.records[0].message


def test_the_next_stream_has_another_process_and_the_first_one_goes_on_without(
    courier, port, phone
):
    die(courier)
    port.send(b"", phone.getsockname())
    assert phone.recv(100) == b""
    (number,) = free_ports(1)
    other = MediaPort((HOST, number), courier=courier)
    due = time.monotonic() + 0.05
    other.send(b"on time", phone.getsockname(), due_seconds=due)
    port.send(b"at once", phone.getsockname(), due_seconds=due + 60)
    assert {phone.recv(100), phone.recv(100)} == {b"at once", b"on time"}
    assert time.monotonic() >= due
    other.close()


def test_a_process_that_cannot_be_started_is_done_without(phone, caplog, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    courier = Courier()
    courier.start()
    port = MediaPort((HOST, free_ports(1)[0]), courier=courier)
    assert port.lead_seconds == 0
    assert port.send(b"sound", phone.getsockname(), due_seconds=time.monotonic() + 60)
    assert phone.recv(100) == b"sound"
    port.close()
    assert "event=courier-failed" in caplog.records[0].message


def test_it_ends_with_the_worker(courier):
    courier.start()
    process = courier._process
    courier._control.close()
    assert process.wait(PATIENCE_SECONDS) == 0


def test_it_outlives_the_signals_that_are_for_the_worker(courier, port, phone):
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(courier._process.pid, number)
    port.send(b"still there", phone.getsockname())
    assert phone.recv(100) == b"still there"
    assert courier._process.poll() is None


def test_a_stream_hands_over_early_and_its_packets_are_whole(courier, phone):
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, phone.getsockname()[1], courier=courier, on_tick=ears)
    ours.start()
    packets = [RtpPacket.parse(phone.recv(2048)) for _ in range(10)]
    ours.stop()
    first = packets[0]
    for number, packet in enumerate(packets):
        assert (packet.sequence_number - first.sequence_number) % 65536 == number
        assert (packet.timestamp - first.timestamp) % 2**32 == number * 160
    assert LEAD_SECONDS == 0.02
    assert ours.stats().unsent == 0
    assert ours.stats().interval_p50_ms > 0


def test_nonsense_from_the_worker_does_no_harm(phone):
    """Orders for streams that are gone, or never were."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    host = HOST.encode()
    order = ORDER.pack(0.0, False, phone.getsockname()[1], len(host)) + host + b"lost"
    for kind in (b"S", b"A", b"C", b"?"):
        ours.send(struct.pack("!cI", kind, 77) + order)
    for message in (b"S", struct.pack("!cI", b"O", 5), struct.pack("!cI", b"S", 5) + b"short"):
        ours.send(message)
    ours.shutdown(socket.SHUT_WR)
    Rounds(theirs).run()
    ours.close()
    theirs.close()


def test_intervals_do_not_span_pauses(phone):
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    direct = Stream(endpoint)
    for begins in (True, False, True, False):
        assert direct.send(b"", phone.getsockname(), begins=begins)
    assert sum(direct.steps) == 2
    assert direct.send(b"", (HOST, 70_000), begins=False) is False
    assert direct.unsent == 1
    endpoint.close()


def test_a_process_that_stands_still_keeps_nobody_waiting(courier, port, phone):
    """It takes no orders any more: packets leave directly, and the media clock goes on."""
    os.kill(courier._process.pid, signal.SIGSTOP)
    for _ in range(2000):
        assert port.send(bytes(172), phone.getsockname(), due_seconds=time.monotonic())
    os.kill(courier._process.pid, signal.SIGCONT)
    assert phone.recv(200) == bytes(172)
    assert courier._control is not None, "an order that waits for room ends in a timeout"


def test_no_call_waits_for_the_end_of_a_process_that_stands_still(courier, port, phone):
    lost = courier._process
    os.kill(lost.pid, signal.SIGSTOP)
    assert port.sent[0] == 0, "no answer: it counts as lost"
    patience, wait = [], lost.wait
    lost.wait = lambda timeout=None: patience.append(timeout) or wait(timeout)
    other = MediaPort((HOST, free_ports(1)[0]), courier=courier)
    assert patience[0] == 0
    assert lost.returncode == -signal.SIGKILL
    assert other.send(b"sound", phone.getsockname())
    assert phone.recv(100) == b"sound"
    other.close()


@pytest.mark.parametrize("python", ["/nonexistent/python", "/bin/false"])
def test_a_process_that_does_not_start_is_not_waited_for_by_every_call(monkeypatch, python):
    """One that can't be had, and one that ends at once: tried again after a minute."""
    now, tries = [0.0], []
    spawn = courier_module._spawn
    monkeypatch.setattr("sys.executable", python)
    monkeypatch.setattr(courier_module, "_spawn", lambda c: tries.append(now[0]) or spawn(c))
    courier = Courier(clock=lambda: now[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        for now[0] in (0.0, 1.0, 59.0, 60.0, 61.0):
            assert courier.open(endpoint) is None
    courier.stop()
    assert tries == [0.0, 60.0]
