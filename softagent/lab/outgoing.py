"""A call that the lab places: INVITE, answer, conversation, BYE (RFC 3261 13 and 15)."""

from __future__ import annotations

import enum
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence

from softagent.errors import SoftagentError
from softagent.lab.dialog import ALLOW, Dialled, Dialog
from softagent.lab.endpoint import SipEndpoint
from softagent.lab.sdpwire import MediaAnswer, offer, parse_answer
from softagent.lab.sipwire import Address, Request, Response, WireError, answer_challenge, cseq

logger = logging.getLogger(__name__)


class CallFailed(SoftagentError):
    """A call that the lab placed was not answered."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the call was not answered: {status} {reason}")
        self.status = status


class CallPhase(enum.Enum):
    """How far a call has come."""

    CALLING = "calling"
    RINGING = "ringing"
    UP = "up"
    ENDED_BY_CALLER = "ended-by-caller"
    """We sent BYE."""
    ENDED_BY_AGENT = "ended-by-agent"
    """The far end sent BYE."""
    FAILED = "failed"
    """It was never answered."""


_OVER = {CallPhase.ENDED_BY_CALLER, CallPhase.ENDED_BY_AGENT, CallPhase.FAILED}


class LabCall:
    """One outgoing call. Any thread may call the public methods; `handle` is for the receive thread."""

    def __init__(
        self, endpoint: SipEndpoint, dialled: Dialled, *, media: Address, codecs: Sequence[str]
    ) -> None:
        self._endpoint = endpoint
        self._dialled = dialled
        self._offer = offer(*media, codecs=codecs, session=secrets.randbelow(2**31))
        self._changed = threading.Condition()
        """Guards everything below; waiters are told of every change."""
        self._dialog = Dialog(endpoint, dialled)
        self._invite = self._dialog.request("INVITE", body=self._offer)
        self._phase = CallPhase.CALLING
        self._failure: CallFailed | None = None
        self._answer: MediaAnswer | None = None
        self._is_challenged = False
        self._is_unwanted = False
        """Hung up before it was answered."""
        self._is_bye_pending = False
        self.on_refer: Callable[[Request], tuple[int, str]] = _refuse
        """Given a REFER, the status and the reason of the call that comes of it; set before `invite`."""
        self.call_id = self._dialog.call_id
        self.invited_at = 0.0
        """time.monotonic() of the INVITE, and below of the first provisional response and of the 200."""
        self.ringing_at: float | None = None
        self.answered_at: float | None = None

    @property
    def phase(self) -> CallPhase:
        with self._changed:
            return self._phase

    @property
    def is_over(self) -> bool:
        return self.phase in _OVER

    def invite(self) -> None:
        """Place the call."""
        self.invited_at = time.monotonic()
        self._endpoint.request(self._invite, self._dialled.address, self._handle_invited)

    def wait_answered(self, timeout_seconds: float) -> MediaAnswer:
        """Wait until the far end answers; returns where its audio goes. Raises CallFailed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._answer or self._failure or self._phase in _OVER, timeout_seconds
            )
            if self._answer is not None:
                return self._answer
            if self._failure is not None:
                raise self._failure
        self.hang_up()
        raise CallFailed(408, f"no answer within {timeout_seconds:g} s")

    def wait_ended(self, timeout_seconds: float) -> bool:
        """Wait until the call is over, and our BYE answered; False when it isn't by then."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._phase in _OVER and not self._is_bye_pending, timeout_seconds
            )

    def hang_up(self) -> None:
        """End the call: BYE when it is up, CANCEL while it rings. Does nothing once it is over."""
        with self._changed:
            match self._phase:
                case CallPhase.UP:
                    request = self._dialog.request("BYE")
                    self._is_bye_pending = True
                    self._set_phase(CallPhase.ENDED_BY_CALLER)
                case CallPhase.RINGING:
                    request = self._dialog.cancel(self._invite)
                    self._is_unwanted = True
                case CallPhase.CALLING:
                    self._is_unwanted = True  # CANCEL may only follow a 1xx (RFC 3261 9.1)
                    return
                case _:
                    return
            to = self._dialog.next_hop()
        self._endpoint.request(request, to, self._handle_hung_up)

    def handle(self, request: Request, source: Address) -> None:
        """A request of the far end within this call."""
        allow = (("Allow", ALLOW),)
        match request.method:
            case "BYE":
                self._endpoint.respond(request, source, 200, "OK")
                with self._changed:
                    if self._phase not in _OVER:
                        self._set_phase(CallPhase.ENDED_BY_AGENT)
            case "INVITE":
                content = (("Contact", self._dialog.contact), ("Content-Type", "application/sdp"))
                self._endpoint.respond(request, source, 200, "OK", fields=content, body=self._offer)
            case "OPTIONS" | "INFO" | "UPDATE" | "NOTIFY":
                self._endpoint.respond(request, source, 200, "OK", fields=allow)
            case "REFER":
                self._endpoint.respond(request, source, 202, "Accepted", fields=allow)
                self._transfer(request)
            case "ACK":
                pass
            case _:
                self._endpoint.respond(request, source, 405, "Method Not Allowed", fields=allow)

    def _transfer(self, refer: Request) -> None:
        """Tell what becomes of a REFER: 100 at once, then the end (RFC 3515 section 2.4.4)."""
        event = f"refer;id={cseq(refer.headers)[0]}"
        self._notify(event, "active;expires=60", 100, "Trying")
        status, reason = self.on_refer(refer)
        self._notify(event, "terminated;reason=noresource", status, reason)

    def _notify(self, event: str, state: str, status: int, reason: str) -> None:
        with self._changed:
            notify = self._dialog.request(
                "NOTIFY",
                fields=(("Event", event), ("Subscription-State", state)),
                body=f"SIP/2.0 {status} {reason}\r\n".encode(),
                body_type="message/sipfrag;version=2.0",
            )
            to = self._dialog.next_hop()
        self._endpoint.request(notify, to, lambda _response: None)

    def _handle_invited(self, response: Response) -> None:
        """Any response to our INVITE, repeated ones too."""
        if response.status < 200:
            self._handle_ringing()
        elif response.status < 300:
            self._handle_answered(response)
        else:
            self._handle_refused(response)

    def _handle_ringing(self) -> None:
        with self._changed:
            if self._phase is not CallPhase.CALLING:
                return
            self.ringing_at = time.monotonic()
            self._set_phase(CallPhase.RINGING)
            is_unwanted = self._is_unwanted
        if is_unwanted:
            self.hang_up()

    def _handle_answered(self, response: Response) -> None:
        with self._changed:
            is_first = self.answered_at is None
            if is_first:
                self.answered_at = time.monotonic()
                self._dialog.confirm(response)
        self._acknowledge(response)
        if not is_first:  # a repeated 200: the ACK was lost
            return
        with self._changed:
            try:
                self._answer = parse_answer(response.body)
            except WireError as error:
                self._failure = CallFailed(488, str(error))
            self._set_phase(CallPhase.UP)
            is_unwanted = self._is_unwanted or self._failure is not None
        if is_unwanted:
            self.hang_up()

    def _handle_refused(self, response: Response) -> None:
        if response.headers.fields:  # not the endpoint's own 408
            self._acknowledge(response)
            if response.status in {401, 407} and self._dialled.user and not self._is_challenged:
                self._is_challenged = True
                self._authenticate(response)
                return
        self._fail(response.status, response.reason)

    def _handle_hung_up(self, response: Response) -> None:
        """The response to our BYE or CANCEL."""
        with self._changed:
            self._is_bye_pending = False
            self._changed.notify_all()
        if response.status >= 300:
            logger.warning(
                "event=hang_up_refused call=%s status=%d reason=%s",
                self.call_id,
                response.status,
                response.reason,
            )

    def _authenticate(self, response: Response) -> None:
        asked, given = (
            ("WWW-Authenticate", "Authorization")
            if response.status == 401
            else ("Proxy-Authenticate", "Proxy-Authorization")
        )
        try:
            answer = answer_challenge(
                response.headers.first(asked),
                user=self._dialled.user,
                password=self._dialled.password,
                method="INVITE",
                uri=self._dialled.uri,
            )
        except WireError as error:
            self._fail(response.status, str(error))
            return
        with self._changed:
            self._invite = self._dialog.request(
                "INVITE", body=self._offer, fields=((given, answer),)
            )
        self._endpoint.request(self._invite, self._dialled.address, self._handle_invited)

    def _acknowledge(self, response: Response) -> None:
        with self._changed:
            ack = self._dialog.acknowledge(response, self._invite)
            to = self._dialog.next_hop()
        self._endpoint.send(ack, to)

    def _fail(self, status: int, reason: str) -> None:
        with self._changed:
            self._failure = CallFailed(status, reason)
            self._set_phase(CallPhase.FAILED)

    def _set_phase(self, phase: CallPhase) -> None:
        self._phase = phase
        self._changed.notify_all()


def _refuse(_refer: Request) -> tuple[int, str]:
    """There is nobody to transfer to."""
    return 404, "Not Found"
