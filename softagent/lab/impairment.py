"""What a bad network does to packets, decided packet by packet: loss, delay, jitter, order. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from softagent.errors import ConfigError

HELD_BACK_SECONDS = 0.03
"""How long a packet is kept that others overtake: one and a half packets of 20 ms."""
COPY_SECONDS = 0.001
"""How long after its original a duplicate comes."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """One direction of a network. Its default is perfect."""

    loss_pct: float = 0.0
    """Packets lost, on average."""
    burst: float = 1.0
    """How much longer losses in a row are than by chance: the BurstR of G.107, 1 for random loss."""
    delay_ms: float = 0.0
    """Of every packet."""
    jitter_ms: float = 0.0
    """Mean of an exponentially distributed delay on top, as queues make it; order is kept."""
    reorder_pct: float = 0.0
    """Packets held back so that the next one or two overtake them."""
    duplicate_pct: float = 0.0
    """Packets that come twice."""

    def contradictions(self) -> list[str]:
        """What can't be, one sentence each."""
        found = [
            f"{name} {value:g}: expected 0 to {most:g}"
            for name, value, most in (
                ("loss", self.loss_pct, 99.0),
                ("delay", self.delay_ms, 10_000.0),
                ("jitter", self.jitter_ms, 10_000.0),
                ("reorder", self.reorder_pct, 100.0),
                ("duplicate", self.duplicate_pct, 100.0),
            )
            if not 0 <= value <= most
        ]
        longest = 100 / self.loss_pct if 0 < self.loss_pct <= 100 else float("inf")
        if not 1 <= self.burst <= longest:
            found.append(
                f"burst {self.burst:g}: expected 1 to {longest:g} at {self.loss_pct:g} % loss"
            )
        return found


class Road:
    """One direction at work: says when each packet arrives. The same seed does the same again."""

    def __init__(self, impairment: Impairment, seed: int) -> None:
        """Raises ConfigError for an impairment that can't be."""
        if problems := impairment.contradictions():
            raise ConfigError(problems)
        self._impairment = impairment
        self._random = random.Random(seed)
        self._is_losing = False
        self._queue_ends = 0.0
        self.passed = 0
        self.lost = 0

    def arrivals(self, now: float) -> list[float]:
        """When a packet that sets out `now` (seconds) arrives: never, once, or twice."""
        if self._loses():
            self.lost += 1
            return []
        self.passed += 1
        impairment = self._impairment
        arrival = now + impairment.delay_ms / 1000
        if impairment.jitter_ms:
            arrival += self._random.expovariate(1000 / impairment.jitter_ms)
            arrival = self._queue_ends = max(self._queue_ends, arrival)
        if self._happens(impairment.reorder_pct):
            arrival += HELD_BACK_SECONDS
        if self._happens(impairment.duplicate_pct):
            return [arrival, arrival + COPY_SECONDS]
        return [arrival]

    def _loses(self) -> bool:
        """Gilbert's model of two states; with a burst ratio of 1 it is a coin thrown for each packet."""
        loss, burst = self._impairment.loss_pct / 100, self._impairment.burst
        if not loss:
            return False
        leaves_loss, enters_loss = (1 - loss) / burst, loss / burst
        chance = 1 - leaves_loss if self._is_losing else enters_loss
        self._is_losing = self._random.random() < chance
        return self._is_losing

    def _happens(self, percent: float) -> bool:
        return percent > 0 and self._random.random() * 100 < percent
