"""Dialogs: targets, routes, sequence numbers, and who calls."""

from __future__ import annotations

import pytest
from wire import request

from softagent.sip.dialog import Dialog, caller_of
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.phone import Caller

SOURCE = Hop("192.0.2.7", 5062)


def dialog(headers: str = "") -> Dialog:
    return Dialog.taken(request("INVITE", headers=headers), SOURCE, "us")


def test_bye_goes_to_the_contact() -> None:
    """Without a route: request URI and next hop are the Contact's, From and To changed places."""
    ours = dialog()
    bye = ours.request("BYE")
    assert bye.uri == "sip:1003@127.0.0.1:5198"
    assert ours.next_hop == Hop("127.0.0.1", 5198)
    assert (bye.sender.tag, bye.recipient.tag) == ("us", "peer")
    assert bye.recipient.display_name == "Caller"
    assert (bye.cseq.number, ours.request("BYE").cseq.number) == (1, 2)


def test_loose_routes() -> None:
    """The recorded route in its order for the side that was called (section 12.1.1)."""
    ours = dialog("Record-Route: <sip:192.0.2.1:5070;lr>, <sip:192.0.2.2;lr>\r\n")
    bye = ours.request("BYE")
    assert bye.uri == "sip:1003@127.0.0.1:5198"
    assert bye.headers.values("Route") == ("<sip:192.0.2.1:5070;lr>", "<sip:192.0.2.2;lr>")
    assert ours.next_hop == Hop("192.0.2.1", 5070)


def test_strict_router() -> None:
    """A router without lr takes the first line for itself (section 12.2.1.1)."""
    ours = dialog("Record-Route: <sip:192.0.2.1>, <sip:192.0.2.2;lr>\r\n")
    bye = ours.request("BYE")
    assert bye.uri == "sip:192.0.2.1"
    assert bye.headers.values("Route") == ("<sip:192.0.2.2;lr>", "<sip:1003@127.0.0.1:5198>")


def test_host_name_in_the_route_falls_back_to_the_source() -> None:
    """Which stands in for it until it is looked up: the INVITE's sender knows the way."""
    hop = dialog("Record-Route: <sip:proxy.lan;lr>\r\n").next_hop
    assert hop == SOURCE
    assert str(hop.stands_for) == "sip:proxy.lan;lr"


def test_matches_by_call_and_both_tags() -> None:
    """Anything else is another dialog."""
    ours = dialog()
    assert ours.matches(request("BYE", to_tag="us"))
    assert not ours.matches(request("BYE", to_tag="other"))
    assert not ours.matches(request("BYE", to_tag="us", from_tag="other"))
    assert not ours.matches(request("BYE", to_tag="us", call="call-2"))


def test_late_requests_are_out_of_order() -> None:
    """The sequence number only goes up; ACK repeats its INVITE's (section 12.2.2)."""
    ours = dialog()
    assert ours.accept(request("INFO", sequence=5))
    assert not ours.accept(request("INFO", sequence=4))
    assert ours.accept(request("ACK", sequence=1))
    assert ours.accept(request("BYE", sequence=6))


def test_target_is_refreshed() -> None:
    """A re-INVITE's Contact is where the BYE goes."""
    ours = dialog()
    ours.refresh_target(request("INVITE", sent_by="192.0.2.9:5090", sequence=2))
    assert ours.request("BYE").uri == "sip:1003@192.0.2.9:5090"


def test_bad_record_route() -> None:
    """A dialog that couldn't be ended isn't begun."""
    with pytest.raises(MessageError):
        dialog("Record-Route: <proxy>\r\n")


@pytest.mark.parametrize(
    ("headers", "caller"),
    [
        ("", Caller("1003", "Caller")),
        ('P-Asserted-Identity: "Ann" <sip:%2B4930@pbx>\r\n', Caller("+4930", "Ann")),
        ("P-Asserted-Identity: <tel:+4930123>\r\n", Caller("+4930123")),
        ("P-Asserted-Identity: nonsense\r\n", Caller("1003", "Caller")),
    ],
)
def test_caller(headers: str, caller: Caller) -> None:
    """The PBX's word before the caller's own."""
    assert caller_of(request("INVITE", headers=headers)) == caller
