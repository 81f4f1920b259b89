"""A stream whose call changes: codec, port, source; and one that others would like to break into."""

import itertools
import socket
from dataclasses import replace

import numpy as np
import pytest
from aiortp import RtpPacket
from loopback import HOST, Ears, free_ports, media, stream

from softagent.media.codec import codec_named
from softagent.media.playout import Playout
from softagent.media.sender import RtpSender

STRANGER_HOST = "127.0.0.2"
"""All of 127/8 is this machine: another host as far as addresses go."""


def sine(hertz, rate_hz, seconds):
    angle = 2 * np.pi * hertz * np.arange(int(rate_hz * seconds)) / rate_hz
    return (8000 * np.sin(angle)).astype(np.int16)


def saying(sound, rate_hz):
    """A playout that says `sound` from its first tick on."""
    playout = Playout(rate_hz)
    playout.begin(1)
    playout.put(1, 0, sound)
    playout.finish(1)
    playout.release(1)
    return playout


def loud(ticks):
    return [tick for tick in ticks if np.abs(tick.caller).max() > 4000]


def is_tone(frame, hertz, rate_hz):
    """Whether a sine of `hertz` holds nearly all the power of one frame."""
    angle = 2 * np.pi * hertz * np.arange(len(frame)) / rate_hz
    waves = np.column_stack((np.sin(angle), np.cos(angle)))
    rest = frame - waves @ np.linalg.lstsq(waves, frame.astype(float), rcond=None)[0]
    return np.mean(rest**2) < 0.02 * np.mean(frame.astype(float) ** 2)


def test_wideband_goes_both_ways_through_both_wraps():
    """5 kHz, which G.711 can't carry."""
    here, there = free_ports(2)
    ears = Ears()
    sender = RtpSender(payload_type=9, sequence_number=65530, timestamp=2**32 - 1600)
    speaking = stream(
        here, there, codec="G722", playout=saying(sine(5000, 16000, 0.8), 16000), sender=sender
    )
    hearing = stream(there, here, codec="G722", playout=Playout(16000), on_tick=ears)
    hearing.start()
    speaking.start()
    ears.wait_until(lambda: len(loud(ears.ticks)) >= 35)
    speaking.stop()
    hearing.stop()
    assert {tick.caller.shape for tick in ears.ticks} == {(320,)}
    tones = [tick for tick in loud(ears.ticks) if is_tone(tick.caller, 5000, 16000)]
    assert len(tones) >= 25
    stats = hearing.stats()
    assert (stats.lost, stats.resyncs, stats.unknown_type, stats.failures) == (0, 0, 0, 0)


@pytest.mark.parametrize(("before", "after"), [("PCMU", "G722"), ("G722", "PCMA")])
def test_a_codec_change_leaves_a_call_at_its_rate(before, after):
    here, there = free_ports(2)
    rate_hz = codec_named(before).rate_hz
    ears = Ears()
    speaking = stream(here, there, codec=before, playout=saying(sine(800, rate_hz, 3), rate_hz))
    hearing = stream(there, here, codec=before, playout=Playout(rate_hz), on_tick=ears)
    hearing.start()
    speaking.start()
    ears.wait_until(lambda: len(loud(ears.ticks)) >= 10)
    hearing.change(media(there, here, codec=after))
    speaking.change(media(here, there, codec=after))
    changed = len(ears.ticks)
    ears.wait_for(changed + 30)
    speaking.stop()
    hearing.stop()
    assert {tick.caller.shape for tick in ears.ticks} == {(rate_hz // 50,)}
    tones = [tick for tick in ears.ticks[changed + 3 :] if is_tone(tick.caller, 800, rate_hz)]
    assert len(tones) >= 20
    for stats in (speaking.stats(), hearing.stats()):
        assert (stats.failures, stats.unknown_type, stats.resyncs) == (0, 0, 0)


def test_strangers_are_neither_heard_nor_answered_before_nor_after_the_caller():
    """They know every number, and send more than the caller does."""
    port, caller_port = free_ports(2)
    ears = Ears()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller,
    ):
        stranger.bind((STRANGER_HOST, 0))
        stranger.setblocking(False)
        caller.bind((HOST, caller_port))
        ours = stream(port, caller_port, on_tick=ears)
        ours.start()

        def packet(number, code):
            return RtpPacket(
                payload_type=0,
                sequence_number=number,
                timestamp=number * 160,
                ssrc=1,
                payload=code * 160,
            ).serialize()

        for number in range(20):
            stranger.sendto(packet(number, b"\x00"), (HOST, port))
        ears.wait_until(lambda: ours.stats().foreign >= 20)
        for number in range(20, 40):
            for ahead in (0, 1):
                stranger.sendto(packet(number + ahead, b"\x00"), (HOST, port))
            caller.sendto(packet(number, b"\xb0"), (HOST, port))
            ears.wait_for(len(ears.ticks) + 1)
        ears.wait_for(len(ears.ticks) + 5)
        ours.stop()
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    stats = ours.stats()
    assert stats.foreign == 60
    assert stats.packets_received == 20
    assert ears.sound.any()
    own = int(codec_named("PCMU").decode(b"\xb0")[0])
    assert np.abs(ears.sound).max() <= 1.2 * own, "a stranger's full scale would be 32124"


def test_a_caller_whose_port_moves_is_followed_and_answered_there():
    """A NAT that forgot its mapping: same host, same stream, another port."""
    port, old_port, new_port = free_ports(3)
    ears = Ears()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as old,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as new,
    ):
        old.bind((HOST, old_port))
        new.bind((HOST, new_port))
        new.settimeout(10)
        ours = stream(port, old_port, on_tick=ears)
        ours.start()
        for number, phone in enumerate(itertools.chain([old] * 10, [new] * 15)):
            sent = RtpPacket(
                payload_type=0,
                sequence_number=number,
                timestamp=number * 160,
                ssrc=1,
                payload=b"\xb0" * 160,
            )
            phone.sendto(sent.serialize(), (HOST, port))
            ears.wait_for(len(ears.ticks) + 1)
        answered = RtpPacket.parse(new.recv(2048))
        ours.stop()
    assert answered.payload_type == 0
    stats = ours.stats()
    assert (stats.packets_received, stats.foreign) == (21, 4)


def test_a_refresh_of_the_same_sdp_keeps_the_port_that_was_found():
    port, sdp_port, real_port = free_ports(3)
    ears = Ears()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((HOST, real_port))
        phone.settimeout(10)
        ours = stream(port, sdp_port, on_tick=ears)
        ours.start()
        phone.sendto(RtpPacket(payload_type=0, payload=bytes(160)).serialize(), (HOST, port))
        phone.recv(2048)
        ours.change(replace(media(port, sdp_port), ptime_ms=40))
        while len(RtpPacket.parse(phone.recv(2048)).payload) != 320:
            pass
        ours.stop()
