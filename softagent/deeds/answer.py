"""What an action of the office's own answers: a text for the caller, out of whatever it wrote."""

from __future__ import annotations

import json

MOST_BYTES = 64 * 1024
"""What is read of an answer; the rest is thrown away."""
MOST_CHARACTERS = 600
"""What is said of it: about 40 s."""


def said_json(content: bytes) -> str | None:
    """The "say" of a JSON object, empty without one; None when `content` is no JSON object."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    said = answer.get("say")
    return speakable(said) if isinstance(said, str) else ""


def said_lines(content: bytes) -> str:
    """The "say" of a JSON object, of all of it or of its first line; else the first line itself."""
    first = next((line for line in content.splitlines() if line.strip()), b"")
    for part in (content, first):
        if (said := said_json(part)) is not None:
            return said
    return speakable(first.decode("utf-8", "replace"))


def speakable(text: str) -> str:
    """On one line, without control characters, and not endless."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MOST_CHARACTERS else line[:MOST_CHARACTERS].rsplit(" ", 1)[0]
