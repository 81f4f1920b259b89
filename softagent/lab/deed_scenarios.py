"""Scenarios in which something is done for the caller: transfers, messages, keys."""

from __future__ import annotations

from softagent.lab.judgement import EVERY, EndedBy, Judgement, Kept, Reaches, Says, Transferred
from softagent.lab.outgoing import CallPhase
from softagent.lab.scenario import Kind, Scenario
from softagent.lab.steps import Hear, Listen, Pause, Press, Say

FORTY = r"forty|fourty|40"
UNABLE = (
    r"sorry|afraid|busy|unfortunately|can't|couldn't|cannot|not available|message|nobody|no one"
)
YES = Say("Yes, that's right.")


def wanted(name: str, kind: Kind, request: str, *judgements: Judgement) -> Scenario:
    """A caller wants somebody else, and waits for what comes of it."""
    steps = (Listen(), Say(request), Listen(), Listen(patience_ms=15_000), Pause(1000))
    return Scenario(name, kind, steps, judgements)


TRANSFERS = (
    wanted(
        "wants-a-person",
        "transfer-granted",
        "I would like to speak to a person, please.",
        Transferred("201"),
        EndedBy(CallPhase.ENDED_BY_AGENT),
    ),
    wanted(
        "wants-the-laboratory",
        "transfer-granted",
        "Please put me through to the laboratory.",
        Transferred("204"),
        EndedBy(CallPhase.ENDED_BY_AGENT),
    ),
    Scenario(
        "presses-zero",
        "transfer-granted",
        (Listen(), Press("0"), Listen(), Listen(patience_ms=15_000), Pause(1000)),
        (Transferred("201"), EndedBy(CallPhase.ENDED_BY_AGENT)),
    ),
    wanted(
        "the-dentist-is-busy",
        "transfer-busy",
        "I would like to speak to the dentist, please.",
        Reaches("202"),
        Says(r"busy|engaged|another call|message", at=EVERY),
    ),
    wanted(
        "billing-refuses",
        "transfer-refused",
        "Please put me through to the billing office.",
        Reaches("203"),
        Says(UNABLE, at=EVERY),
    ),
)

MESSAGES = (
    Scenario(
        "leaves-a-message",
        "message",
        (
            Listen(),
            Say("I would like to leave a message."),
            Listen(),
            Say("Peter Brown."),
            Listen(),
            YES,
            Listen(),
            Say("Zero seven seven one, two three four, five six seven."),
            Listen(),
            YES,
            Listen(),
            Say("I need a new appointment."),
            Listen(),
            YES,
            Listen(),
        ),
        (Kept(("peter brown", "0771234567", "appointment")), Says("message", at=EVERY)),
    ),
    Scenario(
        "corrects-the-number",
        "message",
        (
            Listen(),
            Say("Can I leave a message, please?"),
            Listen(),
            Say("Mary Smith."),
            Listen(),
            Say("Yes."),
            Listen(),
            Press("5550100#"),
            Listen(),
            Say("No, that's wrong."),
            Listen(),
            Press("5550199#"),
            Listen(),
            Press("1"),
            Listen(),
            Say("Please call me back about the bill."),
            Listen(),
            Say("Yes."),
            Listen(),
        ),
        (Kept(("5550199", "call|bill")),),
        "heart",
    ),
)

MENU = (
    Scenario(
        "key-over-the-greeting",
        "menu",
        (Hear(500), Press("2"), Listen()),
        (Says(r"saturday \w+ sunday"),),
    ),
    Scenario("key-that-asks", "menu", (Listen(), Press("3"), Listen()), (Says(FORTY),), "joan"),
    Scenario(
        "key-that-transfers",
        "menu",
        (Listen(), Press("1"), Listen(), Listen(patience_ms=15_000), Pause(1000)),
        (Transferred("204"), EndedBy(CallPhase.ENDED_BY_AGENT)),
    ),
)

DIGITS = (
    Scenario(
        "order-number-by-keys",
        "digits",
        (
            Listen(),
            Say("I would like to ask about my order."),
            Listen(),
            Press("482913"),
            Listen(),
            Say("Yes."),
            Listen(),
        ),
        (Kept(("482913",)), Says("ready", at=EVERY)),
    ),
    Scenario(
        "order-number-by-voice",
        "digits",
        (
            Listen(),
            Press("5"),
            Listen(),
            Say("Four eight two, nine one three."),
            Listen(),
            Press("1"),
            Listen(),
        ),
        (Kept(("482913",)), Says("ready", at=EVERY)),
        "jack",
    ),
)

DEEDS = (*TRANSFERS, *MESSAGES, *MENU, *DIGITS)
