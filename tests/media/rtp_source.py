"""Packets for the tests: made as a sender makes them, with numbers that tell them apart."""

from aiortp import RtpPacket

from softagent.media.codec import codec_named

FRAME = 160
EVENT_TYPE = 101


class Source:
    """A sender of mu-law packets whose payload bytes say which packet they are."""

    def __init__(self, *, sequence_number=100, timestamp=5000, ssrc=1, duration=FRAME):
        self.sequence_number = sequence_number
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.duration = duration
        self.count = 0

    def packet(self, *, payload=None):
        packet = RtpPacket(
            payload_type=0,
            sequence_number=self.sequence_number % (1 << 16),
            timestamp=self.timestamp % (1 << 32),
            ssrc=self.ssrc,
            payload=payload or self.code(self.count) * self.duration,
        )
        self.sequence_number += 1
        self.timestamp += self.duration
        self.count += 1
        return packet

    def packets(self, count):
        return [self.packet() for _ in range(count)]

    def pause(self, units):
        self.timestamp += units

    @staticmethod
    def code(number):
        """A mu-law code of its own for packet `number`: positive, never zero, never repeated soon."""
        return bytes([0x80 + number % 100])

    @staticmethod
    def value(number):
        """What `code(number)` sounds like."""
        return int(codec_named("PCMU").decode(Source.code(number))[0])
