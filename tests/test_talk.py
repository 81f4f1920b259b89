"""What an account's destinations, actions and keys are to the conversation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_call import account, engines

from softagent.abilities import Action, Destination, MenuKey, Parameter
from softagent.dialogue.desk_settings import NO_DESK, MenuEntry, Place, Service, Slot
from softagent.dialogue.events import AgentState
from softagent.message_settings import MessageSettings
from softagent.reception import wall_clock
from softagent.talk import conversation, desk, fixed_texts, opening_of


def test_an_account_without_abilities_has_no_desk() -> None:
    assert desk(account(), takes_messages=False) == NO_DESK
    assert desk(account(), takes_messages=True).takes_messages


def test_numbers_commands_and_tokens_stay_out_of_the_conversation() -> None:
    """It knows names and words only: whatever is said, there is nothing else to be told."""
    office = replace(
        account(),
        destinations=(Destination("sales", "1003", ("the shop",), default=True),),
        actions=(
            Action(
                "booking",
                ("book a table",),
                parameters=(
                    Parameter("pin", "digits", "Your PIN?", length=4, secret=True),
                    Parameter("room", "choice", choices=("inside", "outside")),
                ),
                confirm=False,
                command=("./book.sh",),
            ),
        ),
    )
    made = desk(office, takes_messages=False)
    assert made.places == (Place("sales", ("the shop",), is_default=True),)
    assert made.services == (
        Service(
            "booking",
            ("book a table",),
            (
                Slot("pin", "digits", "Your PIN?", length=4, is_secret=True),
                Slot("room", "choice", choices=("inside", "outside")),
            ),
            is_confirmed=False,
        ),
    )


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        (MenuKey("1", transfer="sales"), MenuEntry("1", "transfer", "sales")),
        (MenuKey("2", action="booking"), MenuEntry("2", "action", "booking")),
        (MenuKey("3", say="At nine."), MenuEntry("3", "say", "At nine.")),
        (MenuKey("4", ask="When?"), MenuEntry("4", "ask", "When?")),
        (MenuKey("#", message=True), MenuEntry("#", "message")),
    ],
)
def test_a_key_does_one_thing(key: MenuKey, entry: MenuEntry) -> None:
    assert desk(replace(account(), menu=(key,)), takes_messages=False).menu == (entry,)


def test_a_conversation_begins_by_listening() -> None:
    begun = conversation(account(), engines(), (), takes_messages=False, now=wall_clock())
    assert begun.state is AgentState.LISTENING


def test_the_model_may_propose_what_is_configured_and_learns_no_number() -> None:
    office = replace(
        account(),
        destinations=(Destination("sales", "1003", ("the shop",)),),
        actions=(Action("booking", ("book a table",), command=("./book.sh",)),),
        messages=MessageSettings(command=("./pass-on.sh",)),
    )
    system = opening_of(office)[0]["content"]
    assert "[transfer sales] the caller wants to talk to sales (the shop)" in system
    assert "[action booking] book a table" in system
    assert "[message]" in system
    assert "1003" not in system
    assert "[" not in opening_of(account())[0]["content"]


def test_announcements_that_never_change_are_known_beforehand() -> None:
    office = replace(
        account(),
        destinations=(Destination("sales", "1003"),),
        menu=(MenuKey("1", say="We are at 5 Mill Lane."),),
    )
    assert list(fixed_texts(office)) == [
        "I'm putting you through to sales.",
        "We are at 5 Mill Lane.",
    ]
