"""The ladder and the figures as they are drawn."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.trace.analysis import analyse
from softagent.trace.ladder import ASCII, UNICODE, ladder
from softagent.trace.signalling import Signalling, SipCall
from softagent.trace.text import rendered

CAPTURES = Path(__file__).parent / "captures"


def message(first: str, cseq: str) -> bytes:
    return (
        f"{first}\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@o>;tag=1\r\n"
        f"To: <sip:b@o>\r\nCall-ID: c1\r\nCSeq: {cseq}\r\n\r\n"
    ).encode()


INVITE, BUSY = (
    message("INVITE sip:b@o SIP/2.0", "1 INVITE"),
    message("SIP/2.0 486 Busy", "1 INVITE"),
)


def call(*hops: tuple[str, str, bytes]) -> SipCall:
    """Messages between hosts, ten milliseconds apart."""
    signalling = Signalling()
    for number, (source, destination, data) in enumerate(hops):
        signalling.receive(number * 10_000_000, (source, 5060), (destination, 5060), data)
    return signalling.calls["c1"]


def test_two_hosts_in_ascii() -> None:
    """Arrows both ways, titles in them, what comes again marked, a refusal marked for colour."""
    drawn = list(
        ladder(
            call(
                ("10.0.0.1", "10.0.0.2", INVITE),
                ("10.0.0.1", "10.0.0.2", INVITE),
                ("10.0.0.2", "10.0.0.1", BUSY),
            ),
            width=60,
            pen=ASCII,
        )
    )
    assert [line.text for line in drawn] == [
        "         10.0.0.1:5060                         10.0.0.2:5060",
        "    0.000  |----------------- INVITE #1 ----------------->|",
        "    0.010  |------------- INVITE #1 (again) ------------->|",
        "    0.020  |<------------ 486 Busy #1 INVITE -------------|",
    ]
    assert [line.kind for line in drawn] == ["head", "", "again", "bad"]


def test_many_hosts_get_letters_and_a_legend() -> None:
    """Through a proxy and another: 80 columns still do."""
    chain = [f"192.168.100.{n}" for n in range(1, 7)]
    hops = [(a, b, INVITE) for a, b in itertools.pairwise(chain)]
    drawn = [line.text for line in ladder(call(*hops), width=80, pen=UNICODE)]
    assert drawn[0].strip() == "A = 192.168.100.1:5060"
    assert drawn[6].split() == ["A", "B", "C", "D", "E", "F"]
    assert all(len(line) <= 80 for line in drawn)


@settings(deadline=None)
@given(st.integers(40, 200), st.integers(2, 6), st.text(max_size=80))
def test_no_line_is_longer_than_the_terminal(width: int, hosts: int, reason: str) -> None:
    """Whatever is in a message; and nothing in it reaches the terminal that it might obey."""
    names = [f"10.0.0.{n}" for n in range(hosts)]
    clean = reason.replace("\r", " ").replace("\n", " ")
    answer = message(f"SIP/2.0 500 {clean}", "1 INVITE")
    hops = [(a, b, INVITE) for a, b in itertools.pairwise(names)]
    for line in ladder(call(*hops, (names[-1], names[0], answer)), width=width, pen=UNICODE):
        assert len(line.text) <= width
        assert line.text.isprintable()


def test_a_real_call_fits_into_80_columns() -> None:
    """Ladder, figures and the list of what else there was."""
    found = analyse(CAPTURES / "asterisk-echo-udp.pcap")
    lines = [line.text for line in rendered(found, width=80, pen=UNICODE)]
    assert all(len(line) <= 80 for line in lines)
    text = "\n".join(lines)
    assert "credentials (Digest MD5)" in text
    assert "PCMU digits 127.0.0.1:28714 sendrecv" in text
    assert "keys 4 200 ms" in text
    sounds = [line for line in lines if "═ RTP PCMU, " in line]
    assert [("▶" in line, "◀" in line) for line in sounds] == [(True, False), (False, True)]
    assert lines.index(sounds[0]) > next(n for n, line in enumerate(lines) if " 200 OK #" in line)
    assert "5 dialogs without a call; see one with --call" in text
    assert "RTP PCMU 127.0.0.1:30000 > 127.0.0.1:28714" in text


def test_one_call_can_be_chosen() -> None:
    """By the beginning of its Call-ID; everything else is left out."""
    found = analyse(CAPTURES / "asterisk-echo-udp.pcap")
    chosen = found.others[0].call_id[:6]
    text = "\n".join(line.text for line in rendered(found, width=80, pen=ASCII, only=chosen))
    assert "REGISTER #" in text
    assert "INVITE" not in text
