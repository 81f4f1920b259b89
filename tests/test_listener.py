"""The call thread's ear, in ticks: what ends a turn when, and what is heard of it."""

from __future__ import annotations

from typing import cast

import numpy as np

from softagent.config import TurnSettings
from softagent.dialogue.events import SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted
from softagent.dialogue.words import ENGLISH
from softagent.hearing import Hearing
from softagent.listener import Listener
from softagent.media.frame import Samples

LOUD = np.full(160, 8000, np.int16)
QUIET = np.zeros(160, np.int16)


class FrameIsWindow:
    """Voice activity with windows of a tick, so that ticks can be counted."""

    window_samples = 160

    def probability(self, window: Samples) -> float:
        return float(window.max() > 0)

    def reset(self) -> None:
        pass


class Heard:
    """A hearing thread that only counts."""

    def __init__(self) -> None:
        self.frames = 0

    def accept(self, samples: Samples, *, is_voiced: bool = True) -> None:
        self.frames += 1


class Ear:
    """Pauses: 10 ticks after a short answer, 15 after a question, 30 usually, 60 at most."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.tick = -1
        self.listener = Listener(
            FrameIsWindow(),
            cast(Hearing, self.heard),
            TurnSettings(shortest_pause_ms=200, pause_ms=600, longest_pause_ms=1200),
            words=ENGLISH,
            threshold=0.6,
            rate_hz=8000,
        )

    def listen(self, frame: Samples, count: int) -> list[object]:
        """What `count` times `frame` shows."""
        events: list[object] = []
        for _ in range(count):
            self.tick += 1
            events += self.listener.listen(frame, tick=self.tick, agent_speaks=False)
        return events


def pause_of(events: list[object]) -> int:
    """How many ticks of silence ended the turn."""
    (ended,) = (event for event in events if isinstance(event, SpeechEnded))
    return ended.tick - ended.last_voiced


def test_the_words_of_the_pause_end_the_turn_in_exactly_their_time() -> None:
    for words, ticks in [
        ("Are you open on Sundays?", 15),
        ("We were charged twice.", 30),
        ("", 30),
        ("I need a room and", 60),
    ]:
        ear = Ear()
        ear.listen(LOUD, 20)
        assert [type(event) for event in ear.listen(QUIET, 6)] == [SpeechPaused]
        ear.listener.observe(words)
        assert pause_of(ear.listen(QUIET, 60)) == ticks


def test_a_pause_that_sounds_unfinished_lasts_a_step_longer_and_the_next_is_judged_anew() -> None:
    ear = Ear()
    ear.listen(LOUD, 20)
    ear.listen(QUIET, 6)
    ear.listener.observe("Are you open on Sundays?")
    ear.listener.judge(0.1)
    assert ear.listen(QUIET, 20) == []  # 15 ticks would have been enough
    assert [type(event) for event in ear.listen(LOUD, 10)] == [SpeechResumed]
    ear.listen(QUIET, 6)
    ear.listener.observe("Are you open on Sundays and Mondays?")
    assert pause_of(ear.listen(QUIET, 60)) == 15


def test_what_the_agent_asked_makes_a_word_a_whole_answer() -> None:
    ear = Ear()
    assert [type(event) for event in ear.listen(LOUD, 20)] == [SpeechStarted]
    ear.listener.hear_agent("Shall I put you through?")
    ear.listen(QUIET, 6)
    ear.listener.observe("Yes.")
    assert pause_of(ear.listen(QUIET, 60)) == 10


def test_the_sound_from_before_a_start_is_heard_and_that_of_the_pause_is_not() -> None:
    """400 ms before it was noticed, all of the speech, and the silence up to where it counts as a pause."""
    ear = Ear()
    ear.listen(QUIET, 50)
    ear.listen(LOUD, 20)
    ear.listen(QUIET, 30)
    before, speech, silence = 15, 20, 5
    assert ear.heard.frames == before + speech + silence
