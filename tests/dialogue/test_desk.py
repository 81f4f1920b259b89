"""What the desk recognises in callers' words, and what it says and does about them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softagent.dialogue.deeds import (
    DeedOutcome,
    DeedResult,
    LeaveMessage,
    RunAction,
    Transfer,
)
from softagent.dialogue.desk import Desk
from softagent.dialogue.desk_settings import DeskSettings, MenuEntry, Place, Service, Slot
from softagent.dialogue.proposal import Proposal
from softagent.dialogue.step import OPEN, Asking, Choosing, Offered, PutThrough, State, Step

SALES = Place("sales", ("the shop", "buying"), is_default=True)
SUPPORT = Place("support", ("technical help", "sales support"))
ITO = Place("Ms Ito")
BOOKING = Service(
    "booking",
    ("book a table",),
    (Slot("people", "number", "For how many people?"), Slot("day", "date", "For which day?")),
)
SETTINGS = DeskSettings(
    places=(SALES, SUPPORT, ITO),
    services=(BOOKING, Service("lights")),
    menu=(
        MenuEntry("1", "transfer", "support"),
        MenuEntry("2", "action", "booking"),
        MenuEntry("3", "say", "We are at 5 Mill Lane."),
        MenuEntry("4", "ask", "What are your opening hours?"),
        MenuEntry("5", "message"),
    ),
    takes_messages=True,
)
DESK = Desk(SETTINGS, farewell="Goodbye.")
SAID = "How can I help you?"


def hear(words: str, state: State = OPEN, *, said: str = SAID, misses: int = 0) -> Step:
    return DESK.hear(state, words, said=said, misses=misses)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("Put me through to sales.", "sales"),
        ("Could you please put me through to the sales department?", "sales"),
        ("Hello, can I speak to someone in support please?", "support"),
        ("I'd like to talk to Ms. Ito about my invoice for sales.", "Ms Ito"),
        ("Transfer me to sales support.", "support"),
        ("Connect me with the shop", "sales"),
        ("Can I speak to a person?", "sales"),
        ("I want to talk to a real human being!", "sales"),
        ("Let me speak to somebody else.", "sales"),
        ("Operator.", "sales"),
        ("A human, please.", "sales"),
        ("Put me through.", "sales"),
        ("Support, please.", "support"),
        ("Can I have sales?", "sales"),
        ("Give me the shop, please", "sales"),
    ],
)
def test_a_caller_who_asks_for_somebody_is_put_through(words: str, place: str) -> None:
    assert hear(words) == Step(f"I'm putting you through to {place}.", deed=Transfer(place))


@pytest.mark.parametrize(
    "words",
    [
        "Can I talk to you about sales?",
        "Don't put me through to sales.",
        "I don't want to speak to a person.",
        "I never asked to be connected with sales.",
        "I spoke to sales yesterday.",
        "What does support cost?",
        "Do you have any sales on at the moment?",
        "Is it nice to be a person?",
        "When does the shop open?",
        "I need help with my order.",
        "I want a new car.",
        "Could you put me on the list, please?",
        "Can you forward me the invoice?",
        "I need to talk to my wife first.",
    ],
)
def test_who_only_mentions_a_place_is_answered_by_the_model(words: str) -> None:
    assert hear(words) == Step()


def test_a_place_that_is_none_of_ours_is_not_promised() -> None:
    step = hear("Can I speak to someone in accounting?")
    assert step.state == Choosing()
    assert step.deed is None
    assert step.say.endswith("only to sales, support or Ms Ito. Which would you like?")
    assert hear("Support.", Choosing()).deed == Transfer("support")
    assert hear("Neither, thanks.", Choosing()).say.startswith("All right.")


def test_where_several_are_named_the_caller_is_asked_which() -> None:
    step = hear("Put me through to sales or support.")
    assert step == Step(
        "I can put you through to sales or support. Which would you like?", Choosing()
    )


def test_no_number_a_caller_says_becomes_a_destination() -> None:
    step = hear("Put me through to 00 49 30 12345, it's an emergency.")
    assert (step.deed, step.state) == (None, Choosing())


def test_asked_whether_somebody_is_there_the_agent_offers_to_try() -> None:
    step = hear("Is Ms Ito available today?")
    assert step == Step("Shall I put you through to Ms Ito?", Offered(PutThrough(ITO)))
    assert hear("Yes, please.", step.state).deed == Transfer("Ms Ito")
    assert hear("No, thank you.", step.state).deed is None
    assert hear("No, put me through to sales.", step.state).deed == Transfer("sales")
    assert hear("When do you open?", step.state) == Step(), "the offer lapses"


def test_without_any_place_a_transfer_is_left_to_the_model_to_refuse() -> None:
    desk = Desk(DeskSettings(), farewell="Goodbye.")
    assert desk.hear(OPEN, "Put me through to sales.", said=SAID) == Step()
    assert desk.press(OPEN, "0") == Step(ask="The caller pressed 0.")


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (DeedResult.BUSY, "The line is busy."),
        (DeedResult.NO_ANSWER, "I'm sorry, nobody is answering."),
        (DeedResult.REFUSED, "I'm sorry, they couldn't take the call."),
        (DeedResult.TIMED_OUT, "I'm sorry, I couldn't put you through."),
        (DeedResult.FAILED, "I'm sorry, I couldn't put you through."),
    ],
)
def test_a_transfer_that_fails_is_told_as_it_was(result: DeedResult, told: str) -> None:
    step = DESK.told(Transfer("sales"), DeedOutcome(result))
    assert step is not None
    assert step.say == f"{told} Shall I take a message?"
    asking = hear("Yes.", step.state)
    assert asking.say == "Certainly. What is your name?"
    without = Desk(replace(SETTINGS, takes_messages=False), farewell="Goodbye.")
    other = without.told(Transfer("sales"), DeedOutcome(result))
    assert other == Step(f"{told} Is there anything else I can do for you?")


def test_of_a_transfer_that_worked_there_is_nothing_to_tell() -> None:
    assert DESK.told(Transfer("sales"), DeedOutcome(DeedResult.DONE)) is None


def answers(first: Step, *said: str) -> Step:
    """The step after a caller's answers, each as the next question asked for."""
    step = first
    for words in said:
        step = hear(words, step.state, said=step.say)
    return step


def test_a_message_is_asked_for_read_back_and_left() -> None:
    step = hear("Can you take a message?")
    script = [
        ("My name is Anna Berg.", "Anna Berg. Is that right?"),
        ("Yes.", "What is your telephone number?"),
        ("It's oh seven seven double one, five.", "Zero seven seven, one one five. Is that right?"),
        ("No, it's 07711 6.", "Zero seven seven, one one six. Is that right?"),
        ("That's right.", "What is it about?"),
        ("It's about the invoice of May.", "The invoice of May. Is that right?"),
    ]
    for words, reply in script:
        step = hear(words, step.state, said=step.say)
        assert (step.say, step.deed) == (reply, None)
    left = hear("Yes, thanks.", step.state)
    assert left == Step(
        "One moment, please.", deed=LeaveMessage("Anna Berg", "077116", "the invoice of May")
    )
    assert left.deed is not None
    done = DESK.told(left.deed, DeedOutcome(DeedResult.DONE))
    assert done == Step(
        "Thank you, I've taken your message. Is there anything else I can do for you?"
    )
    lost = DESK.told(left.deed, DeedOutcome(DeedResult.FAILED))
    assert lost is not None
    assert lost.say == "I'm sorry, I couldn't keep your message. Shall I put you through to sales?"


def test_figures_that_come_after_a_pause_are_the_rest_of_the_number() -> None:
    step = answers(hear("Take a message"), "Anna", "Yes", "oh three oh", "four four five six")
    assert step.say == "Zero three zero, four four five six. Is that right?"


def test_a_plain_no_asks_again() -> None:
    step = answers(hear("Take a message"), "Hannah", "No, that's wrong.")
    assert step.say == "What is your name?"
    assert answers(step, "Anna").say == "Anna. Is that right?"


@pytest.mark.parametrize(
    "words", ["Never mind.", "Cancel.", "I changed my mind", "Forget it, please"]
)
def test_a_form_can_be_left(words: str) -> None:
    step = answers(hear("Take a message"), "Anna", words)
    assert (step.state, step.say) == (
        OPEN,
        "All right, I've left that. Is there anything else I can do for you?",
    )


def test_a_reason_with_the_word_cancel_in_it_is_a_reason() -> None:
    step = answers(
        hear("Take a message"),
        "Anna",
        "Yes",
        "030 4455",
        "Yes",
        "I have to cancel my appointment with sales.",
    )
    assert step.say == "I have to cancel my appointment with sales. Is that right?"


def test_a_person_can_be_had_in_the_middle_of_a_form() -> None:
    step = answers(hear("Take a message"), "Anna", "Yes", "Just let me speak to a human!")
    assert step.deed == Transfer("sales")
    assert DESK.press(answers(hear("Take a message"), "Anna").state, "0").deed == Transfer("sales")


def test_three_answers_that_are_not_understood_offer_a_person() -> None:
    step = answers(hear("Take a message"), "Anna", "Yes")
    for misses in range(2):
        step = hear("Why?", step.state, misses=misses)
        assert (step.is_miss, step.say) == (
            True,
            "I'm sorry, I didn't get that. What is your telephone number?",
        )
    third = hear("Why?", step.state, misses=2)
    assert third.state == Offered(PutThrough(SALES))
    assert not third.is_miss


def test_an_action_collects_typed_values_and_confirms_them_all() -> None:
    step = hear("I'd like to book a table, please.")
    assert step.say == "For how many people?"
    step = answers(step, "Twenty one of us.", "On Friday.")
    assert step.say == "Let me check: people 21; day Friday. Is that right?"
    assert answers(step, "Yes.").deed == RunAction("booking", {"people": "21", "day": "Friday"})
    changed = answers(step, "No, the day is wrong.")
    assert changed.say == "For which day?"
    changed = answers(changed, "Saturday")
    assert changed.say == "Let me check: people 21; day Saturday. Is that right?"
    asked = answers(step, "No.")
    assert asked.say == "Which of these is wrong: people or day?"
    assert answers(asked, "The people.").say == "For how many people?"


def test_what_an_action_answers_is_said_and_a_failure_is_not_swallowed() -> None:
    deed = RunAction("booking", {})
    done = DESK.told(deed, DeedOutcome(DeedResult.DONE, text="You're booked."))
    assert done == Step("You're booked. Is there anything else I can do for you?")
    failed = DESK.told(deed, DeedOutcome(DeedResult.TIMED_OUT))
    assert failed is not None
    assert failed.say == "I'm sorry, that didn't work. Shall I take a message?"


def test_an_action_without_parameters_is_done_at_once() -> None:
    desk = Desk(DeskSettings(services=(Service("door", ("open the door",)),)), farewell="")
    step = desk.hear(OPEN, "Open the door!", said="")
    assert step == Step("One moment, please.", deed=RunAction("door", {}))
    assert desk.hear(OPEN, "Don't open the door!", said="") == Step()


@pytest.mark.parametrize(
    "words", ["Say that again.", "Pardon?", "Could you repeat that, please?", "What?"]
)
def test_the_last_answer_is_said_again_and_nothing_changes(words: str) -> None:
    asking = hear("Take a message")
    assert hear(words, asking.state, said=asking.say) == Step(asking.say, asking.state)


@pytest.mark.parametrize("words", ["Please speak more slowly.", "Slow down!", "You're too fast."])
def test_slower_is_agreed_to(words: str) -> None:
    step = hear(words)
    assert (step.is_slower, step.say) == (True, "All right, I'll speak more slowly.")


@pytest.mark.parametrize("said", [SAID, "May I take a message?"])
def test_where_no_messages_are_taken_nobody_pretends_to(said: str) -> None:
    desk = Desk(replace(SETTINGS, takes_messages=False), farewell="Goodbye.")
    step = desk.hear(OPEN, "Yes." if said != SAID else "Can I leave a message?", said=said)
    assert step.say == "I'm sorry, I can't take messages. Shall I put you through to sales?"
    alone = Desk(DeskSettings(), farewell="Goodbye.").hear(OPEN, "Take a message.", said=said)
    assert alone.say == "I'm sorry, I can't take messages. Is there anything else I can do for you?"


def test_who_asks_for_the_end_gets_it() -> None:
    assert hear("Please hang up now.") == Step("Goodbye.", is_farewell=True)
    assert hear("Why did you hang up on me?") == Step()


def test_the_models_own_offer_is_taken_up_by_code() -> None:
    said = "I'm sorry, I don't know that. May I take a message?"
    assert isinstance(hear("Yes, please.", said=said).state, Asking)
    assert hear("No.", said=said) == Step(), "the model goes on"
    assert hear("Yes.", said="Shall I put you through to support?").deed == Transfer("support")
    assert hear("Yes.", said="Shall I put you through to the moon?") == Step()


def test_nothing_else_ends_the_call_with_the_farewell() -> None:
    said = "All right. Is there anything else I can do for you?"
    for words in ("No, thank you.", "That's all, thanks.", "Nothing.", "No, I'm good."):
        assert hear(words, said=said) == Step("Goodbye.", is_farewell=True)
    assert hear("Yes.", said=said) == Step()


def test_what_the_model_proposes_is_asked_about_if_it_exists() -> None:
    assert DESK.propose(Proposal("transfer", "support")) == Step(
        "Shall I put you through to support?", Offered(PutThrough(SUPPORT))
    )
    assert DESK.propose(Proposal("transfer", "person")) == Step(
        "Shall I put you through to sales?", Offered(PutThrough(SALES))
    )
    assert DESK.propose(Proposal("transfer", "00491234")) is None
    assert DESK.propose(Proposal("action", "shell")) is None
    message = DESK.propose(Proposal("message"))
    assert message is not None
    assert message.say == "Shall I take a message?"
    action = DESK.propose(Proposal("action", "booking"))
    assert action is not None
    assert action.say == "Shall I go on with this: book a table?"


def test_the_keys_of_the_menu() -> None:
    assert DESK.press(OPEN, "1").deed == Transfer("support")
    assert DESK.press(OPEN, "2").say == "For how many people?"
    assert DESK.press(OPEN, "3") == Step("We are at 5 Mill Lane.")
    assert DESK.press(OPEN, "4") == Step(ask="What are your opening hours?")
    assert isinstance(DESK.press(OPEN, "5").state, Asking)
    assert DESK.press(OPEN, "0").deed == Transfer("sales")
    assert DESK.press(OPEN, "77") == Step(ask="The caller pressed 7 7.")


def test_one_is_yes_and_two_is_no() -> None:
    offered = Offered(PutThrough(ITO))
    assert DESK.press(offered, "1").deed == Transfer("Ms Ito")
    assert DESK.press(offered, "2").say.startswith("All right.")


def test_digits_are_keyed_into_a_form() -> None:
    step = answers(hear("Take a message"), "Anna", "Yes")
    assert DESK.at_once(step.state) == ""
    step = DESK.press(step.state, "0304455")
    assert step.say == "Zero three zero, four four five five. Is that right?"
    assert DESK.at_once(step.state) != ""
    assert DESK.press(step.state, "1").say == "What is it about?"


HOSTILE = [
    "yes " * 20000,
    "no no it's " * 20000,
    "put me through to " * 10000,
    "the the real human " * 10000,
    "is " + "sales " * 20000 + "there",
    "please could you can you " * 10000,
    "oh seven double " * 10000,
    "(" * 100000,
    "it's about " * 20000,
    "a" * 200000,
]


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_endless_utterances_end_in_an_answer(words: str) -> None:
    """What a pattern that takes exponential time would never do."""
    form = hear("Take a message")
    states: list[State] = [OPEN, Choosing(), Offered(PutThrough(ITO)), form.state]
    states += [answers(form, "Anna").state, answers(form, "Anna", "Yes").state]
    for state in states:
        assert isinstance(hear(words, state, said=f"May I take a message, {words}?"), Step)
