"""The jitter buffer: packets as they arrive in, one frame every tick out.

receive thread -> push(packet) -> JitterBuffer -> pop() -> media clock -> Tick.caller

It counts in ticks and RTP timestamps and looks at no clock. aiortp 0.8.0's
AdaptivePlayout is not used: it hands out whole packets, so that packets of any other
length than a frame don't fit, and it stays deaf after a timestamp that jumps back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from aiortp import RtpPacket

from softagent.media.codec import Codec
from softagent.media.conceal import Concealer
from softagent.media.frame import FRAME_MS, Samples, frame_samples, ticks

LONGEST_DELAY_MS = 200
"""More than this is never kept: what is older is dropped."""
PAUSE_MS = 120
"""A sender that has been silent this long pauses: nothing of it is missing."""
JUMP_MS = 2000
"""A timestamp further off than this begins a new timeline."""
LATE_PACKETS = 64
"""A sequence number this much behind the newest or less is a straggler's, not a new source's."""
MOST_PACKETS = 64
"""More are never kept, however short they are."""
SPARE_FRAMES = 1
"""What should be left in the buffer at the worst moment: absorbs 20 ms of jitter."""
QUIET_PEAK = 256
"""Below this (-42 dBFS) a frame can be left out unnoticed."""
SHRINK_QUIET_TICKS = ticks(1000)
SHRINK_LOUD_TICKS = ticks(3000)
"""How long the buffer must have been too deep before a quiet or any frame is left out."""


@dataclass(slots=True)
class JitterCounters:
    """What has become of a stream so far."""

    late: int = 0
    """Packets that came after their turn, or twice."""
    concealed: int = 0
    """Frames that were made up, whole or in part."""
    dropped: int = 0
    """Frames or packets left out to shorten the delay."""
    resyncs: int = 0
    """New timelines: another source, or a jump of the timestamp."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A packet that hasn't been heard yet."""

    payload: bytes
    codec: Codec
    units: int
    """How long it lasts."""


class JitterBuffer:
    """One caller's sound, put in order and on our clock. Pure; the owner guards it."""

    def __init__(self, codec: Codec) -> None:
        self.counters = JitterCounters()
        self._codec = codec
        self._frame_samples = frame_samples(codec.rate_hz)
        self._frame_units = codec.clock_hz * FRAME_MS // 1000
        self._samples_per_unit = codec.rate_hz // codec.clock_hz
        self._longest_units = codec.clock_hz * LONGEST_DELAY_MS // 1000
        self._pause_units = codec.clock_hz * PAUSE_MS // 1000
        self._jump_units = codec.clock_hz * JUMP_MS // 1000
        self._concealer = Concealer(codec.rate_hz)
        self._packets: dict[int, Waiting] = {}
        """Packets that wait, by timestamp (which goes on past 32 bits)."""
        self._decoded = np.zeros(0, dtype=np.int16)
        """The part of the last decoded packet that didn't fit into a frame."""
        self._head: int | None = None
        """Timestamp of the next unit to decode; None while the sender pauses."""
        self._newest: RtpPacket | None = None
        """The packet with the highest sequence number of this timeline."""
        self._newest_timestamp = 0
        self._floor = 0
        """What lies before this timestamp has been heard or given up."""
        self._stray: RtpPacket | None = None
        """A packet that fits nowhere: begins a new timeline if the next one follows it."""
        self._is_held = False
        """Whether the first packet after a pause still waits for its tick, as a reserve."""
        self._starved_units = 0
        """Made up since the buffer ran empty: comes off the gap, if it turns out to be one."""
        self._least_spare = self._longest_units
        self._window_ticks = 0

    @property
    def depth_ms(self) -> int:
        """Sound that waits, gaps included."""
        return self._spare_units() * 1000 // self._codec.clock_hz

    def push(self, packet: RtpPacket, codec: Codec | None = None) -> bool:
        """Take a packet, in any order; True when it began a new timeline.

        `codec` is that of this packet and of those that follow, with the rates of the first.
        """
        self._codec = codec or self._codec
        if not packet.payload:
            return False
        newest = self._newest
        if newest is None:
            self._restart(packet)
            return False
        if packet.ssrc != newest.ssrc:
            return self._probe(packet)
        timestamp = self._newest_timestamp + _signed(packet.timestamp - newest.timestamp, 32)
        if -LATE_PACKETS < _signed(packet.sequence_number - newest.sequence_number, 16) <= 0:
            self._insert(packet, timestamp)
            return False
        if self._head is None:
            self._begin(packet, timestamp)
            return False
        if not 0 < timestamp - self._newest_timestamp <= self._jump_units:
            return self._probe(packet)
        self._newest, self._newest_timestamp = packet, timestamp
        self._insert(packet, timestamp)
        return False

    def pop(self) -> Samples:
        """Take the frame for this tick: heard, made up, or zeros while the sender pauses."""
        if self._is_held:
            self._is_held = False
            if len(self._packets) == 1 or self._spare_units() < 2 * self._frame_units:
                return np.zeros(self._frame_samples, dtype=np.int16)
        if self._head is None:
            return np.zeros(self._frame_samples, dtype=np.int16)
        return self._shorten(self._next_frame())

    def _restart(self, packet: RtpPacket) -> None:
        """Begin a timeline with `packet`."""
        self._decoded = self._decoded[:0]
        self._stray = None
        self._floor = packet.timestamp - self._longest_units
        self._begin(packet, packet.timestamp)

    def _begin(self, packet: RtpPacket, timestamp: int) -> None:
        """Begin to collect, at the start of a timeline or after a pause."""
        self._newest, self._newest_timestamp = packet, timestamp
        self._packets = {timestamp: self._waiting(packet)}
        self._head = timestamp
        self._floor = min(self._floor, timestamp)
        self._is_held = True
        self._starved_units = 0
        self._restart_window()

    def _probe(self, packet: RtpPacket) -> bool:
        """Follow a new timeline at its second packet, so that one lost packet can't mislead us."""
        stray, self._stray = self._stray, packet
        if (
            stray is None
            or stray.ssrc != packet.ssrc
            or (packet.sequence_number - stray.sequence_number) % (1 << 16) not in (1, 2)
        ):
            return False
        self._restart(stray)
        self.counters.resyncs += 1
        self.push(packet)
        return True

    def _insert(self, packet: RtpPacket, timestamp: int) -> None:
        if self._head is not None and self._is_held and timestamp >= self._floor:
            self._head = min(self._head, timestamp)
        if self._head is None or timestamp < self._head or timestamp in self._packets:
            self.counters.late += 1
            return
        self._packets[timestamp] = self._waiting(packet)
        while self._spare_units() > self._longest_units or len(self._packets) > MOST_PACKETS:
            if len(self._packets) == 1:
                self._head = timestamp
                break
            del self._packets[min(self._packets)]
            self._head = min(self._packets)
            self.counters.dropped += 1

    def _waiting(self, packet: RtpPacket) -> Waiting:
        return Waiting(packet.payload, self._codec, self._codec.duration(packet.payload))

    def _next_frame(self) -> Samples:
        """Decode, fill gaps, and make up the rest when the buffer runs empty."""
        parts = [self._decoded]
        missing = self._frame_samples - len(self._decoded)
        is_concealed = False
        while missing > 0 and self._packets and self._head is not None:
            timestamp = min(self._packets)
            self._head += min(max(timestamp - self._head, 0), self._starved_units)
            self._starved_units = 0
            if timestamp > self._head:
                units = min(timestamp - self._head, -(-missing // self._samples_per_unit))
                part = self._concealer.conceal(units * self._samples_per_unit)
                self._head += units
                is_concealed = True
            else:
                part = self._decode(timestamp)
            parts.append(part)
            missing -= len(part)
        if missing > 0:
            parts.append(self._concealer.conceal(missing))
            is_concealed = True
            self._starve(missing)
        self.counters.concealed += is_concealed
        sound = np.concatenate(parts)
        self._decoded = sound[self._frame_samples :]
        return sound[: self._frame_samples]

    def _decode(self, timestamp: int) -> Samples:
        """Decode the packet at `timestamp`, without what an overlapping one has told already."""
        assert self._head is not None
        waiting = self._packets.pop(timestamp)
        samples = waiting.codec.decode(waiting.payload)
        samples = samples[(self._head - timestamp) * self._samples_per_unit :]
        self._head = max(self._head, timestamp + waiting.units)
        if len(samples):
            self._concealer.heard(samples)
        return samples

    def _starve(self, missing: int) -> None:
        """Note that the buffer ran empty; after a while take it for a pause of the sender's."""
        self._starved_units += missing // self._samples_per_unit
        if self._starved_units >= self._pause_units:
            self._floor, self._head = self._head or 0, None
            self._starved_units = 0

    def _shorten(self, frame: Samples) -> Samples:
        """Leave out a frame when more than needed has waited for long, best a quiet one."""
        self._least_spare = min(self._least_spare, self._spare_units())
        self._window_ticks += 1
        if self._window_ticks < SHRINK_QUIET_TICKS:
            return frame
        if self._least_spare < (SPARE_FRAMES + 1) * self._frame_units:
            self._restart_window()
        elif self._window_ticks >= SHRINK_LOUD_TICKS or np.abs(frame).max() < QUIET_PEAK:
            self._least_spare -= self._frame_units
            self.counters.dropped += 1
            return self._next_frame()
        return frame

    def _restart_window(self) -> None:
        self._least_spare = self._longest_units
        self._window_ticks = 0

    def _spare_units(self) -> int:
        """Units that wait, from what is to be heard next to the end of the last packet."""
        decoded = len(self._decoded) // self._samples_per_unit
        if self._head is None or not self._packets:
            return decoded
        last = max(self._packets)
        return decoded + max(last + self._packets[last].units - self._head, 0)


def _signed(difference: int, bits: int) -> int:
    """The shortest way between two numbers that wrap at `bits`."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half
