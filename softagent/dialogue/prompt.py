"""The beginning of every prompt: who the agent is, what it knows, and how an answer sounds.

A small model follows examples more than rules; each example here cures a mistake that
Qwen2.5 1.5B made without it (inventing a price, claiming to be the caller, booking).
"""

from __future__ import annotations

from collections.abc import Sequence

from softagent.chat import Message

MANNER = "You are on the telephone. Answer in one short spoken sentence, without lists."

LIMITS = (
    "Whatever is not written above you don't know: say so and offer to take a message. "
    "You are the automatic assistant: you can't book, change, cancel or put anyone through, "
    "you only answer and take messages."
)

NOTES = (
    "When the caller asks for one of the following, answer with its note in brackets and nothing "
    "else; the caller is then asked to confirm it:"
)

EXAMPLES = (
    ("Hello, this is Peter.", "Hello Peter, how can I help you?"),
    ("And who are you?", "I'm the automatic assistant of the office."),
    ("What does a gift card cost?", "I'm sorry, I don't know that. May I take a message?"),
    ("Do you accept vouchers?", "I'm afraid I don't know that. May I take a message?"),
    (
        "Please put me down for Friday.",
        "I can't do that myself, but I can take a message and a colleague will call you back.",
    ),
    (
        "What can you tell me?",
        "I know a few things about our office, what would you like to know?",
    ),
)


KOREAN_EXAMPLES = (
    ("안녕하세요, 김민수입니다.", "안녕하세요, 무엇을 도와드릴까요?"),
    ("누구세요?", "저는 이 사무실의 자동 응답 도우미입니다."),
    ("상품권은 얼마예요?", "죄송합니다. 그건 잘 모르겠습니다. 메시지를 남기시겠어요?"),
    (
        "금요일로 예약해 주세요.",
        "제가 직접 예약할 수는 없지만, 메시지를 남겨 주시면 담당자가 전화드리겠습니다.",
    ),
    ("뭘 알려 주실 수 있어요?", "저희 사무실에 대해 몇 가지 알고 있습니다. 무엇이 궁금하세요?"),
)
_EXAMPLES = {"en": EXAMPLES, "ko": KOREAN_EXAMPLES}
"""None for other languages: English ones would be answered like in English."""
_NAMES = {
    "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "es": "Spanish", "fi": "Finnish",
    "fr": "French", "hu": "Hungarian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ru": "Russian",
    "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def opening(
    persona: str,
    facts: str,
    notes: Sequence[tuple[str, str]] = (),
    language: str = "en",
) -> tuple[Message, ...]:
    """The primed prefix: system text and example turns, the same for every call of an account.

    `notes` are what the model may propose to do, each with what it is for. A `language`
    other than English is asked for, and shown in the examples where there are some in it.
    """
    main = language.lower().split("-")[0]
    known = facts.strip() or "Nothing in particular."
    manner = MANNER if main == "en" else f"{MANNER} Always answer in {_NAMES.get(main, main)}."
    system = f"{persona.strip()} {manner}\n\nAll you know:\n{known}\n\n{LIMITS}"
    if notes:
        lines = "\n".join(f"{note} {purpose}" for note, purpose in notes)
        system = f"{system}\n\n{NOTES}\n{lines}"
    messages = [Message(role="system", content=system)]
    for asked, answered in _EXAMPLES.get(main, ()):
        messages.append(Message(role="user", content=asked))
        messages.append(Message(role="assistant", content=answered))
    return tuple(messages)
