"""The thirtieth turn is like the third: what a long call drops is dropped while the model is idle."""

from __future__ import annotations

from softagent.chat import Message
from softagent.dialogue.conversation import Conversation, ConversationSettings
from softagent.dialogue.events import (
    CallAnswered,
    ClauseSpoken,
    ClauseWritten,
    Command,
    PrepareReply,
    ReadAhead,
    ReplyHeard,
    ReplyWritten,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    TranscriptFinished,
)
from softagent.dialogue.history import History, estimated_tokens
from softagent.dialogue.phrases import ENGLISH
from softagent.dialogue.words import ENGLISH as ENGLISH_WORDS

PREFIX = (Message(role="system", content="You are a receptionist."),)
BUDGET = 700
TURNS = 60


class LongCall:
    """A caller who asks one question after the other, tick by tick."""

    def __init__(self) -> None:
        settings = ConversationSettings(
            greeting="Good morning.",
            farewell="Have a nice day.",
            phrases=ENGLISH,
            words=ENGLISH_WORDS,
            barge_in="instant",
            silence_ticks=600,
            call_ticks=1_000_000,
        )
        self.talk = Conversation(settings, History(PREFIX, budget_tokens=BUDGET))
        self.tick = 0
        self.talk.handle(CallAnswered(0))
        self.hear("Good morning.")

    def ask(self, words: str) -> tuple[Message, ...]:
        """Ask, and return the prompt that the model is to answer."""
        self.tick += 50
        talk, tick = self.talk, self.tick
        talk.handle(SpeechStarted(tick, onset=tick))
        talk.handle(SpeechPaused(tick, last_voiced=tick))
        [prepare] = talk.handle(TranscriptFinished(tick, talk.turn, words))
        talk.handle(SpeechEnded(tick, last_voiced=tick))
        assert isinstance(prepare, PrepareReply)
        return prepare.messages

    def hear(self, text: str) -> list[Command]:
        """Hear the answer, in a single frame; what is commanded once it is over."""
        self.tick += 50
        turn = self.talk.turn
        self.talk.handle(ClauseWritten(self.tick, turn, 0, text))
        self.talk.handle(ClauseSpoken(self.tick, turn, 0, 1))
        self.talk.handle(ReplyWritten(self.tick, turn))
        return self.talk.handle(ReplyHeard(self.tick, turn, 0, is_first=True, is_last=True))


def test_old_turns_are_dropped_between_turns_and_never_between_question_and_answer() -> None:
    call = LongCall()
    messages, drops = call.talk.history.messages, 0
    for number in range(TURNS):
        prompt = call.ask(f"Question {number}: when do you open on that day of the week?")
        assert prompt[:-1] == messages, "the model has read all of it but the question"
        assert estimated_tokens(prompt) <= BUDGET
        after = call.hear(f"Answer {number}: at eight in the morning, as on every other day.")
        ahead = [command for command in after if isinstance(command, ReadAhead)]
        messages = call.talk.history.messages
        assert ahead in ([], [ReadAhead(messages)])
        drops += len(ahead)
    assert 3 <= drops <= TURNS // 4, "rarely, and much at once"
