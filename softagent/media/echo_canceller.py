"""Takes the echo of known delay out of the caller's sound. Pure.

Tick.agent, delayed --> filter of 20 ms --> echo's estimate -.
Tick.caller -----------------------------------------------(-)-> what is left of the echo -> gate

The filter is the one that fits the last second best (least squares, each tick weighted by how
little else is heard in it, so that it learns nothing from a caller who speaks over the agent).
That takes a quarter of a second of speech, where gradient methods take two. WebRTC's canceller
also suppresses what it takes for rests of echo, and in double talk that is the caller: here
only ticks in which there is nothing else are silenced.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from softagent.media.frame import Samples, frame_samples

FILTER_MS = 20
"""A line's echo is 8 to 16 ms long (ITU-T G.168); what is left of a room's is the gate's affair."""
LEAD_MS = 5
"""The filter begins so much before the delay it is told: the loudest part comes later than the first."""
MEMORY = 0.98
"""What a tick outweighs the next: the filter fits about a second."""
ROWS = 80
"""Equations from a tick: every second sample at 8 kHz, every fourth at 16 kHz, tell enough."""
FIRST_LESSONS = 75
"""So many ticks of the agent's are all learnt from, and more if they don't suffice..."""
LESSON_TICKS = 4
"""... and then one of so many: lines change slowly."""
FIT_LESSONS = 3
"""Between two solutions of the equations."""
STIFFNESS = 1e-4
"""Keeps coefficients small that the sound says nothing about."""
QUIETEST_POWER = 100.0
"""Below it (-70 dB of full scale) the agent says nothing that could come back."""

USEFUL = 0.5
"""A filter that leaves more is of no use: the delay may have changed."""
SMOOTHING = 0.8
"""What of the powers of a tick outlasts the next."""

FIRST_REST_DB, LEAST_REST_DB, MOST_REST_DB = -6.0, -15.0, 3.0
"""Of what is left of an echo, relative to its estimate: at first, and its bounds."""
USUAL_SHARE = 0.8
"""Of the ticks with echo alone that are to keep it."""
STEP_DB = 0.4
"""How fast the rest is learnt."""
OTHER_DB = 7.0
"""What exceeds the rest by so much is somebody else."""
DECAY = 0.7
"""An echo dies away no faster from tick to tick: lines and rooms ring."""
SHUT = 0.2
"""A gate that would let through no more of the amplitude is shut: voice activity hears whispers."""
RAMP_MS = 5
HISS_MS = 1000
FLOOR_RISE = 1.005
"""How much louder a line's noise may become from tick to tick: 1 dB in a second."""
MOST_HISS_POWER = 10_000.0
"""-50 dB of full scale: what is louder is no noise of a line."""

Wave = npt.NDArray[np.float32]


class EchoCanceller:
    """For one delay of one call. Call thread only; about 0.3 ms a tick while it learns."""

    def __init__(self, *, rate_hz: int, delay_ms: float) -> None:
        self._size = frame_samples(rate_hz)
        self._taps = rate_hz * FILTER_MS // 1000
        self.begins_ms = max(0.0, delay_ms - LEAD_MS)
        """Shortest delay that it takes out."""
        self.ends_ms = self.begins_ms + FILTER_MS
        lag = round(self.begins_ms * rate_hz / 1000)
        self._line: Wave = np.zeros(lag + self._size + self._taps - 1, dtype=np.float32)
        """The agent's sound on its way; its beginning is what comes back in this tick."""
        self._filter: Wave = np.zeros(self._taps, dtype=np.float32)
        self._squares: Wave = np.zeros((self._taps, self._taps), dtype=np.float32)
        self._products: Wave = np.zeros(self._taps, dtype=np.float32)
        """The normal equations of the fit."""
        self._lessons = 0
        self._ticks = 0
        self.gate = Gate(rate_hz)

    def takes_out(self, delay_ms: float) -> bool:
        """Whether an echo whose loudest part comes after `delay_ms` fits into the filter."""
        return self.begins_ms <= delay_ms <= self.ends_ms - LEAD_MS

    def teach(self, past: Sequence[tuple[Samples, Samples]], *, last: int) -> None:
        """Learn from the `last` ticks of the past: the caller's and the agent's frames, oldest first."""
        for index, (caller, agent) in enumerate(past):
            source = self._advance(agent)
            if index >= len(past) - last and _power(source) >= QUIETEST_POWER:
                heard = caller.astype(np.float32)
                self._learn(source, heard, left=heard)
        self._fit()

    def cancel(self, *, caller: Samples, agent: Samples) -> Samples:
        """The caller's frame without the echo of the agent's frames, of now and before; shape (n,)."""
        heard = caller.astype(np.float32)
        source = self._advance(agent)
        if _power(source) < QUIETEST_POWER:
            return self.gate.open(heard)
        echo = np.convolve(source, self._filter, mode="valid").astype(np.float32)
        left = heard - echo
        self._ticks += 1
        if self._is_learning or self._ticks % LESSON_TICKS == 0:
            self._learn(source, heard, left)
            if self._lessons % FIT_LESSONS == 0:
                self._fit()
        if _power(left) > _power(heard):
            left = heard
        return self.gate.pass_on(heard=heard, left=left, echo=echo)

    @property
    def _is_learning(self) -> bool:
        return self._lessons < FIRST_LESSONS or not self.gate.is_useful

    def _advance(self, agent: Samples) -> Wave:
        """Move the agent's sound on by a frame; what of it comes back in this tick, shape (n + taps - 1,)."""
        self._line[: -self._size] = self._line[self._size :]
        self._line[-self._size :] = agent
        return self._line[: self._size + self._taps - 1]

    def _learn(self, source: Wave, heard: Wave, left: Wave) -> None:
        """Add a tick to the equations."""
        every = self._size // ROWS
        rows = np.lib.stride_tricks.sliding_window_view(source, self._taps)[::every, ::-1]
        rows = np.ascontiguousarray(rows)
        weight = 1 / (_power(left) + 1e-3 * _power(heard) + 20.0)
        self._squares *= MEMORY
        self._squares += weight * (rows.T @ rows)
        self._products *= MEMORY
        self._products += weight * (rows.T @ heard[::every])
        self._lessons += 1

    def _fit(self) -> None:
        stiffness = STIFFNESS * float(np.trace(self._squares)) / self._taps + 1e-6
        stiff = self._squares + stiffness * np.eye(self._taps, dtype=np.float32)
        self._filter = np.linalg.solve(stiff, self._products)


class Gate:
    """Silences the ticks in which nothing but the rest of an echo is left. Pure.

    How much that may be, relative to the echo, is learnt: the level that four of five ticks keep.
    """

    def __init__(self, rate_hz: int) -> None:
        self._size = frame_samples(rate_hz)
        self._ramp_samples = rate_hz * RAMP_MS // 1000
        self._gain = 1.0
        self._echo = 0.0
        self._heard = 0.0
        self._left = 0.0
        self._rest_db = FIRST_REST_DB
        self._floor = MOST_HISS_POWER
        """Power of the line's noise."""
        self._hiss = np.random.default_rng(0).standard_normal(rate_hz * HISS_MS // 1000)
        self._hiss_at = 0

    @property
    def is_useful(self) -> bool:
        """Whether the filter has lately left less than what was heard."""
        return self._left < USEFUL * self._heard

    def open(self, heard: Wave) -> Samples:
        """A frame, shape (n,), without any echo, as it is."""
        self._listen_to_noise(_power(heard))
        return self._shaped(heard, 1.0)

    def pass_on(self, *, heard: Wave, left: Wave, echo: Wave) -> Samples:
        """What is `left` of the frame `heard` without its `echo`, shape (n,), or silence."""
        power = _power(left)
        self._listen_to_noise(_power(heard))
        self._heard = SMOOTHING * self._heard + _power(heard)
        self._left = SMOOTHING * self._left + power
        self._echo = max(_power(echo), self._echo * DECAY)
        self._judge(10 * float(np.log10((power + 1.0) / (self._echo + 1.0))))
        rest = self._echo * 10 ** (self._rest_db / 10)
        gain = float(np.sqrt(max(0.0, 1 - rest / (power + 1.0))))
        return self._shaped(left, gain if gain > SHUT else 0.0)

    def _judge(self, ratio_db: float) -> None:
        """Learn from the ratio of what is left to the echo, unless somebody else is heard."""
        above_db = ratio_db - self._rest_db
        if above_db > OTHER_DB:
            return
        step_db = STEP_DB * USUAL_SHARE if above_db > 0 else -STEP_DB * (1 - USUAL_SHARE)
        self._rest_db = min(max(self._rest_db + step_db, LEAST_REST_DB), MOST_REST_DB)

    def _listen_to_noise(self, power: float) -> None:
        self._floor = min(self._floor * FLOOR_RISE, power + 1.0, MOST_HISS_POWER)

    def _shaped(self, sound: Wave, gain: float) -> Samples:
        """Go from the last gain to `gain`; where sound is missing, the line's noise goes on.

        Silero VAD 6.2 takes the step from noise to digital silence for a voice's beginning.
        """
        slope = np.full(self._size, gain, dtype=np.float32)
        slope[: self._ramp_samples] = np.linspace(self._gain, gain, self._ramp_samples)
        self._gain = gain
        shaped = sound * slope + self._next_hiss() * np.sqrt(self._floor * (1 - slope**2))
        clipped: Samples = np.clip(np.rint(shaped), -32768, 32767).astype(np.int16)
        return clipped

    def _next_hiss(self) -> npt.NDArray[np.float64]:
        begin = self._hiss_at
        self._hiss_at = (begin + self._size) % len(self._hiss)
        return self._hiss[begin : begin + self._size]


def _power(sound: Wave) -> float:
    return float(np.mean(np.square(sound)))
