"""What is fuzzed: each takes any bytes, and raises nothing if all is well.

The property tests call these, and so does the coverage-guided `scripts/fuzz`.
"""

from __future__ import annotations

import contextlib

from softagent.config import AccessSettings
from softagent.media.description import MediaDescription
from softagent.media.receiver import RtpReceiver
from softagent.media.reports import ReportExchange
from softagent.media.rtcp import parse_compound
from softagent.media.sender import RtpSender
from softagent.sip import sdp
from softagent.sip.address import Uri
from softagent.sip.admission import Admission
from softagent.sip.agreement import Abilities
from softagent.sip.body import parts
from softagent.sip.dialog import Dialog, caller_of
from softagent.sip.digest import Challenge
from softagent.sip.errors import DescriptionError, MessageError, NotAcceptable
from softagent.sip.hop import Hop
from softagent.sip.message import BadRequest, Request, Response, parse
from softagent.sip.negotiation import Negotiation
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


def _never(request: Request) -> bool:
    return False


def _request(request: Request) -> None:
    server_key(request, request.method)
    standing_reply(request)
    reply_outside_dialog(request)
    parts(request)
    caller_of(request)
    admission = Admission(AccessSettings(), is_known=_never, is_repeated=_never)
    admission.of_source(request, SOURCE.host, 0.0)
    _respond(request, 200)
    with contextlib.suppress(MessageError):
        dialog = Dialog.taken(request, SOURCE, "tag")
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
    """An offer, an answer to ours, and an offer again: read, agreed on, answered."""
    for family, host in (("IP4", "192.0.2.2"), ("IP6", "2001:db8::2")):
        for srtp in ("off", "preferred", "required"):
            abilities = Abilities(("G722", "PCMU", "PCMA"), family, srtp)
            _offered(data, Negotiation(abilities, host=host, source_host=SOURCE.host))
            _answering(data, Negotiation(abilities, host=host, source_host=SOURCE.host))


def _offered(data: bytes, negotiation: Negotiation) -> None:
    """Every line of the offer is answered in its place, one of them taken; all ours can be offered again."""
    with contextlib.suppress(DescriptionError, NotAcceptable):
        negotiation.receive_offer(data)
        negotiation.open(20000)
        answer = sdp.parse(negotiation.answer())
        assert len(answer.media) == len(sdp.parse(data).media)
        assert [media.port for media in answer.media if media.port] == [20000]
        _ = sdp.parse(negotiation.offer())
        assert 0 <= negotiation.media.remote_port < 65536
        assert 10 <= negotiation.media.ptime_ms <= 60


def _answering(data: bytes, negotiation: Negotiation) -> None:
    """What can't be an answer to ours leaves the media as they were."""
    negotiation.open(20000)
    negotiation.expect()
    negotiation.offer()
    before = negotiation.media
    try:
        negotiation.receive_answer(data)
    except (DescriptionError, NotAcceptable):
        assert negotiation.media == before


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


class RtcpTarget:
    """The exchange of reports in the middle of a call."""

    def __init__(self) -> None:
        sender = RtpSender(payload_type=0, ssrc=0x1234)
        sender.packet(bytes(160), duration=160)
        self.exchange = ReportExchange(sender, 8000)
        self.heard = 0

    def push(self, data: bytes) -> None:
        self.heard += 1
        seconds = 1_700_000_000.0 + self.heard
        source = (SOURCE.host, 4001)
        self.exchange.push(
            data, source=source, is_known=True, arrival_seconds=seconds, is_at_report_port=True
        )
        assert parse_compound(self.exchange.report([], unix_seconds=seconds))
        assert self.exchange.destination(MEDIA, (SOURCE.host, 4000)) == source
        assert 0 <= (self.exchange.round_trip_ms or 0.0) <= 10_000
        if self.exchange.far_end is not None:
            assert 0 <= self.exchange.far_end.loss_percent <= 100
        assert len(self.exchange._heard) <= 1


def rtcp(data: bytes) -> None:
    """A compound, twice."""
    target = RtcpTarget()
    target.push(data)
    target.push(data)


def _good(number: int) -> bytes:
    head = bytes((0x80, 0)) + number.to_bytes(2, "big") + (number * 160).to_bytes(4, "big")
    return head + b"\0\0\x12\x34" + b"\xff" * 160
