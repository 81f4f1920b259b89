"""Responses: what is copied, what is added, where they go."""

from __future__ import annotations

import pytest
from wire import request

from softagent.sip.hop import Hop
from softagent.sip.response import destination, reason_phrase, respond

SOURCE = Hop("192.0.2.7", 40000)


def test_via_says_where_the_request_came_from() -> None:
    """received and rport are filled in (RFC 3581 section 4), and later hops left alone."""
    second = "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK0\r\n"
    response = respond(request("OPTIONS", headers=second), 200, source=SOURCE, tag="us")
    first, other = response.headers.values("Via")
    assert first.endswith(";branch=z9hG4bK1;rport=40000;received=192.0.2.7")
    assert other == "SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK0"


def test_goes_to_the_source_port_with_rport() -> None:
    """With rport: back through the NAT the request came from."""
    assert destination(request("OPTIONS"), SOURCE) == SOURCE


@pytest.mark.parametrize(("sent_by", "port"), [("10.0.0.1:5070", 5070), ("10.0.0.1", 5060)])
def test_goes_to_the_port_in_via_without_rport(sent_by: str, port: int) -> None:
    """Without rport: to the source address and the port that Via names (RFC 3261 section 18.2.2)."""
    asked = request("OPTIONS", sent_by=sent_by)
    fields = tuple((name, value.replace(";rport", "")) for name, value in asked.headers)
    plain = type(asked)(asked.method, asked.uri, type(asked.headers)(fields))
    assert destination(plain, SOURCE) == Hop("192.0.2.7", port)
    received = respond(plain, 200, source=SOURCE).via
    assert received.parameter("received") == "192.0.2.7"
    assert received.parameter("rport") is None


def test_to_gets_our_tag_only_once() -> None:
    """A request in a dialog has our tag already."""
    assert respond(request("OPTIONS"), 200, source=SOURCE, tag="us").recipient.tag == "us"
    inside = request("OPTIONS", to_tag="old")
    assert respond(inside, 200, source=SOURCE, tag="new").recipient.tag == "old"


def test_record_route_is_copied_where_a_dialog_begins() -> None:
    """The proxies that want to stay in the path get all that follows (section 12.1.1)."""
    routes = "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n"
    invite = request("INVITE", headers=routes)
    ringing = respond(invite, 180, source=SOURCE, tag="us")
    assert ringing.headers.values("Record-Route") == ("<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>")
    assert not respond(invite, 486, source=SOURCE).headers.values("Record-Route")


def test_reason_phrases() -> None:
    """SIP's own words, HTTP's where they are the same, and something for the rest."""
    assert reason_phrase(486) == "Busy Here"
    assert reason_phrase(405) == "Method Not Allowed"
    assert reason_phrase(699) == "Unknown"
