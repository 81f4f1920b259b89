"""A call that we begin: it is dialled, and is answered, refused or given up (RFC 3261 section 13.2)."""

from __future__ import annotations

from collections.abc import Callable

from softagent.sip.address import NameAddress, Uri
from softagent.sip.body import find
from softagent.sip.calling import Answered, Calling, Invitee
from softagent.sip.dialog import Dialog, asserted_identity
from softagent.sip.errors import DescriptionError, NotAcceptable
from softagent.sip.hop import Hop
from softagent.sip.impossible import CallNotPossible
from softagent.sip.line import Line
from softagent.sip.message import Request
from softagent.sip.negotiation import Negotiation
from softagent.sip.outcome import CALL_OVER, result_of
from softagent.sip.phone import CallEnd, Caller, OnResult, Outcome, Result
from softagent.sip.refresh import Refresher
from softagent.sip.renegotiation import RETRY_AFTER
from softagent.sip.sdp import CONTENT_TYPE
from softagent.sip.session import Session, SessionState
from softagent.sip.sessiontimer import SessionTimer
from softagent.sip.transaction import ServerTransaction
from softagent.sip.uas import ALLOW, SUPPORTED


class OutgoingSession(Session):
    """One call from its INVITE on. Used under the line's lock."""

    def __init__(
        self,
        line: Line,
        target: Uri,
        *,
        local_port: int,
        ring_seconds: float,
        on_result: OnResult,
        on_end: Callable[[CallEnd], None],
    ) -> None:
        """Dials at once. `on_result` is called once, under the lock, before `on_end`.

        Raises CallNotPossible when there is no way to the PBX.
        """
        hop, contact = _way(line)
        negotiation = Negotiation(
            line.abilities(contact), host=line.host_towards(hop), source_host=hop.host
        )
        negotiation.open(local_port)
        timer = SessionTimer(line.session_seconds)
        invitee = Invitee(
            NameAddress(line.identity),
            target,
            hop,
            contact,
            negotiation.offer(),
            route=line.route,
            headers=(ALLOW, SUPPORTED),
            timer=timer,
            ring_seconds=ring_seconds,
        )
        self._on_result = on_result
        self._calling = Calling(
            invitee,
            line.endpoint,
            line.authenticator,
            on_answer=self._connect,
            on_failure=self._fail,
        )
        dialog = Dialog(
            self._calling.call_id,
            local=f"{invitee.caller};tag={self._calling.local_tag}",
            remote=f"<{target}>",
            target=target,
            route=(),
            source=hop,
        )
        super().__init__(
            line,
            dialog,
            negotiation,
            contact=contact,
            caller=Caller(target.user),
            on_end=on_end,
        )
        self.is_caller = True
        self.refresher = Refresher(self, timer)

    @property
    def invite(self) -> Request:
        """The INVITE as it went out last."""
        return self._calling.invite

    def hang_up(self, *, at_once: bool = False) -> None:
        if self.state is SessionState.EARLY:
            self._calling.give_up(CALL_OVER)
        else:
            super().hang_up(at_once=at_once)

    def owns(self, request: Request) -> bool:
        """Whether a request of the other side belongs here, to an early dialog too."""
        return super().owns(request) or self._calling.dialog_of(request) is not None

    def handle(self, transaction: ServerTransaction) -> None:
        early = self._calling.dialog_of(transaction.request)
        if self.state is SessionState.EARLY and early is not None:
            self._handle_early(transaction, early)
        else:
            super().handle(transaction)

    def _handle_early(self, transaction: ServerTransaction, dialog: Dialog) -> None:
        """What may come while it rings: who is there (UPDATE, RFC 3311), but no other offer than ours."""
        request = transaction.request
        if request.method == "ACK":  # there is nothing to acknowledge, and nothing to say to it
            return
        if not dialog.accept(request):
            self.respond(transaction, 500)
        elif request.method in ("INVITE", "BYE", "PRACK"):
            self.respond(transaction, 481)
        elif request.method == "UPDATE" and find(request, CONTENT_TYPE):
            self.respond(transaction, 500, RETRY_AFTER)
        else:
            if request.method == "UPDATE":
                dialog.refresh_target(request)
                self.caller = asserted_identity(request) or self.caller
            self.respond(transaction, 200, self.contact, ALLOW, SUPPORTED)

    def _connect(self, answered: Answered) -> None:
        """It is answered: the media begin, or else it ends."""
        self.asking, self.dialog = answered.asking, answered.asking.dialog
        self.note(answered.response)
        self.state = SessionState.CONFIRMED
        self.refresher.take(answered.response)
        try:
            self.negotiation.receive_answer(answered.description)
        except (DescriptionError, NotAcceptable) as problem:
            reason = f"answered without sound that we can take: {problem}"
            self._on_result(Result(Outcome.REFUSED, answered.response.status, reason))
            self.end_with_bye(CallEnd.FAILED)
            return
        self.warn_of_open_keys()
        self._on_result(result_of(answered.response))

    def _fail(self, result: Result) -> None:
        self._on_result(result)
        is_ours = result.status == 0 and result.outcome is not Outcome.TIMED_OUT
        self.end(CallEnd.CANCELLED if is_ours else CallEnd.FAILED)


def _way(line: Line) -> tuple[Hop, Uri]:
    """The PBX, and our address towards it."""
    hop = line.pbx
    if hop is None:
        raise CallNotPossible("the PBX can't be reached", Outcome.TIMED_OUT)
    try:
        return hop, line.contact_towards(hop)
    except OSError as error:
        raise CallNotPossible(f"no route to {hop}: {error.strerror}", Outcome.TIMED_OUT) from None
