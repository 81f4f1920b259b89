"""When the caller starts, pauses, goes on and has finished: probabilities in, events out.

          start                 prepare               pause
    QUIET ------> SPEAKING ----------------> PAUSED ---------> QUIET
          Started     ^         Paused         |     Ended
                      '------------------------'
                               Resumed

Voice is counted in detector windows, silence in ticks; nothing here reads a clock.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from softagent.dialogue.events import (
    SpeechConfirmed,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

SpeechEvent = SpeechStarted | SpeechConfirmed | SpeechPaused | SpeechResumed | SpeechEnded

PausePolicy = Callable[[str], int]
"""The partial transcript of the running utterance -> ticks of silence that end the turn."""


@dataclass(frozen=True, slots=True)
class EndpointerSettings:
    """Thresholds of probability, counts of windows, lengths in ticks."""

    threshold: float
    """A window at or above it is voiced."""
    start_windows: int
    """Voiced windows, all but one in a row, that make a start while the agent is quiet."""
    barge_in_windows: int
    """The same while the agent speaks."""
    confirm_windows: int
    """Voiced windows of an utterance over the agent that prove it meant."""
    prepare_ticks: int
    """Silence after which the caller may have finished."""
    pause_ticks: int
    """Silence after which the caller has finished."""
    release: float = 0.15
    """How far below `threshold` a voice that has begun may fall and still count as voiced."""
    resume_windows: int = 2
    """Voiced windows in a row that take a pause back."""


class _Phase(enum.Enum):
    QUIET = "quiet"
    SPEAKING = "speaking"
    PAUSED = "paused"


class Endpointer:
    """Decides from voice activity alone; `policy` lets the words shorten or lengthen the pause."""

    def __init__(self, settings: EndpointerSettings, *, policy: PausePolicy | None = None) -> None:
        self._settings = settings
        self._policy = policy or (lambda _words: settings.pause_ticks)
        self._phase = _Phase.QUIET
        self._words = ""
        self._run = 0
        self._run_began = 0
        self._last_voiced = 0
        self._to_confirm: int | None = None
        """Voiced windows that an utterance over the agent still lacks."""
        self.is_voiced = False
        """Whether the last window was."""

    @property
    def is_speaking(self) -> bool:
        """Whether the caller is in an utterance, a pause in it included."""
        return self._phase is not _Phase.QUIET

    def observe(self, words: str) -> None:
        """Learn the partial transcript of the running utterance."""
        self._words = words

    def push(
        self, probability: float, *, tick: int, agent_speaks: bool = False
    ) -> SpeechEvent | None:
        """Take the probability of the window that ended in `tick`; say what it changed, if anything."""
        settings = self._settings
        floor = 0.0 if self._phase is _Phase.QUIET else settings.release
        is_voiced = probability >= settings.threshold - floor
        self.is_voiced = is_voiced
        self._count(is_voiced, tick)
        match self._phase:
            case _Phase.QUIET:
                needed = settings.barge_in_windows if agent_speaks else settings.start_windows
                if self._run >= needed:
                    self._phase, self._words = _Phase.SPEAKING, ""
                    self._last_voiced = tick
                    over = settings.confirm_windows - self._run
                    self._to_confirm = over if agent_speaks else None
                    return SpeechStarted(tick, onset=self._run_began)
            case _Phase.SPEAKING:
                if is_voiced:
                    self._last_voiced = tick
                    return self._confirmed(tick)
                if tick - self._last_voiced >= settings.prepare_ticks:
                    self._phase, self._run = _Phase.PAUSED, 0
                    return SpeechPaused(tick, last_voiced=self._last_voiced)
            case _Phase.PAUSED:
                if is_voiced and self._run >= settings.resume_windows:
                    self._phase, self._last_voiced = _Phase.SPEAKING, tick
                    self._words = ""  # the caller goes on: they tell nothing of the next pause
                    return SpeechResumed(tick)
                if tick - self._last_voiced >= self._policy(self._words):
                    self._phase, self._run = _Phase.QUIET, 0
                    return SpeechEnded(tick, last_voiced=self._last_voiced)
        return None

    def _confirmed(self, tick: int) -> SpeechConfirmed | None:
        """Count a voiced window of an utterance over the agent."""
        if self._to_confirm is None:
            return None
        self._to_confirm -= 1
        if self._to_confirm > 0:
            return None
        self._to_confirm = None
        return SpeechConfirmed(tick)

    def _count(self, is_voiced: bool, tick: int) -> None:
        """Keep the length of the run of voiced windows; one unvoiced window takes back one."""
        if not is_voiced:
            self._run = max(0, self._run - 1)
            return
        if self._run == 0:
            self._run_began = tick
        self._run += 1
