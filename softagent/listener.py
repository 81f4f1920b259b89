"""The call thread's ear: caller frames in, speech events out, and the speech itself to the hearing thread.

Tick.caller -> windows -> voice activity -> Endpointer -> SpeechStarted ... SpeechEnded
          '--> Hearing, from a little before each start until the pause
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from softagent.config import TurnSettings
from softagent.dialogue.endpointer import Endpointer, EndpointerSettings, SpeechEvent
from softagent.dialogue.events import SpeechPaused, SpeechResumed, SpeechStarted
from softagent.dialogue.pause import PauseLengths, WordPolicy
from softagent.dialogue.words import Words
from softagent.engines import VoiceActivity
from softagent.media.frame import Samples, ticks
from softagent.media.window import WindowChunker

PREROLL_TICKS = ticks(400)
"""Sound from before a start is noticed that belongs to the utterance."""


def endpointer_settings(
    turn: TurnSettings, *, threshold: float, window_ms: int
) -> EndpointerSettings:
    """The account's milliseconds as windows and ticks."""

    def windows(milliseconds: int) -> int:
        return max(1, -(-milliseconds // window_ms))

    return EndpointerSettings(
        threshold=threshold,
        start_windows=windows(turn.start_ms),
        barge_in_windows=windows(turn.barge_in_ms),
        confirm_windows=windows(turn.confirm_ms),
        prepare_ticks=ticks(turn.prepare_ms),
        pause_ticks=ticks(turn.pause_ms),
    )


def pause_lengths(turn: TurnSettings) -> PauseLengths:
    """The account's pauses in ticks."""
    return PauseLengths(
        shortest=ticks(turn.shortest_pause_ms),
        finished=ticks((3 * turn.shortest_pause_ms + turn.pause_ms) // 4),
        usual=ticks(turn.pause_ms),
        longest=ticks(turn.longest_pause_ms),
    )


class SpeechTaker(Protocol):
    """Takes the sound of each utterance; see `softagent.hearing.Hearing`."""

    def accept(self, samples: Samples, *, is_voiced: bool = True) -> None:
        """Hear more of the running utterance."""


class Listener:
    """Decides when the caller speaks and sees that all of it is heard. Call thread only."""

    def __init__(
        self,
        voice_activity: VoiceActivity,
        hearing: SpeechTaker,
        settings: TurnSettings,
        *,
        words: Words,
        threshold: float,
        rate_hz: int,
    ) -> None:
        self._voice_activity = voice_activity
        self._hearing = hearing
        self._windows = WindowChunker(voice_activity.window_samples)
        self._policy = WordPolicy(pause_lengths(settings), words)
        self._endpointer = Endpointer(
            endpointer_settings(
                settings,
                threshold=threshold,
                window_ms=voice_activity.window_samples * 1000 // rate_hz,
            ),
            policy=self._policy,
        )
        self._preroll: deque[Samples] = deque(maxlen=PREROLL_TICKS)
        self._is_hearing = False

    def listen(
        self, samples: Samples, *, tick: int, agent_speaks: bool, is_echo: bool = False
    ) -> Iterator[SpeechEvent]:
        """Take the caller's frame of `tick`; yield what it shows.

        `is_echo` says that it is the agent who has been heard, and now nobody.
        """
        if self._is_hearing:
            self._hearing.accept(samples, is_voiced=self._endpointer.is_voiced)
        else:
            self._preroll.append(samples)
        if is_echo:  # the detector would go on hearing what it has begun to take for a voice
            self._voice_activity.reset()
        for window in self._windows.push(samples):
            probability = 0.0 if is_echo else self._voice_activity.probability(window)
            event = self._endpointer.push(probability, tick=tick, agent_speaks=agent_speaks)
            match event:
                case SpeechStarted() | SpeechResumed():
                    self._policy.hear_pause(None)
                    self._begin_hearing()
                case SpeechPaused():
                    self._is_hearing = False
            if event is not None:
                yield event

    def hear_agent(self, said: str) -> None:
        """Learn what the agent said last: its question tells what kind of answer to wait for."""
        self._policy.hear_agent(said)

    def observe(self, words: str) -> None:
        """Learn the transcript so far: it may shorten or lengthen the pause that ends the turn."""
        self._endpointer.observe(words)

    def judge(self, probability: float) -> None:
        """Learn how likely it is by the sound of the running pause that the caller has finished."""
        self._policy.hear_pause(probability)

    def _begin_hearing(self) -> None:
        """Hand over what came before the start was noticed, then everything as it comes."""
        self._is_hearing = True
        for samples in self._preroll:
            self._hearing.accept(samples)
        self._preroll.clear()
