"""What the files of a call are called."""

from __future__ import annotations

from datetime import datetime

LONGEST_ID = 32
"""Characters of a Call-ID in a file name."""


def call_file_name(account: str, call_id: str, now: datetime, suffix: str) -> str:
    """A file name that sorts by time: reception-20261123T101500-3f9a0c.wav."""
    return f"{account}-{now:%Y%m%dT%H%M%S}-{safe_id(call_id)}{suffix}"


def safe_id(call_id: str) -> str:
    """A Call-ID as it stands in a file name."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in call_id)[
        :LONGEST_ID
    ]
