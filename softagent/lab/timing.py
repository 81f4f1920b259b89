"""Response times read off a stereo recording of a call: caller left, agent right. Pure.

The detector: sound is cut into 10 ms windows; a window is voiced when its level (RMS) is
above the threshold, which is -45 dBFS or 12 dB above the channel's noise floor (its 10th
percentile), whichever is higher. Voiced windows less than 200 ms apart are one segment;
a segment shorter than 60 ms is a click, not speech. The edges of a segment are then moved,
within its first and last window, to the first and last sample above the threshold.

A response is the first agent segment after a caller segment, with no other speech of the
agent between the two. Its time runs from the caller's last voiced sample to the agent's
first. Where the agent begins while the caller still speaks, or is still speaking when the
caller has finished, there is no such time: these are overlaps, excluded and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from softagent.media.frame import Samples

FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class Detector:
    """The numbers of the detector, as the module describes them."""

    window_ms: int = 10
    threshold_dbfs: float = -45.0
    floor_margin_db: float = 12.0
    floor_percentile: float = 10.0
    join_ms: int = 200
    shortest_ms: int = 60


DEFAULT = Detector()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech."""

    start: int
    """First voiced sample."""
    end: int
    """One after the last voiced sample."""


@dataclass(frozen=True, slots=True)
class Response:
    """The agent's answer to one utterance of the caller."""

    asked_at: int
    """One after the caller's last voiced sample."""
    answered_at: int
    """The agent's first voiced sample."""
    response_ms: float


@dataclass(frozen=True, slots=True)
class Interruption:
    """The caller began to speak while the agent spoke, and the agent fell silent."""

    started_at: int
    """The caller's first voiced sample."""
    silent_after_ms: float
    """Until the agent's last voiced sample."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a recording says about who spoke when."""

    responses: tuple[Response, ...]
    interruptions: tuple[Interruption, ...]
    overlaps: int
    """Utterances excluded because the agent spoke at their end, or began before it."""


def voiced_segments(
    samples: Samples, rate_hz: int, *, detector: Detector = DEFAULT
) -> list[Segment]:
    """Where somebody speaks in `samples`, shape (n,), in order and disjoint."""
    window = rate_hz * detector.window_ms // 1000
    count = len(samples) // window
    if count == 0:
        return []
    scaled = samples[: count * window].astype(np.float64).reshape(count, window) / FULL_SCALE
    level = 10 * np.log10(np.mean(scaled**2, axis=1) + 1e-12)
    floor = float(np.percentile(level, detector.floor_percentile)) + detector.floor_margin_db
    threshold = max(detector.threshold_dbfs, min(floor, float(level.max())))
    runs = _runs(level >= threshold, join=detector.join_ms // detector.window_ms)
    shortest = detector.shortest_ms // detector.window_ms
    loud = np.abs(samples) >= FULL_SCALE * 10 ** (threshold / 20)
    return [
        Segment(_first(loud, start * window, window), _last(loud, end * window, window))
        for start, end in runs
        if end - start >= shortest
    ]


def measure(
    caller: Samples, agent: Samples, rate_hz: int, *, detector: Detector = DEFAULT
) -> Timing:
    """Find the turns of a call in its two channels, shapes (n,) and (m,)."""
    asked = voiced_segments(caller, rate_hz, detector=detector)
    said = voiced_segments(agent, rate_hz, detector=detector)
    responses: list[Response] = []
    interruptions: list[Interruption] = []
    overlaps = 0
    for index, utterance in enumerate(asked):
        following = asked[index + 1].start if index + 1 < len(asked) else np.inf
        spoken_over = [one for one in said if one.start < utterance.end < one.end]
        begun_inside = [one for one in said if utterance.start <= one.start < utterance.end]
        cut = [one for one in said if one.start < utterance.start < one.end <= utterance.end]
        if cut:
            silent_after_ms = (cut[-1].end - utterance.start) * 1000 / rate_hz
            interruptions.append(Interruption(utterance.start, silent_after_ms))
        if spoken_over or begun_inside:
            overlaps += 1
            continue
        answer = next((one for one in said if utterance.end <= one.start < following), None)
        if answer is not None:
            waited_ms = (answer.start - utterance.end) * 1000 / rate_hz
            responses.append(Response(utterance.end, answer.start, waited_ms))
    return Timing(tuple(responses), tuple(interruptions), overlaps)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of `values` lie, interpolated linearly between neighbours.

    Raises ValueError when there are none.
    """
    if not values:
        raise ValueError("no values, no percentile")
    return float(np.percentile(np.asarray(values, dtype=np.float64), percent))


def _runs(voiced: npt.NDArray[np.bool_], *, join: int) -> list[tuple[int, int]]:
    """Runs of voiced windows as (first, one after last), those less than `join` apart made one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], voiced.astype(np.int8), [0]))))
    runs: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and start - runs[-1][1] < join:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _first(loud: npt.NDArray[np.bool_], start: int, window: int) -> int:
    """The first loud sample of the window that begins at `start`."""
    return start + int(np.argmax(loud[start : start + window]))


def _last(loud: npt.NDArray[np.bool_], end: int, window: int) -> int:
    """One after the last loud sample of the window that ends at `end`."""
    return end - int(np.argmax(loud[end - window : end][::-1]))
