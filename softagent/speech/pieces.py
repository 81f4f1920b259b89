"""An utterance of any length as pieces that a recognizer can take, cut where it is quiet."""

from __future__ import annotations

import numpy as np

from softagent.media.frame import FRAME_MS, Samples, frame_samples

LONGEST_MS = 12_000
"""Whisper tiny loses sentences in longer ones, and a partial would cost too much."""
SHORTEST_MS = 5_000
QUIET_MS = 200
"""The pause looked for; between words of one phrase it is shorter."""


class Pieces:
    """The sound of one utterance: closed pieces to take once, and the open one. One thread."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._longest = rate_hz * LONGEST_MS // 1000
        self._arrived: list[Samples] = []
        self._open: Samples = np.empty(0, np.int16)

    def append(self, samples: Samples) -> None:
        """Add sound, shape (n,), at the end."""
        self._arrived.append(samples)

    def open(self) -> Samples:
        """Everything that has not been taken, shape (n,)."""
        if self._arrived:
            self._open = np.concatenate((self._open, *self._arrived))
            self._arrived.clear()
        return self._open

    def take_closed(self) -> Samples | None:
        """The oldest 5 to 12 s, up to the quietest place, once there are more than 12; else None."""
        sound = self.open()
        if sound.size <= self._longest:
            return None
        cut = quietest(sound[: self._longest], self._rate_hz)
        self._open = sound[cut:]
        return sound[:cut]


def quietest(sound: Samples, rate_hz: int) -> int:
    """Index in the middle of the quietest 200 ms of `sound` after its first 5 s."""
    frame = frame_samples(rate_hz)
    frames = sound[: sound.size // frame * frame].astype(np.float32).reshape(-1, frame)
    energy = np.mean(frames**2, axis=1)
    width = QUIET_MS // FRAME_MS
    first = SHORTEST_MS // FRAME_MS
    pauses = np.convolve(energy[first:], np.ones(width), mode="valid")
    return (first + int(np.argmin(pauses)) + width // 2) * frame
