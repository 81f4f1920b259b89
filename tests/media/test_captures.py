"""Packets of a softphone that no one here wrote, heard with the timing they had."""

import struct
from pathlib import Path

import numpy as np
import pytest

from softagent.media.codec import codec_named
from softagent.media.description import MediaDescription
from softagent.media.receiver import RtpReceiver

CAPTURES = Path(__file__).parent / "captures"
PCAP_HEADER_BYTES = 24
BEFORE_PAYLOAD_BYTES = 14 + 20 + 8
"""Ethernet, IPv4 without options, UDP."""


def datagrams(name):
    """(seconds since the first, payload) of each packet of a little-endian pcap file."""
    data = (CAPTURES / name).read_bytes()
    position, start = PCAP_HEADER_BYTES, None
    while position < len(data):
        seconds, microseconds, length, _ = struct.unpack_from("<IIII", data, position)
        position += 16
        arrival = seconds + microseconds / 1e6
        start = arrival if start is None else start
        yield arrival - start, data[position + BEFORE_PAYLOAD_BYTES : position + length]
        position += length


def hear(name, codec, rate_hz=None):
    """Play a capture against the tick: the receiver, its sound and the digits."""
    named = codec_named(codec)
    rate_hz = rate_hz or named.rate_hz
    source = ("127.0.0.1", 30000)
    media = MediaDescription(
        codec=codec,
        payload_type=named.payload_type,
        remote_host=source[0],
        remote_port=source[1],
        local_host="127.0.0.1",
        local_port=30002,
        event_payload_type=101,
    )
    receiver = RtpReceiver(media, rate_hz=rate_hz)
    frames, digits, tick = [], "", 0
    for seconds, datagram in datagrams(name):
        while tick * 0.02 + 0.01 < seconds:
            caller, pressed = receiver.pop()
            frames.append(caller)
            digits += pressed
            tick += 1
        receiver.push(datagram, source=source, arrival_seconds=seconds)
    return receiver, np.concatenate(frames), digits


def sine_to_rest_db(sound, frequency_hz, rate_hz=8000):
    """Power of a sine of `frequency_hz` in one second of sound, against all the rest."""
    power = np.abs(np.fft.rfft(sound[:rate_hz] * np.hanning(rate_hz))) ** 2
    sine = power[frequency_hz - 3 : frequency_hz + 4].sum()
    return 10 * np.log10(sine / (power.sum() - sine))


@pytest.mark.parametrize(
    ("name", "codec", "expected"),
    [("pjsua2-pcmu-digits-12.pcap", "PCMU", "12"), ("pjsua2-pcma.pcap", "PCMA", "")],
)
def test_a_captured_call_is_heard(name, codec, expected):
    receiver, sound, digits = hear(name, codec)
    assert digits == expected
    assert (receiver.malformed, receiver.foreign, receiver.unknown_type) == (0, 0, 0)
    assert receiver.reception.lost == 0
    assert receiver.reception.jitter_ms < 2
    counters = receiver.jitter_buffer.counters
    assert (counters.late, counters.concealed) == (0, 0), "a key's events are no loss of sound"
    assert sine_to_rest_db(sound[480:], 440) > 30


@pytest.mark.parametrize("name", ["pjsua2-g722.pcap", "pjsua2-g722-ptime-30.pcap"])
@pytest.mark.parametrize("rate_hz", [16000, 8000])
def test_a_captured_wideband_call_is_heard_at_either_rate(name, rate_hz):
    receiver, sound, _ = hear(name, "G722", rate_hz)
    assert (receiver.malformed, receiver.foreign, receiver.unknown_type) == (0, 0, 0)
    counters = receiver.jitter_buffer.counters
    assert (receiver.reception.lost, counters.late, counters.concealed) == (0, 0, 0)
    begins = int(np.argmax(np.abs(sound) > 5000)) + rate_hz // 50
    assert sine_to_rest_db(sound[begins:], 440, rate_hz) > 30


def test_a_captured_pause_without_packets_is_silence_between_two_tones():
    receiver, sound, _ = hear("pjsua2-pcmu-dtx.pcap", "PCMU")
    loud = np.abs(sound[: len(sound) // 160 * 160].reshape(-1, 160)).max(axis=1) > 5000
    edges = np.flatnonzero(np.diff(loud.astype(int)))
    spoken_ms, paused_ms = (edges[1] - edges[0]) * 20, (edges[2] - edges[1]) * 20
    assert 980 <= spoken_ms <= 1080
    assert 1900 <= paused_ms <= 2020
    counters = receiver.jitter_buffer.counters
    assert counters.concealed <= 8, "60 ms at the end of each burst of packets, no storm"
    assert (receiver.reception.lost, counters.late, counters.resyncs) == (0, 0, 0)
