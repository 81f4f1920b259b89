"""pyVoIP 1.6.8 as the user agent: its phone, call, client and message classes on our signalling.

    Line -> RepairedClient.parse_message -> PyVoipPhone.callback -> RepairedCall -> Session

This is the only module that imports pyVoIP. Each class says what it mends in its parent;
nothing outside these classes is changed.
"""

from __future__ import annotations

import functools
import logging
import secrets
import time
from collections.abc import Callable

from pyVoIP.VoIP.status import PhoneStatus
from pyVoIP.VoIP.VoIP import SIP, CallState, NoPortsAvailableError, VoIPCall, VoIPPhone

from softagent.config import Account
from softagent.errors import SoftagentError
from softagent.sip.address import NameAddress, Uri
from softagent.sip.control import IncomingControl, SessionControl
from softagent.sip.incoming import IncomingSession, Invitation
from softagent.sip.line import Line
from softagent.sip.message import VERSION, Request
from softagent.sip.outgoing import OutgoingSession
from softagent.sip.pacing import Pacing, pacing_of
from softagent.sip.phone import (
    CallEnd,
    IncomingCall,
    OnResult,
    Registration,
    RegistrationState,
)
from softagent.sip.ports import RtpPorts
from softagent.sip.repetition import RFC_TIMING, Timing
from softagent.sip.switchboard import Switchboard
from softagent.sip.telephone import Telephone
from softagent.sip.transaction import ServerTransaction
from softagent.sip.uas import standing_reply

log = logging.getLogger("softagent.sip")

PORT_WAIT_SECONDS = 5
"""After which to call again when there was no RTP port."""


class RepairedMessage(SIP.SIPMessage):  # type: ignore[misc] # pyVoIP carries no types
    """pyVoIP's message, filled from our parser.

    pyVoIP's own raises on compact or lower-case names, on any method but INVITE, ACK, BYE
    and CANCEL, on statuses it doesn't list, on parameters before the tag (RFC 3261
    sections 7.3 and 20), and on most session descriptions.
    """

    transaction: ServerTransaction
    """Of a request to us only."""

    def __init__(self, request: Request) -> None:
        self.request = request
        super().__init__(request.serialize())

    @classmethod
    def received(cls, transaction: ServerTransaction) -> RepairedMessage:
        message = cls(transaction.request)
        message.transaction = transaction
        return message

    def parse(self, data: bytes) -> None:
        request = self.request
        self.heading = f"{request.method} {request.uri} {VERSION}".encode("utf-8", "replace")
        self.type = SIP.SIPMessageType.MESSAGE
        self.version, self.method = VERSION, request.method
        self.headers |= dict(reversed(request.headers.fields))  # the first of a name counts
        self.headers["Via"] = list(request.headers.values("Via"))
        self.headers["From"] = _party(request.sender)
        self.headers["To"] = _party(request.recipient)
        self.headers["CSeq"] = {"check": str(request.cseq.number), "method": request.method}

    @property
    def call_id(self) -> str:
        return self.request.call_id

    def invite(self, invitation: Invitation) -> None:
        """Put what we take of the offer where pyVoIP's call looks for it."""
        self.invitation = invitation
        media = invitation.negotiation.media
        self.body = {
            "c": [{"address": media.remote_host, "address_count": 1}],
            "m": [{"type": "audio", "port": media.remote_port, "port_count": 1, "methods": []}],
        }


class RepairedClient(SIP.SIPClient):  # type: ignore[misc]
    """pyVoIP's client on our line.

    pyVoIP's own answers no OPTIONS, INFO, NOTIFY, MESSAGE or unknown method (RFC 3261
    section 8.2), takes any datagram for the answer to its REGISTER, ignores the time
    granted, gives up after three failures, and polls its socket a hundred times a second.
    """

    def __init__(
        self, phone: PyVoipPhone, *, timing: Timing, pacing: Pacing, clock: Callable[[], float]
    ) -> None:
        account = phone.account
        super().__init__(
            account.registrar,
            account.port,
            account.username,
            account.password.value,
            phone=phone,
            myIP=account.local_address,
            myPort=account.local_port,
            callCallback=phone.callback,
        )
        self.line = Line(
            account,
            timing=timing,
            pacing=pacing,
            clock=clock,
            on_request=lambda transaction: self.parse_message(
                RepairedMessage.received(transaction)
            ),
            has_dialog=phone.has_dialog,
            on_registration=phone.hear_registration,
        )

    def start(self) -> None:
        self.line.open()
        self.NSD = True
        self.register()

    def stop(self, *, timeout_seconds: float = 4.0) -> None:
        self.NSD = False
        self.line.close(timeout_seconds=timeout_seconds)

    def register(self) -> bool:
        self.line.register()
        return True

    def parse_message(self, message: RepairedMessage) -> None:
        """Answer what needs no call; the phone sees to the rest."""
        reply = standing_reply(message.request)
        if reply is None:
            self.callCallback(message)
        else:
            self.answer(message, reply.status, *reply.headers)

    def answer(self, message: RepairedMessage, status: int, *headers: tuple[str, str]) -> None:
        """Send a response, in place of pyVoIP's gen_ok, gen_busy and their like."""
        self.line.endpoint.respond(message.transaction, status, *headers)


class RepairedCall(VoIPCall):  # type: ignore[misc]
    """pyVoIP's call, a Call of ours: Session speaks for it, an RtpStream carries its sound.

    pyVoIP's own sends its 200 once and never waits for the ACK, ends without a
    dialog's route or tags, and starts two more RTP threads at each re-INVITE.
    """

    state: CallState
    local_rtp_port: int

    def __del__(self) -> None:
        """Nothing: pyVoIP releases ports here, and stands still when that deletes another call."""

    def create_rtp_clients(
        self, codecs: object, ip: str, port: int, request: object, baseport: int
    ) -> None:
        """Note the port only: pyVoIP's RTP loses packets, drifts and speaks 8 bits."""
        self.local_rtp_port = port

    def hangup(self) -> None:
        """pyVoIP's name for it."""
        self.hang_up()

    def finish(self, end: CallEnd) -> None:
        """The session is over."""
        self.state = CallState.ENDED
        self.phone.forget(self)
        account, call = self.phone.account.name, self.call_id
        log.debug("account=%s call=%s event=call-over reason=%s", account, call, end.value)


class ReceivedCall(IncomingControl, RepairedCall):
    """A call that rings here."""

    def __init__(self, phone: PyVoipPhone, request: RepairedMessage, session_id: int) -> None:
        self.line = phone.sip.line
        self.local_rtp_port = 0
        super().__init__(phone, CallState.RINGING, request, session_id, phone.myIP)
        self.session = IncomingSession(
            self.line,
            request.invitation,
            local_port=self.local_rtp_port,
            on_end=self.finish,
        )

    def answer(self) -> None:
        with self.line.lock:
            if self.state is CallState.RINGING:
                self.state = CallState.ANSWERED
                super().answer()

    def deny(self) -> None:
        """pyVoIP's name for refusing as busy."""
        self.reject(486)


class PlacedCall(SessionControl, RepairedCall):
    """A call that we have begun.

    pyVoIP's own confirms an answer with an invented To tag and a refusal not at all, can't
    be cancelled, and repeats Call-IDs and branches after a restart.
    """

    def __init__(
        self,
        phone: PyVoipPhone,
        target: Uri,
        on_result: OnResult,
        *,
        local_port: int,
        ring_seconds: float,
    ) -> None:
        """Dials at once. Raises CallNotPossible when there is no way to the PBX."""
        self.line = phone.sip.line
        self.local_rtp_port = local_port
        self.session = OutgoingSession(
            self.line,
            target,
            local_port=local_port,
            ring_seconds=ring_seconds,
            on_result=on_result,
            on_end=self.finish,
        )
        request, number = RepairedMessage(self.session.invite), secrets.randbelow(2**31)
        media: dict[int, object] = {local_port: {}}
        super().__init__(phone, CallState.DIALING, request, number, phone.myIP, ms=media)


class PyVoipPhone(Telephone, VoIPPhone):  # type: ignore[misc]
    """pyVoIP's phone as our Phone: one registration, one call at a time.

    pyVoIP's own waits a second before it tells of a call, drops calls whose thread has
    ended, answers cancelled ones, hands out ports that are in use, and blocks in
    `start` and `stop`.
    """

    calls: dict[str, RepairedCall]
    """By Call-ID, those that are not over."""

    def __init__(
        self,
        account: Account,
        *,
        timing: Timing = RFC_TIMING,
        pacing: Pacing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self.ports = RtpPorts(account.rtp_ports)
        self._on_call: Callable[[IncomingCall], None] = lambda call: call.reject(480)
        self._on_registration: Callable[[Registration], None] = lambda registration: None
        super().__init__(
            account.registrar,
            account.port,
            account.username,
            account.password.value,
            myIP=account.local_address,
            sipPort=account.local_port,
            rtpPortLow=account.rtp_ports.first,
            rtpPortHigh=account.rtp_ports.last,
        )
        # VoIPPhone makes a plain SIPClient, which has opened nothing yet.
        self.sip = RepairedClient(
            self, timing=timing, pacing=pacing or pacing_of(account), clock=clock
        )
        self.line = self.sip.line
        self.switchboard = Switchboard(self.line, self._invite)

    def start(
        self,
        *,
        on_call: Callable[[IncomingCall], None],
        on_registration: Callable[[Registration], None],
    ) -> None:
        self._on_call, self._on_registration = on_call, on_registration
        try:
            self.sip.start()
        except SoftagentError:
            self.sip.stop(timeout_seconds=0.0)
            raise
        self.NSD, self._status = True, PhoneStatus.REGISTERING

    def stop(self, *, timeout_seconds: float = 4.0) -> None:
        self.drain()
        self.end_calls()
        self.sip.stop(timeout_seconds=timeout_seconds)
        self.NSD, self._status = False, PhoneStatus.INACTIVE

    def hear_registration(self, registration: Registration) -> None:
        """Pass a change on, also to those who read pyVoIP's own status."""
        is_idle = registration.state is RegistrationState.UNREGISTERED
        self._status = PhoneStatus["INACTIVE" if is_idle else registration.state.name]
        self._on_registration(registration)

    def callback(self, request: RepairedMessage) -> None:
        """Bring a request to its call, or answer it."""
        self.switchboard.handle(request.transaction)

    def _invite(self, invitation: Invitation) -> None:
        """An INVITE that may ring, as pyVoIP's message."""
        request = RepairedMessage.received(invitation.transaction)
        request.invite(invitation)
        self._callback_MSG_Invite(request)

    def _callback_MSG_Invite(self, request: RepairedMessage) -> None:
        """Ring at once, or refuse where there is no port for the sound."""
        account = self.account.name
        try:
            self._create_Call(request, secrets.randbelow(2**31))
        except NoPortsAvailableError as error:
            refused = "account=%s call=%s event=call-refused reason=%r"
            log.warning(refused, account, request.call_id, str(error))
            self.sip.answer(request, 503, ("Retry-After", str(PORT_WAIT_SECONDS)))
            return
        call = self.calls[request.call_id]
        assert isinstance(call, ReceivedCall)
        ringing = "account=%s call=%s event=call-ringing caller=%s"
        log.debug(ringing, account, call.call_id, call.caller.number)
        self.switchboard.connect(call.session)
        call.session.ring()
        self.sip.line.endpoint.notify(functools.partial(self._announce, call))

    def _announce(self, call: ReceivedCall) -> None:
        """Tell of a call; one that nobody takes would ring, and keep us busy, for ever."""
        try:
            self._on_call(call)
        except Exception:
            log.exception(
                "account=%s call=%s event=call-not-taken", self.account.name, call.call_id
            )
            call.hang_up()

    def place(
        self, target: Uri, on_result: OnResult, *, local_port: int, ring_seconds: float
    ) -> PlacedCall:
        """See Telephone: pyVoIP's own call() may never return, and holds the receive lock meanwhile."""
        call = PlacedCall(self, target, on_result, local_port=local_port, ring_seconds=ring_seconds)
        self.calls[call.call_id] = call
        return call

    def _create_Call(self, request: RepairedMessage, session_id: int) -> None:
        self.calls[request.call_id] = ReceivedCall(self, request, session_id)

    def request_port(self, blocking: bool = True) -> int:
        """An even port that can be bound in fact. Raises NoPortsAvailableError at once when there is none."""
        port = self.ports.reserve(self.account.local_address)
        if port is None:
            raise NoPortsAvailableError(f"every RTP port of {self.account.rtp_ports} is taken")
        return port

    def release_ports(self, call: RepairedCall | None = None) -> None:
        """Give a call's port back, under the line's lock."""
        if call is not None:
            self.ports.release(call.local_rtp_port)

    def forget(self, call: RepairedCall) -> None:
        """A call is over; its session may have a BYE to say yet. Under the line's lock."""
        self.release_ports(call)
        self.calls.pop(call.call_id, None)


def _party(address: NameAddress) -> dict[str, str]:
    """A From or To value in pyVoIP's shape."""
    uri = address.uri
    return {
        "raw": str(NameAddress(uri, address.display_name)),
        "tag": address.tag,
        "address": f"{uri.user}@{uri.host}" if uri.user else uri.host,
        "number": uri.user,
        "caller": address.display_name,
        "host": uri.host,
    }
