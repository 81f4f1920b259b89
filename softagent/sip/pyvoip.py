"""pyVoIP 1.6.8 as the user agent: its phone, call, client and message classes on our signalling.

    Endpoint -> RepairedClient.parse_message -> PyVoipPhone.callback -> RepairedCall -> Session

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
from softagent.sip import sdp
from softagent.sip.address import NameAddress, Uri
from softagent.sip.binding import Binding
from softagent.sip.dialog import caller_of
from softagent.sip.digest import Authenticator, Credentials
from softagent.sip.endpoint import Endpoint, local_address
from softagent.sip.message import VERSION
from softagent.sip.phone import (
    CallEnd,
    Caller,
    IncomingCall,
    MediaDescription,
    Registration,
)
from softagent.sip.ports import RtpPorts
from softagent.sip.registration import PROMPT, Pacing
from softagent.sip.response import METHODS, Address
from softagent.sip.session import ALLOW, Invitation, Session
from softagent.sip.transaction import RFC_TIMING, ServerTransaction, Timing

log = logging.getLogger("softagent.sip")

_ACCEPT = ("Accept", sdp.CONTENT_TYPE)


class RepairedMessage(SIP.SIPMessage):  # type: ignore[misc] # pyVoIP carries no types
    """pyVoIP's message, filled from our parser.

    pyVoIP's own raises on compact or lower-case names, on any method but INVITE, ACK, BYE
    and CANCEL, on statuses it doesn't list, on parameters before the tag (RFC 3261
    sections 7.3 and 20), and on most session descriptions.
    """

    def __init__(self, transaction: ServerTransaction) -> None:
        self.transaction = transaction
        super().__init__(transaction.request.serialize())

    def parse(self, data: bytes) -> None:
        request = self.transaction.request
        self.heading = f"{request.method} {request.uri} {VERSION}".encode("utf-8", "replace")
        self.type = SIP.SIPMessageType.MESSAGE
        self.version, self.method = VERSION, request.method
        self.headers |= dict(reversed(request.headers.fields))  # the first of a name counts
        self.headers["Via"] = list(request.headers.values("Via"))
        self.headers["From"] = _party(request.sender)
        self.headers["To"] = _party(request.recipient)
        self.headers["CSeq"] = {"check": str(request.cseq.number), "method": request.method}

    def invite(self, invitation: Invitation) -> None:
        """Put what we take of the offer where pyVoIP's call looks for it."""
        self.invitation = invitation
        agreed = invitation.agreement
        self.body = {
            "c": [{"address": agreed.host, "address_count": 1}],
            "m": [{"type": "audio", "port": agreed.port, "port_count": 1, "methods": []}],
        }


class RepairedClient(SIP.SIPClient):  # type: ignore[misc]
    """pyVoIP's client on our endpoint.

    pyVoIP's own answers no OPTIONS, INFO, NOTIFY, MESSAGE or unknown method (RFC 3261
    section 8.2), takes any datagram for the answer to its REGISTER, ignores the time
    granted, gives up after three failures, and polls its socket a hundred times a second.
    """

    def __init__(
        self,
        phone: PyVoipPhone,
        account: Account,
        *,
        timing: Timing,
        pacing: Pacing,
        on_registration: Callable[[Registration], None],
    ) -> None:
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
        user = account.auth_user or account.username
        self.authenticator = Authenticator(Credentials(user, account.password))
        self.endpoint = Endpoint(
            account.name,
            timing=timing,
            on_request=lambda transaction: self.parse_message(RepairedMessage(transaction)),
            on_wake=lambda now: self.binding.wake(now),
        )
        self.binding = Binding(
            account,
            self.endpoint,
            self.authenticator,
            pacing=pacing,
            on_registration=on_registration,
        )
        self._language = account.language

    def start(self) -> None:
        self.endpoint.open(self.myIP, self.myPort)
        self.NSD, self.myPort = True, self.endpoint.local_port
        self.register()

    def stop(self, *, timeout_seconds: float = 4.0) -> None:
        deadline = time.monotonic() + timeout_seconds
        endpoint = self.endpoint
        if self.NSD:
            with endpoint.lock:
                self.deregister()
                endpoint.changed.wait_for(self._is_quiet, timeout_seconds)
        self.NSD = False
        endpoint.close(max(0.1, deadline - time.monotonic()))

    def register(self) -> bool:
        """Begin to register; the binding keeps at it."""
        with self.endpoint.lock:
            self.binding.start()
        return True

    def deregister(self) -> bool:
        """Begin to remove the registration."""
        self.binding.remove()
        return True

    def parse_message(self, message: RepairedMessage) -> None:
        """Answer what needs no call; the phone sees to the rest."""
        transaction = message.transaction
        required = transaction.request.headers.values("Require")
        if message.method in ("ACK", "CANCEL"):
            self.callCallback(message)
        elif message.method == "REFER":
            self.endpoint.respond(transaction, 603)
        elif message.method not in METHODS:
            self.endpoint.respond(transaction, 405, ALLOW)
        elif required:
            unsupported = ("Unsupported", ", ".join(required))
            self.endpoint.respond(transaction, 420, unsupported)
        elif message.method == "OPTIONS":
            languages = ("Accept-Language", self._language)
            self.endpoint.respond(
                transaction, 200, ALLOW, _ACCEPT, languages, ("Supported", "path")
            )
        else:
            self.callCallback(message)

    def contact_towards(self, source: Address) -> Uri:
        """Our address as the other side can reach it."""
        host = self.myIP or local_address(source)
        return Uri("sip", self.username, host, self.endpoint.local_port)

    def _is_quiet(self) -> bool:
        return self.binding.registrant.is_removed and self.endpoint.transactions.is_quiet


class RepairedCall(VoIPCall):  # type: ignore[misc]
    """pyVoIP's call, an IncomingCall of ours: Session speaks for it, an RtpStream carries its sound.

    pyVoIP's own sends its 200 once and never waits for the ACK, ends without a
    dialog's route or tags, and starts two more RTP threads at each re-INVITE.
    """

    def __init__(self, phone: PyVoipPhone, request: RepairedMessage, session_id: int) -> None:
        self._lock = phone.sip.endpoint.lock
        self._notify = phone.sip.endpoint.notify
        self._end: CallEnd | None = None
        self._callbacks: list[Callable[[CallEnd], None]] = []
        self._label = f"account={phone.account.name} call={request.headers['Call-ID']}"
        self.caller: Caller = caller_of(request.transaction.request)
        self.local_rtp_port: int | None = None
        super().__init__(phone, CallState.RINGING, request, session_id, phone.myIP)
        self.session = Session(
            request.invitation,
            phone.sip.endpoint,
            local_port=self.local_rtp_port,
            authenticator=phone.sip.authenticator,
            on_end=self._finish,
        )

    def create_rtp_clients(
        self, codecs: object, ip: str, port: int, request: object, baseport: int
    ) -> None:
        """Note the port only: pyVoIP's RTP loses packets, drifts and speaks 8 bits."""
        self.local_rtp_port = port

    @property
    def media(self) -> MediaDescription:
        return self.session.media

    def answer(self) -> None:
        with self._lock:
            if self.state is CallState.RINGING:
                self.state = CallState.ANSWERED
                self.session.answer()

    def reject(self, status: int) -> None:
        with self._lock:
            self.session.reject(status)

    def hang_up(self) -> None:
        with self._lock:
            self.session.hang_up()

    def deny(self) -> None:
        """pyVoIP's name for refusing as busy."""
        self.reject(486)

    def hangup(self) -> None:
        """pyVoIP's name for hanging up."""
        self.hang_up()

    def on_end(self, callback: Callable[[CallEnd], None]) -> None:
        with self._lock:
            if self._end is None:
                self._callbacks.append(callback)
                return
            end = self._end
        callback(end)

    def _finish(self, end: CallEnd) -> None:
        """The session says that the call is over; the callbacks hear it from the signalling thread."""
        self._end, self.state = end, CallState.ENDED
        self.phone.release_ports(self)
        for callback in self._callbacks:
            self._notify(functools.partial(callback, end))
        log.info("call ended %s end=%s", self._label, end.value)


class PyVoipPhone(VoIPPhone):  # type: ignore[misc]
    """pyVoIP's phone as our Phone: one registration, one call at a time.

    pyVoIP's own waits a second before it tells of a call, drops calls whose thread has
    ended, answers cancelled ones, hands out ports that are in use, and blocks in
    `start` and `stop`.
    """

    def __init__(
        self, account: Account, *, timing: Timing = RFC_TIMING, pacing: Pacing = PROMPT
    ) -> None:
        self.account = account
        self._ports = RtpPorts(account.rtp_ports)
        self._on_call: Callable[[IncomingCall], None] = lambda call: call.reject(480)
        self._on_registration: Callable[[Registration], None] = lambda registration: None
        self._is_stopping = False
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
            self,
            account,
            timing=timing,
            pacing=pacing,
            on_registration=lambda registration: self._on_registration(registration),
        )

    @property
    def registration(self) -> Registration:
        """Where the registration stands."""
        with self.sip.endpoint.lock:
            registration: Registration = self.sip.binding.registrant.registration
            return registration

    @property
    def local_port(self) -> int:
        """The SIP port in use, once started."""
        port: int = self.sip.endpoint.local_port
        return port

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
        with self.sip.endpoint.lock:
            self._is_stopping = True
            for call in self.calls.values():
                call.session.hang_up(at_once=True)
        self.sip.stop(timeout_seconds=timeout_seconds)
        self.NSD, self._status = False, PhoneStatus.INACTIVE

    def callback(self, request: RepairedMessage) -> None:
        """Bring a request to its call, or say that there is none (RFC 3261 sections 9.2, 12.2.2, 15.1.2)."""
        self._forget_calls()
        transaction = request.transaction
        call = self.calls.get(request.headers["Call-ID"])
        if request.method == "CANCEL":
            self._callback_MSG_Cancel(request)
        elif transaction.request.recipient.tag:
            if call is not None and call.session.dialog.matches(transaction.request):
                call.session.handle(transaction)
            elif request.method != "ACK":
                self.sip.endpoint.respond(transaction, 481)
        elif request.method == "INVITE":
            self._callback_MSG_Invite(request)
        elif request.method in ("BYE", "UPDATE"):
            self.sip.endpoint.respond(transaction, 481)
        elif request.method != "ACK":
            self.sip.endpoint.respond(transaction, 200)

    def _callback_MSG_Invite(self, request: RepairedMessage) -> None:
        """Ring at once, or refuse: a second call, an offer that we can't take, no port for the sound."""
        transaction, respond = request.transaction, self.sip.endpoint.respond
        if self._is_stopping:
            respond(transaction, 480)
        elif request.headers["Call-ID"] in self.calls:
            respond(transaction, 482)  # the same INVITE by another way (section 8.2.2.2)
        elif any(call.state is not CallState.ENDED for call in self.calls.values()):
            respond(transaction, 486)
        else:
            contact = self.sip.contact_towards(transaction.source)
            taken = Invitation.take(transaction, self.account.codecs, contact)
            if isinstance(taken, int):
                respond(transaction, taken, *([_ACCEPT] if taken == 415 else []))
            else:
                self._ring(request, taken)

    def _ring(self, request: RepairedMessage, invitation: Invitation) -> None:
        request.invite(invitation)
        try:
            self._create_Call(request, secrets.randbelow(2**31))
        except NoPortsAvailableError as error:
            log.warning("call refused account=%s reason=%r", self.account.name, str(error))
            self.sip.endpoint.respond(request.transaction, 480)
            return
        call = self.calls[request.headers["Call-ID"]]
        call.session.ring()
        self.sip.endpoint.notify(functools.partial(self._on_call, call))

    def _callback_MSG_Cancel(self, request: RepairedMessage) -> None:
        """200 to the CANCEL and 487 to its INVITE (RFC 3261 section 9.2)."""
        endpoint, transaction = self.sip.endpoint, request.transaction
        invite = endpoint.transactions.invite_of(transaction.request)
        if invite is None:
            endpoint.respond(transaction, 481)
            return
        transaction.tag = invite.tag
        endpoint.respond(transaction, 200)
        call = self.calls.get(request.headers["Call-ID"])
        if call is not None and call.session.dialog.local_tag == invite.tag:
            call.session.cancel()

    def _create_Call(self, request: RepairedMessage, session_id: int) -> None:
        self.calls[request.headers["Call-ID"]] = RepairedCall(self, request, session_id)

    def request_port(self, blocking: bool = True) -> int:
        """An even port that can be bound in fact. Raises NoPortsAvailableError at once when there is none."""
        port = self._ports.reserve(self.account.local_address)
        if port is None:
            raise NoPortsAvailableError(f"every RTP port of {self.account.rtp_ports} is taken")
        return port

    def release_ports(self, call: RepairedCall | None = None) -> None:
        """Give a call's port back; pyVoIP also calls this when a call object is deleted."""
        if call is None:
            return
        with self.sip.endpoint.lock:
            port, call.local_rtp_port = call.local_rtp_port, None
            if port is not None:
                self._ports.release(port)

    def _forget_calls(self) -> None:
        """Drop the calls that have nothing more to say, not even a BYE that waits for its ACK."""
        self.calls = {key: call for key, call in self.calls.items() if not call.session.is_over}


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
