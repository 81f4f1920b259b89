"""Transfers at the lab's PBX, as a telephone that is nothing but a socket sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from raw_phone import RawPhone

from softagent.lab.colleagues import Colleague, Referral
from softagent.lab.pbx import LabPbx
from softagent.lab.sdpwire import offer, parse_answer
from softagent.lab.sipwire import Headers, Request, Response, new_branch

COLLEAGUES = {"201": Colleague.ANSWERS, "202": Colleague.BUSY, "203": Colleague.REFUSES}


@pytest.fixture
def pbx() -> Iterator[LabPbx]:
    pbx = LabPbx({"100": "secret100"}, colleagues=COLLEAGUES)
    pbx.start()
    yield pbx
    pbx.stop()


@pytest.fixture
def phone(pbx: LabPbx) -> Iterator[RawPhone]:
    phone = RawPhone(pbx.address)
    phone.register()
    yield phone
    phone.close()


def talk(pbx: LabPbx, phone: RawPhone) -> Request:
    """A call of the PBX's that the telephone has answered; its INVITE."""
    pbx.call("100", media=("127.0.0.1", 26000))
    invite = phone.receive_request("INVITE")
    phone.respond(invite, 200, "OK", body=offer("127.0.0.1", 26002, codecs=("PCMU",), session=1))
    phone.receive_request("ACK")
    return invite


def refer(phone: RawPhone, invite: Request, to: str) -> None:
    headers = Headers(
        (
            ("Via", f"SIP/2.0/UDP 127.0.0.1;branch={new_branch()}"),
            ("From", invite.headers.first("To") + ";tag=phone"),
            ("To", invite.headers.first("From")),
            ("Call-ID", invite.headers.first("Call-ID")),
            ("CSeq", "7 REFER"),
            ("Refer-To", f"<{to}>"),
        )
    )
    phone.send(Request("REFER", "sip:lab", headers))


def notifications(phone: RawPhone) -> list[str]:
    """The status lines told, after the 202, in order of their numbers."""
    told: dict[str, str] = {}
    while len(told) < 2:
        message = phone.receive()
        if isinstance(message, Response):
            assert message.status == 202
            continue
        assert message.method == "NOTIFY"
        assert message.headers.first("Event") == "refer;id=7"
        phone.respond(message, 200, "OK", dialog=False)
        told[message.headers.first("CSeq")] = message.body.decode().strip()
    return [told[number] for number in sorted(told)]


@pytest.mark.parametrize(
    ("extension", "end", "status"),
    [
        ("201", "SIP/2.0 200 OK", 200),
        ("202", "SIP/2.0 486 Busy Here", 486),
        ("203", "SIP/2.0 603 Decline", 603),
        ("999", "SIP/2.0 404 Not Found", 404),
    ],
)
def test_a_blind_transfer_is_told_of_to_its_end(
    pbx: LabPbx, phone: RawPhone, extension: str, end: str, status: int
) -> None:
    """202, then "100 Trying", then what became of it; and it is on record."""
    invite = talk(pbx, phone)
    refer(phone, invite, f"sip:{extension}@lab")
    assert notifications(phone) == ["SIP/2.0 100 Trying", end]
    assert pbx.colleagues.referrals == (Referral(extension, False, status),)


def call_colleague(phone: RawPhone, extension: str) -> Response:
    request = phone.request("INVITE", ("Contact", phone.contact))
    body = offer("127.0.0.1", 26004, codecs=("PCMU",), session=2)
    phone.send(replace(request, uri=f"sip:{extension}@lab", body=body))
    return phone.receive_response()


def test_a_colleague_answers_a_call_of_the_agents(pbx: LabPbx, phone: RawPhone) -> None:
    """200 with a place for the sound; BYE is answered; a transfer joins the caller with the call."""
    response = call_colleague(phone, "201")
    assert response.status == 200
    assert parse_answer(response.body).codec == "PCMU"
    invite = talk(pbx, phone)
    refer(phone, invite, "sip:201@127.0.0.1?Replaces=abc%3Bto-tag%3Dx%3Bfrom-tag%3Dy")
    assert notifications(phone)[-1] == "SIP/2.0 200 OK"
    assert pbx.colleagues.dialled == ("201",)
    assert pbx.colleagues.referrals == (Referral("201", True, 200),)
    bye = phone.request("BYE")
    phone.send(bye)
    assert phone.receive_response().status == 200


def test_a_busy_colleague_is_busy(pbx: LabPbx, phone: RawPhone) -> None:
    """486, and the attempt is on record."""
    assert call_colleague(phone, "202").status == 486
    assert pbx.colleagues.dialled == ("202",)


def test_nobody_has_that_number(pbx: LabPbx, phone: RawPhone) -> None:
    """404; still on record, as an agent that dials what it mustn't has to be found out."""
    assert call_colleague(phone, "0900123").status == 404
    assert pbx.colleagues.dialled == ("0900123",)
