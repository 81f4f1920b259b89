"""An account's conversations: what its settings mean to the pure core that has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from softagent.abilities import Action, MenuKey
from softagent.chat import Message
from softagent.config import Account, LimitSettings
from softagent.dialogue.conversation import Conversation
from softagent.dialogue.desk_phrases import desk_phrases
from softagent.dialogue.desk_settings import DeskSettings, MenuEntry, Place, Service, Slot
from softagent.dialogue.history import History, LookUp, estimated_tokens
from softagent.dialogue.phrases import phrases
from softagent.dialogue.prompt import opening
from softagent.dialogue.requests import requests
from softagent.dialogue.settings import ConversationSettings
from softagent.dialogue.words import words
from softagent.engines import Engines
from softagent.handbook import Handbook
from softagent.media.frame import TICKS_PER_SECOND, ticks
from softagent.reception import greeting, office_hours, standing_facts

WORDLESS_TICKS = ticks(1000)
"""Speech as long as this of which no word was understood is asked about; less is a noise."""
CHARACTERS_PER_TOKEN = 3.5
"""Of English text in Qwen's vocabulary, on the safe side."""
TOKENS_PER_MESSAGE = 5
TALK_TOKENS = 300
"""Room that a talk of a few turns needs in the window, beside persona and facts."""
LEAST_FOUND_TOKENS, MOST_FOUND_TOKENS = 180, 600
"""Room for what is looked up for a question."""
LOOKED_UP = "What the office's notes say about a question comes before the question."


def conversation(
    account: Account,
    engines: Engines,
    begun: Sequence[Message],
    *,
    takes_messages: bool,
    now: datetime,
    look_up: LookUp | None = None,
) -> Conversation:
    """A new conversation, which begins at `now` and with `begun` as far as the model knows.

    `look_up` is what `handbook_of` has made of facts that are too long for every prompt.
    """
    settings = ConversationSettings(
        notice=account.notice,
        greeting=greeting(account, now),
        farewell=account.farewell,
        phrases=phrases(account.language),
        words=words(account.language),
        barge_in=account.turn.barge_in,
        silence_ticks=account.limits.silence_seconds * TICKS_PER_SECOND,
        call_ticks=account.limits.call_seconds * TICKS_PER_SECOND,
        warning_ticks=_warning_ticks(account.limits),
        wordless_ticks=WORDLESS_TICKS,
        desk=desk(account, takes_messages=takes_messages),
    )
    room = engines.language_model.context_tokens - account.llm.max_tokens
    return Conversation(
        settings, History(begun, budget_tokens=room, look_up=_beside_hours(account, now, look_up))
    )


def _beside_hours(account: Account, now: datetime, look_up: LookUp | None) -> LookUp | None:
    """`look_up` with the opening hours beside what it finds.

    Whatever stands next to a question outweighs for a small model what it was told before:
    a passage about the barrier that opens made Qwen2.5 1.5B forget that the office is.
    """
    hours = office_hours(account)
    if look_up is None or hours is None:
        return look_up
    told = (hours.week_text(), hours.note(now))

    def beside(words: str, before: str) -> Sequence[str]:
        found = look_up(words, before)
        return (*told, *found) if found else ()

    return beside


def desk(account: Account, *, takes_messages: bool) -> DeskSettings:
    """What can be done for a caller besides talking."""
    return DeskSettings(
        places=tuple(
            Place(known.name, known.words, known.default) for known in account.destinations
        ),
        services=tuple(map(_service, account.actions)),
        menu=tuple(map(_entry, account.menu)),
        takes_messages=takes_messages,
        phrases=desk_phrases(account.language),
        requests=requests(account.language),
    )


def opening_of(account: Account) -> tuple[Message, ...]:
    """The beginning of every prompt of `account`, with all of the facts where they fit."""
    if _looks_up(account):
        account = replace(account, facts=LOOKED_UP)
    return _opening(account)


def handbook_of(account: Account) -> Handbook | None:
    """What to look things up in during calls of `account`; None where the prompt has all the facts."""
    if not _looks_up(account):
        return None
    room = (
        account.llm.context_tokens - account.llm.max_tokens - estimated_tokens(opening_of(account))
    )
    budget = max(LEAST_FOUND_TOKENS, min(MOST_FOUND_TOKENS, room // 3))
    return Handbook(account.facts, language=account.language, budget_tokens=budget)


def _looks_up(account: Account) -> bool:
    """Whether the facts are too long for every prompt."""
    whole = needed_tokens(account, _opening(account))
    return bool(account.facts.strip()) and whole > account.llm.context_tokens


def needed_tokens(account: Account, begun: Sequence[Message]) -> int:
    """About how many tokens the window must have for a talk that begins with `begun`."""
    return tokens_of(begun) + account.llm.max_tokens + TALK_TOKENS


def tokens_of(messages: Sequence[Message]) -> int:
    """About how many tokens `messages` are."""
    text = "".join(message["content"] for message in messages)
    others = len(text.encode()) - len(text)
    """Of Korean, two of the three bytes of a syllable, which is a token; of English, none."""
    return round((len(text) + others) / CHARACTERS_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages)


def _opening(account: Account) -> tuple[Message, ...]:
    notes = list(_notes(account))
    return opening(account.persona, standing_facts(account), notes, account.language)


def fixed_texts(account: Account) -> Iterator[str]:
    """What is said word for word in many calls, worth having ready as sound."""
    words = desk_phrases(account.language)
    for place in account.destinations:
        yield words.putting_through.format(place=place.name)
    if account.messages.are_taken:
        yield f"{words.take_message} {words.ask_name}"
        yield words.ask_number
        yield words.ask_reason
    if account.actions or account.messages.are_taken:
        yield words.moment
    yield from (entry.say for entry in account.menu if entry.say)


def _notes(account: Account) -> Iterator[tuple[str, str]]:
    """What the model may propose: the note, and what it is for."""
    for place in account.destinations:
        also = f" ({', '.join(place.words)})" if place.words else ""
        yield f"[transfer {place.name}]", f"the caller wants to talk to {place.name}{also}"
    for action in account.actions:
        what = action.description or (action.words[0] if action.words else action.name)
        yield f"[action {action.name}]", what
    if account.messages.are_taken:
        yield "[message]", "the caller wants to leave a message"


def _warning_ticks(limits: LimitSettings) -> int:
    is_worth_it = 2 * limits.warning_seconds <= limits.call_seconds
    return limits.warning_seconds * TICKS_PER_SECOND if is_worth_it else 0


def _service(action: Action) -> Service:
    slots = tuple(
        Slot(known.name, known.type, known.ask, known.choices, known.length, is_secret=known.secret)
        for known in action.parameters
    )
    is_confirmed = action.confirm and bool(slots)  # of nothing there is nothing to confirm
    return Service(action.name, action.words, slots, is_confirmed=is_confirmed)


def _entry(key: MenuKey) -> MenuEntry:
    if key.transfer:
        return MenuEntry(key.key, "transfer", key.transfer)
    if key.action:
        return MenuEntry(key.key, "action", key.action)
    if key.say:
        return MenuEntry(key.key, "say", key.say)
    return MenuEntry(key.key, "ask", key.ask) if key.ask else MenuEntry(key.key, "message")
