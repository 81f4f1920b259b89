"""The lab's PBX against a telephone that is nothing but a socket and a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from raw_phone import WAIT_SECONDS, RawPhone

from softagent.errors import PortInUse
from softagent.lab.outgoing import CallFailed, CallPhase, LabCall
from softagent.lab.pbx import LabPbx
from softagent.lab.sdpwire import offer
from softagent.lab.sipwire import Request, answer_challenge, cseq

MEDIA = ("127.0.0.1", 26000)


@pytest.fixture
def pbx() -> Iterator[LabPbx]:
    pbx = LabPbx({"100": "secret100"}, grant_seconds=40)
    pbx.start()
    yield pbx
    pbx.stop()


@pytest.fixture
def phone(pbx: LabPbx) -> Iterator[RawPhone]:
    phone = RawPhone(pbx.address)
    yield phone
    phone.close()


def place_call(pbx: LabPbx, phone: RawPhone) -> tuple[LabCall, Request]:
    assert phone.register().status == 200
    call = pbx.call("100", media=MEDIA)
    return call, phone.receive_request("INVITE")


def answer(phone: RawPhone, invite: Request) -> None:
    phone.respond(invite, 200, "OK", body=offer("127.0.0.1", 26002, codecs=("PCMA",), session=1))


def test_a_registration_is_granted_the_shorter_time(pbx: LabPbx, phone: RawPhone) -> None:
    """60 s asked, 40 s allowed: 40 s granted, and the user can be reached."""
    response = phone.register(expires=60)
    assert response.status == 200
    assert response.headers.first("Expires") == "40"
    assert pbx.wait_registered("100", 0.0)


def test_an_expiry_of_zero_removes_the_registration(pbx: LabPbx, phone: RawPhone) -> None:
    """Un-registering is a registration for no time."""
    phone.register()
    response = phone.register(expires=0)
    assert response.status == 200
    assert response.headers.first("Contact") == ""
    assert not pbx.is_registered("100")


@pytest.mark.parametrize(("user", "password"), [("100", "wrong"), ("999", "secret100")])
def test_wrong_credentials_are_forbidden(
    pbx: LabPbx, phone: RawPhone, user: str, password: str
) -> None:
    """A wrong password and an unknown user get 403."""
    assert phone.register(user=user, password=password).status == 403
    assert not pbx.is_registered("100")


def test_a_used_nonce_is_stale(phone: RawPhone) -> None:
    """The same digest a second time is challenged again, marked stale (RFC 2617 3.3)."""
    fields = (("Contact", phone.contact), ("Expires", "60"))
    phone.send(phone.request("REGISTER", *fields))
    challenge = phone.receive_response().headers.first("WWW-Authenticate")
    digest = answer_challenge(
        challenge, user="100", password="secret100", method="REGISTER", uri="sip:lab"
    )
    for expected in (200, 401):
        phone.send(phone.request("REGISTER", *fields, ("Authorization", digest)))
        response = phone.receive_response()
        assert response.status == expected
    assert "stale=true" in response.headers.first("WWW-Authenticate")


def test_a_repeated_request_gets_the_same_response(phone: RawPhone) -> None:
    """A retransmitted REGISTER isn't challenged with a new nonce (RFC 3261 17.2.2)."""
    request = phone.request("REGISTER", ("Contact", phone.contact))
    phone.send(request)
    phone.send(request)
    assert phone.receive() == phone.receive()


def test_options_are_answered(phone: RawPhone) -> None:
    """OPTIONS gets 200 with the methods allowed."""
    phone.send(phone.request("OPTIONS"))
    response = phone.receive_response()
    assert response.status == 200
    assert "INVITE" in response.headers.first("Allow")


def test_noise_on_the_port_harms_nothing(phone: RawPhone) -> None:
    """Datagrams that are not SIP are ignored."""
    for noise in (b"", b"\r\n\r\n", b"\x80\x00", b"BYE"):
        phone.send_datagram(noise)
    phone.send(phone.request("OPTIONS"))
    assert phone.receive_response().status == 200


def test_a_call_is_answered_and_hung_up_by_the_lab(pbx: LabPbx, phone: RawPhone) -> None:
    """INVITE, 180, 200, ACK; then BYE in the dialog, to the contact."""
    call, invite = place_call(pbx, phone)
    assert b"m=audio 26000 RTP/AVP 0 8 101" in invite.body
    phone.respond(invite, 180, "Ringing")
    answer(phone, invite)
    media = call.wait_answered(WAIT_SECONDS)
    assert (media.port, media.codec) == (26002, "PCMA")
    ack = phone.receive_request("ACK")
    assert cseq(ack.headers)[0] == cseq(invite.headers)[0]
    call.hang_up()
    bye = phone.receive_request("BYE")
    assert bye.uri == phone.contact.strip("<>")
    assert bye.headers.first("To").endswith(";tag=phone")
    assert not call.wait_ended(0.0)
    phone.respond(bye, 200, "OK", dialog=False)
    assert call.wait_ended(WAIT_SECONDS)
    assert call.phase is CallPhase.ENDED_BY_CALLER


def test_a_repeated_200_is_acknowledged_again(pbx: LabPbx, phone: RawPhone) -> None:
    """When the ACK was lost, the next 200 brings another (RFC 3261 13.2.2.4)."""
    call, invite = place_call(pbx, phone)
    for _ in range(2):
        answer(phone, invite)
        phone.receive_request("ACK")
    assert call.phase is CallPhase.UP


def test_the_far_end_hangs_up(pbx: LabPbx, phone: RawPhone) -> None:
    """BYE is answered and ends the call; hanging up afterwards sends nothing."""
    call, invite = place_call(pbx, phone)
    answer(phone, invite)
    phone.receive_request("ACK")
    phone.hang_up(invite)
    assert phone.receive_response().status == 200
    assert call.wait_ended(WAIT_SECONDS)
    assert call.phase is CallPhase.ENDED_BY_AGENT
    call.hang_up()
    phone.send(phone.request("OPTIONS"))
    assert phone.receive_response().headers.first("CSeq").endswith("OPTIONS")


def test_a_refused_call_is_acknowledged_and_reported(pbx: LabPbx, phone: RawPhone) -> None:
    """486: ACK of the same branch, and CallFailed with the status."""
    call, invite = place_call(pbx, phone)
    phone.respond(invite, 486, "Busy Here")
    ack = phone.receive_request("ACK")
    assert ack.headers.first("Via") == invite.headers.first("Via")
    with pytest.raises(CallFailed, match="486 Busy Here") as failure:
        call.wait_answered(WAIT_SECONDS)
    assert failure.value.status == 486


def test_a_ringing_call_can_be_cancelled(pbx: LabPbx, phone: RawPhone) -> None:
    """CANCEL of the INVITE's branch; the 487 is acknowledged."""
    call, invite = place_call(pbx, phone)
    call.hang_up()  # before any response: has to wait for the first (RFC 3261 9.1)
    phone.respond(invite, 180, "Ringing")
    cancel = phone.receive_request("CANCEL")
    assert cancel.headers.first("Via") == invite.headers.first("Via")
    phone.respond(cancel, 200, "OK")
    phone.respond(invite, 487, "Request Terminated")
    phone.receive_request("ACK")
    assert call.wait_ended(WAIT_SECONDS)


def test_an_answer_that_crosses_the_cancel_is_hung_up(pbx: LabPbx, phone: RawPhone) -> None:
    """200 although cancelled: ACK, then BYE (RFC 3261 9.1)."""
    call, invite = place_call(pbx, phone)
    call.hang_up()
    answer(phone, invite)
    phone.receive_request("ACK")
    phone.receive_request("BYE")


def test_an_answer_without_audio_fails_the_call(pbx: LabPbx, phone: RawPhone) -> None:
    """A 200 without SDP is acknowledged, ended with BYE and reported."""
    call, invite = place_call(pbx, phone)
    phone.respond(invite, 200, "OK")
    phone.receive_request("ACK")
    phone.receive_request("BYE")
    with pytest.raises(CallFailed, match="no audio stream"):
        call.wait_answered(WAIT_SECONDS)


def test_an_unregistered_user_cannot_be_called(pbx: LabPbx) -> None:
    """404, without a packet."""
    with pytest.raises(CallFailed, match="100 is not registered"):
        pbx.call("100", media=MEDIA)


def test_a_taken_port_is_named(pbx: LabPbx) -> None:
    """PortInUse says which port."""
    with pytest.raises(PortInUse, match=str(pbx.address[1])):
        LabPbx({}, port=pbx.address[1])
