"""A call that comes in: it rings, and is answered, refused or given up (RFC 3261 sections 9.2 and 13.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from softagent.sip.address import LARGEST_SECONDS, Uri, natural
from softagent.sip.alarm import Alarm
from softagent.sip.body import find
from softagent.sip.dialog import Dialog, caller_of
from softagent.sip.errors import DescriptionError, MessageError, NotAcceptable
from softagent.sip.line import Line
from softagent.sip.message import Request
from softagent.sip.negotiation import Negotiation
from softagent.sip.phone import CallEnd
from softagent.sip.reliable import EXTENSION, ReliableResponse
from softagent.sip.renegotiation import TYPED, offer_refusal
from softagent.sip.sdp import CONTENT_TYPE
from softagent.sip.session import Session, SessionState
from softagent.sip.sessiontimer import objection
from softagent.sip.transaction import ServerTransaction
from softagent.sip.uas import ALLOW, SUPPORTED, Reply


@dataclass(frozen=True, slots=True)
class Invitation:
    """An INVITE that can be answered: its dialog, and what comes of its offer."""

    transaction: ServerTransaction
    dialog: Dialog
    contact: Uri
    """Ours, towards this caller."""
    negotiation: Negotiation
    replaced: Session | None = None
    """The call that this one takes the place of."""

    @classmethod
    def take(cls, transaction: ServerTransaction, line: Line) -> Invitation | Reply:
        """Look at an INVITE; the reply that refuses it when nothing can come of it.

        One without an offer gets ours with the 200 or before. Raises MessageError for a bad Contact.
        """
        request, source = transaction.request, transaction.source
        if (reply := objection(request)) is not None:
            return reply
        dialog = Dialog.taken(request, source, transaction.tag)
        line.locate(dialog.next_hop)  # a name in it will be known by the time that we ask anything
        contact = line.contact_towards(source)
        abilities = line.abilities(contact)
        negotiation = Negotiation(
            abilities, host=line.host_towards(source), source_host=source.host
        )
        body = find(request, CONTENT_TYPE)
        if not body:
            negotiation.expect()
        elif (reply := offer_refusal(negotiation, body)) is not None:
            return reply
        return cls(transaction, dialog, contact, negotiation)


class IncomingSession(Session):
    """One call from the 180 on. Used under the line's lock."""

    def __init__(
        self,
        line: Line,
        invitation: Invitation,
        *,
        local_port: int,
        on_end: Callable[[CallEnd], None],
    ) -> None:
        invitation.negotiation.open(local_port)
        super().__init__(
            line,
            invitation.dialog,
            invitation.negotiation,
            contact=invitation.contact,
            caller=caller_of(invitation.transaction.request),
            on_end=on_end,
        )
        self._invite = invitation.transaction
        self._replaced = invitation.replaced
        self._ringing: ReliableResponse | None = None
        """The 180, where the caller wants to confirm it."""
        self._is_answer_due = False
        """Whether the 200 waits for that: our offer in it has to be answered first (RFC 3262 section 3)."""
        self._expiry = self._expire_in(self._invite.request)
        self.note(self._invite.request)

    def _expire_in(self, invite: Request) -> Alarm | None:
        """The caller may say how long it wants to wait (section 13.3.1); None where it doesn't."""
        try:
            seconds = natural(invite.need("Expires"), "Expires", largest=LARGEST_SECONDS)
        except MessageError:
            return None
        return self.line.endpoint.after(seconds, self.cancel)

    def ring(self) -> None:
        """180 Ringing; confirmed with PRACK where the caller requires that, and with our offer where it brought none."""
        fields = (self.contact, ALLOW, SUPPORTED)
        if EXTENSION not in self._invite.request.headers.tokens("Require"):
            self.respond(self._invite, 180, *fields)
            return
        body = b"" if self.negotiation.is_offered else self.negotiation.offer()
        typed = (TYPED,) if body else ()
        self._ringing = ReliableResponse(
            self.line.endpoint, self._invite, on_unconfirmed=self._stop_ringing
        )
        self._ringing.send(180, *fields, *typed, body=body)

    def answer(self) -> None:
        """200 OK with our description, repeated until the ACK; only a ringing call can be answered."""
        if self.state is not SessionState.EARLY:
            return
        is_agreed = self._ringing is not None and not self.negotiation.is_offered
        if is_agreed and self.negotiation.is_offering:
            self._is_answer_due = True
            return
        self.state = SessionState.ANSWERED
        self._settle_ringing()
        if is_agreed:
            body = b""
        elif self.negotiation.is_offered:
            body = self.negotiation.answer()
        else:
            body = self.negotiation.offer()
        self.warn_of_open_keys()
        if is_agreed:
            self.tell_media()
        self.renegotiation.accept(self._invite, body=body)
        if self._replaced is not None:
            self._replaced.give_way()
            self._replaced = None

    def reject(self, status: int, *, retry_after_seconds: int | None = None) -> None:
        """Refuse a ringing call, with the time after which to try again where one is known."""
        if self.state is SessionState.EARLY:
            wait = (
                () if retry_after_seconds is None else (("Retry-After", str(retry_after_seconds)),)
            )
            self._conclude(status, CallEnd.AGENT_HUNG_UP, *wait)

    def cancel(self) -> None:
        """The caller has given up; too late when we have answered (section 9.2)."""
        if self.state is SessionState.EARLY:
            self._conclude(487, CallEnd.CANCELLED)

    def hang_up(self, *, at_once: bool = False) -> None:
        if self.state is SessionState.EARLY:
            self.reject(480)
        else:
            super().hang_up(at_once=at_once)

    def _acknowledge_early(self, transaction: ServerTransaction) -> None:
        """PRACK: the answer to our offer, or an offer where the first one has been answered (RFC 3262 section 5)."""
        request = transaction.request
        if self._ringing is None or not self._ringing.confirm(request):
            super()._acknowledge_early(transaction)
            return
        body = find(request, CONTENT_TYPE)
        if self.negotiation.is_offering:
            self._take_early_answer(transaction, body)
        elif body:
            self.renegotiation.update(transaction)
        else:
            self.respond(transaction, 200)

    def _take_early_answer(self, transaction: ServerTransaction, body: bytes) -> None:
        """The answer to the offer in our 180. Without a usable one there is no call."""
        try:
            with self.telling_media():
                self.negotiation.receive_answer(body)
        except (DescriptionError, NotAcceptable):
            self.respond(transaction, 488)
            self._conclude(488, CallEnd.FAILED)
            return
        self.respond(transaction, 200)
        if self._is_answer_due:
            self.answer()

    def _stop_ringing(self) -> None:
        """No PRACK has come: the caller has lost us (RFC 3262 section 3)."""
        if self.state is SessionState.EARLY:
            self._conclude(504, CallEnd.NOT_ACKNOWLEDGED)

    def _settle_ringing(self) -> None:
        """The 180 isn't repeated any more, and nothing runs out."""
        if self._ringing is not None:
            self._ringing.stop()
        if self._expiry is not None:
            self._expiry.cancel()

    def _leave(self, transaction: ServerTransaction) -> None:
        """A BYE may also come before our answer (section 15.1.2): that ends the INVITE."""
        self._settle_ringing()
        self.respond(self._invite, 487)
        super()._leave(transaction)

    def _conclude(self, status: int, end: CallEnd, *headers: tuple[str, str]) -> None:
        self._settle_ringing()
        self.respond(self._invite, status, ALLOW, *headers)
        self.end(end)
