"""Which packets never came, in order: alone, or in runs that are heard as gaps."""

from __future__ import annotations

WINDOW_PACKETS = 64
"""How long a packet may be late before it counts as lost."""
WINDOW = (1 << WINDOW_PACKETS) - 1


class LossRuns:
    """Counts runs of lost packets by extended sequence numbers that may come out of order. Pure."""

    def __init__(self) -> None:
        self.lost = 0
        self.runs = 0
        self._judged = 0
        self._run = 0
        self._newest: int | None = None
        self._seen = WINDOW
        """A bit for each of the last packets, the newest lowest; what was before is no loss."""

    @property
    def burst_ratio(self) -> float:
        """Mean length of the runs against that of random loss: 1 and more (G.107 section 7.4.2)."""
        if not self.runs:
            return 1.0
        chance_of_next = 1 - self.lost / self._judged
        return max(self.lost / self.runs * chance_of_next, 1.0)

    def count(self, number: int) -> None:
        """Note that packet `number` came; its wraps are counted in the upper bits."""
        if self._newest is None:
            self._newest = number - 1
        ahead = number - self._newest
        if ahead > 0:
            self._newest = number
            self._seen <<= ahead
            for offset in reversed(range(ahead)):
                self._judge(is_lost=not self._seen >> (WINDOW_PACKETS + offset) & 1)
            self._seen &= WINDOW
            ahead = 0
        if -ahead < WINDOW_PACKETS:
            self._seen |= 1 << -ahead

    def restart(self) -> None:
        """Another source: what is undecided of the last one counts as it stands."""
        if self._newest is not None:
            self.count(self._newest + WINDOW_PACKETS)
        self._newest, self._seen, self._run = None, WINDOW, 0

    def _judge(self, *, is_lost: bool) -> None:
        self._judged += 1
        if is_lost:
            self.lost += 1
            self.runs += not self._run
            self._run += 1
        else:
            self._run = 0
