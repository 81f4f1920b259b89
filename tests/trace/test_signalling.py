"""Messages sorted by call, and what is said about each."""

from __future__ import annotations

from softagent.trace.signalling import Signalling

A, B = ("10.0.0.1", 5060), ("10.0.0.2", 5060)


def message(first: str, *, call_id: str = "c1", cseq: str = "1 INVITE", more: str = "") -> bytes:
    head = (
        f"{first}\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
        f"From: <sip:anna@office>;tag=1\r\nTo: <sip:100@office>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: {cseq}\r\n{more}Content-Length: 0\r\n\r\n"
    )
    return head.encode()


INVITE = message("INVITE sip:100@office SIP/2.0")


def taken(*messages: bytes) -> Signalling:
    """All of them from A to B, one a millisecond."""
    signalling = Signalling()
    for number, data in enumerate(messages):
        signalling.receive(number * 1_000_000, A, B, data)
    return signalling


def test_messages_are_sorted_by_call() -> None:
    """With who called whom."""
    found = taken(INVITE, message("OPTIONS sip:a SIP/2.0", call_id="c2", cseq="1 OPTIONS"), INVITE)
    assert [len(call.events) for call in found.calls.values()] == [2, 1]
    call = found.calls["c1"]
    assert (call.is_call, call.parties) == (True, ("anna@office", "100@office"))
    assert not found.calls["c2"].is_call


def test_the_same_message_on_the_same_way_is_a_retransmission() -> None:
    """Another way is another hop; other bytes are another message."""
    signalling = taken(INVITE, INVITE)
    signalling.receive(0, B, A, INVITE)
    signalling.receive(0, A, B, message("INVITE sip:100@office SIP/2.0", cseq="2 INVITE"))
    events = signalling.calls["c1"].events
    assert [event.is_again for event in events] == [False, True, False, False]


def test_titles_and_notes_say_what_matters() -> None:
    """CSeq, credentials with their algorithm, headers that explain."""
    challenge = 'WWW-Authenticate: Digest realm="x, y", algorithm=SHA-256, nonce="1"\r\n'
    credentials = 'Authorization: Digest username="100", response="00"\r\n'
    events = (
        taken(
            message("SIP/2.0 401 Unauthorized", more=challenge),
            message(
                "REGISTER sip:a SIP/2.0", cseq="2 REGISTER", more=credentials + "Expires: 60\r\n"
            ),
            message("BYE sip:a SIP/2.0", cseq="3 BYE", more="Reason: Q.850;cause=16\r\n"),
        )
        .calls["c1"]
        .events
    )
    assert [event.title for event in events] == [
        "401 Unauthorized #1 INVITE",
        "REGISTER #2",
        "BYE #3",
    ]
    assert [event.notes for event in events] == [
        ["challenge (Digest SHA-256)"],
        ["credentials (Digest)", "expires 60"],
        ["Reason: Q.850;cause=16"],
    ]


def test_what_cannot_be_read_says_why() -> None:
    """The first line, without what a terminal might obey, and the reason."""
    event = taken(b"INVITE sip:\x1b[2J SIP/2.0\r\n\r\n").calls[""].events[0]
    assert event.title == "INVITE sip:?[2J SIP/2.0"
    assert event.message is None
    assert event.notes[0].startswith("unreadable: no ")


def test_a_damaged_message_stays_with_its_call() -> None:
    """As long as its Call-ID can be found: a wrong CSeq doesn't hide it."""
    call = taken(INVITE, INVITE.replace(b"CSeq: 1", b"CSeq: x")).calls["c1"]
    assert [event.message is None for event in call.events] == [False, True]
    assert call.events[1].title == "INVITE sip:100@office SIP/2.0"


def test_the_outcome_of_a_call() -> None:
    """From the final response to the INVITE, a challenge not counted."""
    ringing = message("SIP/2.0 180 Ringing")
    asked = message("SIP/2.0 407 Proxy Authentication Required")
    busy, fine = message("SIP/2.0 486 Busy Here"), message("SIP/2.0 200 OK")
    bye = message("BYE sip:a SIP/2.0", cseq="2 BYE")
    of_bye = message("SIP/2.0 481 No", cseq="2 BYE")
    outcomes = [
        taken(INVITE, *rest).calls["c1"].outcome
        for rest in ([], [ringing], [asked, busy], [asked, fine], [fine, bye, of_bye])
    ]
    assert outcomes == ["no answer", "ringing", "486 Busy Here", "up", "ended"]
