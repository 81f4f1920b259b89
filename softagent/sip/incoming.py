"""A call that comes in: it rings, and is answered, refused or given up (RFC 3261 sections 9.2 and 13.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from softagent.sip.address import Uri
from softagent.sip.body import find
from softagent.sip.dialog import Dialog, caller_of
from softagent.sip.line import Line
from softagent.sip.negotiation import Negotiation
from softagent.sip.phone import CallEnd
from softagent.sip.sdp import CONTENT_TYPE
from softagent.sip.session import Session, SessionState, offer_refusal
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

    @classmethod
    def take(cls, transaction: ServerTransaction, line: Line) -> Invitation | Reply:
        """Look at an INVITE; the reply that refuses it when nothing can come of it.

        One without an offer gets ours with the 200 or before. Raises MessageError for a bad Contact.
        """
        request, source = transaction.request, transaction.source
        dialog = Dialog.taken(request, source, transaction.tag)
        contact = line.contact_towards(source)
        abilities = line.abilities(contact)
        negotiation = Negotiation(abilities, host=contact.host, source_host=source.host)
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

    def ring(self) -> None:
        """180 Ringing."""
        self.respond(self._invite, 180, self.contact, ALLOW, SUPPORTED)

    def answer(self) -> None:
        """200 OK with our description, repeated until the ACK; only a ringing call can be answered."""
        if self.state is not SessionState.EARLY:
            return
        self.state = SessionState.ANSWERED
        is_offered = self.negotiation.is_offered
        body = self.negotiation.answer() if is_offered else self.negotiation.offer()
        self.accept(self._invite, body=body)

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

    def _leave(self, transaction: ServerTransaction) -> None:
        """A BYE may also come before our answer (section 15.1.2): that ends the INVITE."""
        self.respond(self._invite, 487)
        super()._leave(transaction)

    def _conclude(self, status: int, end: CallEnd, *headers: tuple[str, str]) -> None:
        self.respond(self._invite, status, ALLOW, *headers)
        self.end(end)
