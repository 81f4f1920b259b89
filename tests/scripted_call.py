"""A call without a PBX and engines without models: they do what the test tells them to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from softagent.chat import Message
from softagent.config import Account, LimitSettings, RecordingSettings, Secret, TurnSettings
from softagent.engines import Engines
from softagent.media.codec import codec_named
from softagent.media.frame import Samples
from softagent.sip.phone import CallEnd, Caller, MediaDescription
from softagent.sound import SoundSettings

HOST = "127.0.0.1"
LOUD = 8000
"""Of the scripted voices; half of it counts as speech."""
DEFAULT_LIMITS = LimitSettings()
AS_IT_COMES = SoundSettings(echo_cancelling=False)
"""The scripted voices are all one: each would be an echo of the other."""
WORD_SECONDS = 0.08
GREETING, FAREWELL = "Hello.", "Have a nice day."


def account(
    *,
    recordings: Path | None = None,
    limits: LimitSettings = DEFAULT_LIMITS,
    filler_ms: int = 0,
    sound: SoundSettings = AS_IT_COMES,
) -> Account:
    return Account(
        name="reception",
        registrar=HOST,
        username="100",
        password=Secret("secret"),
        greeting=GREETING,
        farewell=FAREWELL,
        sound=sound,
        turn=TurnSettings(prepare_ms=100, pause_ms=240, filler_ms=filler_ms),
        limits=limits,
        recording=RecordingSettings(directory=recordings),
    )


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((HOST, 0))
        port: int = endpoint.getsockname()[1]
        return port


class LoudIsSpeech:
    """Voice activity of sound that is either silent or loud."""

    window_samples = 256

    def probability(self, window: Samples) -> float:
        return float(np.abs(window).max() > LOUD // 2)

    def reset(self) -> None:
        pass


class ScriptedRecognizer:
    """Finds the next of its texts in each utterance that holds any speech."""

    partial_interval_ms = 400

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = iter(texts)
        self._words = ""

    def accept(self, samples: Samples) -> None:
        if not self._words and np.abs(samples).max() > LOUD // 2:
            self._words = next(self._texts)

    def partial(self) -> str:
        return self._words

    def finish(self) -> str:
        return self._words

    def reset(self) -> None:
        self._words = ""


class ScriptedLanguageModel:
    """Gives one answer to everything."""

    context_tokens = 2048

    def __init__(self, answer: str = "We open at eight.") -> None:
        self._answer = answer
        self.may_answer = threading.Event()
        """Cleared, it keeps the caller waiting."""
        self.may_answer.set()

    def prime(self, messages: Sequence[Message], *, cancelled: Callable[[], bool]) -> None:
        pass

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        self.may_answer.wait()
        yield self._answer

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(messages)


class Buzzer:
    """A synthesizer of few words: each text is the same short buzz."""

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        yield np.full(int(WORD_SECONDS * rate_hz), LOUD, np.int16)


class EndlessVoice:
    """A synthesizer that never comes to an end by itself."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        pause = threading.Event()
        while not cancelled():
            self.has_begun.set()
            pause.wait(0.005)
        yield from ()


def engines(
    *heard: str,
    synthesizer: Buzzer | EndlessVoice | None = None,
    voice_activity: Callable[[int], LoudIsSpeech] = lambda rate_hz: LoudIsSpeech(),
) -> Engines:
    """Engines for callers who say the texts in `heard`, one an utterance."""
    return Engines(
        voice_activity=voice_activity,
        recognizer=lambda rate_hz: ScriptedRecognizer(heard),
        language_model=ScriptedLanguageModel(),
        synthesizer=synthesizer or Buzzer(),
    )


class ScriptedCall:
    """An IncomingCall that notes what is done to it, and ends when told to."""

    def __init__(
        self, *, remote_port: int = 9, call_id: str = "call-1", codec: str = "PCMU"
    ) -> None:
        self.call_id = call_id
        self.caller = Caller("1000")
        self.media = MediaDescription(
            codec=codec,
            payload_type=codec_named(codec).payload_type,
            remote_host=HOST,
            remote_port=remote_port,
            local_host=HOST,
            local_port=free_port(),
            event_payload_type=101,
        )
        self.done: list[str] = []
        self.is_answered = threading.Event()
        self.is_over = threading.Event()
        self._callbacks: list[Callable[[CallEnd], None]] = []
        self._media_callbacks: list[Callable[[MediaDescription], None]] = []

    def answer(self) -> None:
        self.done.append("answer")
        self.is_answered.set()

    def reject(self, status: int) -> None:
        self.done.append(f"reject {status}")
        self.is_over.set()

    def hang_up(self) -> None:
        self.done.append("hang up")
        self.is_over.set()

    def on_end(self, callback: Callable[[CallEnd], None]) -> None:
        self._callbacks.append(callback)

    def on_digits(self, callback: Callable[[str], None]) -> None:
        self.press = callback

    def on_media(self, callback: Callable[[MediaDescription], None]) -> None:
        self._media_callbacks.append(callback)

    def move(self, remote_port: int) -> None:
        """What the signalling thread does when a new offer moves the far end's media."""
        self.change(remote_port=remote_port)

    def change(self, **changes: Any) -> None:
        """What the signalling thread does when a new offer changes the media."""
        self.media = replace(self.media, **changes)
        for callback in self._media_callbacks:
            callback(self.media)

    def end(self, reason: CallEnd) -> None:
        """What the signalling thread does when the far end is gone."""
        for callback in self._callbacks:
            callback(reason)
