"""A transfer's end, read from what the other side says in any order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import request, request_bytes, response

from softagent.sip.address import NameAddress, Uri
from softagent.sip.message import Request, parse
from softagent.sip.phone import Outcome, Result
from softagent.sip.refer import PROGRESS_SECONDS, SILENCE_SECONDS, Transfer, refer_to, sip_fragment

REFER = request("REFER", sequence=7)
ACTIVE, TERMINATED = "active;expires=60", "terminated;reason=noresource"


class Scene:
    """A transfer with what it told."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.transfer = Transfer(self.results.append, 0.0)
        self.transfer.sent(7)

    @property
    def outcomes(self) -> list[tuple[Outcome, int]]:
        return [(result.outcome, result.status) for result in self.results]


def notify(fragment: str = "", *, state: str = ACTIVE, event: str = "refer") -> Request:
    """Progress of a transfer as a PBX tells it."""
    kind = "Content-Type: message/sipfrag;version=2.0\r\n" if fragment else ""
    data = request_bytes(
        "NOTIFY", headers=f"Event: {event}\r\nSubscription-State: {state}\r\n{kind}"
    )
    body = fragment.encode()
    head = data.replace(b"Content-Length: 0", b"Content-Length: %d" % len(body))
    message = parse(head + body)
    assert isinstance(message, Request)
    return message


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_progress_is_read_to_its_end(scene: Scene) -> None:
    """Trying and ringing decide nothing; 200 does, once."""
    scene.transfer.answer(response(REFER, 202), 0.1)
    scene.transfer.hear(notify("SIP/2.0 100 Trying\r\n"), 0.2)
    scene.transfer.hear(notify("SIP/2.0 180 Ringing\r\n"), 0.3)
    assert not scene.results
    scene.transfer.hear(notify("SIP/2.0 200 OK\r\n", state=TERMINATED), 9.0)
    scene.transfer.hear(notify("SIP/2.0 200 OK\r\n", state=TERMINATED), 9.1)
    assert scene.results == [Result(Outcome.ACCEPTED, 200, "OK")]
    assert scene.transfer.is_over


@pytest.mark.parametrize(
    ("line", "outcome", "status"),
    [
        ("SIP/2.0 486 Busy Here", Outcome.BUSY, 486),
        ("SIP/2.0 600 Busy Everywhere", Outcome.BUSY, 600),
        ("SIP/2.0 480 Temporarily Unavailable", Outcome.NO_ANSWER, 480),
        ("SIP/2.0 408", Outcome.NO_ANSWER, 408),
        ("SIP/2.0 603 Decline", Outcome.REFUSED, 603),
        ("sip/2.0 404 Not Found\r\nContact: <sip:x@y>", Outcome.REFUSED, 404),
    ],
)
def test_failure_of_the_target(scene: Scene, line: str, outcome: Outcome, status: int) -> None:
    """What the target said is the transfer's end."""
    scene.transfer.answer(response(REFER, 202), 0.1)
    scene.transfer.hear(notify(line, state=TERMINATED), 1.0)
    assert scene.outcomes == [(outcome, status)]


@pytest.mark.parametrize("status", [403, 405, 501, 603])
def test_refused_refer(scene: Scene, status: int) -> None:
    """The PBX doesn't take it on at all."""
    scene.transfer.answer(response(REFER, status), 0.1)
    assert scene.outcomes == [(Outcome.REFUSED, status)]


def test_refer_that_is_never_answered(scene: Scene) -> None:
    """Neither response nor NOTIFY."""
    scene.transfer.answer(None, 32.0)
    assert scene.outcomes == [(Outcome.TIMED_OUT, 0)]


def test_notify_before_the_response(scene: Scene) -> None:
    """Over UDP it may come first, the last one too, and the response be lost (RFC 3515 section 2.4.4)."""
    scene.transfer.hear(notify("SIP/2.0 100 Trying"), 0.1)
    scene.transfer.answer(None, 32.0)
    assert not scene.results
    scene.transfer.hear(notify("SIP/2.0 200 OK", state=TERMINATED), 33.0)
    scene.transfer.answer(response(REFER, 202), 33.1)
    assert scene.outcomes == [(Outcome.ACCEPTED, 200)]


def test_transfer_without_notifications(scene: Scene) -> None:
    """Refer-Sub: false in the response announces that none will come (RFC 4488)."""
    scene.transfer.answer(response(REFER, 200, headers="Refer-Sub: false\r\n"), 0.1)
    assert scene.outcomes == [(Outcome.ACCEPTED, 200)]


def test_bye_before_the_last_notify(scene: Scene) -> None:
    """A PBX that takes the call away and says no more has transferred it."""
    scene.transfer.answer(response(REFER, 202), 0.1)
    scene.transfer.hear(notify("SIP/2.0 100 Trying"), 0.2)
    scene.transfer.part(0.3)
    scene.transfer.expire(scene.transfer.deadline - 0.1)
    assert not scene.results
    scene.transfer.expire(scene.transfer.deadline)
    assert scene.outcomes == [(Outcome.ACCEPTED, 0)]


def test_bad_news_after_the_bye(scene: Scene) -> None:
    """The last NOTIFY counts even when the call is over."""
    scene.transfer.answer(response(REFER, 202), 0.1)
    scene.transfer.part(0.3)
    deadline = scene.transfer.deadline
    scene.transfer.hear(notify("SIP/2.0 180 Ringing"), 0.4)
    assert scene.transfer.deadline == deadline
    scene.transfer.hear(notify("SIP/2.0 486 Busy Here", state=TERMINATED), 0.5)
    assert scene.outcomes == [(Outcome.BUSY, 486)]


def test_call_that_ends_before_the_transfer_is_taken_on(scene: Scene) -> None:
    """The caller has hung up: that is no transfer, whatever the REFER is answered with."""
    scene.transfer.part(0.1)
    scene.transfer.answer(response(REFER, 481), 0.2)
    assert scene.outcomes == [(Outcome.CALL_OVER, 0)]


def test_not_a_word_after_the_response(scene: Scene) -> None:
    """The first NOTIFY is due at once: a PBX that sends none has taken the caller and tells no more."""
    scene.transfer.answer(response(REFER, 202), 10.0)
    scene.transfer.expire(10.0 + SILENCE_SECONDS - 0.1)
    assert not scene.results
    scene.transfer.expire(10.0 + SILENCE_SECONDS)
    assert scene.outcomes == [(Outcome.ACCEPTED, 0)]


@pytest.mark.parametrize("is_first", [True, False])
def test_silence_after_the_first_word(scene: Scene, is_first: bool) -> None:
    """The subscription runs out: nobody knows what became of it."""
    for now, word in enumerate(("answer", "notify") if is_first else ("notify", "answer")):
        if word == "answer":
            scene.transfer.answer(response(REFER, 202), float(now))
        else:
            scene.transfer.hear(notify("SIP/2.0 100 Trying"), float(now))
    assert scene.transfer.deadline == 1.0 + PROGRESS_SECONDS
    scene.transfer.expire(1.0 + PROGRESS_SECONDS)
    assert scene.outcomes == [(Outcome.TIMED_OUT, 0)]


@pytest.mark.parametrize(
    ("expires", "seconds"), [("5", 60.0), ("120", 120.0), ("3600", 180.0), ("soon", 60.0)]
)
def test_subscription_lasts_as_stated_within_reason(
    scene: Scene, expires: str, seconds: float
) -> None:
    """A target may ring long, but not for ever."""
    scene.transfer.hear(notify("SIP/2.0 180 Ringing", state=f"active;expires={expires}"), 10.0)
    assert scene.transfer.deadline == 10.0 + seconds


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("noresource", Outcome.REFUSED),
        ("rejected", Outcome.REFUSED),
        ("timeout", Outcome.TIMED_OUT),
        ("giveup", Outcome.TIMED_OUT),
    ],
)
def test_subscription_that_ends_before_the_transfer(
    scene: Scene, reason: str, outcome: Outcome
) -> None:
    """No final status will come any more."""
    scene.transfer.hear(notify("SIP/2.0 100 Trying", state=f"terminated;reason={reason}"), 1.0)
    assert [result.outcome for result in scene.results] == [outcome]
    assert reason in scene.results[0].reason


@pytest.mark.parametrize(
    ("event", "belongs"),
    [
        ("refer", True),
        ("REFER;id=7", True),
        ("refer;id=8", False),
        ("message-summary", False),
    ],
)
def test_which_notify_belongs_to_it(scene: Scene, event: str, belongs: bool) -> None:
    """The REFER's number tells two transfers apart."""
    assert scene.transfer.is_about(notify(event=event)) is belongs


def test_blind_refer_to() -> None:
    """The target alone."""
    assert refer_to(Uri.parse("sip:1003@pbx.example")) == "<sip:1003@pbx.example>"


def test_attended_refer_to() -> None:
    """The call to be replaced as the target knows it, escaped (RFC 5589 section 7.3)."""
    value = refer_to(
        Uri.parse("sip:1003@192.0.2.4:5062;transport=udp"),
        replaces=("90210@192.0.2.9", "theirs", "ours"),
    )
    assert value == (
        "<sip:1003@192.0.2.4:5062;transport=udp"
        "?Replaces=90210%40192.0.2.9%3Bto-tag%3Dtheirs%3Bfrom-tag%3Dours>"
    )
    assert NameAddress.parse(value).uri.user == "1003"


@settings(deadline=None)
@given(body=st.binary(max_size=60))
def test_any_body_is_a_fragment_or_none(body: bytes) -> None:
    """What comes from the network raises nothing; a status that is read is one."""
    asked = Request("NOTIFY", "sip:x@y", notify("SIP/2.0 100 Trying").headers, b"SIP/2.0 " + body)
    found = sip_fragment(asked)
    assert found is None or 100 <= found[0] <= 699


def test_body_of_another_kind_is_no_fragment() -> None:
    """message-summary may hold anything."""
    asked = notify("SIP/2.0 200 OK")
    plain = asked.headers.without("Content-Type").with_(("Content-Type", "text/plain"))
    assert sip_fragment(Request(asked.method, asked.uri, plain, asked.body)) is None
