"""A turn traced: what voice activity, recognizer and judge say of it, at exact ticks, kept and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from softagent.lab.pause_bench import drawn, rendered, summary, traced
from softagent.lab.pause_corpus import Line, SpokenTurn
from softagent.lab.pause_trace import (
    JUDGEMENT_TICKS,
    RECOGNITION_TICKS,
    Judgement,
    TraceEngines,
    kept_trace,
    trace_of,
)
from softagent.media.frame import Samples, frame_samples

RATE_HZ = 8000
FRAME = frame_samples(RATE_HZ)
LOUD = 8000
PREPARE_TICKS = 5


class LoudIsSpeech:
    window_samples = 256

    def probability(self, window: Samples) -> float:
        return float(np.abs(window).max() > LOUD // 2)

    def reset(self) -> None:
        pass


class Counting:
    """A recognizer whose words are the loud frames so far."""

    partial_interval_ms = 400

    def __init__(self) -> None:
        self._loud = 0

    def accept(self, samples: Samples) -> None:
        self._loud += int(np.abs(samples).max() > LOUD // 2)

    def partial(self) -> str:
        raise AssertionError("the words of a pause will do")

    def finish(self) -> str:
        return f"{self._loud} frames."

    def reset(self) -> None:
        self._loud = 0


class Judge:
    def __init__(self) -> None:
        self.heard: list[int] = []

    def __call__(self, sound: Samples, rate_hz: int) -> float:
        self.heard.append(sound.size // FRAME)
        return 0.25


def turn(*runs: tuple[bool, int]) -> SpokenTurn:
    """Frames: (loud, how many)."""
    flags = [flag for flag, count in runs for _ in range(count)]
    samples = np.repeat(np.array(flags, np.int16) * LOUD, FRAME).astype(np.int16)
    last = max(tick for tick, flag in enumerate(flags) if flag)
    line = Line(RATE_HZ, "line", 0.0)
    return SpokenTurn("a", "test", "short", "", line, samples, (last + 1) * 20.0, ())


def engines(judge: Judge) -> TraceEngines:
    return TraceEngines(lambda _rate: LoudIsSpeech(), lambda _rate: Counting(), judge)


SPOKEN = turn((False, 20), (True, 40), (False, 40), (True, 20), (False, 130))


def test_each_pause_gets_its_words_and_its_judgement_a_fixed_time_later() -> None:
    """A machine that is slower or faster makes no other trace."""
    judge = Judge()
    trace = trace_of(SPOKEN, engines(judge))
    pauses = [one.pause for one in trace.judged]
    assert pauses == [pytest.approx(59, abs=2), pytest.approx(119, abs=2)]
    finals = [(tick, words) for tick, words in trace.heard if words.endswith("frames.")]
    assert [words for _, words in finals] == ["40 frames.", "60 frames."]
    for (tick, _), one in zip(finals, trace.judged, strict=True):
        assert one.tick == tick + JUDGEMENT_TICKS
        assert tick - one.pause == pytest.approx(PREPARE_TICKS + RECOGNITION_TICKS, abs=2)
    assert len(trace.voiced) == pytest.approx(250 * 20 / 32, abs=1)


def test_the_judge_hears_the_whole_utterance_with_the_silence_that_it_was_trained_on() -> None:
    judge = Judge()
    trace_of(SPOKEN, engines(judge))
    assert judge.heard[0] >= 40 + 10
    assert judge.heard[1] >= 100 + 10


def test_a_trace_is_kept_and_read_again_without_the_engines(tmp_path: Path) -> None:
    made = kept_trace(SPOKEN, engines(Judge()), tmp_path)
    silent = Judge()
    assert kept_trace(SPOKEN, engines(silent), tmp_path) == made
    assert silent.heard == []
    assert isinstance(made.judged[0], Judgement)


def test_the_benchmark_is_a_curve_of_policies_with_its_table(tmp_path: Path) -> None:
    """Longer silences cut off less and take longer; every policy has its points."""
    turns = [SPOKEN, turn((False, 20), (True, 30), (False, 130))]
    result = summary(traced(turns, engines(Judge()), tmp_path, lambda _count: None))
    curve = result["curve"]
    assert isinstance(curve, list)
    silences = [one for one in curve if one["policy"] == "silence"]
    assert silences[0]["false_cutoff_pct"] == 50
    assert silences[-1]["false_cutoff_pct"] == 0
    latencies = [one["latency_ms"] for one in silences]
    assert latencies == sorted(latencies)
    assert {"words", "words, as shipped", "smart-turn"} <= {one["policy"] for one in curve}
    whole = {**result, "half": "test"}
    assert any("silence" in line for line in rendered(whole))
    assert "2 turns of the test half" in drawn(whole)
