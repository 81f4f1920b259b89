"""One entry of a chat, in the form every language model takes."""

from __future__ import annotations

from typing import Literal, TypedDict


class Message(TypedDict):
    """Who said it, and the words."""

    role: Literal["system", "user", "assistant"]
    content: str
