"""A whole call in Korean through the pure layers: nothing is English only."""

from __future__ import annotations

import pytest
from korean_call import FAREWELL, GREETING, KoreanCall

from softagent.dialogue.events import AgentState
from softagent.dialogue.phrases import KOREAN, is_spoken
from softagent.dialogue.prompt import opening
from softagent.dialogue.words import plain_words
from softagent.speech.sentences import ClauseSplitter, pause_ms
from softagent.speech.wording import wording


def test_a_call_in_korean_from_the_greeting_to_the_goodbye() -> None:
    call = KoreanCall()
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
    call = KoreanCall()
    call.wait(700)
    assert call.said == [GREETING, KOREAN.still_there]


@pytest.mark.parametrize(
    "goodbye",
    ["안녕히 계세요", "네 안녕히 계세요", "그럼 끊을게요", "감사합니다. 끊겠습니다.", "수고하세요"],
)
def test_a_goodbye_ends_the_call_without_the_model(goodbye: str) -> None:
    call = KoreanCall()
    call.hear(goodbye)
    assert call.asked == []
    assert call.has_hung_up


@pytest.mark.parametrize("text", ["안녕히 계세요는 영어로 뭐예요", "언제 끊을게요라고 하나요"])
def test_a_question_about_a_goodbye_is_none(text: str) -> None:
    assert KOREAN.goodbye.fullmatch(text) is None


def test_an_answer_that_takes_leave_ends_the_call() -> None:
    call = KoreanCall()
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
