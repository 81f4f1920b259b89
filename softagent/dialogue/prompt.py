"""The beginning of every prompt: who the agent is, what it knows, and how an answer sounds."""

from __future__ import annotations

from softagent.chat import Message

RULES = (
    "You are speaking on the telephone. Answer in one short spoken sentence. "
    "Use only the facts below. If the facts do not say it, say that you do not know "
    "and offer to take a message. Never invent names, prices or times."
)

EXAMPLES = (
    ("Hi, who am I speaking to?", "You're speaking to the automatic assistant of the office."),
    ("Do you sell bicycles?", "I'm afraid I don't know that, but I can take a message for you."),
    ("Thank you very much.", "You're welcome. Is there anything else I can help you with?"),
)


def opening(persona: str, facts: str) -> tuple[Message, ...]:
    """The primed prefix: system text and example turns, the same for every call of an account."""
    system = "\n\n".join(
        part
        for part in (persona.strip(), RULES, f"Facts:\n{facts.strip()}" if facts.strip() else "")
        if part
    )
    examples: list[Message] = []
    for asked, answered in EXAMPLES:
        examples.append(Message(role="user", content=asked))
        examples.append(Message(role="assistant", content=answered))
    return (Message(role="system", content=system), *examples)
