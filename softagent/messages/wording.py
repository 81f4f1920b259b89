"""A message as people read it. What callers say is made harmless: one line, no control characters."""

from __future__ import annotations

from softagent.messages.message import CallerMessage

MOST_CHARACTERS = 1000
"""Of one thing that the caller has said."""


def as_line(text: str) -> str:
    """`text` on one line, without anything that can't be printed, and not endless."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def title(message: CallerMessage) -> str:
    """One line that says who has left it."""
    return (
        f"Message from {as_line(message.name)[:80] or as_line(message.caller)[:40] or 'a caller'}"
    )


def as_text(message: CallerMessage, *, recording: str = "") -> str:
    """All of it; `recording` says where that is."""
    facts = [
        ("Name", message.name),
        ("Number", message.number),
        ("Reason", message.reason),
        ("Taken", f"{message.taken:%Y-%m-%d %H:%M:%S %z}"),
        ("Called from", message.caller or "unknown"),
        ("Account", message.account),
        ("Recording", recording),
        ("Message id", message.id),
    ]
    lines = [title(message), ""]
    lines += [f"{name + ':':13}{as_line(value)}" for name, value in facts if value]
    if message.transcript:
        lines += ["", "The call in words, as far as it was understood:", ""]
        lines += [
            f"{'Caller' if line.who == 'caller' else 'Agent'}: {as_line(line.text)}"
            for line in message.transcript
        ]
    return "\n".join(lines) + "\n"
