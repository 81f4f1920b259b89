"""Speech from Coqui (coqui-tts, the extra "coqui"); its VITS voices speak while they still compute.

text -> sentences -> encoder, durations, flow: latents -> WindowedDecoder -> sound
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from softagent.config import SynthesizerSettings
from softagent.errors import EngineFailed
from softagent.media.frame import Samples
from softagent.speech.spoken import SLOWER, CallVoice, Wave, check_voice_file
from softagent.speech.vits import WindowedDecoder

SEED = 0
"""Of the voice's noise: the same text is the same sound."""


class CoquiSynthesizer:
    """One voice, a folder with model.pth and config.json. Any thread may call.

    VITS voices with one speaker stream; others come sentence by sentence, with their first
    speaker and language.
    """

    def __init__(self, path: Path, settings: SynthesizerSettings) -> None:
        model_path, config_path = path / "model.pth", path / "config.json"
        check_voice_file(model_path)
        check_voice_file(config_path)
        _limit_kernel_cache()
        try:
            import torch
            from TTS.api import TTS
            from TTS.tts.models.vits import Vits
        except ImportError as error:
            raise EngineFailed(
                "synthesizer.engine \"coqui\" needs the extra: pip install 'softagent[coqui]'"
                f" ({error})"
            ) from error
        torch.set_num_threads(settings.threads)
        try:
            self._tts: Any = TTS(
                model_path=str(model_path), config_path=str(config_path), progress_bar=False
            )
        except Exception as error:  # Coqui and torch raise nearly anything here
            raise EngineFailed(f'voice "{path}": Coqui can\'t load it: {error}') from error
        self._torch: Any = torch
        # Coqui is not thread-safe: sound leaks from one synthesis into another. Held for one
        # step of the network, never while a piece is handed out.
        self._lock = threading.Lock()
        model = self._tts.synthesizer.tts_model
        is_single = not (self._tts.is_multi_speaker or self._tts.is_multi_lingual)
        self._decoder = None
        self._length_scale: float | None = None
        """Of the speech, where the network has such a thing: set before each sentence."""
        if isinstance(model, Vits) and is_single:
            self._length_scale = model.length_scale / settings.speed
            self._decoder = WindowedDecoder(model)
        rate_hz = int(self._tts.synthesizer.output_sample_rate)
        self._voice = CallVoice(self._sentences, rate_hz=rate_hz)

    def warm_up(self) -> None:
        """Speak unheard, so that the first caller doesn't wait."""
        self._voice.warm_up()

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        """Yield the sound of `text` at `rate_hz`, each piece as soon as it is ready."""
        return self._voice.speak(text, rate_hz=rate_hz, cancelled=cancelled)

    def slower(self) -> CoquiSynthesizer:
        """The same voice, speaking more slowly if it can; both share the network and its lock."""
        if self._length_scale is None:
            return self
        other = copy.copy(self)
        other._length_scale = self._length_scale / SLOWER
        other._voice = self._voice.saying(other._sentences)
        return other

    def _sentences(self, text: str) -> Iterator[Iterator[Wave]]:
        for sentence in self._tts.synthesizer.split_into_sentences(text):
            yield (
                self._streamed(sentence, self._decoder) if self._decoder else self._whole(sentence)
            )

    def _streamed(self, sentence: str, decoder: WindowedDecoder) -> Iterator[Wave]:
        latents = self._latents(sentence)
        for start, end in decoder.windows(latents.shape[2]):
            with self._lock:
                piece = decoder.decode(latents, start, end)
            yield piece

    def _latents(self, sentence: str) -> Any:
        """What the decoder makes sound of, (1, channels, frames)."""
        with self._lock:
            self._torch.manual_seed(SEED)
            self._tts.synthesizer.tts_model.length_scale = self._length_scale
            spoken = self._tts.synthesizer.tts_model.synthesize(sentence)
            return spoken["outputs"]["model_outputs"]

    def _whole(self, sentence: str) -> Iterator[Wave]:
        with self._lock:
            self._torch.manual_seed(SEED)
            wave = self._tts.tts(
                sentence,
                speaker=next(iter(self._tts.speakers or ()), None),
                language=next(iter(self._tts.languages or ()), None),
                split_sentences=False,
            )
        yield np.asarray(wave, np.float32)


def _limit_kernel_cache() -> None:
    """Keep oneDNN from compiling and keeping kernels for 1024 different sentence lengths.

    torch 2.13: with them the process grew by 200 MB over 200 sentences; with 32 it stays
    at its size. Read once, when torch first computes.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
