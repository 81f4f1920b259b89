"""A made-up office for `demo` and `bench`: what its agent knows, and what callers ask."""

from __future__ import annotations

from dataclasses import dataclass, replace

from softagent.config import Account, LlmSettings, Secret, TurnSettings
from softagent.lab.sipwire import Address

EXTENSION = "100"
PERSONA = "You are the friendly receptionist of Willow Lane Dental Practice."
GREETING = "Willow Lane Dental Practice, good morning. How can I help you?"
FACTS = """\
The practice opens at eight in the morning on Monday.
From Tuesday to Friday it opens at nine in the morning.
It closes at five in the afternoon. On Saturday and Sunday it is closed.
The address is twelve Willow Lane, next to the library.
A check-up costs forty pounds. A filling costs ninety pounds.
Patients park behind the building, free of charge.
The dentists are Doctor Harris and Doctor Novak.
Bus number seven stops in front of the door.
New patients are welcome and should come ten minutes early.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks, and the words of which one at least must be in a right answer."""

    text: str
    expected: tuple[str, ...]


DEMO_QUESTIONS = (
    Question("What time do you open on Monday?", ("eight", "8")),
    Question("How much does a check-up cost?", ("forty", "40")),
    Question("And where can I park my car?", ("behind",)),
)
DEMO_GOODBYE = "Thank you very much. Goodbye."

BENCH_UTTERANCES = (
    "What time do you open on Monday?",
    "Are you open on Saturday?",
    "How much do you charge for a check-up?",
    "Could you tell me where the practice is?",
    "I would like to know when you close on Friday.",
    "Which bus stops near you?",
    "Who are the dentists at your practice?",
    "Do you take new patients at the moment?",
    "Hello, I have lost a filling. What would a new one cost, please?",
    "Can I park my car somewhere?",
    "What is the address of the practice, please?",
    "Do I have to come early for my first appointment?",
)


def lab_account(
    registrar: Address, password: str, *, model: str = "", extension: str = EXTENSION
) -> Account:
    """The office's only extension, registered at the lab's PBX; `model` names another language model."""
    host, port = registrar
    account = Account(
        name="lab",
        registrar=host,
        port=port,
        username=extension,
        password=Secret(password),
        local_address=host,
        greeting=GREETING,
        persona=PERSONA,
        facts=FACTS,
        turn=TurnSettings(filler_ms=0),  # callers and figures would take one for the answer
    )
    return replace(account, llm=LlmSettings(model=model)) if model else account
