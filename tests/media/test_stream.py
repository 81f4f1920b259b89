"""Streams on loopback: real sockets, real threads, waited for by counting ticks."""

import itertools
import socket
import threading
from dataclasses import replace

import numpy as np
import pytest
from aiortp import RtpPacket
from loopback import HOST, PATIENCE_SECONDS, Ears, free_ports, media, stream

from softagent.errors import PortInUse
from softagent.media.codec import codec_named
from softagent.media.description import Direction
from softagent.media.playout import Playout
from softagent.media.sender import RtpSender
from softagent.media.stream import RtpStream


@pytest.fixture
def phone():
    """A plain socket where the caller would be."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((HOST, 0))
        endpoint.settimeout(PATIENCE_SECONDS)
        yield endpoint


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_a_sine_survives_both_ways_through_a_sequence_wrap(codec):
    here, there = free_ports(2)
    sine = (8000 * np.sin(2 * np.pi * 440 * np.arange(4800) / 8000)).astype(np.int16)
    playout, ears = Playout(8000), Ears()
    sender = RtpSender(
        payload_type=codec_named(codec).payload_type,
        sequence_number=65530,
        timestamp=2**32 - 1600,
    )
    speaking = stream(here, there, codec=codec, playout=playout, sender=sender)
    hearing = stream(there, here, codec=codec, on_tick=ears)
    playout.begin(1)
    playout.put(1, 0, sine)
    playout.finish(1)
    playout.release(1)
    hearing.start()
    speaking.start()
    ears.wait_until(lambda: len(ears.ticks) > 5 and len(np.flatnonzero(ears.sound)) > 4500)
    ears.wait_for(len(ears.ticks) + 10)
    speaking.stop()
    hearing.stop()

    stats = hearing.stats()
    assert (stats.lost, stats.malformed, stats.foreign, stats.failures) == (0, 0, 0, 0)
    sound = ears.sound.astype(float)
    lag = int(np.argmax(np.correlate(sound, sine.astype(float), "valid")))
    error = sound[lag : lag + len(sine)] - sine
    snr_db = 10 * np.log10(np.mean(sine.astype(float) ** 2) / np.mean(error**2))
    assert stats.concealed or snr_db > 36, "G.711 alone makes 38 dB"


def test_ticks_are_numbered_without_a_gap_and_sent_from_the_start(phone):
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, phone.getsockname()[1], on_tick=ears)
    ours.start()
    packets = [RtpPacket.parse(phone.recv(2048)) for _ in range(10)]
    ears.wait_for(10)
    ours.stop()
    assert [tick.index for tick in ears.ticks[:10]] == list(range(10))
    first = packets[0]
    for number, packet in enumerate(packets):
        assert packet.payload == b"\xff" * 160
        assert (packet.sequence_number - first.sequence_number) % 65536 == number
        assert (packet.timestamp - first.timestamp) % 2**32 == number * 160
        assert packet.marker == (number == 0)


def test_a_reply_is_marked_and_its_ticks_say_whose_it_is(phone):
    (port,) = free_ports(1)
    playout, ears = Playout(8000), Ears()
    ours = stream(port, phone.getsockname()[1], playout=playout, on_tick=ears)
    ours.start()
    ears.wait_for(2)
    playout.begin(4)
    playout.put(4, 0, np.full(320, 5000, dtype=np.int16))
    playout.finish(4)
    playout.release(4)
    ears.wait_until(lambda: any(tick.agent.is_last for tick in ears.ticks))
    ours.stop()
    spoken = [tick.agent for tick in ears.ticks if tick.agent.turn == 4]
    assert [(p.is_first, p.is_last) for p in spoken] == [(True, False), (False, True)]
    packets = [RtpPacket.parse(phone.recv(2048)) for _ in range(ours.stats().packets_sent)]
    loud = [packet.marker for packet in packets if packet.payload != b"\xff" * 160]
    assert loud == [1, 0]


def test_garbage_does_not_stop_the_stream(phone):
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, phone.getsockname()[1], on_tick=ears)
    ours.start()
    for data in (
        b"",
        b"\x80",
        bytes(5),
        b"\x80\x65" + bytes(10),
        b"\x80\x65" + bytes(10) + b"\xff" * 4,
    ):
        phone.sendto(data, (HOST, port))
    digit = RtpPacket(
        payload_type=101, sequence_number=5, timestamp=99, payload=b"\x05\x8a\x03\x20"
    )
    phone.sendto(digit.serialize(), (HOST, port))
    ears.wait_until(lambda: any(tick.digits for tick in ears.ticks))
    ours.stop()
    assert "".join(tick.digits for tick in ears.ticks) == "5"
    assert ours.stats().malformed == 3


def test_packets_follow_the_caller_to_the_address_it_sends_from(phone):
    """SDP names an address behind a NAT that nobody reaches."""
    port, unreachable = free_ports(2)
    ours = stream(port, unreachable)
    ours.start()
    phone.sendto(RtpPacket(payload_type=0, payload=bytes(160)).serialize(), (HOST, port))
    assert RtpPacket.parse(phone.recv(2048)).payload_type == 0
    ours.stop()


def test_a_callback_that_fails_costs_its_tick_only(phone, caplog):
    (port,) = free_ports(1)
    ears = Ears()

    def fail(tick):
        ears(tick)
        raise RuntimeError("a defect")

    ours = stream(port, phone.getsockname()[1], on_tick=fail)
    ours.start()
    ears.wait_for(3)
    ours.stop()
    assert ours.stats().failures >= 3
    assert [record.message for record in caplog.records] == ["media failed name=test"]


def test_a_taken_port_is_named():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 0))
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=f"RTP port {port}.*rtp_ports"):
            stream(port, 9).start()


def test_stop_ends_both_threads_frees_the_port_and_may_be_repeated():
    (port,) = free_ports(1)
    before = threading.active_count()
    ours = stream(port, 9)
    ours.start()
    assert threading.active_count() == before + 2
    ours.stop()
    ours.stop()
    assert threading.active_count() == before
    again = stream(port, 9)
    again.start()
    again.stop()


def test_stop_before_start_does_nothing():
    stream(9, 9).stop()


def test_a_stream_may_be_stopped_by_its_own_callback():
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, 9, on_tick=lambda tick: (ours.stop(), ears(tick)))
    ours.start()
    ears.wait_for(1)
    ours.stop()
    assert len(ears.ticks) == 1


@pytest.mark.parametrize(
    ("direction", "packets"),
    [(Direction.SENDONLY, 1), (Direction.RECVONLY, 0), (Direction.INACTIVE, 0)],
)
def test_on_hold_time_stands_still_and_only_who_may_send_sends(phone, direction, packets):
    (port,) = free_ports(1)
    playout, ears = Playout(8000), Ears()
    ours = stream(port, phone.getsockname()[1], playout=playout, on_tick=ears)
    ours.start()
    ears.wait_for(3)
    ours.change(replace(media(port, phone.getsockname()[1]), direction=direction))
    ears.wait_until(lambda: ears.ticks[-1].is_held)
    playout.begin(1)
    playout.put(1, 0, np.full(160, 5000, dtype=np.int16))
    playout.finish(1)
    playout.release(1)
    sent = ours.stats().packets_sent
    ears.wait_for(len(ears.ticks) + 10)
    held = [tick for tick in ears.ticks if tick.is_held]
    assert len({tick.index for tick in held}) == 1
    assert all(tick.agent.turn is None for tick in held)
    assert (ours.stats().packets_sent - sent >= 9) == bool(packets)
    ours.change(media(port, phone.getsockname()[1]))
    ears.wait_until(lambda: any(tick.agent.turn == 1 for tick in ears.ticks))
    ours.stop()
    going_on = [tick.index for tick in ears.ticks if not tick.is_held]
    assert going_on == list(range(len(going_on)))


def test_the_timestamp_counts_the_time_on_hold(phone):
    """RFC 3550 section 5.1: it is a clock, whether packets are sent or not."""
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, phone.getsockname()[1], on_tick=ears)
    ours.start()
    ears.wait_for(3)
    ours.change(replace(media(port, phone.getsockname()[1]), direction=Direction.INACTIVE))
    ears.wait_for(20)
    ours.change(media(port, phone.getsockname()[1]))
    ears.wait_for(25)
    ours.stop()
    packets = [RtpPacket.parse(phone.recv(2048)) for _ in range(ours.stats().packets_sent)]
    held = sum(tick.is_held for tick in ears.ticks)
    spans = {
        (
            (b.timestamp - a.timestamp) % 2**32 // 160,
            (b.sequence_number - a.sequence_number) % 65536,
        )
        for a, b in itertools.pairwise(packets)
    }
    assert spans == {(1, 1), (held + 1, 1)}


def test_nothing_is_sent_while_the_far_end_is_unknown(phone):
    """After a delayed offer its address comes with the ACK."""
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, 0, on_tick=ears)
    ours.start()
    ears.wait_for(5)
    assert ours.stats().packets_sent == ours.stats().unsent == 0
    ours.change(media(port, phone.getsockname()[1]))
    assert RtpPacket.parse(phone.recv(2048)).payload_type == 0
    ours.stop()


def test_how_long_nothing_has_come_is_known(phone):
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, phone.getsockname()[1], on_tick=ears)
    ours.start()
    ears.wait_for(12)
    assert ours.unheard_seconds >= 0.2
    phone.sendto(RtpPacket(payload_type=0, payload=bytes(160)).serialize(), (HOST, port))
    ears.wait_until(lambda: ours.unheard_seconds < 0.2)
    ours.stop()


@pytest.mark.parametrize(("codec", "ptime_ms"), [("PCMU", 10), ("G722", 30), ("PCMA", 60)])
def test_packets_of_other_lengths_leave_and_the_ticks_go_on(phone, codec, ptime_ms):
    (port,) = free_ports(1)
    ears = Ears()
    description = replace(media(port, phone.getsockname()[1], codec=codec), ptime_ms=ptime_ms)
    playout = Playout(codec_named(codec).rate_hz)
    ours = RtpStream(description, playout=playout, on_tick=ears, name="test")
    ours.start()
    packets = [RtpPacket.parse(phone.recv(2048)) for _ in range(6)]
    ears.wait_for(6 * ptime_ms // 20)
    ours.stop()
    assert [tick.index for tick in ears.ticks] == list(range(len(ears.ticks)))
    assert {len(packet.payload) for packet in packets} == {8 * ptime_ms}
    spans = {(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(packets)}
    assert spans == {8 * ptime_ms}
    assert ours.stats().failures == 0


def test_keys_reach_the_other_stream_and_may_be_refused():
    here, there = free_ports(2)
    ears = Ears()
    pressing, hearing = stream(here, there), stream(there, here, on_tick=ears)
    hearing.start()
    pressing.start()
    assert pressing.send_digits("42#")
    assert pressing.is_sending_digits
    with pytest.raises(ValueError, match="no key"):
        pressing.send_digits("x")
    ears.wait_until(lambda: "".join(tick.digits for tick in ears.ticks) == "42#")
    pressing.change(replace(media(here, there), event_payload_type=None))
    assert not pressing.send_digits("1")
    pressing.stop()
    hearing.stop()


def test_a_trace_sees_both_directions_as_they_are_on_the_wire(phone):
    """Every byte with its addresses, and what came with the time the kernel got it."""
    seen, changed = [], threading.Condition()

    def observe(datagram, source, destination, *, at_seconds=0.0):
        with changed:
            seen.append((datagram, source[1], destination[1], at_seconds > 0))
            changed.notify_all()

    port, far = free_ports(1)[0], phone.getsockname()[1]
    watched = stream(port, far, observe=observe)
    watched.start()
    first, _ = phone.recvfrom(2048)
    phone.sendto(b"anything", (HOST, port))
    with changed:
        assert changed.wait_for(lambda: (b"anything", far, port, True) in seen, PATIENCE_SECONDS)
    watched.stop()
    assert (first, port, far, False) in seen
