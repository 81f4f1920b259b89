"""baresip at the other end: a telephone by other people than Asterisk's and pjsip's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from asterisk import Asterisk
from baresip import Baresip
from exchange import CALLER, CALLER_DIRECT, CALLER_SECURE, CALLER_WIDE, DIRECT, HELD, SECURE, WIDE
from extension import Extension, Leg
from sounds import SPEECH, likeness, load, rms

from softagent.config import TlsSettings
from softagent.media.description import Direction
from softagent.sip.phone import CallEnd

pytestmark = pytest.mark.pbx

PORTS = range(25400, 25440)
THEIR_WORDS = SPEECH / "basic-pbx-ivr-main.wav"
THEIR_WIDE_WORDS = SPEECH / "not-ill-disposed.wav"
OUR_WORDS = load(SPEECH / "agent-incorrect.wav")[:16000]
FAITHFUL = 0.9
RECOGNISABLE = 0.7
"""Of hold music, which the PBX plays by its own clock and in a loop: a window may lie across its seam."""

Station = Callable[..., Extension]
Telephone = Callable[..., Baresip]


@pytest.fixture
def baresip(pbx: Asterisk, tmp_path: Path) -> Telephone:
    """A telephone of the PBX: `with baresip(CALLER) as telephone`."""

    def plug_in(user: str, **options: object) -> Baresip:
        settings: dict[str, object] = {"ports": PORTS, "microphone": THEIR_WORDS, **options}
        return Baresip(
            tmp_path / "baresip",
            user,
            pbx=f"127.0.0.1:{pbx.sip_port}",
            **settings,  # type: ignore[arg-type]
        )

    return plug_in


def answered(extension: Extension, telephone: Baresip, number: str) -> Leg:
    """A call from the telephone that is up."""
    telephone.dial(number)
    leg = extension.answered()
    telephone.wait("CALL_ESTABLISHED")
    return leg


def hang_up(leg: Leg, telephone: Baresip) -> None:
    telephone.hang_up()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
    telephone.wait("CALL_CLOSED")


def test_hold_and_resume(station: Station, baresip: Telephone) -> None:
    with station(HELD) as extension, baresip(CALLER) as telephone:
        leg = answered(extension, telephone, HELD)
        leg.play(OUR_WORDS)
        assert likeness(load(THEIR_WORDS)[:16000], leg.listen(2.5), 8000) > FAITHFUL
        telephone.hold()
        assert leg.changed().direction is Direction.RECVONLY
        telephone.resume()
        assert leg.changed().direction is Direction.SENDRECV
        assert rms(leg.listen(2.5)) > 300, "they are heard again"
        hang_up(leg, telephone)
    assert likeness(OUR_WORDS, load(telephone.heard()), 8000) > FAITHFUL
    assert telephone.packets_received() > 200, "2.5 s before and 2.5 s after"


def test_hold_and_resume_without_the_pbx_between(
    pbx: Asterisk, station: Station, baresip: Telephone
) -> None:
    """The media go from telephone to telephone before the hold, and again after it."""
    with station(DIRECT) as extension, baresip(CALLER_DIRECT) as telephone:
        leg = answered(extension, telephone, DIRECT)
        assert leg.changed().remote_port in PORTS
        telephone.hold()
        assert leg.changed().remote_port in pbx.rtp_ports, "the PBX's music"
        assert likeness(leg.listen(1.5), load(pbx.music), 8000) > RECOGNISABLE
        telephone.resume()
        assert leg.changed().remote_port in PORTS
        assert rms(leg.listen(2.5)) > 300, "they are heard again"
        hang_up(leg, telephone)
    # Sent to its own port, see above. (baresip's log names only who was heard first, which may be the PBX.)
    assert telephone.packets_received() > 100, "2.5 s after the resume"


def test_wideband(station: Station, baresip: Telephone) -> None:
    wide = {"codecs": "G722/16000/1", "rate_hz": 16000, "microphone": THEIR_WIDE_WORDS}
    with station(WIDE) as extension, baresip(CALLER_WIDE, **wide) as telephone:
        leg = answered(extension, telephone, WIDE)
        leg.play(load(THEIR_WIDE_WORDS))
        assert likeness(load(THEIR_WIDE_WORDS)[8000:], leg.listen(3.5), 16000) > FAITHFUL
        hang_up(leg, telephone)
    assert likeness(load(THEIR_WIDE_WORDS), load(telephone.heard()), 16000) > FAITHFUL


def test_srtp_on_both_legs(pbx: Asterisk, station: Station, baresip: Telephone) -> None:
    assert pbx.certificates is not None
    secure = {
        "port": pbx.tls_port,
        "transport": "tls",
        "tls": TlsSettings(ca_file=pbx.certificates.authority),
        "srtp": "required",
    }
    with (
        station(SECURE, **secure) as extension,
        baresip(CALLER_SECURE, options=";mediaenc=srtp-mand") as telephone,
    ):
        leg = answered(extension, telephone, SECURE)
        leg.play(OUR_WORDS)
        assert likeness(load(THEIR_WORDS)[:16000], leg.listen(2.5), 8000) > FAITHFUL
        hang_up(leg, telephone)
    assert likeness(OUR_WORDS, load(telephone.heard()), 8000) > FAITHFUL
