"""A call of ours until it is answered: ringing, forks, redirections, and giving up (RFC 3261 sections 8.1.3 and 13.2).

Calling -- INVITE --> 1xx ... --> 2xx    ACK, `on_answer`; every other 2xx gets ACK and BYE
                              --> 3xx    the next target
                              --> 4xx... `on_failure`
   ring time over, give_up    --> CANCEL `on_failure` at once; a 2xx that crosses it gets ACK and BYE
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from softagent.sip.address import NameAddress, Uri
from softagent.sip.asking import Asking
from softagent.sip.body import find
from softagent.sip.dialog import Dialog
from softagent.sip.digest import Authenticator
from softagent.sip.early import EarlyDialogs
from softagent.sip.endpoint import Endpoint
from softagent.sip.errors import MessageError
from softagent.sip.headers import Headers
from softagent.sip.hop import Hop
from softagent.sip.inviting import Inviting
from softagent.sip.message import Request, Response
from softagent.sip.outcome import result_of
from softagent.sip.phone import Outcome, Result
from softagent.sip.redirect import Redirections
from softagent.sip.sdp import CONTENT_TYPE
from softagent.sip.sessiontimer import SessionTimer

MOST_REPEATS = 2
"""How often a call is tried again after a 503 or a 422."""


@dataclass(frozen=True, slots=True)
class Invitee:
    """Whom to call, and how."""

    caller: NameAddress
    """Us, as the PBX knows us; without a tag."""
    target: Uri
    hop: Hop
    """The PBX."""
    contact: Uri
    """Ours, towards the PBX."""
    offer: bytes
    route: tuple[str, ...] = ()
    """Proxies on the way, for targets that the PBX reaches (RFC 3608)."""
    headers: tuple[tuple[str, str], ...] = ()
    """What else the INVITE says: what we support."""
    timer: SessionTimer | None = None
    """How long the session may last without a refresh (RFC 4028)."""
    ring_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A call of ours that is up: its ACK is out."""

    asking: Asking
    invite: Request
    """As it was answered."""
    response: Response
    description: bytes = field(repr=False)
    """The answer to our offer, from the 2xx or from a reliable provisional response before it."""


class Calling:
    """One call of ours, from its INVITE on. Sends as soon as it is made. Used under the endpoint's lock."""

    def __init__(
        self,
        invitee: Invitee,
        endpoint: Endpoint,
        authenticator: Authenticator,
        *,
        on_answer: Callable[[Answered], None],
        on_failure: Callable[[Result], None],
    ) -> None:
        """Just one of `on_answer` and `on_failure` is called, once, under the lock."""
        self.call_id = secrets.token_hex(16)
        self.local_tag = secrets.token_hex(8)
        self.is_decided = False
        """Whether it has been answered, refused or given up."""
        self._invitee = invitee
        self._endpoint = endpoint
        self._authenticator = authenticator
        self._on_answer = on_answer
        self._on_failure = on_failure
        self._redirections = Redirections(invitee.target, invitee.hop)
        self._sequence = secrets.randbelow(10000)
        self._repeats = 0
        self._is_heard = False
        self._answers: dict[str, Asking] = {}
        """Dialogs that a 2xx has begun, ours and those of forks, by the other side's tag."""
        self._deadline = endpoint.now + invitee.ring_seconds
        self._ring_alarm = endpoint.after(invitee.ring_seconds, self._ring_out)
        self._inviting = self._invite()

    @property
    def invite(self) -> Request:
        """The INVITE as it went out last."""
        return self._inviting.request

    @property
    def is_over(self) -> bool:
        """Whether nothing is to be said any more, not even a CANCEL."""
        return self.is_decided and not self._inviting.is_open

    def give_up(self, result: Result) -> None:
        """End a call that still rings; does nothing once it is decided."""
        if not self.is_decided:
            self._inviting.cancel()
            self._fail(result)

    def dialog_of(self, request: Request) -> Dialog | None:
        """The early dialog that a request of the other side belongs to."""
        return self._early.dialog_of(request)

    def _invite(self) -> Inviting:
        """Send the INVITE, with credentials to the PBX only: a redirection may lead anywhere."""
        _, hop = self._redirections.current
        authenticator = self._authenticator if hop == self._invitee.hop else None
        self._early = EarlyDialogs(self._endpoint, authenticator)
        return Inviting(self._endpoint, authenticator, self._build, self._take)

    def _again(self) -> None:
        if not self.is_decided:
            self._inviting = self._invite()

    def _build(self) -> tuple[Request, Hop]:
        self._sequence += 1
        invitee, (target, hop) = self._invitee, self._redirections.current
        route = invitee.route if hop == invitee.hop else ()
        fields = (
            *(("Route", proxy) for proxy in route),
            ("From", f"{invitee.caller};tag={self.local_tag}"),
            ("To", f"<{target}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._sequence} INVITE"),
            ("Contact", f"<{invitee.contact}>"),
            *invitee.headers,
            *(() if invitee.timer is None else invitee.timer.request_fields()),
            ("Content-Type", CONTENT_TYPE),
        )
        return Request("INVITE", str(target), Headers(fields), invitee.offer), hop

    def _take(self, response: Response | None) -> None:
        if response is None:
            self._fail(result_of(None))
        elif response.status < 200:
            self._is_heard = True
            if not self.is_decided:
                self._early.take(self._inviting.request, response, self._inviting.destination)
        elif response.status < 300:
            self._accept(response)
        elif not self.is_decided:
            self._refused(response)

    def _refused(self, response: Response) -> None:
        wait = response.retry_after_seconds if response.status == 503 else None
        has_time = wait is not None and self._endpoint.now + wait < self._deadline
        if self._redirections.follow(response) or self._is_interval_too_short(response):
            self._again()
        elif wait is not None and has_time and self._repeats < MOST_REPEATS:
            self._repeats += 1
            self._endpoint.after(wait, self._again)
        else:
            self._fail(result_of(response))

    def _is_interval_too_short(self, response: Response) -> bool:
        """Whether it is a 422 that says how long a session has to be at least (RFC 4028 section 7.3)."""
        timer = self._invitee.timer
        if timer is None or response.status != 422:
            return False
        with contextlib.suppress(MessageError):
            return timer.take(response, self._endpoint.now)
        return False

    def _accept(self, response: Response) -> None:
        """A 2xx: the first is the call's, one of another tag a fork's, one of the same tag a copy."""
        tag, invite = response.recipient.tag, self._inviting.request
        if (known := self._answers.get(tag)) is not None:
            known.acknowledge(invite)
            return
        try:
            asking = self._early.confirm(invite, response, self._inviting.destination)
        except MessageError as error:
            self._fail(Result(Outcome.REFUSED, response.status, str(error)))
            return
        self._answers[tag] = asking
        asking.acknowledge(invite)
        if self.is_decided:
            asking.ask("BYE", lambda response: None)
            return
        description = self._early.description(tag) or find(response, CONTENT_TYPE)
        self._decide()
        self._on_answer(Answered(asking, invite, response, description))

    def _ring_out(self) -> None:
        seconds = f"{self._invitee.ring_seconds:g} s"
        if self._is_heard:
            self.give_up(Result(Outcome.NO_ANSWER, reason=f"not answered within {seconds}"))
        else:
            self.give_up(Result(Outcome.TIMED_OUT, reason=f"nothing heard within {seconds}"))

    def _fail(self, result: Result) -> None:
        if not self.is_decided:
            self._decide()
            self._on_failure(result)

    def _decide(self) -> None:
        self.is_decided = True
        self._ring_alarm.cancel()
