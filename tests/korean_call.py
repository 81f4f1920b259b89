"""A call in Korean through the pure layers, without engines: the test says what is heard and answered."""

from __future__ import annotations

from collections.abc import Sequence

from softagent.dialogue.conversation import Conversation
from softagent.dialogue.desk_settings import DeskSettings
from softagent.dialogue.events import (
    CallAnswered,
    ClauseSpoken,
    ClauseWritten,
    Command,
    HangUp,
    PrepareReply,
    PrepareSpeech,
    ReplyHeard,
    ReplyWritten,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    TimePassed,
    TranscriptFinished,
)
from softagent.dialogue.history import History
from softagent.dialogue.phrases import phrases
from softagent.dialogue.prompt import opening
from softagent.dialogue.settings import ConversationSettings
from softagent.dialogue.words import words
from softagent.speech.sentences import ClauseSplitter

GREETING = "안녕하세요, 밀러 상사입니다. 무엇을 도와드릴까요?"
FAREWELL = "전화해 주셔서 감사합니다. 안녕히 계세요."


class KoreanCall:
    """A conversation whose replies are cut into clauses and heard at once, a second each."""

    def __init__(self) -> None:
        settings = ConversationSettings(
            greeting=GREETING,
            farewell=FAREWELL,
            phrases=phrases("ko"),
            words=words("ko-KR"),
            barge_in="instant",
            silence_ticks=600,
            call_ticks=90_000,
            desk=DeskSettings(),
        )
        prefix = opening("당신은 친절한 접수원입니다.", "평일 9시에 엽니다.", language="ko")
        self.talk = Conversation(settings, History(prefix, budget_tokens=4000))
        self.said: list[str] = []
        self.asked: list[str] = []
        self.has_hung_up = False
        self.tick = 0
        self.do(self.talk.handle(CallAnswered(0)))

    def do(self, commands: Sequence[Command], answer: str = "") -> None:
        for command in commands:
            match command:
                case PrepareSpeech(turn, text):
                    self._speak(turn, text)
                case PrepareReply(turn, messages):
                    self.asked.append(messages[-1]["content"])
                    self._speak(turn, answer)
                case HangUp():
                    self.has_hung_up = True

    def hear(self, text: str, answer: str = "") -> None:
        """The caller says `text`, and the model would answer with `answer`."""
        talk, start = self.talk, self.tick
        self.do(talk.handle(SpeechStarted(start + 5, onset=start)))
        self.tick = start + 60
        self.do(talk.handle(SpeechPaused(self.tick, last_voiced=start + 50)))
        turn = talk.hearing_turn
        commands = talk.handle(TranscriptFinished(self.tick, turn, text))
        commands += talk.handle(SpeechEnded(self.tick + 20, last_voiced=start + 50))
        self.do(commands, answer)

    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick += 1
            self.do(self.talk.handle(TimePassed(self.tick)))

    def _speak(self, turn: int, text: str) -> None:
        splitter = ClauseSplitter()
        clauses = [*splitter.push(text), *splitter.flush()]
        for number, clause in enumerate(clauses):
            self.talk.handle(ClauseWritten(self.tick, turn, number, clause))
            self.talk.handle(ClauseSpoken(self.tick, turn, number, 50))
        self.talk.handle(ReplyWritten(self.tick, turn))
        self.said.append(text)
        for number in range(len(clauses)):
            for frame in range(50):
                self.tick += 1
                is_last = (number, frame) == (len(clauses) - 1, 49)
                is_first = (number, frame) == (0, 0)
                self.do(self.talk.handle(ReplyHeard(self.tick, turn, number, is_first, is_last)))
