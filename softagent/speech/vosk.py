"""Vosk: words while they are spoken, from any language that has a model.

Vosk decodes as it listens, so `accept` is where the time goes and `finish` is quick.
Its own end-of-utterance rules come 1.5 to 2.5 s late; here they only close a segment,
and the segments of one utterance are joined.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from softagent.errors import EngineFailed, ModelMissing
from softagent.media.frame import Samples

LANGUAGE_NAMES = {"en": "en-us"}
"""Codes that Vosk calls otherwise."""
ACOUSTIC_MODELS = ("am/final.mdl", "final.mdl")
"""Where it lies in newer and in older model folders."""
SILENT = -1
"""Kaldi's log level: errors only."""


def is_language_name(reference: str) -> bool:
    """Whether `reference` has the form of a language name, such as "en-us" or "ko"."""
    return re.fullmatch(r"[a-z]{2,3}(-[a-z]{2})?", reference) is not None


class VoskModel:
    """The loaded graph and networks. One per process; shared by its recognizers."""

    def __init__(self, reference: Path | str) -> None:
        """Load the model in the folder `reference`, or the one for a language name.

        A language name such as "en-us" is looked up in $VOSK_MODEL_PATH, /usr/share/vosk and
        ~/.cache/vosk, and fetched by vosk when it is in none of them. Raises ModelMissing and
        EngineFailed.
        """
        self._reference = str(reference)
        if is_language_name(self._reference) and not Path(reference).exists():
            self._model = _open_language(self._reference)
        else:
            self._model = _open_folder(Path(reference))

    def recognizer(self, rate_hz: int, partial_interval_ms: int) -> VoskRecognizer:
        """Make a fresh recognizer for one call at `rate_hz`; Vosk resamples by itself."""
        import vosk

        if rate_hz <= 0:
            raise EngineFailed(f"recognizer at {rate_hz} Hz: expected a call's rate, e.g. 8000")
        try:
            kaldi = vosk.KaldiRecognizer(self._model, rate_hz)
        except Exception as problem:  # vosk raises nothing more specific
            raise EngineFailed(
                f"recognizer model {self._reference}: no recognizer at {rate_hz} Hz: {problem}"
            ) from problem
        return VoskRecognizer(kaldi, partial_interval_ms)

    def warm_up(self) -> None:
        """Decode a second of faint noise: the first touches most of the graph's pages."""
        recognizer = self.recognizer(8000, 1000)
        recognizer.accept(np.random.default_rng(0).normal(0, 300, 8000).astype(np.int16))
        recognizer.finish()


class VoskRecognizer:
    """Recognizer for one call; one thread."""

    def __init__(self, kaldi: Any, partial_interval_ms: int) -> None:
        self.partial_interval_ms = partial_interval_ms
        self._kaldi = kaldi
        self._segments: list[str] = []
        """What Vosk has closed of the utterance, by its own rules or by `finish`."""

    def reset(self) -> None:
        """Begin a new utterance."""
        self._kaldi.Reset()
        self._segments.clear()

    def accept(self, samples: Samples) -> None:
        """Hear and decode more of the utterance, shape (n,)."""
        try:
            is_segment_over = self._kaldi.AcceptWaveform(samples.astype("<i2").tobytes())
        except Exception as problem:  # vosk raises nothing more specific
            raise EngineFailed(f"recognizer: Vosk failed: {problem}") from problem
        if is_segment_over:
            self._close(self._kaldi.Result())

    def partial(self) -> str:
        """The words so far."""
        running = json.loads(self._kaldi.PartialResult()).get("partial")  # none before any sound
        return " ".join([*self._segments, running] if running else self._segments)

    def finish(self) -> str:
        """The words of the whole utterance since `reset`; more may be accepted afterwards."""
        self._close(self._kaldi.FinalResult())
        return " ".join(self._segments)

    def _close(self, result: str) -> None:
        if words := json.loads(result)["text"]:
            self._segments.append(words)


def _open_folder(path: Path) -> Any:
    if not path.is_dir():
        raise ModelMissing(
            f"recognizer model {path}: no such folder; expected an unpacked Vosk model"
        )
    if not any((path / name).is_file() for name in ACOUSTIC_MODELS):
        raise EngineFailed(
            f"recognizer model {path}: not a Vosk model: no {ACOUSTIC_MODELS[0]} in it"
        )
    import vosk

    vosk.SetLogLevel(SILENT)
    try:
        return _model_class()(str(path))
    except Exception as problem:  # vosk raises nothing more specific
        raise EngineFailed(f"recognizer model {path}: can't be loaded: {problem}") from problem


def _open_language(name: str) -> Any:
    import vosk

    vosk.SetLogLevel(SILENT)
    try:
        return _model_class()(lang=LANGUAGE_NAMES.get(name, name))
    except SystemExit as problem:  # vosk 0.3.45 ends the process over a language it doesn't know
        raise ModelMissing(
            f'recognizer model for language "{name}": vosk has none; set recognizer.model to a '
            'language it has, e.g. "en-us", or to the folder of a model'
        ) from problem
    except Exception as problem:  # network errors of two libraries and vosk's own
        raise ModelMissing(
            f'recognizer model for language "{name}": not on this machine, and vosk could not '
            f"fetch it ({type(problem).__name__}); unpack a model from "
            "alphacephei.com/vosk/models and set recognizer.model to its folder"
        ) from problem


def _model_class() -> Any:
    import vosk

    class Model(vosk.Model):  # type: ignore[misc]  # vosk carries no types
        """vosk 0.3.45's own complains on standard error when a model that failed is freed."""

        def __del__(self) -> None:
            if hasattr(self, "_handle"):
                super().__del__()

    return Model
