"""Nothing of the desk is English only: the same in Korean, whose names come before the verb."""

from __future__ import annotations

import pytest

from softagent.dialogue.deeds import LeaveMessage, Transfer
from softagent.dialogue.desk import Desk
from softagent.dialogue.desk_phrases import KOREAN, desk_phrases
from softagent.dialogue.desk_settings import DeskSettings, Place
from softagent.dialogue.requests import requests
from softagent.dialogue.step import OPEN, State, Step

DESK = Desk(
    DeskSettings(
        places=(Place("영업부", is_default=True), Place("기술지원")),
        takes_messages=True,
        phrases=desk_phrases("ko"),
        requests=requests("ko-KR"),
    ),
    farewell="안녕히 계세요.",
)


def hear(words: str, state: State = OPEN, *, said: str = "무엇을 도와드릴까요?") -> Step:
    return DESK.hear(state, words, said=said)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("기술지원으로 연결해 주세요", "기술지원"),
        ("영업부 좀 바꿔 주세요", "영업부"),
        ("상담원하고 통화하고 싶어요", "영업부"),
        ("사람하고 얘기할 수 있어요", "영업부"),
        ("연결해 주세요", "영업부"),
    ],
)
def test_a_caller_who_asks_for_somebody_is_put_through(words: str, place: str) -> None:
    assert hear(words) == Step(f"{place} 쪽으로 연결해 드리겠습니다.", deed=Transfer(place))


def test_who_only_mentions_a_place_is_answered_by_the_model() -> None:
    assert hear("영업부는 언제 문을 열어요") == Step()


def test_a_message_is_taken() -> None:
    step = hear("메시지 좀 남기고 싶은데요")
    script = [
        ("제 이름은 김민수입니다", "김민수. 맞습니까?"),
        ("네", KOREAN.ask_number),
        ("공일공 일이삼사", "공 일 공, 일 이 삼 사. 맞습니까?"),
        ("아니요 공일공 일이삼오", "공 일 공, 일 이 삼 오. 맞습니까?"),
        ("맞습니다", KOREAN.ask_reason),
        ("주문 때문에요", "주문 때문에요. 맞습니까?"),
    ]
    for words, reply in script:
        step = hear(words, step.state, said=step.say)
        assert step.say == reply
    assert hear("네", step.state).deed == LeaveMessage("김민수", "0101235", "주문 때문에요")


def test_again_slower_and_nothing_more() -> None:
    assert hear("다시 한번 말씀해 주세요", said="여덟 시입니다.").say == "여덟 시입니다."
    assert hear("좀 더 천천히 말씀해 주세요").is_slower
    assert hear("아니요 없습니다", said=f"알겠습니다. {KOREAN.anything_else}").is_farewell
