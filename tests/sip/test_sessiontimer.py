"""The session timer's table of who refreshes, and when (RFC 4028)."""

from __future__ import annotations

import pytest
from wire import request, response

from softagent.sip.alarm import NEVER
from softagent.sip.errors import MessageError
from softagent.sip.message import Response
from softagent.sip.sessiontimer import Due, SessionTimer, objection
from softagent.sip.uas import Reply

KNOWS = "Supported: 100rel, timer\r\n"


def answer(headers: str, *, wanted: int = 1800) -> tuple[SessionTimer, dict[str, str]]:
    """A timer that has answered an INVITE at time 0, and what it said."""
    timer = SessionTimer(wanted)
    fields = timer.answer(request("INVITE", headers=headers), 0.0)
    return timer, dict(fields)


def ok(headers: str = "") -> Response:
    return response(request("UPDATE"), 200, "OK", headers)


@pytest.mark.parametrize(
    ("headers", "said", "is_refresher"),
    [
        (KNOWS + "Session-Expires: 90\r\n", "90;refresher=uac", False),
        (KNOWS + "x: 90;refresher=uac\r\n", "90;refresher=uac", False),
        (KNOWS + "Session-Expires: 90; Refresher=UAS\r\n", "90;refresher=uas", True),
        (KNOWS + "Session-Expires: 3600;refresher=uac\r\n", "1800;refresher=uac", False),
        (KNOWS + "Session-Expires: 3600\r\nMin-SE: 3000\r\n", "3000;refresher=uac", False),
        (KNOWS, "1800;refresher=uas", True),
        (KNOWS + "Min-SE: 2000\r\n", "2000;refresher=uas", True),
    ],
)
def test_caller_who_knows_the_extension(headers: str, said: str, is_refresher: bool) -> None:
    """The interval is theirs, at most what we want and at least what they need; so is the choice of who refreshes."""
    timer, fields = answer(headers)
    assert fields == {"Session-Expires": said, "Require": "timer"}
    assert timer.is_refresher is is_refresher


def test_caller_who_does_not_know_it() -> None:
    """A proxy may ask in its stead: then it is we who refresh. Nobody asks: no timer."""
    timer, fields = answer("Session-Expires: 600\r\n")
    assert fields == {"Session-Expires": "600;refresher=uas"}
    assert timer.is_refresher
    timer, fields = answer("Session-Expires: 30\r\n")
    assert fields == {"Session-Expires": "90;refresher=uas"}
    timer, fields = answer("")
    assert (fields, timer.is_running, timer.next_wake) == ({}, False, NEVER)


def test_too_short_an_interval() -> None:
    """422 with ours, for who knows it only (section 9)."""
    short = "Session-Expires: 89\r\n"
    assert objection(request("INVITE", headers=KNOWS + short)) == Reply(422, (("Min-SE", "90"),))
    assert objection(request("INVITE", headers=short)) is None
    assert objection(request("INVITE", headers=KNOWS + "Session-Expires: 90\r\n")) is None
    assert objection(request("INVITE", headers=KNOWS)) is None


@pytest.mark.parametrize("value", ["", "x", "-1", "99999999999"])
def test_interval_that_can_not_be_read(value: str) -> None:
    """A bad request."""
    with pytest.raises(MessageError):
        objection(request("INVITE", headers=f"Session-Expires: {value}\r\n"))


def test_we_refresh_at_half_the_time() -> None:
    """Once; a refresh that came to nothing is tried again, until the end."""
    timer, _ = answer(KNOWS + "Session-Expires: 90;refresher=uas\r\n")
    assert timer.next_wake == 45.0
    assert timer.due(44.9) is Due.NOTHING
    assert timer.due(45.0) is Due.REFRESH
    assert timer.due(45.1) is Due.NOTHING
    timer.postpone(46.0)
    assert timer.next_wake == 56.0
    assert timer.due(56.0) is Due.REFRESH
    assert timer.next_wake == 60.0
    assert timer.due(60.0) is Due.END
    assert timer.due(60.1) is Due.NOTHING


@pytest.mark.parametrize(("seconds", "end"), [(90, 60.0), (1800, 1768.0)])
def test_they_refresh_or_it_ends(seconds: int, end: float) -> None:
    """A third of the interval, at most 32 s, before it runs out (section 10)."""
    timer, _ = answer(KNOWS + f"Session-Expires: {seconds}\r\n")
    assert timer.next_wake == end
    timer.postpone(1.0)
    assert timer.due(end - 0.1) is Due.NOTHING
    timer.answer(request("UPDATE", headers=KNOWS + f"Session-Expires: {seconds}\r\n"), 50.0)
    assert timer.next_wake == end + 50.0
    assert timer.due(end + 50.0) is Due.END


def test_a_refresh_may_change_roles_or_stop_the_timer() -> None:
    """Each request decides anew (section 7.4)."""
    timer, _ = answer(KNOWS + "Session-Expires: 90\r\n")
    timer.answer(request("UPDATE", headers=KNOWS + "Session-Expires: 90;refresher=uas\r\n"), 1.0)
    assert timer.is_refresher
    timer.answer(request("UPDATE"), 2.0)
    assert not timer.is_running


def test_our_first_request() -> None:
    """Asks for what we want and leaves open who refreshes; the answer decides (sections 7.1 and 7.2)."""
    for value, is_refresher in (
        ("600;refresher=uac", True),
        ("600;refresher=uas", False),
        ("600", True),
    ):
        timer = SessionTimer(1800)
        assert timer.request_fields() == (("Session-Expires", "1800"),)
        assert not timer.take(ok(f"Session-Expires: {value}\r\n"), 0.0)
        assert (timer.is_running, timer.is_refresher) == (True, is_refresher)
    timer.take(ok(), 1.0)
    assert not timer.is_running


def test_our_later_requests_keep_the_roles() -> None:
    """In a request of ours we are the UAC."""
    timer, _ = answer(KNOWS + "Session-Expires: 90\r\n")
    assert timer.request_fields() == (("Session-Expires", "90;refresher=uas"),)
    timer, _ = answer(KNOWS + "Session-Expires: 90;refresher=uas\r\n")
    assert timer.request_fields() == (("Session-Expires", "90;refresher=uac"),)
    timer.take(ok("Session-Expires: 90;refresher=uac\r\n"), 45.0)
    assert timer.next_wake == 90.0


def test_interval_too_short_for_them() -> None:
    """422 is heeded once (section 7.3)."""
    timer = SessionTimer(1800)
    refused = response(request("INVITE"), 422, "Too Small", "Min-SE: 3600\r\n")
    assert timer.take(refused, 0.0)
    assert timer.request_fields() == (("Session-Expires", "3600"), ("Min-SE", "3600"))
    assert not timer.take(refused, 1.0)


def test_other_failures_leave_the_timer() -> None:
    """It goes on to its end."""
    timer, _ = answer(KNOWS + "Session-Expires: 90;refresher=uas\r\n")
    assert not timer.take(response(request("UPDATE"), 500), 45.0)
    assert timer.due(60.0) is Due.END
