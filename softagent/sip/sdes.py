"""SRTP keys in session descriptions: a=crypto lines read and written (RFC 4568, SDES)."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import get_args

from softagent.media.description import SrtpSuite
from softagent.sip.address import natural
from softagent.sip.errors import MessageError

SUITES: tuple[SrtpSuite, ...] = get_args(SrtpSuite)
"""In our order of preference."""
KEY_BYTES = 30
"""128 bits of key and 112 of salt (RFC 4568 section 6.2)."""
LARGEST_TAG = 999_999_999
LARGEST_LIFETIME = 2**48
"""Packets that one key may protect (RFC 3711 section 9.2)."""
SHORTEST_LIFETIME = 2**20
"""Nearly six hours of sound: we make no new key within a call unasked."""


@dataclass(frozen=True, slots=True)
class Crypto:
    """One a=crypto line that can be used: a master key and salt for what its sender sends."""

    tag: int
    suite: SrtpSuite
    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, value: str) -> Crypto | None:
        """Read `1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31`; None for a line that we can't use.

        Unusable are other suites, several keys and a key identifier (which we would have to
        write into each packet), a short lifetime, and parameters that take protection away.
        """
        parts = value.split()
        if len(parts) < 3 or parts[1] not in SUITES or not all(map(_is_harmless, parts[3:])):
            return None
        method, _, information = parts[2].partition(":")
        key, *others = information.split("|")
        if method.lower() != "inline" or ";" in information or not _is_long_enough(others):
            return None
        try:
            tag = natural(parts[0], "crypto tag", largest=LARGEST_TAG)
            material = base64.b64decode(key, validate=True)
        except (MessageError, binascii.Error, ValueError):
            return None
        suite = next(known for known in SUITES if known == parts[1])
        return cls(tag, suite, material) if len(material) == KEY_BYTES else None

    def serialize(self) -> str:
        """The value of the a=crypto line, with the key in it: not for the log."""
        return f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}"


def new_key() -> bytes:
    """A fresh master key and salt."""
    return secrets.token_bytes(KEY_BYTES)


def _is_harmless(parameter: str) -> bool:
    """Whether a session parameter may be there without our doing anything (section 6.3).

    A window size is a hint, and one that begins with "-" may be ignored by who doesn't know
    it. All others ask for something: no encryption, no authentication, key derivation.
    """
    return parameter.startswith(("WSH=", "-"))


def _is_long_enough(fields: list[str]) -> bool:
    """Whether what follows the key is nothing, or one lifetime that outlasts a call (section 6.1)."""
    if not fields:
        return True
    if len(fields) > 1:
        return False
    base, power, exponent = fields[0].partition("^")
    try:
        if power:
            bits = natural(exponent, "exponent", largest=48)
            packets = 2**bits if base == "2" else 0
        else:
            packets = natural(base, "lifetime", largest=LARGEST_LIFETIME)
    except MessageError:  # also a key identifier, "1:4"
        return False
    return packets >= SHORTEST_LIFETIME
