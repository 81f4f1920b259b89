"""Response times are read off a recording to within 10 ms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.lab.timing import measure, percentile, voiced_segments
from softagent.media.frame import Samples

RATE_HZ = 8000
LENGTH_MS = 12_000

noise_levels = st.sampled_from([0, 3, 30])


def track(*spans_ms: tuple[int, int], noise: int = 0, length_ms: int = LENGTH_MS) -> Samples:
    """A channel with a 300 Hz tone of about -13 dBFS in `spans_ms` and noise everywhere."""
    time = np.arange(length_ms * RATE_HZ // 1000) / RATE_HZ
    tone = 10_000 * np.sin(2 * np.pi * 300 * time)
    sound = np.random.default_rng(1).normal(0, noise, len(time))
    for start, end in spans_ms:
        span = slice(start * RATE_HZ // 1000, end * RATE_HZ // 1000)
        sound[span] += tone[span]
    return sound.astype(np.int16)


@given(
    asked_ms=st.integers(1000, 3000),
    gap_ms=st.integers(30, 4000),
    spoken_ms=st.integers(100, 4000),
    noise=noise_levels,
)
def test_a_known_gap_is_measured(asked_ms: int, gap_ms: int, spoken_ms: int, noise: int) -> None:
    """Any gap between caller and agent comes out within 10 ms, with or without noise."""
    caller = track((500, asked_ms), noise=noise)
    answered_ms = asked_ms + gap_ms
    agent = track((answered_ms, answered_ms + spoken_ms), noise=noise)
    timing = measure(caller, agent, RATE_HZ)
    (response,) = timing.responses
    assert response.response_ms == pytest.approx(gap_ms, abs=10)
    assert timing.overlaps == 0
    assert timing.interruptions == ()


@given(gaps_ms=st.lists(st.integers(60, 900), min_size=1, max_size=6), noise=noise_levels)
def test_every_turn_of_a_call_is_found(gaps_ms: list[int], noise: int) -> None:
    """Turn after turn, each gap in its place."""
    asked, answered, now = [], [], 500
    for gap_ms in gaps_ms:
        asked.append((now, now + 400))
        answered.append((now + 400 + gap_ms, now + 900 + gap_ms))
        now += gap_ms + 1500
    length_ms = now + 500
    caller = track(*asked, noise=noise, length_ms=length_ms)
    agent = track(*answered, noise=noise, length_ms=length_ms)
    timing = measure(caller, agent, RATE_HZ)
    measured = [response.response_ms for response in timing.responses]
    assert measured == pytest.approx(gaps_ms, abs=10)


@given(st.integers(0, 190))
def test_short_pauses_do_not_split_speech(pause_ms: int) -> None:
    """A pause of less than 200 ms is part of the utterance."""
    sound = track((1000, 1500), (1500 + pause_ms, 2000 + pause_ms))
    (segment,) = voiced_segments(sound, RATE_HZ)
    assert segment.end * 1000 / RATE_HZ == pytest.approx(2000 + pause_ms, abs=10)


@given(st.integers(1, 40))
def test_clicks_are_not_speech(click_ms: int) -> None:
    """Sound shorter than 60 ms answers nothing."""
    caller = track((1000, 2000))
    agent = track((2300, 2300 + click_ms), (3000, 4000))
    (response,) = measure(caller, agent, RATE_HZ).responses
    assert response.response_ms == pytest.approx(1000, abs=10)


def test_pauses_within_a_reply_are_not_responses() -> None:
    """Only the first sentence of a reply answers; the greeting answers nobody."""
    caller = track((3000, 4000))
    agent = track((500, 2000), (4700, 6000), (6600, 8000))
    (response,) = measure(caller, agent, RATE_HZ).responses
    assert response.response_ms == pytest.approx(700, abs=10)


def test_an_utterance_in_two_parts_is_answered_once() -> None:
    """The response runs from the part after which the agent spoke."""
    caller = track((1000, 1500), (1900, 2500))
    agent = track((3000, 4000))
    (response,) = measure(caller, agent, RATE_HZ).responses
    assert response.response_ms == pytest.approx(500, abs=10)


def test_an_unanswered_utterance_has_no_response() -> None:
    """No answer, no time."""
    assert measure(track((1000, 1500)), track((200, 700)), RATE_HZ).responses == ()


def test_a_reply_begun_too_early_is_counted_not_timed() -> None:
    """An agent that speaks before the caller has finished has no response time."""
    timing = measure(track((1000, 3000)), track((2500, 4500)), RATE_HZ)
    assert timing.responses == ()
    assert timing.overlaps == 1


def test_an_interruption_is_timed_and_answered() -> None:
    """The agent falls silent 150 ms into the caller's words, then answers them."""
    caller = track((2000, 3000))
    agent = track((1000, 2150), (3600, 5000))
    timing = measure(caller, agent, RATE_HZ)
    (interruption,) = timing.interruptions
    assert interruption.silent_after_ms == pytest.approx(150, abs=10)
    (response,) = timing.responses
    assert response.response_ms == pytest.approx(600, abs=10)
    assert timing.overlaps == 0


def test_an_agent_that_speaks_through_is_an_overlap() -> None:
    """Speaking on over the caller's words is neither an interruption nor an answer."""
    timing = measure(track((2000, 2500)), track((1000, 4000)), RATE_HZ)
    assert (timing.responses, timing.interruptions, timing.overlaps) == ((), (), 1)


@pytest.mark.parametrize("samples", [np.zeros(0, np.int16), np.zeros(8000, np.int16)])
def test_silence_has_no_segments(samples: Samples) -> None:
    """Nothing, and digital silence, hold no speech."""
    assert voiced_segments(samples, RATE_HZ) == []


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100), st.floats(0, 100))
def test_percentiles_lie_in_order(values: list[float], low: float, high: float) -> None:
    """Percentiles rise with the percentage and stay between the extremes."""
    low, high = sorted((low, high))
    assert min(values) <= percentile(values, low) + 1e-6
    assert percentile(values, low) <= percentile(values, high) + 1e-6
    assert percentile(values, high) <= max(values) + 1e-6


def test_percentiles_interpolate() -> None:
    """Half way between two values lies their mean; of nothing there is no percentile."""
    assert percentile([100.0, 200.0], 50) == 150.0
    assert percentile([1.0, 2.0, 3.0, 4.0, 5.0], 95) == pytest.approx(4.8)
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
