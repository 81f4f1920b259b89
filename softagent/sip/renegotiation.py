"""The other side's re-INVITEs and UPDATEs: hold, resume, moved media, another codec, a session refresh.

their offer -> reinvite, update -> Negotiation -> our answer in the 200
no offer    -> reinvite         -> Negotiation -> our offer in the 200, their answer in the ACK

RFC 3261 section 14.2, RFC 3311, RFC 6337.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from softagent.sip.body import find
from softagent.sip.errors import DescriptionError, NotAcceptable
from softagent.sip.negotiation import Negotiation
from softagent.sip.phone import CallEnd
from softagent.sip.sdp import CONTENT_TYPE
from softagent.sip.sessiontimer import objection
from softagent.sip.transaction import ServerTransaction
from softagent.sip.uas import ALLOW, SUPPORTED, Reply

if TYPE_CHECKING:
    from softagent.sip.session import Session

log = logging.getLogger("softagent.sip")

RETRY_AFTER = ("Retry-After", "1")
TYPED = ("Content-Type", CONTENT_TYPE)
TARGET_REFRESHES = ("INVITE", "UPDATE")
"""What may move the other side, or say who it has become."""


class Renegotiation:
    """Answers the offers of one call's other side. Used under the line's lock."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._unacknowledged: dict[int, ServerTransaction] = {}
        """INVITEs that we have answered with 200, by number."""
        self._offered_in = 0
        """Which of them has our offer in its 200, and will have their answer in its ACK."""

    @property
    def is_open(self) -> bool:
        """Whether an ACK is still to come."""
        return bool(self._unacknowledged)

    def reinvite(self, transaction: ServerTransaction) -> None:
        """A re-INVITE: hold, resume, moved media, another codec, a session refresh (section 14.2).

        The ACK to the one before may still be on its way; only when that brings an answer,
        the next offer has to wait (RFC 5407 section 3.1.4).
        """
        if self._session.is_early:
            self._session.respond(transaction, 500, RETRY_AFTER)
        elif self._session.negotiation.is_offering:
            self._session.respond(transaction, 491)
        elif (body := self._redescribe(transaction)) is not None:
            self.accept(transaction, body=body)

    def update(self, transaction: ServerTransaction) -> None:
        """UPDATE (RFC 3311): like a re-INVITE, but without an ACK and without an offer where it brings none."""
        has_offer = bool(find(transaction.request, CONTENT_TYPE))
        if has_offer and self._session.negotiation.is_offering:
            self._session.respond(transaction, 491)
        elif has_offer and self._session.negotiation.is_offered:
            self._session.respond(transaction, 500, RETRY_AFTER)
        elif (body := self._redescribe(transaction)) is not None:
            self._respond_ok(transaction, body)

    def _redescribe(self, transaction: ServerTransaction) -> bytes | None:
        """Our answer to an offer within the call, or our offer where a re-INVITE brings none.

        None after refusing it. Raises MessageError for a bad Contact; then nothing has changed.
        """
        request = transaction.request
        self._session.dialog.target_in(request)  # a bad one is refused before anything changes
        body = find(request, CONTENT_TYPE)
        refusal = objection(request) or (
            offer_refusal(self._session.negotiation, body) if body else None
        )
        if refusal is not None:
            self._session.reply(transaction, refusal)
            return None
        self._session.dialog.refresh_target(request)
        if not body:
            return self._session.negotiation.offer() if request.method == "INVITE" else b""
        with self._session.telling_media():
            return self._session.negotiation.answer()

    def accept(self, transaction: ServerTransaction, *, body: bytes) -> None:
        """200 to an INVITE, repeated until its ACK, which answers an offer of ours."""
        request = transaction.request
        transaction.on_unacknowledged = self._give_up
        self._unacknowledged[request.cseq.number] = transaction
        if self._session.negotiation.is_offering:
            self._offered_in = request.cseq.number
        self._respond_ok(transaction, body)

    def _respond_ok(self, transaction: ServerTransaction, body: bytes) -> None:
        """200 to an INVITE or UPDATE, or to a PRACK with an offer."""
        typed = (TYPED,) if body else ()
        is_refresh = transaction.request.method in TARGET_REFRESHES
        timer = self._session.refresher.answer(transaction.request) if is_refresh else ()
        self._session.respond(
            transaction, 200, self._session.contact, ALLOW, SUPPORTED, *timer, *typed, body=body
        )

    def confirm(self, ack: ServerTransaction) -> bool:
        """Take an ACK; whether it is the first one to a 200 of ours."""
        transaction = self._unacknowledged.pop(ack.request.cseq.number, None)
        if transaction is None:
            return False
        self._session.line.endpoint.acknowledge(transaction)
        return True

    def take_answer(self, ack: ServerTransaction) -> bool:
        """The answer in the ACK to an offer of ours; False where one should be there that can be used.

        Then everything is as it was.
        """
        session, request = self._session, ack.request
        if self._offered_in != request.cseq.number:
            return True
        self._offered_in = 0
        try:
            with session.telling_media():
                session.negotiation.receive_answer(find(request, CONTENT_TYPE))
        except (DescriptionError, NotAcceptable) as problem:
            session.negotiation.withdraw()
            bad = "account=%s call=%s event=bad-answer error=%r"
            log.warning(bad, *session.origin, str(problem))
            return False
        return True

    def settle(self) -> None:
        """No more copies of any 200: the call is over."""
        for transaction in self._unacknowledged.values():
            self._session.line.endpoint.acknowledge(transaction)
        self._unacknowledged.clear()

    def _give_up(self) -> None:
        """A 200 of ours was never confirmed: end the session with BYE (section 13.3.1.4)."""
        self._session.end_with_bye(CallEnd.NOT_ACKNOWLEDGED)


def offer_refusal(negotiation: Negotiation, body: bytes) -> Reply | None:
    """Have an offer taken; the refusal of one that can't be (RFC 3261 section 13.3.1.3)."""
    try:
        negotiation.receive_offer(body)
    except DescriptionError:
        return Reply(400)
    except NotAcceptable as problem:
        return Reply(488, (("Warning", f'{problem.code} softagent "{problem}"'),))
    return None
