"""Keys in session descriptions."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.sip.sdes import Crypto, new_key

KEY = bytes(range(30))
TEXT = base64.b64encode(KEY).decode()
EIGHTY, THIRTY_TWO = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"


@pytest.mark.parametrize(
    "value",
    [
        f"1 {EIGHTY} inline:{TEXT}",
        f"1 {EIGHTY} inline:{TEXT}|2^31",
        f"1 {EIGHTY} INLINE:{TEXT}|1073741824",
        f"1 {EIGHTY} inline:{TEXT}|2^48 WSH=64 -FUTURE=1",
    ],
)
def test_reads_a_key(value: str) -> None:
    """With a lifetime and with hints that ask for nothing (RFC 4568 sections 6.1 and 6.3)."""
    assert Crypto.parse(value) == Crypto(1, EIGHTY, KEY)


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"1 {EIGHTY}",
        f"x {EIGHTY} inline:{TEXT}",
        f"1 F8_128_HMAC_SHA1_80 inline:{TEXT}",
        f"1 AES_256_CM_HMAC_SHA1_80 inline:{TEXT}",
        f"1 {EIGHTY} prompt:{TEXT}",
        f"1 {EIGHTY} inline:{TEXT[:-4]}",
        f"1 {EIGHTY} inline:{TEXT[:-1]}!",
        f"1 {EIGHTY} inline:{TEXT}|1:4",
        f"1 {EIGHTY} inline:{TEXT}|2^20|1:4",
        f"1 {EIGHTY} inline:{TEXT}|2^10",
        f"1 {EIGHTY} inline:{TEXT}|2^99",
        f"1 {EIGHTY} inline:{TEXT}|3^31",
        f"1 {EIGHTY} inline:{TEXT};inline:{TEXT}",
        f"1 {EIGHTY} inline:{TEXT} UNENCRYPTED_SRTP",
        f"1 {EIGHTY} inline:{TEXT} UNENCRYPTED_SRTCP",
        f"1 {EIGHTY} inline:{TEXT} UNAUTHENTICATED_SRTP",
        f"1 {EIGHTY} inline:{TEXT} KDR=1",
        f"1 {EIGHTY} inline:{TEXT} FEC_KEY=x",
    ],
)
def test_refuses_what_it_can_not_keep_to(value: str) -> None:
    """Other suites, key identifiers, short lives, several keys, and whatever takes protection away."""
    assert Crypto.parse(value) is None


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(value: str) -> None:
    """Nothing is raised."""
    Crypto.parse(value)


def test_what_is_written_can_be_read() -> None:
    """And keeps out of sight elsewhere."""
    ours = Crypto(7, THIRTY_TWO, new_key())
    assert Crypto.parse(ours.serialize()) == ours
    assert str(ours.key) not in repr(ours)


def test_keys_are_fresh() -> None:
    """30 bytes, never the same."""
    assert len(new_key()) == 30
    assert new_key() != new_key()
