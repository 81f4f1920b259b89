"""Whisper on CTranslate2 with a window as short as the utterance allows.

Whisper was trained on 30 s windows and most of its time goes into encoding them. A
caller's sentence is 1 to 6 s, so it is put into a window of 10 s: a quarter of the
work, the same words. Below 10 s the model repeats itself. Everything that keeps such a
window honest is here: padding, the limit on words per second, the way out of
repetitions, and the judgement whether there was speech at all.

Written against faster-whisper 1.2, of which it uses the loaded model (`model`), the
`feature_extractor` and the `Tokenizer`, but not `transcribe`, whose window is fixed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from softagent.errors import EngineFailed, ModelMissing
from softagent.media.frame import Samples
from softagent.media.resample import resample
from softagent.speech.pieces import Pieces

RATE_HZ = 16000
"""What Whisper hears."""
FEATURES_HZ = 100
"""Columns of the log-mel spectrogram in a second."""
MARGIN_SECONDS = 1.0
"""Empty window after the utterance; without it the last words are lost."""
LEAD_SECONDS = 0.3
"""Silence put before and after the utterance: a word that starts with the window is often missed."""
FULL_SCALE = 32768.0

TOKENS_AT_LEAST = 6
TOKENS_PER_SECOND = 8
"""Nobody speaks faster (the quickest of 265 telephone prompts has 5.3): more is a repetition."""
FEWEST_TOKENS_PER_SECOND = 2.0
"""Of voiced sound. Fewer, and the model has taken a pause for the end and left out the rest."""
SECOND_BEAM_SIZE = 3
"""A wider search finds what comes after the pause; used always, it repeats more and hears no better."""
LONGEST_TOKENS = 220
"""Half of Whisper's text context, which is what CTranslate2 generates at most."""

LEVEL_SECONDS = 0.1
"""Stretch over which loudness is measured; no word is shorter."""
QUIET_RMS = 33.0
"""Loudest 100 ms below -60 dBFS: an open line, nobody speaking."""
VOICED_SHARE = 0.1
"""Of the loudest: 20 dB below it begins the background."""
SURELY_NO_SPEECH = 0.8
LIKELY_NO_SPEECH = 0.5
UNSURE_LOG_PROBABILITY = -1.0
"""Mean per token. Speech at 8 kHz: no-speech 0.0-0.7 and above -1.2; noise, hum, breath: 0.5-1.0 and below -1."""
BABBLE_LOG_PROBABILITY = -1.5

FILES = ("model.bin", "config.json", "tokenizer.json")

_ANNOTATION = re.compile(r"[\[(*♪][^\W\d]+(?:[\s_]+[^\W\d]+)*[\])*♪]|[♪♫]")
"""What Whisper writes about sounds: [BLANK_AUDIO], (music), *sighs*; never a "(555)"."""
_REPEATED = re.compile(r"\b(\w[\w' ]*?)(?:[\s.,!?-]+\1\b)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Decoding:
    """What the model made of one window."""

    text: str
    no_speech: float
    """The model's probability that nobody speaks."""
    mean_log_probability: float
    """Per token; near 0 when the model is sure of its words."""
    tokens: int
    """How many the text took."""


class WhisperModel:
    """The loaded network and the way to ask it. One per process."""

    def __init__(
        self,
        path: Path,
        threads: int = 1,
        *,
        window_seconds: float = 10.0,
        language: str = "en",
    ) -> None:
        """Load the CTranslate2 model in the folder `path`, on `threads` processor threads.

        `language` is what callers speak, a code such as "en" or "ko"; models whose name ends
        in .en know only English. Raises ModelMissing and EngineFailed.
        """
        self._path = path
        self._window_seconds = window_seconds
        if absent := [name for name in FILES if not (path / name).is_file()]:
            raise ModelMissing(
                f"recognizer model {path}: no {', '.join(absent)}; run `softagent models pull "
                "whisper-tiny.en` or set recognizer.model to a folder with a CTranslate2 Whisper"
            )
        self._whisper = _open_model(path, threads)
        self._tokenizer = _open_tokenizer(self._whisper, path, language)
        self._prompt = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]

    def recognizer(self, rate_hz: int, partial_interval_ms: int) -> WhisperRecognizer:
        """Make a fresh recognizer for one call at `rate_hz`."""
        if rate_hz <= 0:
            raise EngineFailed(f"recognizer at {rate_hz} Hz: expected a call's rate, e.g. 8000")
        return WhisperRecognizer(self, rate_hz, partial_interval_ms)

    def warm_up(self) -> None:
        """Decode once: the first inference allocates and is several times slower."""
        self.transcribe(np.random.default_rng(0).normal(0, 300, RATE_HZ).astype(np.int16))

    def transcribe(self, sound: Samples) -> str:
        """The words in `sound`, shape (n,) at 16 kHz, up to about 15 s; "" when nobody speaks."""
        levels = _levels(sound)
        if levels.max(initial=0.0) < QUIET_RMS:
            return ""
        voiced_seconds = np.count_nonzero(levels > levels.max() * VOICED_SHARE) * LEVEL_SECONDS
        try:
            heard = self._whisper.model.encode(self._features(sound))
            decoding = self._search(heard, sound.size / RATE_HZ, voiced_seconds)
        except (RuntimeError, ValueError) as problem:
            raise EngineFailed(f"recognizer model {self._path}: failed: {problem}") from problem
        return spoken_words(decoding.text) if has_speech(decoding) else ""

    def _search(self, heard: Any, seconds: float, voiced_seconds: float) -> Decoding:
        """The first words the model offers, unless they repeat themselves or stop too early."""
        limit = min(TOKENS_AT_LEAST + int(TOKENS_PER_SECOND * seconds), LONGEST_TOKENS)
        first = self._decode(heard, limit)
        if first.tokens >= limit:
            second = self._decode(heard, limit, no_repeat_ngram_size=2)
            return replace(second, text=_REPEATED.sub(r"\1", second.text))
        if first.tokens < FEWEST_TOKENS_PER_SECOND * voiced_seconds:
            second = self._decode(heard, limit, beam_size=SECOND_BEAM_SIZE)
            if first.tokens < second.tokens < limit:
                return second
        return first

    def _features(self, sound: Samples) -> Any:
        """Log-mel spectrogram of the padded `sound`, shape (1, mels, columns)."""
        import ctranslate2

        lead = np.zeros(int(LEAD_SECONDS * RATE_HZ), np.float32)
        padded = np.concatenate((lead, sound / np.float32(FULL_SCALE), lead))
        spectrogram = self._whisper.feature_extractor(padded)
        seconds = max(self._window_seconds, padded.size / RATE_HZ + MARGIN_SECONDS)
        # Empty columns are zeros, as faster-whisper pads: silence (-1) loops far more often.
        window = np.zeros((1, spectrogram.shape[0], int(seconds * FEATURES_HZ)), np.float32)
        window[0, :, : spectrogram.shape[1]] = spectrogram
        return ctranslate2.StorageView.from_array(window)

    def _decode(
        self, heard: Any, limit: int, *, beam_size: int = 1, no_repeat_ngram_size: int = 0
    ) -> Decoding:
        (result,) = self._whisper.model.generate(
            heard,
            [self._prompt],
            beam_size=beam_size,
            no_repeat_ngram_size=no_repeat_ngram_size,
            max_length=2 * limit,  # CTranslate2 4.8 generates half of it
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )
        tokens = result.sequences_ids[0]
        return Decoding(
            text=self._tokenizer.decode(tokens),
            no_speech=result.no_speech_prob,
            mean_log_probability=result.scores[0] * len(tokens) / (len(tokens) + 1),
            tokens=len(tokens),
        )


class WhisperRecognizer:
    """Recognizer for one call; one thread.

    The open piece of the utterance is decoded anew each time; pieces behind a quiet place
    far back are decoded once more and then kept, so that a long speech costs no more per
    partial than a short one.
    """

    def __init__(self, model: WhisperModel, rate_hz: int, partial_interval_ms: int) -> None:
        self.partial_interval_ms = partial_interval_ms
        self._model = model
        self._rate_hz = rate_hz
        self._interval_samples = partial_interval_ms * rate_hz // 1000
        self.reset()

    def reset(self) -> None:
        """Begin a new utterance."""
        self._pieces = Pieces(self._rate_hz)
        self._closed: list[str] = []
        self._unread_samples = 0
        self._words = ""

    def accept(self, samples: Samples) -> None:
        """Hear more of the utterance, shape (n,). Costs nothing."""
        self._pieces.append(samples)
        self._unread_samples += samples.size

    def partial(self) -> str:
        """The words so far, decoded anew when `partial_interval_ms` of sound came since the last."""
        return self._read() if self._unread_samples >= self._interval_samples else self._words

    def finish(self) -> str:
        """The words of the whole utterance since `reset`; more may be accepted afterwards."""
        return self._read()

    def _read(self) -> str:
        if self._unread_samples:
            while (closed := self._pieces.take_closed()) is not None:
                self._closed.append(self._transcribe(closed))
            words = [*self._closed, self._transcribe(self._pieces.open())]
            self._words = " ".join(text for text in words if text)
            self._unread_samples = 0
        return self._words

    def _transcribe(self, sound: Samples) -> str:
        return self._model.transcribe(resample(sound, from_hz=self._rate_hz, to_hz=RATE_HZ))


def has_speech(decoding: Decoding) -> bool:
    """Whether the words come from a voice; Whisper finds "Thank you." in any noise."""
    unsure = decoding.mean_log_probability < UNSURE_LOG_PROBABILITY
    return not (
        decoding.no_speech > SURELY_NO_SPEECH
        or (decoding.no_speech > LIKELY_NO_SPEECH and unsure)
        or decoding.mean_log_probability < BABBLE_LOG_PROBABILITY
    )


def spoken_words(text: str) -> str:
    """`text` without Whisper's notes about sounds; "" when only punctuation is left."""
    words = " ".join(_ANNOTATION.sub(" ", text).split())
    return words if any(character.isalnum() for character in words) else ""


def _levels(sound: Samples) -> npt.NDArray[np.float32]:
    """RMS of each whole 100 ms of `sound` at 16 kHz."""
    block = int(RATE_HZ * LEVEL_SECONDS)
    blocks = sound[: sound.size // block * block].astype(np.float32).reshape(-1, block)
    levels: npt.NDArray[np.float32] = np.sqrt(np.mean(blocks**2, axis=1))
    return levels


def _open_model(path: Path, threads: int) -> Any:
    import faster_whisper

    try:
        return faster_whisper.WhisperModel(
            str(path),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            local_files_only=True,
        )
    except Exception as problem:  # CTranslate2 and tokenizers share no base class but this one
        raise EngineFailed(f"recognizer model {path}: can't be loaded: {problem}") from problem


def _open_tokenizer(whisper: Any, path: Path, language: str) -> Any:
    from faster_whisper.tokenizer import Tokenizer

    code = language.lower().partition("-")[0]
    if code not in whisper.supported_languages:
        raise EngineFailed(
            f'recognizer model {path}: does not know language "{language}"; it knows '
            f"{' '.join(whisper.supported_languages)} (whisper-base knows them all)"
        )
    return Tokenizer(
        whisper.hf_tokenizer, whisper.model.is_multilingual, task="transcribe", language=code
    )
