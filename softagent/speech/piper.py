"""Speech from a Piper voice: many languages, one VITS network each."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from softagent.config import SynthesizerSettings
from softagent.errors import EngineFailed
from softagent.media.frame import Samples
from softagent.speech.spoken import SLOWER, CallVoice, Wave, check_voice_file


class PiperSynthesizer:
    """One voice, an .onnx file beside its .onnx.json, sentence by sentence. Any thread may call."""

    def __init__(self, path: Path, settings: SynthesizerSettings) -> None:
        config_path = path.with_name(path.name + ".json")
        check_voice_file(path)
        check_voice_file(config_path)
        try:
            import onnxruntime
            from piper import PiperVoice, SynthesisConfig
            from piper.config import PiperConfig
        except ImportError as error:
            raise EngineFailed(
                "synthesizer.engine \"piper\" needs the extra: pip install 'softagent[piper]'"
            ) from error
        # PiperVoice.load takes as many threads as there are processors.
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = settings.threads
        try:
            config = PiperConfig.from_dict(json.loads(config_path.read_text(encoding="utf-8")))
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no other base class
            raise EngineFailed(f'voice "{path}": piper can\'t load it: {error}') from error
        self._piper = PiperVoice(config=config, session=session)
        self._config = SynthesisConfig(
            length_scale=config.length_scale / settings.speed, normalize_audio=False
        )
        self._voice = CallVoice(self._sentences, rate_hz=int(config.sample_rate))

    def warm_up(self) -> None:
        """Speak unheard, so that the first caller doesn't wait."""
        self._voice.warm_up()

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        """Yield the sound of `text` at `rate_hz`, each sentence as soon as it is ready."""
        return self._voice.speak(text, rate_hz=rate_hz, cancelled=cancelled)

    def slower(self) -> PiperSynthesizer:
        """The same voice, speaking more slowly; both share the model."""
        other = copy.copy(self)
        other._config = replace(
            self._config, length_scale=(self._config.length_scale or 1.0) / SLOWER
        )
        other._voice = self._voice.saying(other._sentences)
        return other

    def _sentences(self, text: str) -> Iterator[tuple[Wave]]:
        for chunk in self._piper.synthesize(text, self._config):
            yield (chunk.audio_float_array,)
