"""What every synthesizer's sound goes through on its way into a call.

float sound at the voice's rate -> ends cut -> level -> 16 bits -> the call's rate
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from softagent.errors import ModelMissing
from softagent.media.frame import Samples
from softagent.media.resample import Resampler
from softagent.speech.sentences import SENTENCE_PAUSE_MS

Wave = npt.NDArray[np.float32]
"""Mono sound, shape (n,), full scale -1..1."""

SPEECH_LEVEL_DB = -20.0
"""Level of the speech itself, pauses left out, relative to full scale: loud on a telephone, far from clipping."""
AUDIBLE = 10 ** (-48 / 20)
"""Amplitude, at that level, below which it is silence."""
LEADING_MS = 10
TRAILING_MS = 60
KNEE = 0.7
"""Amplitude above which peaks are rounded off instead of clipped."""
CALIBRATION_TEXT = "We are open from Monday to Friday, how may I help you?"
"""Spoken unheard when an engine is made: it shows how loud the voice is."""


SLOWER = 0.8
"""Speed of a voice that was asked to speak more slowly, relative to its own."""


class CallVoice:
    """A voice as loud as a telephone wants it, at any rate. As many threads as the engine bears.

    `say` is the engine: text -> for each sentence its sound in pieces, shape (n,) each.
    """

    def __init__(self, say: Callable[[str], Iterable[Iterable[Wave]]], *, rate_hz: int) -> None:
        self._say = say
        self._rate_hz = rate_hz
        sample = [piece for pieces in say(CALIBRATION_TEXT) for piece in pieces]
        self._gain = speech_gain(np.concatenate(sample), rate_hz)

    def saying(self, say: Callable[[str], Iterable[Iterable[Wave]]]) -> CallVoice:
        """The same voice with another `say`, as loud as this one."""
        other = copy.copy(self)
        other._say = say
        return other

    def warm_up(self) -> None:
        """Speak unheard, as `__init__` has done already: the first caller doesn't wait."""
        for _ in self.speak(CALIBRATION_TEXT, rate_hz=self._rate_hz, cancelled=lambda: False):
            pass

    def speak(self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]) -> Iterator[Samples]:
        """Yield the sound of `text` at `rate_hz`; nothing when there is no word in it."""
        if not any(character.isalnum() for character in text):
            return
        pause = np.zeros(rate_hz * SENTENCE_PAUSE_MS // 1000, np.int16)
        has_spoken = False
        sentences = iter(self._say(text))
        while not cancelled() and (pieces := next(sentences, None)) is not None:
            begins_sentence = True
            for samples in self._sentence(iter(pieces), rate_hz, cancelled):
                if begins_sentence and has_spoken:
                    yield pause
                begins_sentence, has_spoken = False, True
                yield samples

    def _sentence(
        self, pieces: Iterator[Wave], rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        sound = SpokenSound(from_hz=self._rate_hz, to_hz=rate_hz, gain=self._gain)
        while not cancelled() and (piece := next(pieces, None)) is not None:
            if len(samples := sound.push(piece)):
                yield samples
        if not cancelled() and len(samples := sound.finish()):
            yield samples


class SpokenSound:
    """One utterance from a synthesizer's pieces to the call's. One thread.

    Silence before and after it is cut to 10 and 60 ms, so that it is heard at once and
    over when it is over; pauses inside it stay.
    """

    def __init__(self, *, from_hz: int, to_hz: int, gain: float) -> None:
        self._resampler = Resampler(from_hz, to_hz)
        self._gain = gain
        self._leading = from_hz * LEADING_MS // 1000
        self._trailing = from_hz * TRAILING_MS // 1000
        self._held = np.zeros(0, np.float32)
        self._has_begun = False

    def push(self, wave: Wave) -> Samples:
        """Take more sound; return what can be heard of it already, often nothing."""
        held = np.concatenate([self._held, wave * np.float32(self._gain)])
        audible = np.flatnonzero(np.abs(held) > AUDIBLE)
        if not len(audible):
            # A pause inside the utterance is kept whole: it may end with the next piece.
            self._held = held if self._has_begun else held[-self._leading :]
            return np.zeros(0, np.int16)
        start = 0 if self._has_begun else max(0, audible[0] - self._leading)
        end = min(len(held), audible[-1] + 1)
        self._has_begun = True
        self._held = held[end:]
        return self._resampler.process(_pcm(held[start:end]))

    def finish(self) -> Samples:
        """Return the rest of the utterance."""
        rest = self._held[: self._trailing] if self._has_begun else self._held[:0]
        return self._resampler.process(_pcm(rest), last=True)


def speech_gain(wave: Wave, rate_hz: int) -> float:
    """Factor that brings the speech in `wave` to `SPEECH_LEVEL_DB`.

    The level is that of the 20 ms frames within 20 dB of the loudest one: a plain form of
    the active speech level of ITU-T P.56.
    """
    length = rate_hz // 50
    frames = wave[: len(wave) // length * length].reshape(-1, length)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    active = power[power > power.max(initial=0) / 100]
    if not len(active):
        return 1.0
    return float(10 ** (SPEECH_LEVEL_DB / 20) / np.sqrt(active.mean()))


def _pcm(wave: Wave) -> Samples:
    """Sound as 16 bits; what lies above the knee approaches full scale without reaching it."""
    size = np.abs(wave)
    rounded = KNEE + (1 - KNEE) * np.tanh((size - KNEE) / (1 - KNEE))
    limited = np.copysign(np.where(size > KNEE, rounded, size), wave)
    samples: Samples = np.rint(limited * 32767).astype(np.int16)
    return samples


def check_voice_file(path: Path) -> None:
    """Raise ModelMissing when a voice's file isn't there."""
    if not path.is_file():
        raise ModelMissing(
            f'voice "{path}": no such file: run "softagent models pull", '
            "or set synthesizer.model to a voice of that engine"
        )
