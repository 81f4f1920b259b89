"""Whole calls on a line with echo, tick by tick, with the real detector and recognizer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from softagent.chat import Message
from softagent.dialogue.conversation import Conversation, ConversationSettings
from softagent.dialogue.events import (
    AgentState,
    CallAnswered,
    CancelReply,
    ClauseSpoken,
    ClauseWritten,
    Event,
    FinishTranscript,
    PauseReply,
    PrepareReply,
    PrepareSpeech,
    ReleaseReply,
    ReplyHeard,
    ReplyWritten,
    ResumeReply,
    TranscriptFinished,
)
from softagent.dialogue.history import History
from softagent.dialogue.phrases import ENGLISH
from softagent.dialogue.words import ENGLISH as ENGLISH_WORDS
from softagent.lab.echo_ear import Ear
from softagent.lab.echo_line import EchoLine, frames
from softagent.lab.word_errors import plain_words
from softagent.media.clean import SoundCleaner
from softagent.media.frame import FRAME_MS, Samples, frame_samples, ticks
from softagent.media.playout import Playout
from softagent.sound import SoundSettings
from softagent.speech.silero import SileroModel
from softagent.speech.whisper import WhisperModel

pytestmark = pytest.mark.engine

RATE_HZ = 8000
SILENCE = np.zeros(frame_samples(RATE_HZ), np.int16)
SETTINGS = ConversationSettings(
    greeting="",
    farewell="",
    phrases=ENGLISH,
    words=ENGLISH_WORDS,
    barge_in="instant",
    silence_ticks=ticks(60_000),
    call_ticks=ticks(600_000),
)


class Call:
    """A conversation with its ear and its playout; the first thing the agent says is `voice`."""

    def __init__(
        self, ear: Ear, voice: Samples, transcribe: Callable[[list[Samples]], str]
    ) -> None:
        self.ear = ear
        self.voice = voice
        self.transcribe = transcribe
        self.transcripts: list[str] = []
        self.paused: list[int] = []
        """Ticks in which the agent fell silent."""
        self.tick = 0
        self.playout = Playout(RATE_HZ)
        history = History([Message(role="system", content="")], budget_tokens=1000)
        self.conversation = Conversation(SETTINGS, history)
        self.handle(CallAnswered(0))

    @property
    def has_said_all(self) -> bool:
        return self.conversation.state is AgentState.LISTENING

    def live(self, caller: Samples | None = None) -> None:
        """A tick, in which the caller says this."""
        played = self.playout.pop()
        if played.turn is not None:
            self.handle(
                ReplyHeard(self.tick, played.turn, played.clause, played.is_first, played.is_last)
            )
        agent_speaks = self.conversation.state is AgentState.SPEAKING
        for event in self.ear.hear(played.samples, caller, agent_speaks=agent_speaks):
            self.handle(event)
        self.tick += 1

    def handle(self, event: Event) -> None:
        for command in self.conversation.handle(event):
            match command:
                case PrepareSpeech(turn) | PrepareReply(turn):
                    self.playout.begin(turn)
                    self.playout.put(turn, 0, self.voice)
                    self.playout.finish(turn)
                    self.handle(ClauseWritten(self.tick, turn, 0, "A long story."))
                    count = len(self.voice) // len(SILENCE)
                    self.handle(ClauseSpoken(self.tick, turn, 0, frames=count))
                    self.handle(ReplyWritten(self.tick, turn))
                case ReleaseReply(turn):
                    self.playout.release(turn)
                case PauseReply(turn):
                    self.paused.append(self.tick)
                    self.playout.pause(turn)
                case ResumeReply(turn):
                    self.playout.resume(turn)
                case CancelReply(turn):
                    self.playout.stop(turn)
                case FinishTranscript(turn):
                    words = self.transcribe(self.ear.utterances.sounds[-1])
                    self.transcripts.append(words)
                    self.handle(TranscriptFinished(self.tick, turn, words))


@pytest.fixture(scope="module")
def silero(model_path: Callable[[str], Path]) -> SileroModel:
    return SileroModel(model_path("silero-vad"))


@pytest.fixture(scope="module")
def whisper(model_path: Callable[[str], Path]) -> WhisperModel:
    return WhisperModel(model_path("whisper-tiny.en"))


@pytest.fixture
def call(recording: Callable, silero: SileroModel, whisper: WhisperModel) -> Callable[..., Call]:
    voice = recording("basic-pbx-ivr-main").at(RATE_HZ)

    def transcribe(sound: list[Samples]) -> str:
        recognizer = whisper.recognizer(RATE_HZ, 400)
        for samples in sound:
            recognizer.accept(samples)
        return recognizer.finish()

    def make(*, level_db: float | None, delay_ms: int, settings: SoundSettings) -> Call:
        ear = Ear(
            EchoLine(RATE_HZ, level_db=level_db, delay_ms=delay_ms, voice=voice),
            rate_hz=RATE_HZ,
            voice_activity=silero.detector(RATE_HZ),
            cleaner=SoundCleaner(settings, rate_hz=RATE_HZ) if settings.is_needed else None,
        )
        return Call(ear, voice, transcribe)

    return make


LEVELS_DB = pytest.mark.parametrize("level_db", [-6, -20])
DELAYS_MS = pytest.mark.parametrize("delay_ms", [20, 400])


@LEVELS_DB
@DELAYS_MS
def test_the_agents_own_voice_neither_stops_it_nor_becomes_words(
    call: Callable[..., Call], level_db: float, delay_ms: int
) -> None:
    """25 s of it, and two seconds after."""
    talk = call(level_db=level_db, delay_ms=delay_ms, settings=SoundSettings())
    while talk.tick < len(talk.voice) // len(SILENCE) + ticks(2000):
        talk.live()
    assert talk.has_said_all
    assert talk.paused == []
    assert talk.transcripts == []
    assert talk.ear.starts == []


def test_without_cancelling_it_is_interrupted_by_itself(call: Callable[..., Call]) -> None:
    """So the line of these tests has an echo that matters."""
    talk = call(level_db=-6, delay_ms=400, settings=SoundSettings(echo_cancelling=False))
    for _ in range(ticks(5000)):
        talk.live()
    assert talk.paused


@LEVELS_DB
@DELAYS_MS
def test_a_caller_over_the_echo_stops_the_agent_and_is_understood(
    call: Callable[..., Call], recording: Callable, level_db: float, delay_ms: int
) -> None:
    talk = call(level_db=level_db, delay_ms=delay_ms, settings=SoundSettings())
    for _ in range(ticks(6000)):
        talk.live()
    assert talk.paused == []
    caller = recording("not-ill-disposed")
    began = talk.tick
    for words in frames(caller.at(RATE_HZ), RATE_HZ):
        talk.live(words)
    for _ in range(ticks(1500)):
        talk.live()
    assert talk.paused
    assert (talk.paused[0] - began) * FRAME_MS < 1000
    assert talk.conversation.interruptions == 1
    said = set(plain_words(caller.text))
    understood = said & set(plain_words(" ".join(talk.transcripts)))
    assert len(understood) >= len(said) * 0.7
