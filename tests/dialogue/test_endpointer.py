"""The endpointer counts windows and ticks, nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from softagent.dialogue.endpointer import Endpointer, EndpointerSettings, SpeechEvent
from softagent.dialogue.events import (
    SpeechConfirmed,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

SETTINGS = EndpointerSettings(
    threshold=0.6,
    start_windows=3,
    barge_in_windows=5,
    confirm_windows=8,
    prepare_ticks=10,
    pause_ticks=25,
)


def played(
    probabilities: list[float], *, endpointer: Endpointer | None = None, agent_speaks: bool = False
) -> list[SpeechEvent]:
    """One window a tick: simpler than life, where five windows come in eight ticks."""
    endpointer = endpointer or Endpointer(SETTINGS)
    events = (
        endpointer.push(probability, tick=tick, agent_speaks=agent_speaks)
        for tick, probability in enumerate(probabilities)
    )
    return [event for event in events if event is not None]


def test_three_voiced_windows_start_an_utterance_and_name_its_onset() -> None:
    assert played([0.1, 0.9, 0.9, 0.9]) == [SpeechStarted(tick=3, onset=1)]


def test_a_click_of_two_windows_starts_nothing() -> None:
    assert played([0.9, 0.9] + [0.1] * 50) == []


def test_while_the_agent_speaks_it_takes_more_to_start() -> None:
    assert played([0.9] * 4, agent_speaks=True) == []
    assert played([0.9] * 5, agent_speaks=True) == [SpeechStarted(tick=4, onset=0)]


def test_long_speech_over_the_agent_is_confirmed_once() -> None:
    assert played([0.9] * 20, agent_speaks=True) == [
        SpeechStarted(tick=4, onset=0),
        SpeechConfirmed(tick=7),
    ]
    assert played([0.9] * 20) == [SpeechStarted(tick=2, onset=0)]


def test_a_dip_of_one_window_does_not_undo_a_start() -> None:
    assert played([0.9, 0.9, 0.2, 0.9, 0.9]) == [SpeechStarted(tick=4, onset=0)]


def test_silence_pauses_then_ends_the_turn_at_exact_ticks() -> None:
    assert played([0.9] * 5 + [0.0] * 30) == [
        SpeechStarted(tick=2, onset=0),
        SpeechPaused(tick=14, last_voiced=4),
        SpeechEnded(tick=29, last_voiced=4),
    ]


def test_speech_after_a_pause_goes_on_with_the_same_utterance() -> None:
    events = played([0.9] * 5 + [0.0] * 15 + [0.9] * 5 + [0.0] * 30)
    assert events == [
        SpeechStarted(tick=2, onset=0),
        SpeechPaused(tick=14, last_voiced=4),
        SpeechResumed(tick=21),
        SpeechPaused(tick=34, last_voiced=24),
        SpeechEnded(tick=49, last_voiced=24),
    ]


def test_one_stray_window_does_not_take_a_pause_back() -> None:
    events = played([0.9] * 5 + [0.0] * 15 + [0.9] + [0.0] * 20)
    assert [type(event) for event in events] == [SpeechStarted, SpeechPaused, SpeechEnded]
    assert events[-1] == SpeechEnded(tick=29, last_voiced=4)


def test_one_stray_window_after_a_long_speech_does_not_take_the_pause_back_either() -> None:
    events = played([0.9] * 100 + [0.0] * 15 + [0.9] + [0.0] * 20)
    assert [type(event) for event in events] == [SpeechStarted, SpeechPaused, SpeechEnded]


def test_a_voice_that_falls_a_little_below_the_threshold_still_counts_as_voiced() -> None:
    assert played([0.9] * 3 + [0.5] * 40) == [SpeechStarted(tick=2, onset=0)]


def test_the_policy_lengthens_the_pause_by_what_the_caller_said() -> None:
    endpointer = Endpointer(SETTINGS, policy=lambda words: 40 if words.endswith("and") else 25)
    played([0.9] * 3, endpointer=endpointer)
    endpointer.observe("I need a table and")
    ended = [
        tick for tick in range(3, 60) if isinstance(endpointer.push(0.0, tick=tick), SpeechEnded)
    ]
    assert ended == [42]


def test_words_from_before_a_pause_that_was_taken_back_tell_nothing_of_the_next() -> None:
    """ "Thank you very much." was a whole sentence; what follows it isn't known yet."""
    endpointer = Endpointer(SETTINGS, policy=lambda words: 15 if words else 25)
    played([0.9] * 5 + [0.0] * 12, endpointer=endpointer)
    endpointer.observe("Thank you very much.")
    events = [endpointer.push(p, tick=17 + n) for n, p in enumerate([0.9] * 5 + [0.0] * 30)]
    assert [e.tick - e.last_voiced for e in events if isinstance(e, SpeechEnded)] == [25]


def test_the_next_utterance_starts_with_no_words_of_the_last() -> None:
    seen: list[str] = []

    def policy(words: str) -> int:
        seen.append(words)
        return 25

    endpointer = Endpointer(SETTINGS, policy=policy)
    played([0.9] * 3, endpointer=endpointer)
    endpointer.observe("first")
    for tick in range(3, 40):
        endpointer.push(0.0, tick=tick)
    seen.clear()
    for tick in range(40, 43):
        endpointer.push(0.9, tick=tick)
    for tick in range(43, 70):
        endpointer.push(0.0, tick=tick)
    assert set(seen) == {""}


@given(st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]), max_size=300), st.booleans())
def test_events_come_in_the_only_order_there_is(
    probabilities: list[float], agent_speaks: bool
) -> None:
    """Started (Paused Resumed)* Paused Ended, again and again; ticks never go back."""
    allowed: dict[type[SpeechEvent] | None, set[type[SpeechEvent]]] = {
        None: {SpeechStarted},
        SpeechStarted: {SpeechPaused, SpeechConfirmed},
        SpeechConfirmed: {SpeechPaused},
        SpeechPaused: {SpeechResumed, SpeechEnded},
        SpeechResumed: {SpeechPaused, SpeechConfirmed},
        SpeechEnded: {SpeechStarted},
    }
    before: type[SpeechEvent] | None = None
    tick = -1
    for event in played(probabilities, agent_speaks=agent_speaks):
        assert type(event) in allowed[before]
        assert event.tick > tick
        before, tick = type(event), event.tick
