"""A whole call in Korean through the pure layers: nothing is English only."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from softagent.dialogue.conversation import Conversation
from softagent.dialogue.desk_settings import DeskSettings
from softagent.dialogue.events import (
    AgentState,
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
from softagent.dialogue.phrases import KOREAN, is_spoken, phrases
from softagent.dialogue.prompt import opening
from softagent.dialogue.settings import ConversationSettings
from softagent.dialogue.words import plain_words, words
from softagent.speech.sentences import ClauseSplitter, pause_ms
from softagent.speech.wording import wording

GREETING = "안녕하세요, 밀러 상사입니다. 무엇을 도와드릴까요?"
FAREWELL = "전화해 주셔서 감사합니다. 안녕히 계세요."


class Call:
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


def test_a_call_in_korean_from_the_greeting_to_the_goodbye() -> None:
    call = Call()
    call.do(call.talk.handle(CallAnswered(0)))
    call.hear("몇 시에 문을 여나요", "평일에는 아홉 시에 엽니다. 더 궁금하신 점이 있으세요?")
    call.hear("주차장도 있어요", "네, 건물 뒤에 있습니다.")
    assert call.asked == ["몇 시에 문을 여나요", "주차장도 있어요"]
    assert call.talk.state is AgentState.LISTENING
    heard = [m["content"] for m in call.talk.history.messages if m["role"] == "assistant"]
    assert heard[-2:] == [
        "평일에는 아홉 시에 엽니다. 더 궁금하신 점이 있으세요?",
        "네, 건물 뒤에 있습니다.",
    ]
    call.hear("네 감사합니다 안녕히 계세요")
    assert call.said[-1] == FAREWELL
    assert call.has_hung_up


def test_silence_is_asked_about_in_korean() -> None:
    call = Call()
    call.do(call.talk.handle(CallAnswered(0)))
    call.wait(700)
    assert call.said == [GREETING, KOREAN.still_there]


@pytest.mark.parametrize(
    "goodbye",
    ["안녕히 계세요", "네 안녕히 계세요", "그럼 끊을게요", "감사합니다. 끊겠습니다.", "수고하세요"],
)
def test_a_goodbye_ends_the_call_without_the_model(goodbye: str) -> None:
    call = Call()
    call.do(call.talk.handle(CallAnswered(0)))
    call.hear(goodbye)
    assert call.asked == []
    assert call.has_hung_up


@pytest.mark.parametrize("text", ["안녕히 계세요는 영어로 뭐예요", "언제 끊을게요라고 하나요"])
def test_a_question_about_a_goodbye_is_none(text: str) -> None:
    assert KOREAN.goodbye.fullmatch(text) is None


def test_an_answer_that_takes_leave_ends_the_call() -> None:
    call = Call()
    call.do(call.talk.handle(CallAnswered(0)))
    call.hear("다 됐어요 고맙습니다", "네, 감사합니다. 안녕히 가세요.")
    assert call.has_hung_up


def test_korean_is_cut_at_its_full_stops_however_it_comes() -> None:
    text = "네, 평일에는 아홉 시에 엽니다. 토요일은 쉽니다! 더 궁금하신 점이 있으세요?"
    for length in (1, 2, 5, len(text)):
        splitter = ClauseSplitter()
        pieces = [text[at : at + length] for at in range(0, len(text), length)]
        clauses = [clause for piece in pieces for clause in splitter.push(piece)]
        clauses += splitter.flush()
        assert clauses[-2:] == ["토요일은 쉽니다!", "더 궁금하신 점이 있으세요?"]
        assert " ".join(clauses) == text
    assert pause_ms("토요일은 쉽니다.") == pause_ms("We are closed.")


def test_korean_words_are_words() -> None:
    assert plain_words("네, 010-1234로요!") == ["네", "010", "1234로요"]
    assert wording("ko")("오전 9:30에 엽니다.") == "오전 9:30에 엽니다."


def test_the_model_is_asked_for_the_language_and_shown_it() -> None:
    system, *examples = opening("", "", language="ko-KR")
    assert "Always answer in Korean." in system["content"]
    assert all(any("가" <= c <= "힣" for c in one["content"]) for one in examples)
    system, *examples = opening("", "", language="de")
    assert "Always answer in German." in system["content"]
    assert examples == [], "English ones would be followed"
    assert "Always answer" not in opening("", "")[0]["content"]


def test_languages_with_phrases_are_known() -> None:
    assert is_spoken("ko-KR")
    assert is_spoken("en-us")
    assert not is_spoken("de")
