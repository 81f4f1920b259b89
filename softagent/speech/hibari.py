"""Speech from hibari: a small American English voice that is ready before the caller notices."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from softagent.config import SynthesizerSettings
from softagent.errors import EngineFailed
from softagent.media.frame import Samples
from softagent.speech.spoken import SLOWER, CallVoice, Wave, check_voice_file

SEED = 0
"""Of the voice's noise: the same text is the same sound."""


class HibariSynthesizer:
    """One voice, sentence by sentence. Any thread may call; nothing is kept between calls."""

    def __init__(self, path: Path, settings: SynthesizerSettings) -> None:
        check_voice_file(path)
        from hibari import Hibari
        from hibari.voices import DEFAULT, VOICES

        # The voice's name chooses British or American spelling rules; its model is `path`,
        # so that hibari never looks for one to download.
        voice = next((name for name in VOICES if VOICES[name]["file"] == path.name), DEFAULT)
        try:
            self._hibari = Hibari(voice=voice, model=str(path), threads=settings.threads)
        except Exception as error:  # onnxruntime's errors share no other base class
            raise EngineFailed(f'voice "{path}": hibari can\'t load it: {error}') from error
        self._speed = settings.speed
        self._voice = CallVoice(self._sentences, rate_hz=int(self._hibari.sample_rate))

    def warm_up(self) -> None:
        """Speak unheard, so that the first caller doesn't wait."""
        self._voice.warm_up()

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        """Yield the sound of `text` at `rate_hz`, each sentence as soon as it is ready."""
        return self._voice.speak(text, rate_hz=rate_hz, cancelled=cancelled)

    def slower(self) -> HibariSynthesizer:
        """The same voice, speaking more slowly; both share the model."""
        other = copy.copy(self)
        other._speed = self._speed * SLOWER
        other._voice = self._voice.saying(other._sentences)
        return other

    def _sentences(self, text: str) -> Iterator[tuple[Wave]]:
        for phonemes in self._hibari.phonemize(text):
            ids = self._hibari.ids(phonemes)
            yield (self._hibari.from_ids(ids, self._speed, np.random.default_rng(SEED)),)
