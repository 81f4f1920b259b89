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


def opening(persona: str, facts: str, notes: Sequence[tuple[str, str]] = ()) -> tuple[Message, ...]:
    """The primed prefix: system text and example turns, the same for every call of an account.

    `notes` are what the model may propose to do, each with what it is for.
    """
    known = facts.strip() or "Nothing in particular."
    system = f"{persona.strip()} {MANNER}\n\nAll you know:\n{known}\n\n{LIMITS}"
    if notes:
        lines = "\n".join(f"{note} {purpose}" for note, purpose in notes)
        system = f"{system}\n\n{NOTES}\n{lines}"
    messages = [Message(role="system", content=system)]
    for asked, answered in EXAMPLES:
        messages.append(Message(role="user", content=asked))
        messages.append(Message(role="assistant", content=answered))
    return tuple(messages)
