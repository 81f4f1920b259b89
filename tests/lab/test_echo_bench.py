"""The echo benchmark with engines that go by loudness alone: its figures are of what happened."""

from __future__ import annotations

import numpy as np
from sounds import SPEECH, load

from softagent.lab.echo_bench import (
    BenchEngines,
    Figures,
    conditions,
    measure,
    measured_line,
    rendered,
)
from softagent.lab.script import Line
from softagent.media.frame import Samples
from softagent.sound import SoundSettings

LOUD_RMS = 150
AGENT = load(SPEECH / "basic-pbx-ivr-main.wav")
SENTENCES = [AGENT[: 4 * 8000], AGENT[5 * 8000 : 9 * 8000]]
CALLERS = [Line("two words", AGENT[12 * 8000 : 14 * 8000])]
UNCLEANED, CLEANED = SoundSettings(echo_cancelling=False), SoundSettings()


class LoudIsVoice:
    window_samples = 256

    def probability(self, window: Samples) -> float:
        return float(np.sqrt(np.mean(np.square(window, dtype=float))) > LOUD_RMS)

    def reset(self) -> None:
        pass


class LoudIsTwoWords:
    partial_interval_ms = 400

    def __init__(self) -> None:
        self._is_loud = False

    def accept(self, samples: Samples) -> None:
        self._is_loud |= LoudIsVoice().probability(samples) > 0

    def partial(self) -> str:
        return ""

    def finish(self) -> str:
        return "Two words." if self._is_loud else ""

    def reset(self) -> None:
        self._is_loud = False


def figures(level_db: float | None, settings: SoundSettings) -> Figures:
    engines = BenchEngines(LoudIsVoice, LoudIsTwoWords)
    return measure(engines, SENTENCES, CALLERS, level_db=level_db, delay_ms=100, settings=settings)


def test_without_echo_only_the_caller_is_heard() -> None:
    measured = figures(None, UNCLEANED)
    assert (measured.sentences, measured.interrupted, measured.self_transcribed_words) == (2, 0, 0)
    assert (measured.callers, measured.missed, measured.wer_pct) == (1, 0, 0)
    assert measured.noticed_ms_p50 is not None
    assert measured.attenuation_db == 0


def test_an_echo_interrupts_and_is_transcribed_unless_it_is_taken_out() -> None:
    before, after = figures(-6, UNCLEANED), figures(-6, CLEANED)
    assert (before.interrupted, before.self_transcribed_words) == (2, 4)
    assert after.interrupted < before.interrupted
    assert after.self_transcribed_words < before.self_transcribed_words
    assert after.attenuation_db > 10
    assert after.wer_pct == 0


def test_the_table_has_a_row_for_each_line() -> None:
    engines = BenchEngines(LoudIsVoice, LoudIsTwoWords)
    lines = [
        measured_line(engines, SENTENCES[:1], CALLERS, level_db=level_db, delay_ms=100)
        for level_db in (None, -6)
    ]
    rows = rendered(lines)
    assert [row.split("  ")[0] for row in rows[3:5]] == ["none", "-6 dB, 100 ms"]
    assert "0 -> 0" in rows[3]
    assert "1 -> 0" in rows[4]


def test_the_lines_are_one_without_echo_and_every_level_after_every_delay() -> None:
    lines = list(conditions())
    assert lines[0] == (None, 0)
    assert len(set(lines)) == 10
