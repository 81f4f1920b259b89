"""Events overtake ticks; ticks keep their order and are bounded."""

from __future__ import annotations

import numpy as np

from softagent.dialogue.events import SpeechResumed
from softagent.inbox import MOST_TICKS, Inbox
from softagent.media.frame import Played, Tick

SILENCE = np.zeros(160, np.int16)


def tick(index: int) -> Tick:
    return Tick(index, SILENCE, Played(SILENCE))


def test_an_event_comes_before_the_ticks_that_wait() -> None:
    inbox = Inbox()
    inbox.tick(tick(0))
    inbox.tick(tick(1))
    inbox.post(SpeechResumed(5))
    assert inbox.take(0) == SpeechResumed(5)
    assert [taken.index for taken in (inbox.take(0), inbox.take(0)) if isinstance(taken, Tick)] == [
        0,
        1,
    ]


def test_nothing_there_is_none() -> None:
    assert Inbox().take(0) is None


def test_a_call_thread_that_is_far_behind_loses_the_oldest_ticks_and_they_are_counted() -> None:
    inbox = Inbox()
    for index in range(MOST_TICKS + 3):
        inbox.tick(tick(index))
    first = inbox.take(0)
    assert isinstance(first, Tick)
    assert first.index == 3
    assert inbox.dropped_ticks == 3
