"""A call that the lab places: INVITE, answer, conversation, BYE (RFC 3261 13 and 15)."""

from __future__ import annotations

import enum
import logging
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from softagent.errors import SoftagentError
from softagent.lab.endpoint import SipEndpoint
from softagent.lab.sdpwire import MediaAnswer, offer, parse_answer
from softagent.lab.sipwire import (
    Address,
    Headers,
    Request,
    Response,
    WireError,
    address_uri,
    answer_challenge,
    cseq,
    new_branch,
    parameter,
    uri_address,
)

logger = logging.getLogger(__name__)

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY"


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
    """We sent BYE or CANCEL."""
    ENDED_BY_AGENT = "ended-by-agent"
    """The far end sent BYE."""
    FAILED = "failed"


_OVER = {CallPhase.ENDED_BY_CALLER, CallPhase.ENDED_BY_AGENT, CallPhase.FAILED}


@dataclass(frozen=True, slots=True)
class Dialled:
    """Whom to call, and as whom."""

    uri: str
    """Request-URI: the contact of a registered user, or extension@PBX."""
    address: Address
    """Where the first request goes."""
    from_uri: str
    from_name: str = ""
    user: str = ""
    """For digest authentication, when the PBX asks for it."""
    password: str = ""


class LabCall:
    """One outgoing call. Any thread may call the public methods; `handle` is for the receive thread."""

    def __init__(
        self, endpoint: SipEndpoint, dialled: Dialled, *, media: Address, codecs: Sequence[str]
    ) -> None:
        self._endpoint = endpoint
        self._dialled = dialled
        self._media = media
        self._codecs = tuple(codecs)
        self._session = secrets.randbelow(2**31)
        self.call_id = f"{secrets.token_hex(8)}@{endpoint.address[0]}"
        self._changed = threading.Condition()
        """Guards everything below; waiters are told when the phase changes."""
        self._phase = CallPhase.CALLING
        self._failure: CallFailed | None = None
        self._answer: MediaAnswer | None = None
        self._local = f'"{dialled.from_name}" <{dialled.from_uri}>;tag={secrets.token_hex(4)}'
        self._remote = f"<{dialled.uri}>"
        self._target = dialled.uri
        self._route: tuple[str, ...] = ()
        self._number = 0
        self._invite = self._request("INVITE", body=self._offer())
        self._is_challenged = False
        self._is_unwanted = False
        self._is_bye_pending = False
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
                    bye = self._request("BYE")
                    self._is_bye_pending = True
                    self._set_phase(CallPhase.ENDED_BY_CALLER)
                case CallPhase.RINGING:
                    self._is_unwanted = True
                    bye = self._cancel()
                case CallPhase.CALLING:
                    self._is_unwanted = True  # CANCEL may only follow a 1xx (RFC 3261 9.1)
                    return
                case _:
                    return
        self._endpoint.request(bye, self._next_hop(bye), self._handle_bye_answered)

    def handle(self, request: Request, source: Address) -> None:
        """A request of the far end within this call."""
        match request.method:
            case "BYE":
                self._endpoint.respond(request, source, 200, "OK")
                with self._changed:
                    if self._phase not in _OVER:
                        self._set_phase(CallPhase.ENDED_BY_AGENT)
            case "INVITE":
                fields = (("Contact", self._contact()), ("Content-Type", "application/sdp"))
                body = self._offer()
                self._endpoint.respond(request, source, 200, "OK", fields=fields, body=body)
            case "OPTIONS" | "INFO" | "UPDATE" | "NOTIFY":
                self._endpoint.respond(request, source, 200, "OK", fields=(("Allow", ALLOW),))
            case "ACK":
                pass
            case _:
                self._endpoint.respond(
                    request, source, 405, "Method Not Allowed", fields=(("Allow", ALLOW),)
                )

    # Responses -----------------------------------------------------------------

    def _handle_invited(self, response: Response) -> None:
        if response.status < 200:
            self._handle_ringing()
        elif response.status < 300:
            self._handle_answered(response)
        elif response.headers.fields:  # not our own 408
            self._acknowledge(response, self._invite)
            if response.status in {401, 407} and self._dialled.user and not self._is_challenged:
                self._authenticate(response)
                return
            self._fail(response.status, response.reason)
        else:
            self._fail(response.status, response.reason)

    def _handle_ringing(self) -> None:
        with self._changed:
            if self._phase is not CallPhase.CALLING:
                return
            self.ringing_at = time.monotonic()
            self._set_phase(CallPhase.RINGING)
            if not self._is_unwanted:
                return
            cancel = self._cancel()
        self._endpoint.request(cancel, self._next_hop(cancel), self._handle_bye_answered)

    def _handle_answered(self, response: Response) -> None:
        with self._changed:
            is_first = self.answered_at is None
            if is_first:
                self.answered_at = time.monotonic()
                self._remote = response.headers.first("To")
                self._target = address_uri(response.headers.first("Contact"))
                self._route = tuple(reversed(response.headers.all("Record-Route")))
        self._acknowledge(response, self._invite)
        if not is_first:  # a repeated 200: the ACK was lost
            return
        try:
            answer = parse_answer(response.body)
        except WireError as error:
            with self._changed:
                self._failure = CallFailed(488, str(error))
                self._set_phase(CallPhase.UP)
            self.hang_up()
            return
        with self._changed:
            self._answer = answer
            self._set_phase(CallPhase.UP)
            is_unwanted = self._is_unwanted
        if is_unwanted:
            self.hang_up()

    def _handle_bye_answered(self, response: Response) -> None:
        with self._changed:
            self._is_bye_pending = False
            self._changed.notify_all()
        if response.status >= 300:
            logger.warning(
                "event=bye_refused call=%s status=%d reason=%s",
                self.call_id,
                response.status,
                response.reason,
            )

    def _authenticate(self, response: Response) -> None:
        self._is_challenged = True
        is_proxy = response.status == 407
        challenge = response.headers.first("Proxy-Authenticate" if is_proxy else "WWW-Authenticate")
        answer = answer_challenge(
            challenge,
            user=self._dialled.user,
            password=self._dialled.password,
            method="INVITE",
            uri=self._dialled.uri,
        )
        name = "Proxy-Authorization" if is_proxy else "Authorization"
        with self._changed:
            self._invite = self._request("INVITE", body=self._offer(), fields=((name, answer),))
        self._endpoint.request(self._invite, self._dialled.address, self._handle_invited)

    def _acknowledge(self, response: Response, invite: Request) -> None:
        """ACK: within the dialog for a 2xx (RFC 3261 13.2.2.4), else of the same branch (17.1.1.3)."""
        number, _ = cseq(response.headers)
        if response.status < 300:
            ack = self._request("ACK", number=number)
        else:
            branch = parameter(invite.headers.first("Via"), "branch")
            ack = self._request(
                "ACK", number=number, branch=branch, remote=response.headers.first("To")
            )
        self._endpoint.send(ack, self._next_hop(ack))

    def _fail(self, status: int, reason: str) -> None:
        with self._changed:
            self._failure = CallFailed(status, reason)
            self._set_phase(CallPhase.FAILED)

    # Requests --------------------------------------------------------------------

    def _request(
        self,
        method: str,
        *,
        number: int | None = None,
        branch: str = "",
        remote: str = "",
        fields: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Request:
        if number is None:
            self._number += 1
            number = self._number
        content = (("Content-Type", "application/sdp"),) if body else ()
        headers = (
            ("Via", self._endpoint.via(branch or new_branch())),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in self._route),
            ("From", self._local),
            ("To", remote or self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            ("Contact", self._contact()),
            ("Allow", ALLOW),
            ("User-Agent", "softagent-lab"),
            *fields,
            *content,
        )
        return Request(method, self._target, Headers(headers), body)

    def _cancel(self) -> Request:
        branch = parameter(self._invite.headers.first("Via"), "branch")
        number, _ = cseq(self._invite.headers)
        return self._request("CANCEL", number=number, branch=branch)

    def _next_hop(self, request: Request) -> Address:
        """Where a request goes: the first route, or its URI once the dialog is there, else the first hop."""
        if self._route:
            return uri_address(address_uri(self._route[0]))
        if request.method == "CANCEL" or self.answered_at is None:
            return self._dialled.address
        return uri_address(self._target)

    def _offer(self) -> bytes:
        return offer(*self._media, codecs=self._codecs, session=self._session)

    def _contact(self) -> str:
        host, port = self._endpoint.address
        return f"<sip:lab@{host}:{port}>"

    def _set_phase(self, phase: CallPhase) -> None:
        self._phase = phase
        self._changed.notify_all()
