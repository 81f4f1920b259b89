"""Which target a call goes to after a 3xx."""

from __future__ import annotations

import pytest
from wire import request, response

from softagent.sip.address import Uri
from softagent.sip.hop import Hop
from softagent.sip.redirect import MOST_TARGETS, Redirections

PBX = Hop("192.0.2.1", 5060)
INVITE = request("INVITE")


@pytest.fixture
def redirections() -> Redirections:
    return Redirections(Uri.parse("sip:1003@pbx.example"), PBX)


def moved(*contacts: str) -> object:
    fields = "".join(f"Contact: {contact}\r\n" for contact in contacts)
    return response(INVITE, 302, headers=fields)


def test_best_contact_first(redirections: Redirections) -> None:
    """By q, one without it before all; what isn't SIP or can't be read is passed over."""
    contacts = ("<sip:b@pbx.example>;q=0.2", "<tel:1>", "nonsense", "<sip:a@pbx.example>;q=soon")
    assert redirections.follow(moved(*contacts))
    assert redirections.current == (Uri.parse("sip:a@pbx.example"), PBX)
    assert redirections.follow(response(INVITE, 404))
    assert redirections.current[0].user == "b"
    assert not redirections.follow(response(INVITE, 404))


@pytest.mark.parametrize("status", [305, 380, 404, 486])
def test_other_refusals_lead_nowhere(redirections: Redirections, status: int) -> None:
    """A call that wasn't redirected ends with its refusal; 305 and 380 are left to people."""
    answer = response(INVITE, status, headers="Contact: <sip:a@pbx.example>\r\n")
    assert not redirections.follow(answer)


def test_refusal_by_everyone_ends_it(redirections: Redirections) -> None:
    """6xx speaks for all of them (section 21.6)."""
    assert redirections.follow(moved("<sip:a@pbx.example>", "<sip:b@pbx.example>"))
    assert not redirections.follow(response(INVITE, 603))


def test_address_in_the_contact_is_gone_to(redirections: Redirections) -> None:
    """A host name and the PBX's own address lead to the PBX, another number to where it says."""
    for contact, hop in (
        ("<sip:a@192.0.2.9:5070>", Hop("192.0.2.9", 5070)),
        ("<sip:a@192.0.2.1:5099>", PBX),
        ("<sip:a@other.example>", PBX),
    ):
        assert redirections.follow(moved(contact))
        assert redirections.current[1] == hop


def test_endless_chain_is_cut(redirections: Redirections) -> None:
    """However many names a loop has."""
    hops = 0
    while redirections.follow(moved(f"<sip:{hops}@pbx.example>")):
        hops += 1
    assert hops == MOST_TARGETS - 1
