"""An account's conversations: what its settings mean to the pure core that has them."""

from __future__ import annotations

from collections.abc import Sequence

from softagent.abilities import Action, MenuKey
from softagent.chat import Message
from softagent.config import Account
from softagent.dialogue.conversation import Conversation
from softagent.dialogue.desk_settings import DeskSettings, MenuEntry, Place, Service, Slot
from softagent.dialogue.history import History
from softagent.dialogue.phrases import phrases
from softagent.dialogue.settings import ConversationSettings
from softagent.dialogue.words import words
from softagent.engines import Engines
from softagent.media.frame import TICKS_PER_SECOND


def conversation(
    account: Account, engines: Engines, opening: Sequence[Message], *, takes_messages: bool
) -> Conversation:
    """A new conversation, which begins with `opening` as far as the model knows."""
    settings = ConversationSettings(
        notice=account.notice,
        greeting=account.greeting,
        farewell=account.farewell,
        phrases=phrases(account.language),
        words=words(account.language),
        barge_in=account.turn.barge_in,
        silence_ticks=account.limits.silence_seconds * TICKS_PER_SECOND,
        call_ticks=account.limits.call_seconds * TICKS_PER_SECOND,
        desk=desk(account, takes_messages=takes_messages),
    )
    room = engines.language_model.context_tokens - account.llm.max_tokens
    return Conversation(settings, History(opening, budget_tokens=room))


def desk(account: Account, *, takes_messages: bool) -> DeskSettings:
    """What can be done for a caller besides talking."""
    return DeskSettings(
        places=tuple(
            Place(known.name, known.words, known.default) for known in account.destinations
        ),
        services=tuple(map(_service, account.actions)),
        menu=tuple(map(_entry, account.menu)),
        takes_messages=takes_messages,
    )


def _service(action: Action) -> Service:
    slots = tuple(
        Slot(known.name, known.type, known.ask, known.choices, known.length, is_secret=known.secret)
        for known in action.parameters
    )
    return Service(action.name, action.words, slots, is_confirmed=action.confirm)


def _entry(key: MenuKey) -> MenuEntry:
    if key.transfer:
        return MenuEntry(key.key, "transfer", key.transfer)
    if key.action:
        return MenuEntry(key.key, "action", key.action)
    if key.say:
        return MenuEntry(key.key, "say", key.say)
    return MenuEntry(key.key, "ask", key.ask) if key.ask else MenuEntry(key.key, "message")
