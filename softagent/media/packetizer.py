"""Cuts the 20 ms of each tick into packets of the length that the other side asked for.

Playout -> push(frame) -> Packetizer -> pop() at every slot of 10 ms -> encode, send

A frame is there from the beginning of its tick on, so packet n of p ms, which ends with
sound (n + 1) p, may leave at c + n p once the tick that holds its end has begun. Ticks begin
every 20 ms and slots every 10: that is so for every n when c = p - 10, and already when
c = p - 20 if p is a multiple of 20, whose packets always leave at the beginning of a tick.
"""

from __future__ import annotations

import numpy as np

from softagent.media.frame import FRAME_MS, Samples

SLOT_MS = 10
"""Packets leave at multiples of this."""
SLOTS_PER_TICK = FRAME_MS // SLOT_MS
SHORTEST_MS = 10
LONGEST_MS = 60


class Packetizer:
    """Frames in, sound of one packet out, exactly `ptime_ms` apart. Pure; media clock only."""

    def __init__(self, ptime_ms: int, *, rate_hz: int) -> None:
        """Make packets of `ptime_ms`: 10 to 60, a multiple of 10; ValueError for another."""
        if ptime_ms % SLOT_MS or not SHORTEST_MS <= ptime_ms <= LONGEST_MS:
            raise ValueError(
                f"ptime of {ptime_ms} ms: expected {SHORTEST_MS} to {LONGEST_MS} in steps of {SLOT_MS}"
            )
        self.ptime_ms = ptime_ms
        self._packet_samples = rate_hz * ptime_ms // 1000
        self._period_slots = ptime_ms // SLOT_MS
        self._waiting = np.zeros(0, dtype=np.int16)
        self._slots_left: int | None = None
        """Until the next packet leaves; None before the first frame."""

    @property
    def needs_half_ticks(self) -> bool:
        """Whether packets leave in the middle of a tick too."""
        return self.ptime_ms % FRAME_MS != 0

    def restart(self) -> None:
        """Begin anew with the next frame; what still waits is forgotten."""
        self._waiting = self._waiting[:0]
        self._slots_left = None

    def push(self, frame: Samples) -> None:
        """Take the frame of the tick that begins."""
        if self._slots_left is None:
            lead_slots = 1 if self.needs_half_ticks else SLOTS_PER_TICK
            self._slots_left = self._period_slots - lead_slots
        self._waiting = np.concatenate((self._waiting, frame))

    def pop(self, *, slots: int = 1) -> Samples | None:
        """Give the sound of the packet that leaves now, if one does; then let `slots` pass."""
        if self._slots_left is None:
            return None
        is_due = self._slots_left <= 0
        self._slots_left -= slots
        if not is_due:
            return None
        self._slots_left += self._period_slots
        sound = self._waiting[: self._packet_samples]
        self._waiting = self._waiting[self._packet_samples :]
        return sound

    def flush(self) -> Samples:
        """Give out what waits for a packet to fill up, shape (n,), and begin anew."""
        sound = self._waiting
        self.restart()
        return sound
