"""Calls through a real Asterisk to the real signalling and media, without engines."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asterisk import Asterisk, every_pbx
from caller import Call, Dial
from exchange import (
    A_LAW,
    CALLER_DIRECT,
    CALLER_WIDE,
    DIRECT,
    FOUR_DIGITS,
    HELD,
    INFO_DIGITS,
    PLAIN,
    PROMPT,
    RELIABLE,
    SECURE,
    SIX,
    WIDE,
)
from extension import Extension, Leg, wait_until
from sounds import SPEECH, likeness, load, rms, treble

from softagent.config import TlsSettings
from softagent.media.description import Direction
from softagent.sip.phone import CallEnd

# The long call goes on meanwhile, so that nobody has to wait for it alone.
pytestmark = [pytest.mark.pbx, pytest.mark.usefixtures("long_run")]

THEIR_WORDS = SPEECH / "check-number-dial-again.wav"
OUR_WORDS = load(SPEECH / "agent-incorrect.wav")[:16000]
"""Two seconds at 8 kHz."""
WIDE_WORDS = SPEECH / "not-ill-disposed.wav"
"""Three seconds at 16 kHz."""
FAITHFUL = 0.9
"""Likeness of speech that went through G.711 or G.722 and nothing worse."""
RECOGNISABLE = 0.7
"""Of hold music, which the PBX plays by its own clock and in a loop: a window may lie across its seam."""

Station = Callable[..., Extension]


def assert_talk(leg: Leg, call: Call, *, rate_hz: int = 8000) -> None:
    """Each side understands the other; ends with the caller hanging up."""
    theirs, ours = THEIR_WORDS, OUR_WORDS
    if rate_hz == 16000:
        theirs, ours = WIDE_WORDS, load(WIDE_WORDS)
    since = leg.heard_seconds
    call.play(theirs)
    leg.play(ours)
    seconds = max(len(ours), len(load(theirs))) / rate_hz
    leg.listen(seconds + 0.5)
    call.hang_up()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
    assert likeness(load(theirs), leg.heard(since), rate_hz) > FAITHFUL, "what they said"
    assert likeness(ours, call.heard(), rate_hz) > FAITHFUL, "what we said"


@every_pbx
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sound_goes_both_ways(station: Station, dial_pbx: Dial, transport: str) -> None:
    with station(PLAIN, transport=transport) as extension, dial_pbx(PLAIN) as call:
        leg = extension.answered()
        call.wait("confirmed")
        assert_talk(leg, call)


@every_pbx
def test_encrypted_signalling_and_sound(pbx: Asterisk, station: Station, dial_pbx: Dial) -> None:
    """TLS with the PBX's certificate checked, SRTP with keys from SDP, sound understood both ways."""
    assert pbx.certificates is not None
    secure = {
        "port": pbx.tls_port,
        "transport": "tls",
        "tls": TlsSettings(ca_file=pbx.certificates.authority),
        "srtp": "required",
    }
    with station(SECURE, **secure) as extension, dial_pbx(SECURE) as call:
        leg = extension.answered()
        call.wait("confirmed")
        assert leg.media is not None
        assert leg.media.srtp is not None
        assert_talk(leg, call)


def test_a_call_over_ipv6(station: Station, dial_pbx: Dial) -> None:
    with station(SIX, registrar="::1") as extension, dial_pbx(SIX) as call:
        leg = extension.answered()
        call.wait("confirmed")
        assert leg.media is not None
        assert leg.media.remote_host == "::1"
        assert_talk(leg, call)


@every_pbx
def test_wideband_from_end_to_end(pbx: Asterisk, station: Station, dial_pbx: Dial) -> None:
    """G.722 on both legs and 16 kHz at both ends."""
    with (
        station(WIDE) as extension,
        dial_pbx(WIDE, user=CALLER_WIDE, codecs="G722", rate_hz=16000) as call,
    ):
        leg = extension.answered()
        call.wait("confirmed")
        assert pbx.channel_codecs(WIDE) == ["g722"]
        assert_talk(leg, call, rate_hz=16000)
    original = treble(load(WIDE_WORDS), 16000)
    assert treble(leg.heard(), 16000) > original / 2
    assert treble(call.heard(), 16000) > original / 2


def test_a_telephone_that_speaks_a_law_only(station: Station, dial_pbx: Dial) -> None:
    with station(A_LAW) as extension, dial_pbx(A_LAW) as call:
        leg = extension.answered()
        call.wait("confirmed")
        assert leg.media is not None
        assert leg.media.codec == "PCMA"
        assert_talk(leg, call)


@every_pbx
def test_a_pbx_that_requires_prack(pbx: Asterisk, station: Station, dial_pbx: Dial) -> None:
    start = pbx.mark()
    with station(RELIABLE) as extension, dial_pbx(RELIABLE) as call:
        leg = extension.ringing()
        pbx.wait_for(r"^PRACK sip:", since=start)
        leg.answer()
        call.wait("confirmed")
        assert_talk(leg, call)


@every_pbx
def test_digits_that_the_pbx_sends_as_info(station: Station, dial_pbx: Dial) -> None:
    with station(INFO_DIGITS) as extension, dial_pbx(INFO_DIGITS) as call:
        leg = extension.answered()
        call.wait("confirmed")
        call.press("590#")
        wait_until(lambda: leg.info_digits == "590#", f"the digits: {leg.info_digits!r}")
        assert leg.digits == ""


def test_digits_in_the_sound(station: Station, dial_pbx: Dial) -> None:
    with station(PLAIN) as extension, dial_pbx(PLAIN) as call:
        leg = extension.answered()
        call.wait("confirmed")
        call.press("590#")
        wait_until(lambda: leg.digits == "590#", "the digits")
        assert leg.info_digits == ""


def test_digits_that_we_send_as_info(pbx: Asterisk, station: Station) -> None:
    start = pbx.mark()
    with station(INFO_DIGITS) as extension:
        leg, _ = extension.call(FOUR_DIGITS)
        assert leg is not None
        assert leg.do(lambda told: leg.call.send_info_digits("1234", told)).is_accepted
        pbx.wait_for("digits=1234", since=start)


def test_digits_that_we_send_in_the_sound(pbx: Asterisk, station: Station) -> None:
    start = pbx.mark()
    with station(PLAIN) as extension:
        leg, _ = extension.call(FOUR_DIGITS)
        assert leg is not None
        leg.press("5678")
        pbx.wait_for("digits=5678", since=start)


def test_a_call_of_ours(station: Station) -> None:
    """We call a recorded sentence, hear it and hang up."""
    with station(PLAIN) as extension:
        leg, result = extension.call(PROMPT)
        assert leg is not None, result
        leg.listen(1.5)
        assert rms(leg.listen(1.0)) > 300
        leg.call.hang_up()
        assert leg.end() is CallEnd.AGENT_HUNG_UP


def test_hold_at_the_pbx_plays_its_music(pbx: Asterisk, station: Station, dial_pbx: Dial) -> None:
    with station(PLAIN) as extension, dial_pbx(PLAIN) as call:
        leg = extension.answered()
        call.wait("confirmed")
        call.hold()
        leg.listen(0.5)
        assert likeness(leg.listen(2.0), load(pbx.music), 8000) > RECOGNISABLE
        call.resume()
        assert_talk(leg, call)


@every_pbx
def test_hold_that_reaches_us(station: Station, dial_pbx: Dial) -> None:
    """The PBX passes the hold on: our side stands still, and talks as before after the resume."""
    with station(HELD) as extension, dial_pbx(HELD) as call:
        leg = extension.answered()
        call.wait("confirmed")
        call.hold()
        assert leg.changed().direction is Direction.RECVONLY
        wait_until(lambda: leg.held_ticks > 25, "ticks on hold")
        call.resume()
        assert leg.changed().direction is Direction.SENDRECV
        held = leg.held_ticks
        assert_talk(leg, call)
        assert leg.held_ticks - held < 10


def test_hold_of_ours(pbx: Asterisk, station: Station, dial_pbx: Dial) -> None:
    """The caller hears the PBX's music, and us again after the resume."""
    with station(PLAIN) as extension, dial_pbx(PLAIN) as call:
        leg = extension.answered()
        call.wait("media")
        call.wait("confirmed")
        assert leg.do(leg.call.hold).is_accepted
        music = call.wait("sound").seconds
        leg.listen(2.0)
        assert leg.do(leg.call.resume).is_accepted
        assert_talk(leg, call)
        heard = call.heard(music + 0.3, music + 1.8)
        assert likeness(heard, load(pbx.music), 8000) > RECOGNISABLE


@every_pbx
def test_media_between_the_telephones(pbx: Asterisk, station: Station, dial_pbx: Dial) -> None:
    """The PBX takes itself out with a re-INVITE; sound then comes from the caller directly."""
    with station(DIRECT) as extension, dial_pbx(DIRECT, user=CALLER_DIRECT) as call:
        leg = extension.answered()
        call.wait("confirmed")
        assert leg.changed().remote_port not in pbx.rtp_ports
        leg.listen(0.3)
        assert_talk(leg, call)


@every_pbx
def test_a_notify_that_nobody_has_asked_for(pbx: Asterisk, station: Station) -> None:
    """As PBXs tell of new messages; answered with 200, else it would be sent again and again."""
    start = pbx.mark()
    with station(PLAIN):
        pbx.console(f"pjsip send notify news endpoint {PLAIN}")
        pbx.wait_for(r"^SIP/2.0 200 OK\n(?:[^\n]+\n)*?CSeq: \d+ NOTIFY", since=start)
