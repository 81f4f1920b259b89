"""Policies replayed over scripted turns: who is cut off, who waits for how long, who isn't heard."""

from __future__ import annotations

import numpy as np
import pytest

from softagent.config import TurnSettings
from softagent.dialogue.pause import PauseLengths
from softagent.lab.pause_corpus import (
    LEAD_MS,
    PAUSE_MS,
    TAIL_MS,
    Line,
    Saying,
    SpokenTurn,
    half_of,
    split_at_gaps,
    spoken,
)
from softagent.lab.pause_replay import (
    Ending,
    by_sound,
    by_words,
    latency_at,
    point,
    replay,
    silence,
)
from softagent.lab.pause_trace import Judgement, Trace
from softagent.listener import endpointer_settings

SETTINGS = endpointer_settings(TurnSettings(), threshold=0.6, window_ms=20)
LENGTHS = PauseLengths(shortest=10, finished=20, usual=30, longest=60)
NO_BABBLE = np.zeros(16000, np.int16)


def tone(ms: int, rate_hz: int = 8000) -> np.ndarray:
    at = np.arange(ms * rate_hz // 1000) / rate_hz
    return (9000 * np.sin(2 * np.pi * 300 * at)).astype(np.int16)


def turn(ends_at_tick: int) -> SpokenTurn:
    line = Line(8000, "line", 0.0)
    return SpokenTurn("a", "tune", "clause", "", line, tone(20), ends_at_tick * 20.0, ())


def trace(*runs: tuple[bool, int], heard: str = "", probability: float | None = None) -> Trace:
    """Windows of a tick: (voiced, how many); the words and the judgement are known in each pause."""
    flags = [flag for flag, count in runs for _ in range(count)]
    voiced = tuple((tick, 0.9 if flag else 0.1) for tick, flag in enumerate(flags))
    judged = () if probability is None else (Judgement(49, 56, probability),)
    return Trace(voiced, ((55, heard),) if heard else (), judged)


SPEECH = ((False, 10), (True, 40))
GOES_ON = (*SPEECH, (False, 30), (True, 20), (False, 100))


@pytest.mark.parametrize(("pause", "latency_ms"), [(20, 20 * 20), (40, 40 * 20), (200, None)])
def test_silence_alone_ends_a_turn_after_its_pause(pause: int, latency_ms: float | None) -> None:
    assert replay(turn(50), trace(*SPEECH, (False, 100)), SETTINGS, silence(pause)) == Ending(
        True, latency_ms
    )


def test_a_pause_longer_than_the_policys_cuts_the_caller_off() -> None:
    assert replay(turn(100), trace(*GOES_ON), SETTINGS, silence(20)).was_cut_off
    assert not replay(turn(100), trace(*GOES_ON), SETTINGS, silence(40)).was_cut_off


def test_an_open_end_is_waited_for_and_a_whole_sentence_is_not() -> None:
    words = by_words(LENGTHS)
    assert not replay(
        turn(100), trace(*GOES_ON, heard="I'd like a table for"), SETTINGS, words
    ).was_cut_off
    asked = replay(turn(50), trace(*SPEECH, (False, 90), heard="Are you open?"), SETTINGS, words)
    assert asked.latency_ms == 20 * 20


def test_the_sound_counts_from_when_it_is_judged_and_only_for_its_own_pause() -> None:
    """Judged finished at tick 56, it ends the pause that began at 49, never a later one."""
    decide = by_sound(short=5, long=60)
    sure = replay(turn(50), trace(*SPEECH, (False, 90), probability=0.9), SETTINGS, decide)
    unsure = replay(turn(50), trace(*SPEECH, (False, 90), probability=0.2), SETTINGS, decide)
    assert (sure.latency_ms, unsure.latency_ms) == (7 * 20, 60 * 20)
    late = trace(*SPEECH, (False, 5), (True, 20), (False, 90), probability=0.9)
    assert replay(turn(75), late, SETTINGS, decide).latency_ms == 60 * 20


def test_a_pause_that_sounds_unfinished_is_waited_for_a_step_longer() -> None:
    decide = by_words(LENGTHS, unfinished=0.5)
    heard = {"heard": "Are you open?"}
    sure = trace(*SPEECH, (False, 90), probability=0.9, **heard)
    unsure = trace(*SPEECH, (False, 90), probability=0.1, **heard)
    latencies = [replay(turn(50), one, SETTINGS, decide).latency_ms for one in (sure, unsure)]
    assert latencies == [20 * 20, 30 * 20]


def test_a_turn_that_nobody_noticed_is_missed() -> None:
    ending = replay(turn(50), trace((False, 150)), SETTINGS, silence(20))
    assert ending == Ending(False, None)
    assert point("silence", [ending]).missed_pct == 100


def test_the_figures_count_cut_off_turns_apart_and_unended_ones_with_their_tail() -> None:
    result = point("p", [Ending(True, -200.0), Ending(True, 400.0), Ending(True, None)])
    assert result.false_cutoff_pct == pytest.approx(100 / 3)
    assert result.latency_ms == (400 + TAIL_MS) / 2


def test_cut_off_turns_also_count_as_a_share_of_those_that_could_be() -> None:
    """A turn without a pause inside can't be cut off: a corpus full of them flatters."""
    endings = [Ending(True, -200.0), *[Ending(True, 400.0)] * 3]
    assert point("p", endings, with_pause=2).cut_pauses_pct == 50


def test_the_latency_at_a_share_is_the_least_that_keeps_it() -> None:
    points = [
        point("p", [Ending(True, -1.0), Ending(True, 100.0)]),
        point("p", [Ending(True, 700.0)]),
        point("p", [Ending(True, 900.0)]),
    ]
    assert latency_at(points, 5) == 700
    assert latency_at(points[:1], 5) is None


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("noise", ["line", "white", "babble"])
def test_a_spoken_turn_ends_where_its_last_part_does(rate_hz: int, noise: str) -> None:
    """Lead, parts, the pause drawn, tail: to the sample, and the same each time."""
    saying = Saying("a b", "joe", "clause", "", (tone(400, 16000), tone(600, 16000)), 16000)
    made = spoken(saying, Line(rate_hz, noise, 10.0), NO_BABBLE)
    assert PAUSE_MS[0] <= made.pauses_ms[0] <= PAUSE_MS[1]
    assert made.ends_at_ms == pytest.approx(LEAD_MS + 1000 + made.pauses_ms[0], abs=1)
    assert len(made.samples) * 1000 / rate_hz == pytest.approx(made.ends_at_ms + TAIL_MS, abs=1)
    again = spoken(saying, Line(rate_hz, noise, 10.0), NO_BABBLE)
    np.testing.assert_array_equal(made.samples, again.samples)


def test_all_that_is_said_alike_is_in_one_half() -> None:
    """Neither voice nor line decide, and both halves get their share."""
    halves = [half_of(f"saying {number}") for number in range(400)]
    assert 160 < halves.count("test") < 240
    assert half_of("Yes.") == half_of("Yes.")


def test_a_recording_is_cut_in_its_longest_gap_between_words() -> None:
    gap, longer = np.zeros(8 * 80, np.int16), np.zeros(8 * 150, np.int16)
    parts = split_at_gaps(np.concatenate((tone(500), gap, tone(400), longer, tone(500))), 8000)
    assert [len(part) // 80 for part in parts] == [98, 50]


def test_a_recording_without_a_gap_stays_whole() -> None:
    assert len(split_at_gaps(tone(1000), 8000)) == 1
