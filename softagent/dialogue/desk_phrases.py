"""What the desk says, by language. In braces: what is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeskPhrases:
    """One language's sentences about what is being done."""

    or_word: str
    figures: tuple[str, ...]
    """The names of 0 to 9, to read digits out one by one."""
    plus: str
    putting_through: str
    offer_place: str
    only_place: str
    which_place: str
    unknown_place: str
    busy: str
    no_answer: str
    not_taken: str
    not_put_through: str
    """Neither busy nor refused: it just didn't work."""
    offer_message: str
    no_messages: str
    """Where there is no place for them."""
    offer_service: str
    offer_person: str
    """After the caller has not been understood for too long."""
    declined: str
    anything_else: str
    moment: str
    """Before something that takes a while."""
    done: str
    not_done: str
    took_message: str
    lost_message: str
    slower: str
    take_message: str
    ask_name: str
    ask_number: str
    ask_reason: str
    ask_slot: str
    ask_choice: str
    ask_yes_no: str
    check: str
    check_all: str
    which_slot: str
    not_understood: str
    cancelled: str
    kept_secret: str

    def either(self, names: Sequence[str]) -> str:
        """The names as a choice: "sales, support or Anna"."""
        *most, last = names
        return f"{', '.join(most)} {self.or_word} {last}" if most else last


ENGLISH = DeskPhrases(
    or_word="or",
    figures=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    plus="plus",
    putting_through="I'm putting you through to {place}.",
    offer_place="Shall I put you through to {place}?",
    only_place="I'm sorry, I can only put you through to {place}. Shall I do that?",
    which_place="I can put you through to {places}. Which would you like?",
    unknown_place="I'm sorry, I can't put you through there, only to {places}. Which would you like?",
    busy="The line is busy.",
    no_answer="I'm sorry, nobody is answering.",
    not_taken="I'm sorry, they couldn't take the call.",
    not_put_through="I'm sorry, I couldn't put you through.",
    offer_message="Shall I take a message?",
    no_messages="I'm sorry, I can't take messages.",
    offer_service="Shall I go on with this: {service}?",
    offer_person="I'm sorry, we don't seem to understand each other. Shall I put you through to {place}?",
    declined="All right.",
    anything_else="Is there anything else I can do for you?",
    moment="One moment, please.",
    done="That's done.",
    not_done="I'm sorry, that didn't work.",
    took_message="Thank you, I've taken your message.",
    lost_message="I'm sorry, I couldn't keep your message.",
    slower="All right, I'll speak more slowly.",
    take_message="Certainly.",
    ask_name="What is your name?",
    ask_number="What is your telephone number?",
    ask_reason="What is it about?",
    ask_slot="What is the {slot}, please?",
    ask_choice="Which {slot} would you like: {choices}?",
    ask_yes_no="{slot}, yes or no?",
    check="{value}. Is that right?",
    check_all="Let me check: {values}. Is that right?",
    which_slot="Which of these is wrong: {slots}?",
    not_understood="I'm sorry, I didn't get that.",
    cancelled="All right, I've left that.",
    kept_secret="{slot} given",
)

KOREAN = DeskPhrases(
    or_word="또는",
    figures=("공", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"),
    plus="플러스",
    putting_through="{place} 쪽으로 연결해 드리겠습니다.",
    offer_place="{place} 쪽으로 연결해 드릴까요?",
    only_place="죄송하지만 {place} 쪽으로만 연결해 드릴 수 있습니다. 연결해 드릴까요?",
    which_place="{places} 쪽으로 연결해 드릴 수 있습니다. 어디로 연결해 드릴까요?",
    unknown_place="죄송하지만 {places} 쪽으로만 연결해 드릴 수 있습니다. 어디로 연결해 드릴까요?",
    busy="통화 중입니다.",
    no_answer="죄송합니다. 전화를 받지 않습니다.",
    not_taken="죄송합니다. 지금은 전화를 받을 수 없습니다.",
    not_put_through="죄송합니다. 연결하지 못했습니다.",
    offer_message="메시지를 남기시겠어요?",
    no_messages="죄송합니다. 메시지는 받을 수 없습니다.",
    offer_service="{service}, 진행해 드릴까요?",
    offer_person="죄송합니다. 잘 알아듣지 못했습니다. {place} 쪽으로 연결해 드릴까요?",
    declined="알겠습니다.",
    anything_else="더 도와드릴 일이 있을까요?",
    moment="잠시만 기다려 주세요.",
    done="처리되었습니다.",
    not_done="죄송합니다. 처리하지 못했습니다.",
    took_message="감사합니다. 메시지를 받아 두었습니다.",
    lost_message="죄송합니다. 메시지를 받아 두지 못했습니다.",
    slower="네, 천천히 말씀드리겠습니다.",
    take_message="네.",
    ask_name="성함이 어떻게 되시나요?",
    ask_number="전화번호가 어떻게 되시나요?",
    ask_reason="어떤 일로 전화하셨나요?",
    ask_slot="{slot}, 말씀해 주시겠어요?",
    ask_choice="{slot}, {choices} 중에 무엇으로 할까요?",
    ask_yes_no="{slot}, 예 아니면 아니요로 말씀해 주시겠어요?",
    check="{value}. 맞습니까?",
    check_all="확인하겠습니다. {values}. 맞습니까?",
    which_slot="{slots} 중에 어느 것이 틀렸나요?",
    not_understood="죄송합니다. 잘 못 들었습니다.",
    cancelled="네, 그만두겠습니다.",
    kept_secret="{slot} 받음",
)

_LANGUAGES = {"en": ENGLISH, "ko": KOREAN}


def desk_phrases(language: str) -> DeskPhrases:
    """The desk's sentences in `language` ("en-us"), English where there are none of its own."""
    return _LANGUAGES.get(language.lower().split("-")[0], ENGLISH)
