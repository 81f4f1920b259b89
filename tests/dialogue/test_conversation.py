"""A conversation as a script of events: what the agent does about each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.chat import Message
from softagent.dialogue.conversation import BargeIn, Conversation, ConversationSettings
from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.dialogue.desk_settings import DeskSettings, Place
from softagent.dialogue.events import (
    AgentState,
    CallAnswered,
    CallerHungUp,
    CancelReply,
    ClauseSpoken,
    ClauseWritten,
    Command,
    DeedDone,
    DeedProposed,
    DigitPressed,
    Do,
    Event,
    FinishTranscript,
    ForgetUtterance,
    HangUp,
    PauseReply,
    PrepareReply,
    PrepareSpeech,
    ReadAhead,
    ReleaseReply,
    ReplyFailed,
    ReplyHeard,
    ReplyWritten,
    ResumeReply,
    SpeechConfirmed,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TimePassed,
    TranscriptChanged,
    TranscriptFinished,
)
from softagent.dialogue.history import History
from softagent.dialogue.phrases import ENGLISH
from softagent.dialogue.proposal import Proposal
from softagent.dialogue.words import ENGLISH as ENGLISH_WORDS

SECOND = 50
PREFIX = (Message(role="system", content="You are a receptionist."),)


SETTINGS = ConversationSettings(
    greeting="Good morning.",
    farewell="Goodbye.",
    phrases=ENGLISH,
    words=ENGLISH_WORDS,
    barge_in="instant",
    silence_ticks=12 * SECOND,
    call_ticks=600 * SECOND,
)


def conversation(*, barge_in: BargeIn = "instant", farewell: str = "Goodbye.") -> Conversation:
    settings = replace(SETTINGS, barge_in=barge_in, farewell=farewell)
    return Conversation(settings, History(PREFIX, budget_tokens=1500))


def heard_out(talk: Conversation, *, tick: int, text: str) -> list[Command]:
    """The current reply, one clause of two frames, is written, played and heard to its end."""
    turn = talk.turn
    events: list[Event] = [
        ClauseWritten(tick, turn, 0, text),
        ClauseSpoken(tick, turn, 0, frames=2),
        ReplyWritten(tick, turn),
        ReplyHeard(tick, turn, 0, is_first=True, is_last=False),
        ReplyHeard(tick + 1, turn, 0, is_first=False, is_last=True),
    ]
    return [command for event in events for command in talk.handle(event)]


def greeted(*, barge_in: BargeIn = "instant", farewell: str = "Goodbye.") -> Conversation:
    talk = conversation(barge_in=barge_in, farewell=farewell)
    talk.handle(CallAnswered(0))
    heard_out(talk, tick=1, text="Good morning.")
    return talk


def asked(talk: Conversation, words: str, *, tick: int = 100) -> list[Command]:
    """The caller says `words` and stops for good."""
    talk.handle(SpeechStarted(tick, onset=tick - 3))
    talk.handle(SpeechPaused(tick + 20, last_voiced=tick + 10))
    commands = talk.handle(TranscriptFinished(tick + 25, talk.hearing_turn, words))
    return commands + talk.handle(SpeechEnded(tick + 40, last_voiced=tick + 10))


def contents(talk: Conversation) -> list[str]:
    return [message["content"] for message in talk.history.messages[len(PREFIX) :]]


def test_the_agent_greets_first() -> None:
    talk = conversation()
    assert talk.handle(CallAnswered(0)) == [PrepareSpeech(0, "Good morning."), ReleaseReply(0)]
    assert talk.state is AgentState.THINKING
    heard_out(talk, tick=1, text="Good morning.")
    assert talk.state is AgentState.LISTENING
    assert contents(talk) == ["Good morning."]


def test_an_answer_is_prepared_in_the_pause_and_released_at_the_end_of_the_turn() -> None:
    talk = greeted()
    assert talk.handle(SpeechStarted(100, onset=97)) == []
    assert talk.handle(SpeechPaused(120, last_voiced=110)) == [FinishTranscript(1)]
    assert talk.state is AgentState.FINALIZING
    [prepare] = talk.handle(TranscriptFinished(125, 1, "When do you open?"))
    assert isinstance(prepare, PrepareReply)
    assert prepare.messages[-1] == {"role": "user", "content": "When do you open?"}
    assert talk.state is AgentState.THINKING
    assert talk.handle(SpeechEnded(140, last_voiced=110)) == [ReleaseReply(1)]


def test_the_model_reads_along_while_the_caller_speaks() -> None:
    talk = greeted()
    talk.handle(SpeechStarted(100, onset=97))
    [ahead] = talk.handle(TranscriptChanged(110, "When do"))
    assert isinstance(ahead, ReadAhead)
    assert ahead.messages[-1] == {"role": "user", "content": "When do"}
    talk.handle(SpeechPaused(120, last_voiced=110))
    assert talk.handle(TranscriptChanged(121, "When do you")) == []


def test_words_that_come_after_the_end_of_the_turn_are_answered_at_once() -> None:
    talk = greeted()
    talk.handle(SpeechStarted(100, onset=97))
    talk.handle(SpeechPaused(120, last_voiced=110))
    assert talk.handle(SpeechEnded(140, last_voiced=110)) == []
    prepare, release = talk.handle(TranscriptFinished(150, 1, "When do you open?"))
    assert isinstance(prepare, PrepareReply)
    assert release == ReleaseReply(1)


def test_a_caller_who_goes_on_takes_the_prepared_answer_back_without_a_trace() -> None:
    talk = greeted()
    talk.handle(SpeechStarted(100, onset=97))
    talk.handle(SpeechPaused(120, last_voiced=110))
    talk.handle(TranscriptFinished(125, 1, "I would like"))
    assert talk.handle(SpeechResumed(130)) == [CancelReply(1)]
    [finish] = talk.handle(SpeechPaused(180, last_voiced=170))
    assert isinstance(finish, FinishTranscript)
    talk.handle(TranscriptFinished(185, finish.turn, "I would like to book a table."))
    talk.handle(SpeechEnded(200, last_voiced=170))
    heard_out(talk, tick=210, text="For how many?")
    assert contents(talk) == ["Good morning.", "I would like to book a table.", "For how many?"]


def test_words_of_a_pause_that_was_taken_back_are_ignored() -> None:
    talk = greeted()
    talk.handle(SpeechStarted(100, onset=97))
    talk.handle(SpeechPaused(120, last_voiced=110))
    talk.handle(SpeechResumed(124))
    assert talk.handle(TranscriptFinished(125, 1, "I would like")) == []
    assert talk.state is AgentState.LISTENING


def test_going_on_after_the_release_but_before_the_first_sound_also_takes_it_back() -> None:
    talk = greeted()
    asked(talk, "When do you open?")
    turn = talk.turn
    assert talk.handle(SpeechStarted(150, onset=147)) == [CancelReply(turn)]
    assert talk.handle(ReplyHeard(151, turn, 0, is_first=True, is_last=False)) == []
    assert contents(talk) == ["Good morning."]


def speaking(
    *, barge_in: BargeIn = "instant", text: str = "We open at eight on Monday."
) -> Conversation:
    """Half of an answer of 60 frames has been heard."""
    talk = greeted(barge_in=barge_in)
    asked(talk, "When do you open?")
    talk.handle(ClauseWritten(150, talk.turn, 0, text))
    talk.handle(ClauseSpoken(150, talk.turn, 0, frames=60))
    talk.handle(ReplyWritten(150, talk.turn))
    for tick in range(150, 180):
        talk.handle(ReplyHeard(tick, talk.turn, 0, is_first=tick == 150, is_last=False))
    assert talk.state is AgentState.SPEAKING
    return talk


def test_speech_over_the_agent_silences_it_at_once_and_is_no_interruption_yet() -> None:
    talk = speaking()
    assert talk.handle(SpeechStarted(180, onset=177)) == [PauseReply(1)]
    assert talk.state is AgentState.INTERRUPTED
    assert (talk.interruptions, contents(talk)[-1]) == (0, "When do you open?")


@pytest.mark.parametrize(
    "proof", [SpeechConfirmed(212), TranscriptChanged(200, "Wait, and on")], ids=["length", "words"]
)
def test_an_interruption_that_is_meant_leaves_only_what_was_heard(proof: Event) -> None:
    talk = speaking()
    talk.handle(SpeechStarted(180, onset=177))
    assert talk.handle(proof)[0] == CancelReply(1)
    assert talk.state is AgentState.LISTENING
    assert talk.interruptions == 1
    assert contents(talk)[-1] == "We open at"
    assert talk.handle(SpeechPaused(230, last_voiced=225)) == [FinishTranscript(3)]


@pytest.mark.parametrize("words", ["", "Uh-huh.", "Mm-hmm", "Okay.", "Yeah, yeah.", "I see."])
def test_after_a_noise_or_a_sign_of_listening_the_reply_goes_on_where_it_was(words: str) -> None:
    talk = speaking()
    talk.handle(SpeechStarted(180, onset=177))
    assert talk.handle(TranscriptChanged(195, words)) == []
    assert talk.handle(SpeechPaused(200, last_voiced=194)) == [FinishTranscript(2)]
    assert talk.handle(TranscriptFinished(206, 2, words)) == [ForgetUtterance(), ResumeReply(1)]
    assert talk.state is AgentState.SPEAKING
    assert (talk.interruptions, talk.resumptions) == (0, 1)
    talk.handle(SpeechEnded(222, last_voiced=194))
    for tick in range(210, 240):
        talk.handle(ReplyHeard(tick, 1, 0, is_first=False, is_last=tick == 239))
    assert contents(talk)[-1] == "We open at eight on Monday."


def test_a_yes_to_what_the_agent_is_asking_is_an_answer() -> None:
    talk = speaking(text="Shall I look that up for you?")
    talk.handle(SpeechStarted(180, onset=177))
    talk.handle(SpeechPaused(200, last_voiced=194))
    cancel, prepare = talk.handle(TranscriptFinished(206, 2, "Yes."))
    assert (cancel, type(prepare)) == (CancelReply(1), PrepareReply)


def test_short_words_that_interrupt_are_answered_when_their_pause_has_lasted() -> None:
    talk = speaking()
    talk.handle(SpeechStarted(180, onset=177))
    talk.handle(SpeechPaused(200, last_voiced=194))
    [cancel, prepare] = talk.handle(TranscriptFinished(206, 2, "And on Sunday?"))
    assert cancel == CancelReply(1)
    assert isinstance(prepare, PrepareReply)
    assert [message["content"] for message in prepare.messages[-2:]] == [
        "We open at",
        "And on Sunday?",
    ]
    assert talk.handle(SpeechEnded(222, last_voiced=194)) == [ReleaseReply(2)]


def test_words_that_come_late_are_answered_at_once() -> None:
    talk = speaking()
    talk.handle(SpeechStarted(180, onset=177))
    talk.handle(SpeechPaused(200, last_voiced=194))
    assert talk.handle(SpeechEnded(222, last_voiced=194)) == []
    assert talk.handle(TranscriptFinished(230, 2, "And on Sunday?"))[-1] == ReleaseReply(2)


def test_who_goes_on_after_uh_huh_is_waited_for() -> None:
    talk = speaking()
    talk.handle(SpeechStarted(180, onset=177))
    talk.handle(SpeechPaused(200, last_voiced=194))
    assert talk.handle(SpeechResumed(204)) == []
    assert talk.handle(TranscriptFinished(206, 2, "Uh-huh")) == []
    assert talk.state is AgentState.INTERRUPTED
    talk.handle(SpeechPaused(240, last_voiced=234))
    assert talk.handle(TranscriptFinished(246, 2, "Uh-huh, but on Sunday?"))[0] == CancelReply(1)


def interrupted_twice(barge_in: BargeIn = "instant") -> Conversation:
    """Two pauses over a reply, before a slow recognizer has told the words of the first."""
    talk = speaking(barge_in=barge_in)
    talk.handle(SpeechStarted(180, onset=177))
    assert talk.handle(SpeechPaused(200, last_voiced=190)) == [FinishTranscript(2)]
    assert talk.handle(SpeechResumed(204)) == []
    assert talk.handle(SpeechPaused(220, last_voiced=210)) == [FinishTranscript(2)]
    return talk


def test_uh_huh_does_not_stand_for_what_was_said_after_it() -> None:
    talk = interrupted_twice()
    assert talk.handle(TranscriptFinished(225, 2, "Uh-huh")) == []
    assert talk.state is AgentState.INTERRUPTED
    *_, prepare = talk.handle(TranscriptFinished(230, 2, "Uh-huh, no, stop"))
    assert isinstance(prepare, PrepareReply)
    assert prepare.messages[-1]["content"] == "Uh-huh, no, stop"


def test_two_signs_of_listening_let_the_reply_go_on_once() -> None:
    talk = interrupted_twice()
    assert talk.handle(TranscriptFinished(225, 2, "Uh-huh")) == []
    assert talk.handle(TranscriptFinished(230, 2, "Uh-huh, uh-huh")) == [
        ForgetUtterance(),
        ResumeReply(1),
    ]
    assert talk.state is AgentState.SPEAKING


def test_the_first_words_of_an_interruption_are_not_taken_for_all_of_it() -> None:
    talk = interrupted_twice()
    assert talk.handle(TranscriptFinished(225, 2, "Wait")) == [CancelReply(1)]
    assert talk.state is AgentState.FINALIZING
    [prepare] = talk.handle(TranscriptFinished(230, 2, "Wait, I need Tuesday"))
    assert isinstance(prepare, PrepareReply)
    assert prepare.messages[-1]["content"] == "Wait, I need Tuesday"


def test_nor_when_the_reply_ends_in_between() -> None:
    talk = interrupted_twice("words")
    talk.handle(ReplyHeard(222, 1, 0, is_first=False, is_last=True))
    assert talk.state is AgentState.FINALIZING
    assert talk.handle(TranscriptFinished(225, 2, "Wait")) == []
    [prepare] = talk.handle(TranscriptFinished(230, 2, "Wait, I need Tuesday"))
    assert isinstance(prepare, PrepareReply)


def test_in_the_mode_words_the_agent_speaks_on_until_there_are_some() -> None:
    talk = speaking(barge_in="words")
    assert talk.handle(SpeechStarted(180, onset=177)) == []
    assert talk.handle(SpeechConfirmed(212)) == []
    talk.handle(ReplyHeard(212, 1, 0, is_first=False, is_last=False))
    assert talk.handle(TranscriptChanged(213, "Wait a"))[0] == CancelReply(1)


def test_in_the_mode_words_a_caller_who_began_before_the_agent_keeps_the_first_words() -> None:
    """The agent's first sound ends an utterance that it answers, and no other."""
    talk = conversation(barge_in="words")
    talk.handle(CallAnswered(0))
    assert talk.handle(SpeechStarted(5, onset=2)) == []
    assert talk.handle(ReplyHeard(8, 0, 0, is_first=True, is_last=False)) == []


def test_in_the_mode_words_a_reply_that_ends_meanwhile_gives_the_floor_to_the_caller() -> None:
    talk = speaking(barge_in="words")
    talk.handle(SpeechStarted(180, onset=177))
    talk.handle(SpeechPaused(200, last_voiced=194))
    talk.handle(ReplyHeard(201, 1, 0, is_first=False, is_last=True))
    [prepare] = talk.handle(TranscriptFinished(206, 2, "And on Sunday?"))
    assert isinstance(prepare, PrepareReply)


def test_a_reply_that_breaks_under_an_interruption_leaves_the_floor_to_the_caller() -> None:
    talk = speaking()
    talk.handle(SpeechStarted(180, onset=177))
    assert talk.handle(ReplyFailed(181, 1, reason="out of memory")) == [CancelReply(1)]
    assert talk.state is AgentState.LISTENING


def test_a_recognizer_that_breaks_under_an_interruption_lets_the_reply_go_on() -> None:
    talk = speaking()
    talk.handle(SpeechStarted(180, onset=177))
    talk.handle(SpeechPaused(200, last_voiced=194))
    assert ResumeReply(1) in talk.handle(ReplyFailed(206, 2, reason="recognizer broke"))


def test_a_notice_comes_before_the_greeting_and_is_not_interrupted() -> None:
    settings = replace(SETTINGS, notice="This call is recorded.")
    talk = Conversation(settings, History(PREFIX, budget_tokens=1500))
    assert talk.handle(CallAnswered(0))[0] == PrepareSpeech(0, "This call is recorded.")
    talk.handle(ReplyHeard(1, 0, 0, is_first=True, is_last=False))
    assert talk.handle(SpeechStarted(5, onset=2)) == []
    assert talk.handle(ReplyHeard(9, 0, 0, is_first=False, is_last=True)) == [
        PrepareSpeech(1, "Good morning."),
        ReleaseReply(1),
    ]


def test_an_answer_heard_to_its_end_is_remembered_to_its_last_word() -> None:
    """The second clause shares a frame with the first, so one frame less of it is played."""
    talk = greeted()
    asked(talk, "When do you open?")
    turn = talk.turn
    for number, text in enumerate(["At eight,", "and on Tuesday at nine."]):
        talk.handle(ClauseWritten(150, turn, number, text))
        talk.handle(ClauseSpoken(150, turn, number, frames=3))
    for clause, is_last in [(0, False), (0, False), (0, False), (1, False), (1, True)]:
        talk.handle(ReplyHeard(151, turn, clause, is_first=False, is_last=is_last))
    assert contents(talk)[-1] == "At eight, and on Tuesday at nine."


def test_without_barge_in_the_agent_speaks_on() -> None:
    talk = greeted(barge_in="off")
    asked(talk, "When do you open?")
    turn = talk.turn
    talk.handle(ClauseWritten(150, turn, 0, "We open at eight."))
    talk.handle(ReplyHeard(150, turn, 0, is_first=True, is_last=False))
    assert talk.handle(SpeechStarted(151, onset=148)) == []
    assert talk.state is AgentState.SPEAKING


def test_a_noise_without_words_is_forgotten() -> None:
    talk = greeted()
    assert asked(talk, "  ") == [ForgetUtterance()]
    assert talk.state is AgentState.LISTENING
    assert contents(talk) == ["Good morning."]


@pytest.mark.parametrize(
    "words",
    ["Goodbye.", "Okay, thank you, bye!", "That's all, thanks. Bye bye.", "Great, thanks, bye now"],
)
def test_the_callers_goodbye_is_returned_and_the_call_ended_after_it(words: str) -> None:
    talk = greeted()
    prepare, release = asked(talk, words)
    assert prepare == PrepareSpeech(1, "Goodbye.")
    assert release == ReleaseReply(1)
    assert HangUp() not in talk.handle(ReplyHeard(150, 1, 0, is_first=True, is_last=False))
    assert talk.handle(ReplyHeard(151, 1, 0, is_first=False, is_last=True))[-1] == HangUp()
    assert talk.state is AgentState.CLOSED


def test_a_question_with_the_word_bye_in_it_is_no_goodbye() -> None:
    talk = greeted()
    [prepare, _] = asked(talk, "Can I buy tickets at the Goodbye show?")
    assert isinstance(prepare, PrepareReply)


def test_the_models_goodbye_ends_the_call_once_it_has_been_heard() -> None:
    talk = greeted()
    asked(talk, "That was all I wanted.")
    assert heard_out(talk, tick=150, text="Thank you for calling, goodbye.")[-1] == HangUp()


def test_an_interrupted_farewell_keeps_the_call_up() -> None:
    talk = greeted()
    asked(talk, "Goodbye.")
    talk.handle(ClauseWritten(150, 1, 0, "Goodbye."))
    talk.handle(ReplyHeard(150, 1, 0, is_first=True, is_last=False))
    assert talk.handle(SpeechStarted(152, onset=149)) == [PauseReply(1)]
    cancel, prepare, _ = asked(talk, "Wait, one more question.", tick=160)
    assert (cancel, type(prepare)) == (CancelReply(1), PrepareReply)


def test_a_farewell_goes_on_after_a_noise_and_ends_the_call() -> None:
    talk = greeted()
    asked(talk, "Goodbye.")
    talk.handle(ClauseWritten(150, 1, 0, "Goodbye."))
    talk.handle(ReplyHeard(150, 1, 0, is_first=True, is_last=False))
    talk.handle(SpeechStarted(151, onset=148))
    assert ResumeReply(1) in asked(talk, "", tick=152)
    assert talk.handle(ReplyHeard(200, 1, 0, is_first=False, is_last=True))[-1] == HangUp()


def test_a_failed_reply_asks_again_and_a_second_one_gives_up_politely() -> None:
    talk = greeted()
    asked(talk, "When do you open?")
    commands = talk.handle(ReplyFailed(150, talk.turn, reason="out of memory"))
    assert PrepareSpeech(talk.turn, ENGLISH.say_again) in commands
    commands = talk.handle(ReplyFailed(151, talk.turn, reason="out of memory"))
    assert PrepareSpeech(talk.turn, ENGLISH.trouble) in commands
    assert talk.handle(ReplyFailed(152, talk.turn, reason="out of memory"))[-1] == HangUp()


def test_a_failure_long_ago_does_not_count() -> None:
    talk = greeted()
    asked(talk, "When do you open?")
    talk.handle(ReplyFailed(150, talk.turn, reason="once"))
    heard_out(talk, tick=160, text=ENGLISH.say_again)
    asked(talk, "When do you open?", tick=300)
    commands = talk.handle(ReplyFailed(350, talk.turn, reason="again"))
    assert PrepareSpeech(talk.turn, ENGLISH.say_again) in commands


def test_what_was_heard_of_a_reply_that_failed_is_remembered() -> None:
    talk = greeted()
    asked(talk, "When do you open?")
    turn = talk.turn
    talk.handle(ClauseWritten(150, turn, 0, "At eight,"))
    talk.handle(ClauseSpoken(150, turn, 0, frames=1))
    talk.handle(ReplyHeard(150, turn, 0, is_first=True, is_last=False))
    talk.handle(ReplyFailed(151, turn, reason="out of memory"))
    assert contents(talk)[-1] == "At eight,"


def test_a_caller_who_begins_before_the_agents_own_words_is_not_talked_over() -> None:
    talk = greeted()
    [prepare, _] = talk.handle(TimePassed(13 * SECOND))
    assert isinstance(prepare, PrepareSpeech)
    assert talk.handle(SpeechStarted(651, onset=648)) == [PauseReply(prepare.turn)]
    talk.handle(SpeechPaused(700, last_voiced=690))
    again = talk.handle(TranscriptFinished(701, talk.hearing_turn, ""))
    assert ResumeReply(prepare.turn) in again, "it was a noise"
    assert talk.interruptions == talk.resumptions == 0


def test_a_caller_who_goes_on_after_a_pause_in_which_the_agent_began_interrupts_it() -> None:
    talk = greeted()
    talk.handle(SpeechStarted(100, onset=97))
    talk.handle(SpeechPaused(120, last_voiced=110))
    talk.handle(ReplyFailed(121, talk.turn, reason="recognizer broke"))
    talk.handle(ReplyHeard(122, talk.turn, None, is_first=True, is_last=False))
    assert talk.handle(SpeechResumed(125)) == [PauseReply(talk.turn)]


def test_speech_under_an_agent_that_must_not_be_interrupted_is_no_part_of_the_next_words() -> None:
    """On such lines it is mostly the agent's own echo."""
    talk = greeted(barge_in="off")
    asked(talk, "When do you open?")
    talk.handle(ReplyHeard(150, talk.turn, 0, is_first=True, is_last=False))
    talk.handle(SpeechStarted(151, onset=148))
    assert talk.handle(SpeechPaused(170, last_voiced=160)) == []
    assert talk.handle(SpeechEnded(180, last_voiced=160)) == [ForgetUtterance()]


def test_a_caller_who_speaks_past_the_end_of_a_reply_is_heard() -> None:
    talk = greeted(barge_in="off")
    asked(talk, "When do you open?")
    turn = talk.turn
    talk.handle(ReplyHeard(150, turn, 0, is_first=True, is_last=False))
    talk.handle(SpeechStarted(151, onset=148))
    talk.handle(ReplyHeard(160, turn, 0, is_first=False, is_last=True))
    assert talk.handle(SpeechPaused(200, last_voiced=190)) == [FinishTranscript(turn + 1)]


def test_silence_is_asked_about_once_and_then_ends_the_call() -> None:
    talk = greeted()
    assert talk.handle(TimePassed(11 * SECOND)) == []
    assert talk.handle(TimePassed(13 * SECOND))[0] == PrepareSpeech(1, ENGLISH.still_there)
    heard_out(talk, tick=13 * SECOND, text=ENGLISH.still_there)
    assert talk.handle(TimePassed(30 * SECOND)) == []
    assert talk.handle(TimePassed(38 * SECOND))[0] == PrepareSpeech(2, "Goodbye.")
    assert heard_out(talk, tick=38 * SECOND, text="Goodbye.")[-1] == HangUp()


def test_nobody_is_asked_whether_they_are_there_while_they_speak() -> None:
    talk = greeted()
    talk.handle(SpeechStarted(2 * SECOND, onset=97))
    assert talk.handle(TimePassed(30 * SECOND)) == []


def test_nobody_is_asked_whether_they_are_there_in_a_pause_of_their_speech() -> None:
    talk = greeted()
    talk.handle(SpeechStarted(11 * SECOND, onset=547))
    talk.handle(SpeechPaused(12 * SECOND, last_voiced=590))
    talk.handle(TranscriptFinished(605, talk.turn, ""))
    assert talk.handle(TimePassed(13 * SECOND)) == []
    talk.handle(SpeechEnded(660, last_voiced=590))
    assert PrepareSpeech(talk.turn + 1, ENGLISH.still_there) in talk.handle(TimePassed(14 * SECOND))


def test_a_key_pressed_after_the_question_is_an_answer_to_it() -> None:
    talk = greeted()
    talk.handle(TimePassed(13 * SECOND))
    heard_out(talk, tick=13 * SECOND, text=ENGLISH.still_there)
    talk.handle(DigitPressed(20 * SECOND, "5"))
    [prepare, _] = talk.handle(TimePassed(23 * SECOND))
    assert isinstance(prepare, PrepareReply)
    heard_out(talk, tick=23 * SECOND, text="Five what?")
    [prepare, _] = talk.handle(TimePassed(36 * SECOND))
    assert prepare == PrepareSpeech(talk.turn, ENGLISH.still_there)


def test_a_key_counts_as_a_sign_of_life() -> None:
    talk = greeted()
    talk.handle(DigitPressed(12 * SECOND, "5"))
    assert talk.handle(TimePassed(13 * SECOND)) == []


def test_the_longest_call_ends_with_a_goodbye_even_in_mid_sentence() -> None:
    talk = greeted()
    asked(talk, "Tell me everything.", tick=590 * SECOND)
    turn = talk.turn
    talk.handle(ClauseWritten(599 * SECOND, turn, 0, "Well, it all began"))
    talk.handle(ReplyHeard(599 * SECOND, turn, 0, is_first=True, is_last=False))
    commands = talk.handle(TimePassed(600 * SECOND))
    assert commands[0] == CancelReply(turn)
    assert PrepareSpeech(talk.turn, "Goodbye.") in commands


def test_a_caller_who_never_lets_the_agent_say_goodbye_is_hung_up_all_the_same() -> None:
    """Another machine, or hold music: it would talk into every farewell for ever."""
    talk = greeted()
    ends: list[Command] = []
    for second in range(600, 613):
        ends = talk.handle(TimePassed(second * SECOND))
        talk.handle(SpeechStarted(second * SECOND + 5, onset=second * SECOND + 2))
    assert ends[-1] == HangUp()


def test_a_caller_who_hangs_up_closes_everything() -> None:
    talk = greeted()
    asked(talk, "When do you open?")
    assert talk.handle(CallerHungUp(200)) == [CancelReply(talk.turn), HangUp()]
    assert talk.state is AgentState.CLOSED
    assert talk.handle(SpeechStarted(201, onset=200)) == []


DESK = DeskSettings(places=(Place("sales"), Place("support")), takes_messages=True)
PROPOSALS = [Proposal("transfer", "sales"), Proposal("transfer", "0900"), Proposal("message")]
OUTCOMES = [DeedOutcome(result) for result in DeedResult]
WORDS = [
    "",
    "When?",
    "Goodbye.",
    "Put me through to sales.",
    "Take a message.",
    "Yes.",
    "No.",
    "12 34",
]
TURNS = st.integers(0, 6)
TICKS = st.integers(0, 1000)
EVENTS = st.one_of(
    st.builds(SpeechStarted, TICKS, TICKS),
    st.builds(SpeechPaused, TICKS, TICKS),
    st.builds(SpeechResumed, TICKS),
    st.builds(SpeechEnded, TICKS, TICKS),
    st.builds(TranscriptChanged, TICKS, st.just("some words")),
    st.builds(TranscriptFinished, TICKS, TURNS, st.sampled_from(WORDS)),
    st.builds(ClauseWritten, TICKS, TURNS, st.integers(0, 2), st.just("We open at eight.")),
    st.builds(ClauseSpoken, TICKS, TURNS, st.integers(0, 2), st.integers(1, 90)),
    st.builds(ReplyWritten, TICKS, TURNS),
    st.builds(ReplyFailed, TICKS, TURNS, st.just("because")),
    st.builds(ReplyHeard, TICKS, TURNS, st.integers(0, 2), st.booleans(), st.booleans()),
    st.builds(DigitPressed, TICKS, st.sampled_from("0123456789*#")),
    st.builds(DeedProposed, TICKS, TURNS, st.sampled_from(PROPOSALS)),
    st.builds(DeedDone, TICKS, st.integers(0, 2), st.sampled_from(OUTCOMES)),
    st.builds(TimePassed, TICKS),
    st.builds(CallerHungUp, TICKS),
)


@given(st.lists(EVENTS, max_size=60))
def test_whatever_happens_commands_stay_in_order(events: list[Event]) -> None:
    """A reply is released only after it was prepared, never after it was cancelled; HangUp is last.

    One deed is done at a time, and nothing is said while it is.
    """
    settings = replace(SETTINGS, desk=DESK)
    talk = Conversation(settings, History(PREFIX, budget_tokens=1500))
    prepared: set[int] = set()
    deeds: list[int] = []
    hung_up = False
    for event in [CallAnswered(0), *events]:
        was_acting = talk.state is AgentState.ACTING
        for command in talk.handle(event):
            assert not hung_up
            match command:
                case PrepareReply(turn=turn) | PrepareSpeech(turn=turn):
                    assert turn not in prepared
                    assert not was_acting or isinstance(event, DeedDone | TimePassed)
                    prepared.add(turn)
                case ReleaseReply(turn):
                    assert turn in prepared
                case CancelReply(turn):
                    prepared.discard(turn)
                case Do(id=number):
                    assert not was_acting
                    deeds.append(number)
                case HangUp():
                    hung_up = True
    assert hung_up == (talk.state is AgentState.CLOSED)
    assert deeds == list(range(len(deeds)))
