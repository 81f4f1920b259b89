"""One reply as a generator of sound, and the thread that drives it into the playout.

    language model -> tokens -> clauses -> guard -> synthesizer -> Playout.put(turn, clause, samples)

The generator is stepped by the reply thread in a call and by hand in a test. Being cut
off needs no killing and no draining: the playout refuses sound of a turn that is not
current, and the model and the synthesizer ask `cancelled` as they go.
"""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from softagent.chat import Message
from softagent.dialogue.events import (
    ClauseSpoken,
    ClauseWritten,
    DeedProposed,
    Event,
    ReplyFailed,
    ReplyWritten,
)
from softagent.dialogue.proposal import ProposalFilter
from softagent.engines import LanguageModel, SlowableSynthesizer, Synthesizer
from softagent.log import CallLogger
from softagent.media.frame import Samples, frame_samples, ticks
from softagent.media.playout import Playout
from softagent.speech.sentences import ClauseSplitter, pause_ms

URGENT_FRAMES = ticks(400)
"""With less than this left to play, the caller will soon hear a gap."""


@dataclass(frozen=True, slots=True)
class TokenCame:
    """The model has written its first piece of text."""


@dataclass(frozen=True, slots=True)
class ClauseBegan:
    """The words of a clause are complete; its sound follows."""

    clause: int
    text: str


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of a clause's sound, of any length."""

    clause: int
    samples: Samples


@dataclass(frozen=True, slots=True)
class ClauseEnded:
    """All sound of a clause has been made."""

    clause: int
    samples: int


Piece = TokenCame | ClauseBegan | Sound | ClauseEnded


class Check(Protocol):
    """Looks at a reply before it becomes sound."""

    def __call__(self, clauses: Iterable[str], prompt: Sequence[Message]) -> Iterator[str]:
        """Yield those of the clauses that may be said in answer to `prompt`, or something else instead."""
        ...


def unchecked(clauses: Iterable[str], prompt: Sequence[Message]) -> Iterator[str]:
    """Everything may be said."""
    yield from clauses


def spoken_reply(
    words: Iterable[str],
    synthesizer: Synthesizer,
    *,
    rate_hz: int,
    cancelled: Callable[[], bool],
    is_urgent: Callable[[], bool] = lambda: False,
    check: Callable[[Iterable[str]], Iterator[str]] = iter,
) -> Iterator[Piece]:
    """Speak `words` (text in pieces of any length) clause by clause, each as soon as it is complete.

    `is_urgent` says that the caller is about to hear a gap: shorter clauses will do then.
    `check` yields the clauses that may be said.
    """
    written = iter(words)
    first = next(written, None)
    if first is None:
        return
    yield TokenCame()
    pause = 0
    for clause, text in enumerate(check(_clauses(chain((first,), written), is_urgent))):
        if cancelled():
            return
        yield ClauseBegan(clause, text)
        length = pause
        if pause:
            yield Sound(clause, np.zeros(pause, np.int16))
        for samples in synthesizer.synthesize(text, rate_hz=rate_hz, cancelled=cancelled):
            length += len(samples)
            yield Sound(clause, samples)
        if cancelled():
            return
        yield ClauseEnded(clause, length)
        pause = rate_hz * pause_ms(text) // 1000


def _clauses(words: Iterable[str], is_urgent: Callable[[], bool]) -> Iterator[str]:
    splitter = ClauseSplitter()
    for piece in words:
        yield from splitter.push(piece, is_urgent=is_urgent())
    yield from splitter.flush()


@dataclass(frozen=True, slots=True)
class _Job:
    """What the reply thread is to do next: answer, say a text, or only warm the model's cache."""

    turn: int | None
    messages: tuple[Message, ...] = ()
    text: str = ""


class ReplyThread:
    """Makes replies, one at a time, for one call.

    `prepare`, `say`, `prime`, `slow_down` and `cancel` are called by the call thread; events are posted
    through `post` and marks through `mark`, both from the reply thread.
    """

    def __init__(
        self,
        language_model: LanguageModel,
        synthesizer: Synthesizer,
        playout: Playout,
        *,
        rate_hz: int,
        max_tokens: int,
        post: Callable[[Event], None],
        mark: Callable[[int, str], None],
        now: Callable[[], int],
        name: str,
        log: CallLogger,
        check: Check = unchecked,
    ) -> None:
        """`check` looks at what the model writes, not at the fixed texts."""
        self._log = log
        self._check = check
        self._language_model = language_model
        self._synthesizer = synthesizer
        """Replaced by the call thread, taken up by this one at the next reply: a reference, so no lock."""
        self._is_slow = False
        self._playout = playout
        self._rate_hz = rate_hz
        self._max_tokens = max_tokens
        self._post = post
        self._mark = mark
        self._now = now
        self._wanted: int | None = None
        """The turn whose reply is wanted: written by the call thread, read here. An int, so no lock."""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        """From the call thread to this one; None ends it."""
        self._thread = threading.Thread(target=self._run, name=f"reply {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def prepare(self, turn: int, messages: tuple[Message, ...]) -> None:
        """Begin to answer `messages` as turn `turn`, in place of whatever was being made."""
        self._begin(_Job(turn, messages=messages))

    def say(self, turn: int, text: str) -> None:
        """Begin to say `text` as turn `turn`, in place of whatever was being made."""
        self._begin(_Job(turn, text=text))

    def prime(self, messages: tuple[Message, ...]) -> None:
        """Let the model read `messages` ahead of the next question, when nothing else is to do."""
        self._jobs.put(_Job(None, messages=messages))

    def cancel(self, turn: int) -> None:
        """Stop making the reply of `turn`."""
        if self._wanted == turn:
            self._wanted = None

    def slow_down(self) -> None:
        """Speak more slowly from the next reply on, once; not every voice can."""
        if not self._is_slow and isinstance(self._synthesizer, SlowableSynthesizer):
            self._synthesizer = self._synthesizer.slower()
        self._is_slow = True

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def close(self, timeout_seconds: float) -> None:
        """Stop whatever is being made and join the thread."""
        self._wanted = None
        self._jobs.put(None)
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            self._log.warning("event=reply-thread-stuck seconds=%.1f", timeout_seconds)

    def _begin(self, job: _Job) -> None:
        self._wanted = job.turn
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if job.turn is None:
                    if self._jobs.empty():
                        self._language_model.prime(job.messages, cancelled=self._has_work)
                elif job.turn == self._wanted:
                    self._make(job, job.turn)
            except Exception as error:  # one reply fails, the call goes on
                self._log.exception("event=reply-failed turn=%s", job.turn)
                if job.turn is not None:
                    self._post(ReplyFailed(self._now(), job.turn, reason=str(error)))

    def _has_work(self) -> bool:
        return not self._jobs.empty()

    def _make(self, job: _Job, turn: int) -> None:
        def cancelled() -> bool:
            return self._wanted != turn

        notes = ProposalFilter()
        words: Iterable[str] = (job.text,)
        if not job.text:
            written = self._language_model.stream(
                job.messages, max_tokens=self._max_tokens, cancelled=cancelled
            )
            words = notes.filtered(written)
        pieces = spoken_reply(
            words,
            self._synthesizer,
            rate_hz=self._rate_hz,
            cancelled=cancelled,
            is_urgent=lambda: not job.text and self._playout.pending_frames(turn) < URGENT_FRAMES,
            check=iter if job.text else functools.partial(self._check, prompt=job.messages),
        )
        has_sound = False
        for piece in pieces:
            match piece:
                case TokenCame():
                    self._mark(turn, "first_token")
                case ClauseBegan(clause, text):
                    if clause == 0:
                        self._mark(turn, "first_clause")
                    self._post(ClauseWritten(self._now(), turn, clause, text))
                case Sound(clause, samples):
                    if not has_sound:
                        self._mark(turn, "first_audio")
                    has_sound = True
                    if not self._playout.put(turn, clause, samples):
                        return
                case ClauseEnded(clause, length):
                    frames = -(-length // frame_samples(self._rate_hz))
                    self._post(ClauseSpoken(self._now(), turn, clause, frames))
        if cancelled():
            return
        if notes.proposal is not None:
            self._post(DeedProposed(self._now(), turn, notes.proposal))
        if not has_sound:
            self._log.warning("event=reply-empty turn=%d", turn)
            self._post(ReplyFailed(self._now(), turn, reason="nothing to say"))
            return
        self._post(ReplyWritten(self._now(), turn))
        self._playout.finish(turn)
