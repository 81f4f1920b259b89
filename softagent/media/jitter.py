"""The jitter buffer: packets as they arrive in, one frame every tick out.

receive thread -> push(packet) -> JitterBuffer -> pop() -> media clock -> Tick.caller
                  transit -> PlayoutDelay -> wait, or leave out a frame

It counts in ticks and RTP timestamps and looks at no clock. aiortp 0.8.0's
AdaptivePlayout is not used: it hands out whole packets, so that packets of any other
length than a frame don't fit, and it stays deaf after a timestamp that jumps back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from aiortp import RtpPacket

from softagent.media.codec import Codec
from softagent.media.delay import Correction, PlayoutDelay
from softagent.media.filler import Filler
from softagent.media.frame import FRAME_MS, Samples, frame_samples
from softagent.media.waiting import WaitingPackets

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
RESERVE_FRAMES = 1
"""How long the quickest packet waits at least: absorbs 20 ms of jitter from the first one on."""
QUIET_PEAK = 256
"""Below this (-42 dBFS) a frame can be left out unnoticed."""


@dataclass(slots=True)
class JitterCounters:
    """What has become of a stream so far."""

    late: int = 0
    """Packets that came after their turn."""
    doubled: int = 0
    """Packets that came twice: nothing of them is missing."""
    concealed: int = 0
    """Frames that were made up, whole or in part."""
    dropped: int = 0
    """Frames or packets left out to shorten the delay."""
    resyncs: int = 0
    """New timelines: another source, or a jump of the timestamp."""


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
        self._filler = Filler(codec.rate_hz)
        self._delay = PlayoutDelay(
            frame_units=self._frame_units,
            reserve_units=RESERVE_FRAMES * self._frame_units,
            jump_units=self._longest_units,
        )
        self._clock = 0
        """RTP units that have been popped: the time by which arrivals and delay are measured."""
        self._packets = WaitingPackets()
        self._decoded = np.zeros(0, dtype=np.int16)
        """The part of the last decoded packet that didn't fit into a frame."""
        self._head: int | None = None
        """Timestamp of the next unit to decode; None while the sender pauses."""
        self._newest: RtpPacket | None = None
        """The packet with the highest sequence number of this timeline."""
        self._newest_timestamp = 0
        self._floor = 0
        """What lies before this timestamp has been heard or given up."""
        self._paused_at: int | None = None
        """Timestamp of comfort noise or a key: there the sender fell silent by itself."""
        self._stray: RtpPacket | None = None
        """A packet that fits nowhere: begins a new timeline if the next one follows it."""
        self._is_held = False
        """Whether the first packet after a pause still waits for the delay to be long enough."""
        self._starved_units = 0
        """Made up since the buffer ran empty: comes off the gap, if it turns out to be one."""
        self._is_quiet = True
        """Whether the last frame was."""

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
        ahead = timestamp - self._newest_timestamp
        if not (0 < ahead <= self._jump_units or timestamp == self._paused_at):
            return self._probe(packet)
        self._newest, self._newest_timestamp = packet, timestamp
        self._insert(packet, timestamp)
        return False

    def push_noise(self, packet: RtpPacket) -> None:
        """Take comfort noise (RFC 3389): the sender falls silent, or its silence changes."""
        newest = self._newest
        if newest is None or packet.ssrc != newest.ssrc:
            return
        timestamp = self._newest_timestamp + _signed(packet.timestamp - newest.timestamp, 32)
        if _signed(packet.sequence_number - newest.sequence_number, 16) <= 0:
            return
        self._newest, self._newest_timestamp = packet, timestamp
        self._paused_at = timestamp
        self._filler.tell(packet.payload)

    def push_event(self, packet: RtpPacket) -> None:
        """Note that a key is pressed: its events may take the place of sound (RFC 4733 2.5.1.2)."""
        newest = self._newest
        if newest is None or packet.ssrc != newest.ssrc:
            return
        timestamp = self._newest_timestamp + _signed(packet.timestamp - newest.timestamp, 32)
        if 0 <= timestamp - self._newest_timestamp <= self._jump_units:
            self._paused_at = timestamp

    def pop(self) -> Samples:
        """Take the frame for this tick: heard, made up, or quiet while the sender pauses."""
        frame = self._frame()
        self._clock += self._frame_units
        self._is_quiet = int(np.abs(frame).max()) < QUIET_PEAK
        return frame

    def _frame(self) -> Samples:
        if self._head is None:
            return self._filler.pause(self._frame_samples)
        if self._is_held:
            if self._played_delay(self._head) < self._delay.wanted_units:
                return self._filler.pause(self._frame_samples)
            self._is_held = False
        correction = self._delay.correction(
            self._played_delay(self._head),
            is_quiet=self._is_quiet,
            can_wait=bool(self._packets) and not len(self._decoded),
            can_skip=self._spare_units() >= 2 * self._frame_units,
        )
        match correction:
            case Correction.NONE:
                return self._next_frame()
            case Correction.WAIT:
                self.counters.concealed += 1
                return self._filler.conceal(self._frame_samples)
            case Correction.SKIP:
                self.counters.dropped += 1
                return self._filler.splice(self._next_frame(), self._next_frame())

    def _played_delay(self, head: int) -> int:
        """The transit of a packet that would come just in time."""
        return self._clock - head + len(self._decoded) // self._samples_per_unit

    def _restart(self, packet: RtpPacket) -> None:
        """Begin a timeline with `packet`."""
        self._decoded = self._decoded[:0]
        self._stray = None
        self._packets.restart()
        self._delay.restart()
        self._filler.restart()
        self._floor = packet.timestamp - self._longest_units
        self._begin(packet, packet.timestamp)

    def _begin(self, packet: RtpPacket, timestamp: int) -> None:
        """Begin to collect, at the start of a timeline or after a pause."""
        self._newest, self._newest_timestamp = packet, timestamp
        self._delay.add(timestamp, now=self._clock)
        self._packets.clear()
        self._packets.put(timestamp, packet, self._codec)
        self._head = timestamp
        self._floor = min(self._floor, timestamp)
        self._paused_at = None
        self._is_held = True
        self._starved_units = 0

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
        if self._packets.has_had(timestamp):
            self.counters.doubled += 1
            return
        self._delay.add(timestamp, now=self._clock)
        if self._head is None or timestamp < self._head:
            self.counters.late += 1
            return
        self._packets.put(timestamp, packet, self._codec)
        while self._spare_units() > self._longest_units or len(self._packets) > MOST_PACKETS:
            if len(self._packets) == 1:
                self._head = timestamp
                break
            self._packets.drop_first()
            self._head = self._packets.first
            self.counters.dropped += 1

    def _next_frame(self) -> Samples:
        """Decode, fill gaps, and make up the rest when the buffer runs empty."""
        parts = [self._decoded]
        missing = self._frame_samples - len(self._decoded)
        is_concealed = False
        while missing > 0 and self._packets and self._head is not None:
            timestamp = self._packets.first
            self._head += min(max(timestamp - self._head, 0), self._starved_units)
            self._starved_units = 0
            if timestamp > self._head:
                units = min(timestamp - self._head, -(-missing // self._samples_per_unit))
                is_pause = self._is_pause_before(timestamp)
                fill = self._filler.pause if is_pause else self._filler.conceal
                part = fill(units * self._samples_per_unit)
                self._head += units
                is_concealed |= not is_pause
            else:
                part = self._decode(timestamp)
            parts.append(part)
            missing -= len(part)
        if missing > 0:
            is_pause = self._paused_at is not None and (self._head or 0) >= self._paused_at
            parts.append((self._filler.pause if is_pause else self._filler.conceal)(missing))
            is_concealed |= not is_pause
            self._starve(missing, is_pause=is_pause)
        self.counters.concealed += is_concealed
        sound = np.concatenate(parts)
        self._decoded = sound[self._frame_samples :]
        return sound[: self._frame_samples]

    def _is_pause_before(self, timestamp: int) -> bool:
        """Whether the sender meant the gap that ends at `timestamp`: nothing of it is missing."""
        if self._paused_at is not None and self._paused_at < timestamp:
            return True
        return self._packets.follows_heard(timestamp)

    def _decode(self, timestamp: int) -> Samples:
        """Decode the packet at `timestamp`, without what an overlapping one has told already."""
        assert self._head is not None
        if self._paused_at is not None and timestamp >= self._paused_at:
            self._paused_at = None
        waiting = self._packets.take(timestamp)
        samples = waiting.codec.decode(waiting.payload)
        samples = samples[(self._head - timestamp) * self._samples_per_unit :]
        self._head = max(self._head, timestamp + waiting.units)
        return self._filler.heard(samples)

    def _starve(self, missing: int, *, is_pause: bool) -> None:
        """Note that the buffer ran empty; after a while take it for a pause of the sender's."""
        self._starved_units += missing // self._samples_per_unit
        if is_pause or self._starved_units >= self._pause_units:
            self._floor, self._head = self._head or 0, None
            self._starved_units = 0

    def _spare_units(self) -> int:
        """Units that wait, from what is to be heard next to the end of the last packet."""
        decoded = len(self._decoded) // self._samples_per_unit
        if self._head is None or not self._packets:
            return decoded
        return decoded + max(self._packets.end - self._head, 0)


def _signed(difference: int, bits: int) -> int:
    """The shortest way between two numbers that wrap at `bits`."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half
