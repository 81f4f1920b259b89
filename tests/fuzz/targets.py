"""What is fuzzed: each takes any bytes, and raises nothing if all is well.

The property tests call these, and so does the coverage-guided `scripts/fuzz`.
"""

from __future__ import annotations

import contextlib

from softagent.config import AccessSettings
from softagent.media.description import MediaDescription
from softagent.media.receiver import RtpReceiver
from softagent.sip import sdp
from softagent.sip.address import Uri
from softagent.sip.admission import Admission
from softagent.sip.dialog import Dialog, caller_of
from softagent.sip.digest import Challenge
from softagent.sip.errors import DescriptionError, MessageError
from softagent.sip.hop import Hop
from softagent.sip.message import BadRequest, Request, Response, parse
from softagent.sip.response import respond, stateless_tag
from softagent.sip.transaction import ServerTransaction, server_key
from softagent.sip.uas import reply_outside_dialog, standing_reply

SOURCE = Hop("192.0.2.1", 5060)
ADDRESSES = ("Contact", "Route", "Record-Route", "P-Asserted-Identity", "Refer-To", "Referred-By")


def sip(data: bytes) -> None:
    """The parser, and all that is read of a message before a call has anything to do with it."""
    try:
        message = parse(data)
    except BadRequest as bad:
        _respond(bad.request, bad.status)
        return
    except MessageError:
        return
    assert message.via.transport
    _ = (message.cseq, message.call_id, message.sender.tag, message.recipient.tag)
    for name in ADDRESSES:
        with contextlib.suppress(MessageError):
            for address in message.addresses(name):
                assert Uri.parse(str(address.uri)) == address.uri
    if isinstance(message, Request):
        _request(message)
    else:
        _response(message)


def _request(request: Request) -> None:
    server_key(request, request.method)
    standing_reply(request, language="en")
    reply_outside_dialog(request)
    caller_of(request)
    admission = Admission(AccessSettings(), is_known=lambda request: False)
    admission.of_source(request, SOURCE.host, 0.0)
    _respond(request, 200)
    with contextlib.suppress(MessageError):
        dialog = Dialog(request, SOURCE, "tag")
        dialog.refresh_target(request)
        assert isinstance(parse(_with_via(dialog.request("BYE").serialize())), Request)
        assert dialog.next_hop.host


def _with_via(data: bytes) -> bytes:
    first, end, rest = data.partition(b"\r\n")
    return first + end + b"Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\n" + rest


def _respond(request: Request, status: int) -> None:
    """Any request can be answered, and nobody gets more back than he sent and some."""
    assert request.method != "ACK" or status == 200
    assert ServerTransaction(request, SOURCE).destination.host == SOURCE.host
    response = respond(request, status, source=SOURCE, tag=stateless_tag(request)).serialize()
    assert response.startswith(b"SIP/2.0 %d " % status)
    assert response.count(b"\r\n\r\n") == 1
    assert b"\r" not in response.replace(b"\r\n", b"")


def _response(response: Response) -> None:
    assert 100 <= response.status <= 699
    for name in ("WWW-Authenticate", "Proxy-Authenticate"):
        for value in response.headers.values(name):
            with contextlib.suppress(MessageError):
                Challenge.parse(value, is_proxy=False)


def description(data: bytes) -> None:
    """An offer: read, agreed on, answered, and the answer read again."""
    try:
        offer = sdp.parse(data)
    except DescriptionError:
        return
    agreed = sdp.agree(offer, ("G722", "PCMU", "PCMA"), source_host=SOURCE.host)
    if agreed is None:
        return
    answer = sdp.answer(offer, agreed, host="192.0.2.2", port=20000, session="1 1")
    again = sdp.parse(answer)
    assert len(again.media) == len(offer.media)
    assert 0 < agreed.port < 65536
    assert [media.port != 0 for media in again.media].count(True) == 1


MEDIA = MediaDescription(
    codec="PCMU",
    payload_type=0,
    remote_host=SOURCE.host,
    remote_port=4000,
    local_host="192.0.2.2",
    local_port=20000,
    event_payload_type=101,
)


class RtpTarget:
    """A receiver in the middle of a call, that hears packet after packet."""

    def __init__(self) -> None:
        self.receiver = RtpReceiver(MEDIA, rate_hz=8000)
        self.heard = 0

    def push(self, data: bytes) -> None:
        self.heard += 1
        receiver = self.receiver
        receiver.push(data, source=(SOURCE.host, 4000), arrival_seconds=self.heard * 0.02)
        sound, keys = receiver.pop()
        assert len(sound) == 160
        assert len(keys) <= 1
        counted = receiver.packets + receiver.malformed + receiver.foreign + receiver.unknown_type
        assert counted == self.heard
        for block in receiver.report():
            assert bytes(block)


def rtp(data: bytes) -> None:
    """One packet of any kind between two good ones."""
    target = RtpTarget()
    target.push(_good(1))
    target.push(data)
    target.push(_good(2))


def _good(number: int) -> bytes:
    head = bytes((0x80, 0)) + number.to_bytes(2, "big") + (number * 160).to_bytes(4, "big")
    return head + b"\0\0\x12\x34" + b"\xff" * 160
