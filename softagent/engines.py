"""What a call needs of its engines: four small protocols, and nothing of any library.

Each adapter is a file of its own under `softagent.speech` and `softagent.language`, and
imports its library only when it is made. `load_engines` chooses between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from softagent.chat import Message
from softagent.config import Account, LlmSettings, SynthesizerSettings, VadSettings
from softagent.media.clean import load_webrtc
from softagent.media.frame import Samples
from softagent.models.store import ModelStore
from softagent.speech.wording import WordedSpeech, wording


class VoiceActivity(Protocol):
    """How likely it is that somebody speaks, window by window. One object per call; one thread."""

    window_samples: int
    """Length of a window at the call's rate: 256 at 8 kHz, 512 at 16 kHz (32 ms)."""

    def probability(self, window: Samples) -> float:
        """Probability 0..1 that `window` (exactly `window_samples` long) holds speech."""
        ...

    def reset(self) -> None:
        """Forget the past: the next window begins a new call."""
        ...


class Recognizer(Protocol):
    """Words from one caller's speech, utterance by utterance. One object per call; one thread."""

    partial_interval_ms: int
    """How often asking for `partial` is worth its cost."""

    def accept(self, samples: Samples) -> None:
        """Hear more of the utterance, at the call's rate, any length."""
        ...

    def partial(self) -> str:
        """The words so far; may change. Empty when there are none."""
        ...

    def finish(self) -> str:
        """The words of the whole utterance since `reset`.

        More may be accepted afterwards (the caller went on after a pause) and
        `finish` asked again: it then covers the old and the new part.
        """
        ...

    def reset(self) -> None:
        """Begin a new utterance."""
        ...


class EndOfTurn(Protocol):
    """Whether a pause ends the caller's turn, by its sound. One object per process; any thread may ask."""

    def probability(self, sound: Samples, rate_hz: int) -> float:
        """Probability 0..1 that whoever spoke `sound`, shape (n,), up to now has finished."""
        ...


class LanguageModel(Protocol):
    """Words for an answer. One object per process; one generation at a time."""

    def prime(self, messages: Sequence[Message], *, cancelled: Callable[[], bool]) -> None:
        """Evaluate a prompt's beginning ahead of time, so that a stream that starts with it is quick.

        Stops early, with part of it evaluated, once `cancelled()` is true.
        """
        ...

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        """Yield the answer's text piece by piece; stop soon after `cancelled()` turns true.

        Iterated, and closed, by one thread.
        """
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens that the prompt made of `messages` takes in the context window."""
        ...

    @property
    def context_tokens(self) -> int:
        """Size of the context window."""
        ...


class Synthesizer(Protocol):
    """Speech from text. One object per process; one synthesis at a time."""

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        """Yield the sound of `text` at `rate_hz` in pieces of any length, the first as soon as it is ready."""
        ...


@runtime_checkable
class SlowableSynthesizer(Protocol):
    """A synthesizer that can also speak more slowly."""

    def slower(self) -> Synthesizer:
        """The same voice, speaking more slowly, for one call; this one stays as it is."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines of one worker. Factories make what belongs to one call; the rest is shared by all."""

    voice_activity: Callable[[int], VoiceActivity]
    """rate_hz -> a fresh detector for one call."""
    recognizer: Callable[[int], Recognizer]
    """rate_hz -> a fresh recognizer for one call."""
    language_model: LanguageModel
    synthesizer: Synthesizer
    end_of_turn: EndOfTurn | None = None


def load_engines(account: Account, store: ModelStore) -> Engines:
    """Load and warm the engines that `account` asks for; takes seconds.

    Raises ModelMissing when a model is neither in the store nor a path, and EngineFailed
    when a library can't make anything of it.
    """
    if account.sound.needs_webrtc:
        load_webrtc()
    return Engines(
        voice_activity=_load_voice_activity(account.vad, store),
        recognizer=_load_recognizer(account, store),
        language_model=_load_language_model(account.llm, store),
        synthesizer=WordedSpeech(
            _load_synthesizer(account.synthesizer, store), wording(account.language)
        ),
        end_of_turn=_load_end_of_turn(account.turn.end_model, store),
    )


def _load_voice_activity(
    settings: VadSettings, store: ModelStore
) -> Callable[[int], VoiceActivity]:
    match settings.engine:
        case "silero":
            from softagent.speech.silero import SileroModel

            silero = SileroModel(store.resolve(settings.model))
            silero.warm_up()
            return silero.detector


def _load_recognizer(account: Account, store: ModelStore) -> Callable[[int], Recognizer]:
    settings = account.recognizer
    match settings.engine:
        case "whisper":
            from softagent.speech.whisper import WhisperModel

            whisper = WhisperModel(
                store.resolve(settings.model), threads=settings.threads, language=account.language
            )
            whisper.warm_up()
            return lambda rate_hz: whisper.recognizer(rate_hz, settings.partial_interval_ms)
        case "vosk":
            from softagent.speech.vosk import VoskModel, is_language_name

            named = is_language_name(settings.model)
            vosk = VoskModel(settings.model if named else store.resolve(settings.model))
            vosk.warm_up()
            return lambda rate_hz: vosk.recognizer(rate_hz, settings.partial_interval_ms)


def _load_end_of_turn(model: str, store: ModelStore) -> EndOfTurn | None:
    if not model:
        return None
    from softagent.speech.smart_turn import SmartTurnModel

    smart_turn = SmartTurnModel(store.resolve(model))
    smart_turn.warm_up()
    return smart_turn


def _load_language_model(settings: LlmSettings, store: ModelStore) -> LanguageModel:
    match settings.engine:
        case "llama":
            from softagent.language.llama import LlamaLanguageModel

            llama = LlamaLanguageModel(store.resolve(settings.model), settings)
            llama.warm_up()
            return llama


def _load_synthesizer(settings: SynthesizerSettings, store: ModelStore) -> Synthesizer:
    path = store.resolve(settings.model)
    match settings.engine:
        case "hibari":
            from softagent.speech.hibari import HibariSynthesizer

            hibari = HibariSynthesizer(path, settings)
            hibari.warm_up()
            return hibari
        case "coqui":
            from softagent.speech.coqui import CoquiSynthesizer

            coqui = CoquiSynthesizer(path, settings)
            coqui.warm_up()
            return coqui
        case "piper":
            from softagent.speech.piper import PiperSynthesizer

            piper = PiperSynthesizer(path, settings)
            piper.warm_up()
            return piper
