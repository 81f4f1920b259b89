"""Session descriptions of all kinds, on one line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.trace.described import described

HEAD = "v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nc=IN IP4 10.0.0.1\nt=0 0\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "m=audio 4000 RTP/AVP 0 8 101 13\na=rtpmap:101 telephone-event/8000",
            ["PCMU PCMA digits noise 10.0.0.1:4000 sendrecv"],
        ),
        (
            "m=audio 4000 RTP/SAVP 9\na=crypto:1 x inline:y\na=sendonly\na=ptime:30",
            ["G722 10.0.0.1:4000 sendonly SRTP ptime 30"],
        ),
        (
            "m=audio 4000 UDP/TLS/RTP/SAVPF 111\nc=IN IP6 fd00::1\na=rtpmap:111 opus/48000/2",
            ["OPUS [fd00::1]:4000 sendrecv SRTP"],
        ),
        (
            "m=audio 0 RTP/AVP 0\nm=video 5000 RTP/AVP 96\na=inactive",
            ["audio off", "video type 96 10.0.0.1:5000 inactive"],
        ),
        ("m=image 5000 udptl t38", ["image 10.0.0.1:5000 sendrecv"]),
        (
            "m=audio 4000 RTP/AVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x",
            ["PCMU 10.0.0.1:4000 sendrecv SRTP if wanted"],
        ),
        ("m=audio x RTP/AVP 0", []),
        ("m=audio", []),
    ],
)
def test_descriptions_are_summed_up(lines: str, expected: list[str]) -> None:
    """Codecs in order, what goes with them, where and which way."""
    assert [media.summary() for media in described((HEAD + lines).encode())] == expected


def test_the_clock_is_the_rtpmaps() -> None:
    """Opus counts in 48 kHz, and jitter is measured in that."""
    (media,) = described(b"m=audio 4000 RTP/AVP 96 0\na=rtpmap:96 opus/48000/2\n")
    assert media.formats == {96: ("OPUS", 48000), 0: ("PCMU", 8000)}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_body_is_survived(body: bytes) -> None:
    """Also behind a media line."""
    described(b"m=audio 4000 RTP/AVP 0\n" + body)
