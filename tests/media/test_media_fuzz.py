"""Both sides of a stream under a sender that does anything, and an SDP that changes all the time."""

import random
from dataclasses import replace

import numpy as np
from aiortp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.description import Direction, MediaDescription
from softagent.media.jitter import LONGEST_DELAY_MS
from softagent.media.receiver import RtpReceiver
from softagent.media.speaker import RtpSpeaker

CALLER, MOVED, SIGNALLING = ("192.0.2.1", 4000), ("192.0.2.1", 4001), ("198.51.100.7", 9)
STRANGER = ("203.0.113.9", 4000)
PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
LONGEST_PAYLOAD = 1400
MEDIA = MediaDescription(
    codec="PCMU",
    payload_type=0,
    remote_host=CALLER[0],
    remote_port=CALLER[1],
    local_host="192.0.2.2",
    local_port=4000,
    event_payload_type=101,
    noise_payload_type=98,
    trusted_hosts=frozenset({SIGNALLING[0]}),
)


class Mischief:
    """Packets that are nearly right, in an order that is nearly one."""

    def __init__(self, chance):
        self.chance = chance
        self.sequence_number = chance.randrange(1 << 16)
        self.timestamp = chance.randrange(1 << 32)
        self.ssrc = 1

    def datagram(self):
        chance = self.chance
        if chance.random() < 0.02:
            self.sequence_number = chance.randrange(1 << 16)
        if chance.random() < 0.02:
            self.timestamp = chance.randrange(1 << 32)
        if chance.random() < 0.02:
            self.ssrc = chance.randrange(3)
        payload_type = chance.choice([0, 0, 9, 9, 8, 13, 98, 101, 101, 72, 5])
        length = chance.choice([0, 1, 79, 80, 160, 160, 160, 240, 480, LONGEST_PAYLOAD])
        packet = RtpPacket(
            payload_type=payload_type,
            marker=chance.randrange(2),
            sequence_number=(self.sequence_number + chance.choice([0, 0, 0, -1, 1, -70]))
            % (1 << 16),
            timestamp=(self.timestamp + chance.choice([0, 0, 0, -160, 160])) % (1 << 32),
            ssrc=self.ssrc,
            payload=chance.randbytes(4 if payload_type == 101 else length),
        )
        self.sequence_number = (self.sequence_number + 1) % (1 << 16)
        self.timestamp = (self.timestamp + length) % (1 << 32)
        data = bytearray(packet.serialize())
        if chance.random() < 0.1:
            data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.05 else data)

    def source(self):
        return self.chance.choice([CALLER] * 6 + [MOVED, SIGNALLING, STRANGER])

    def media(self):
        codec = self.chance.choice(list(PAYLOAD_TYPES))
        return replace(
            MEDIA,
            codec=codec,
            payload_type=PAYLOAD_TYPES[codec],
            ptime_ms=self.chance.choice([10, 20, 30, 40, 50, 60]),
            event_payload_type=self.chance.choice([None, 101]),
            direction=self.chance.choice(list(Direction)),
            remote_port=self.chance.choice([0, CALLER[1], CALLER[1]]),
        )


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32), rate_hz=st.sampled_from([8000, 16000]))
def test_a_call_ticks_on_whatever_comes(seed, rate_hz):
    mischief = Mischief(random.Random(seed))
    chance = mischief.chance
    receiver, speaker = RtpReceiver(MEDIA, rate_hz=rate_hz), RtpSpeaker(MEDIA, rate_hz=rate_hz)
    pushed = strangers = 0
    for tick in range(200):
        for _ in range(chance.choice([0, 1, 1, 1, 2, 5])):
            source = mischief.source()
            receiver.push(mischief.datagram(), source=source, arrival_seconds=tick * 0.02)
            pushed += 1
            strangers += source == STRANGER
        caller, _ = receiver.pop()
        assert (caller.shape, caller.dtype) == ((rate_hz // 50,), np.int16)
        assert receiver.jitter_buffer.depth_ms <= LONGEST_DELAY_MS + LONGEST_PAYLOAD // 8
        assert receiver.peer[0] in (CALLER[0], SIGNALLING[0])
        if chance.random() < 0.03:
            media = mischief.media()
            receiver.change(media)
            speaker.change(media)
        if chance.random() < 0.02:
            speaker.press(chance.choice(["1", "55#"]))
        speaker.put(caller, is_silent=bool(chance.randrange(2)))
        slots = 1 if speaker.needs_half_ticks else 2
        for _ in range(0, 2, slots):
            for datagram in speaker.pop(slots=slots):
                assert len(RtpPacket.parse(datagram).payload) <= 480
    judged = receiver.foreign + receiver.malformed + receiver.unknown_type + receiver.packets
    assert judged == pushed, "each is counted, once"
    assert receiver.foreign >= strangers
