"""The thread in which one call's speech becomes words, so that slow recognition never delays a tick."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from softagent.dialogue.events import (
    Event,
    PauseJudged,
    ReplyFailed,
    TranscriptChanged,
    TranscriptFinished,
)
from softagent.engines import EndOfTurn, Recognizer
from softagent.errors import EngineFailed
from softagent.log import CallLogger
from softagent.media.frame import Samples, ticks

JUDGED_TICKS = ticks(8000)
"""Of an utterance, that an end-of-turn model hears at most."""
SETTLED_MS = 200
"""Silence after the last word that such a model was trained with; at the pause it is half there."""


@dataclass(frozen=True, slots=True)
class _Sound:
    samples: Samples
    is_voiced: bool


@dataclass(frozen=True, slots=True)
class _Finish:
    turn: int


@dataclass(frozen=True, slots=True)
class _Forget:
    pass


class Hearing:
    """Feeds one recognizer. Methods are called by the call thread; events come from this thread.

    Partial transcripts are made only when nothing else is waiting, so that a turn that has
    ended never waits for one.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        *,
        rate_hz: int,
        post: Callable[[Event], None],
        now: Callable[[], int],
        name: str,
        log: CallLogger,
        end_of_turn: EndOfTurn | None = None,
    ) -> None:
        self._log = log
        self._recognizer = recognizer
        self._end_of_turn = end_of_turn
        self._rate_hz = rate_hz
        self._utterance: deque[Samples] = deque(maxlen=JUDGED_TICKS)
        self._post = post
        self._now = now
        self._partial_samples = recognizer.partial_interval_ms * rate_hz // 1000
        self._unread_samples = 0
        self._words = ""
        self._jobs: queue.SimpleQueue[_Sound | _Finish | _Forget | None] = queue.SimpleQueue()
        """From the call thread to this one; None ends it."""
        self._is_closing = False
        """Set by the call thread: what still waits is of no use any more."""
        self._thread = threading.Thread(target=self._run, name=f"hearing {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def accept(self, samples: Samples, *, is_voiced: bool = True) -> None:
        """Hear more of the running utterance; no partial transcript is begun with a silent frame.

        A silence may be the pause that ends the turn: its words must not wait for a partial.
        """
        self._jobs.put(_Sound(samples, is_voiced))

    def finish(self, turn: int) -> None:
        """Have the words up to now posted as TranscriptFinished of `turn`."""
        self._jobs.put(_Finish(turn))

    def forget(self) -> None:
        """Begin a new utterance."""
        self._jobs.put(_Forget())

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def close(self, timeout_seconds: float) -> None:
        """Drop what waits and join the thread."""
        self._is_closing = True
        self._jobs.put(None)
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            self._log.warning("event=hearing-thread-stuck seconds=%.1f", timeout_seconds)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None and not self._is_closing:
            try:
                self._do(job)
            except Exception as error:  # one utterance is lost, the call goes on
                self._log.exception("event=recognition-failed")
                if isinstance(job, _Finish):
                    self._post(ReplyFailed(self._now(), job.turn, reason=str(error)))
                self._begin_anew()

    def _begin_anew(self) -> None:
        try:
            self._recognizer.reset()
        except Exception:  # the next utterance shows whether it has recovered
            self._log.exception("event=recognizer-reset-failed")

    def _do(self, job: _Sound | _Finish | _Forget) -> None:
        match job:
            case _Sound(samples, is_voiced):
                self._recognizer.accept(samples)
                self._utterance.append(samples)
                self._unread_samples += len(samples)
                is_due = self._unread_samples >= self._partial_samples
                if is_due and is_voiced and self._jobs.empty():
                    self._unread_samples = 0
                    self._report(self._recognizer.partial())
            case _Finish(turn):
                words = self._recognizer.finish()
                self._post(TranscriptFinished(self._now(), turn, words))
                self._judge(turn)
            case _Forget():
                self._recognizer.reset()
                self._utterance.clear()
                self._unread_samples, self._words = 0, ""

    def _judge(self, turn: int) -> None:
        """Judge the pause by its sound, unless the caller has gone on meanwhile."""
        if self._end_of_turn is None or not self._utterance or not self._jobs.empty():
            return
        settled = np.zeros(SETTLED_MS // 2 * self._rate_hz // 1000, np.int16)
        sound = np.concatenate((*self._utterance, settled))
        try:
            probability = self._end_of_turn.probability(sound, self._rate_hz)
        except EngineFailed:  # the words are known, and will do
            self._log.exception("event=end-of-turn-failed")
            return
        self._post(PauseJudged(self._now(), turn, probability))

    def _report(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self._post(TranscriptChanged(self._now(), words))
