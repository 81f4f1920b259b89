"""Keys in SIP messages made unreadable, byte for byte, so that every length in them stays right."""

from __future__ import annotations

import re

_KEY_LINES = re.compile(rb"^(?:a=crypto:|a=key-mgmt:|k=)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
"""SDES (RFC 4568), MIKEY (RFC 4567) and the k= of RFC 4566."""
_KEYS = re.compile(
    rb"(?<=inline:)[^\s|;]+|(?<=mikey )\S+|(?<=clear:)\S+|(?<=base64:)\S+", re.IGNORECASE
)
MASK = b"*"


def masked(message: bytes) -> bytes:
    """The message with each SRTP key in its SDP replaced by as many asterisks."""
    return _KEY_LINES.sub(lambda line: _KEYS.sub(_stars, line[0]), message)


def _stars(key: re.Match[bytes]) -> bytes:
    return MASK * len(key[0])
