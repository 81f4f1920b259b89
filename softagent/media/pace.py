"""When the next packet is due: deadlines that count from the start, so a late one delays no other."""

from __future__ import annotations

from softagent.media.frame import FRAME_MS
from softagent.media.packetizer import SLOT_MS, SLOTS_PER_TICK

FRAME_SECONDS = FRAME_MS / 1000
SLOT_SECONDS = SLOT_MS / 1000
SLEPT_FRAMES = 10
"""Later than this, the machine has slept: the time is left out, not made up for in a burst."""


class Pace:
    """The slots of a media clock, two in a tick. Pure; times in seconds of any steady clock."""

    def __init__(self, start_seconds: float) -> None:
        self._start_seconds = start_seconds
        self._slot = 0

    @property
    def is_half_tick(self) -> bool:
        """Whether the next slot is in the middle of a tick."""
        return self._slot % SLOTS_PER_TICK != 0

    def late_seconds(self, now_seconds: float) -> float:
        """How long ago the next slot was due; negative while there is time to sleep."""
        return now_seconds - self._start_seconds - self._slot * SLOT_SECONDS

    def take(self, now_seconds: float, *, slots: int = SLOTS_PER_TICK) -> int:
        """Use up the slot that is due and `slots` - 1 more; returns the ticks left out before it."""
        late_seconds = self.late_seconds(now_seconds)
        slept = 0
        if late_seconds > SLEPT_FRAMES * FRAME_SECONDS:
            slept = int(late_seconds / FRAME_SECONDS)
        self._slot += slept * SLOTS_PER_TICK + slots
        return slept
