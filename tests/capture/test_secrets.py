"""What of a message may be written down."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.capture.secrets import masked

KEY = b"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
OTHER = b"NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
HEAD = b"INVITE sip:100@10.0.0.1 SIP/2.0\r\nCall-ID: 1\r\n\r\nv=0\r\n"


def test_sdes_keys_are_masked_and_everything_else_stays() -> None:
    """Suite, tag, lifetime and MKI stay; both keys of a line go (RFC 4568 section 6.1)."""
    line = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s|2^20|1:4;inline:%s|2^20|2:4\r\na=sendrecv\r\n"
    message = HEAD + line % (KEY, OTHER)
    assert masked(message) == HEAD + line % (b"*" * len(KEY), b"*" * len(OTHER))


def test_older_ways_to_send_a_key_are_masked() -> None:
    """k= (RFC 4566 section 5.12) and MIKEY (RFC 4567)."""
    message = HEAD + b"k=clear:letmein\r\nk=base64:c2VjcmV0\r\na=key-mgmt:mikey AQAFgM0X\r\n"
    kept = b"k=clear:*******\r\nk=base64:********\r\na=key-mgmt:mikey ********\r\n"
    assert masked(message) == HEAD + kept


def test_the_digest_stays() -> None:
    """It tells no password, and without it a refused registration can't be explained."""
    message = (
        b"REGISTER sip:10.0.0.1 SIP/2.0\r\n"
        b'Authorization: Digest username="100", nonce="ab", response="0123456789abcdef"\r\n\r\n'
    )
    assert masked(message) == message


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_nothing_changes_its_length(data: bytes) -> None:
    """Whatever comes in: Content-Length stays right."""
    assert len(masked(b"a=crypto:1 inline:" + data)) == 18 + len(data)
