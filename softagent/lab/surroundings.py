"""The room a caller sits in: noise all the time, and an echo of the agent's own voice."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from softagent.lab.cast import noise
from softagent.lab.steps import NoiseKind
from softagent.media.frame import Played, Samples, frame_samples, ticks
from softagent.media.playout import Playout

NOISE_MS = 7000
"""Of noise, over and over."""


@dataclass(frozen=True, slots=True)
class Echo:
    """The agent's voice comes back to it."""

    db: float
    """Its level compared with what was sent: -12 is an eighth of the power, and a quarter of the height."""
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the agent hears besides the caller."""

    noise: NoiseKind | None = None
    dbfs: float = -45.0
    echo: Echo | None = None


QUIET = Surroundings()


class Room(Playout):
    """A caller's playout with the room around it. `hear` and `pop` belong to the media clock."""

    def __init__(self, rate_hz: int, surroundings: Surroundings) -> None:
        super().__init__(rate_hz)
        size = frame_samples(rate_hz)
        self._noise: list[Samples] = []
        if surroundings.noise is not None:
            sound = noise(surroundings.noise, NOISE_MS, surroundings.dbfs)
            self._noise = [sound[at : at + size] for at in range(0, len(sound) - size + 1, size)]
        self._index = 0
        self._gain = 0.0
        self._on_their_way: deque[Samples] = deque()
        """What the agent has said and hasn't come back yet, a frame a tick."""
        if surroundings.echo is not None:
            self._gain = float(10 ** (surroundings.echo.db / 20))
            delay = ticks(surroundings.echo.delay_ms)
            self._on_their_way.extend(np.zeros(size, np.int16) for _ in range(delay))

    def hear(self, samples: Samples) -> None:
        """The agent's next 20 ms, shape (frame,)."""
        if self._gain:
            self._on_their_way.append(samples)

    def pop(self) -> Played:
        played = super().pop()
        if not self._gain and not self._noise:
            return played
        mixed = played.samples.astype(np.float32)
        if self._noise:
            mixed += self._noise[self._index % len(self._noise)]
            self._index += 1
        if self._on_their_way:
            mixed += self._on_their_way.popleft() * self._gain
        sound = np.clip(mixed, -32768, 32767).astype(np.int16)
        return Played(sound, played.turn, played.clause, played.is_first, played.is_last)
