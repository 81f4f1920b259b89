"""Our end of one incoming call: INVITE, ACK, CANCEL, BYE and all between them (RFC 3261 sections 13 to 15)."""

from __future__ import annotations

import contextlib
import enum
import functools
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from softagent.media.description import Direction, MediaDescription
from softagent.sip import sdp
from softagent.sip.address import Uri
from softagent.sip.dialog import Dialog
from softagent.sip.digest import Authenticator
from softagent.sip.endpoint import Endpoint
from softagent.sip.errors import DescriptionError
from softagent.sip.message import Response
from softagent.sip.phone import CallEnd
from softagent.sip.transaction import ServerTransaction
from softagent.sip.uas import ACCEPT, ALLOW, Reply

log = logging.getLogger("softagent.sip")


class SessionState(enum.Enum):
    """How far the call has come."""

    RINGING = "ringing"
    ANSWERED = "answered"
    """200 OK is out, its ACK isn't here."""
    CONFIRMED = "confirmed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An INVITE that can be answered: its dialog, and what we take of its offer."""

    transaction: ServerTransaction
    dialog: Dialog
    contact: Uri
    """Ours, towards this caller."""
    offer: sdp.Description
    agreement: sdp.Agreement

    @classmethod
    def take(
        cls, transaction: ServerTransaction, codecs: Sequence[str], contact: Uri
    ) -> Invitation | Reply:
        """Look at an INVITE; the reply that refuses it when nothing can come of it.

        An INVITE without an offer is refused: sound has to flow from the 200 OK on, and
        where to would be known with the ACK only. Raises MessageError for a bad Contact.
        """
        request = transaction.request
        if not request.body:
            return Reply(488)
        kind = (request.headers.first("Content-Type") or "").partition(";")[0]
        if kind.strip().lower() != sdp.CONTENT_TYPE:
            return Reply(415, (ACCEPT,))
        dialog = Dialog(request, transaction.source, transaction.tag)
        try:
            offer = sdp.parse(request.body)
        except DescriptionError:
            return Reply(400)
        agreement = sdp.agree(offer, codecs, source_host=transaction.source.host)
        if agreement is None:
            return Reply(488)
        return cls(transaction, dialog, contact, offer, agreement)


class Session:
    """One call, from the 180 to the BYE. Used under the endpoint's lock."""

    def __init__(
        self,
        invitation: Invitation,
        endpoint: Endpoint,
        *,
        local_port: int,
        authenticator: Authenticator,
        on_end: Callable[[CallEnd], None],
    ) -> None:
        """`on_end` is called once, under the lock."""
        agreement, contact = invitation.agreement, invitation.contact
        self.dialog = invitation.dialog
        self.state = SessionState.RINGING
        self.media = MediaDescription(
            codec=agreement.codec.name,
            payload_type=agreement.codec.payload_type,
            remote_host=agreement.host,
            remote_port=agreement.port,
            local_host=contact.host,
            local_port=local_port,
            event_payload_type=agreement.event_payload_type,
        )
        self._invitation = invitation
        self._invite = invitation.transaction
        self._endpoint = endpoint
        self._contact = ("Contact", f"<{contact}>")
        self._authenticator = authenticator
        self._on_end = on_end
        self._ending: CallEnd | None = None
        self._callbacks: list[Callable[[CallEnd], None]] = []
        self._media_callbacks: list[Callable[[MediaDescription], None]] = []
        self._session_id = secrets.randbelow(2**31)
        self._version = 0
        self._description = b""

    @property
    def is_over(self) -> bool:
        """Nothing more to say, not even a BYE that waits for the ACK."""
        return self.state is SessionState.ENDED

    @property
    def _origin(self) -> tuple[str, str]:
        """Account and call, for the log."""
        return self._endpoint.name, self.dialog.call_id

    def ring(self) -> None:
        """180 Ringing."""
        self._endpoint.respond(self._invite, 180, self._contact, ALLOW)

    def answer(self) -> None:
        """200 OK with our description, repeated until the ACK; only a ringing call can be answered."""
        if self.state is SessionState.RINGING:
            self.state = SessionState.ANSWERED
            self._accept(
                self._invite, self._answer(self._invitation.offer, self._invitation.agreement)
            )

    def reject(self, status: int, *, retry_after_seconds: int | None = None) -> None:
        """Refuse a ringing call, with the time after which to try again where one is known."""
        if self.state is SessionState.RINGING:
            wait = (
                () if retry_after_seconds is None else (("Retry-After", str(retry_after_seconds)),)
            )
            self._endpoint.respond(self._invite, status, ALLOW, *wait)
            self._end(CallEnd.AGENT_HUNG_UP)

    def cancel(self) -> None:
        """The caller has given up; too late when we have answered (section 9.2)."""
        if self.state is SessionState.RINGING:
            self._endpoint.respond(self._invite, 487)
            self._end(CallEnd.CANCELLED)

    def hang_up(self, *, at_once: bool = False) -> None:
        """End the call: a BYE, which has to wait for the ACK (section 15) unless we leave `at_once`."""
        if self.state is SessionState.RINGING:
            self.reject(480)
        elif self.state is SessionState.ANSWERED and not at_once:
            self._report(CallEnd.AGENT_HUNG_UP)
        elif self.state is not SessionState.ENDED:
            self._send_bye()
            self._end(CallEnd.AGENT_HUNG_UP)

    def handle(self, transaction: ServerTransaction) -> None:
        """Take a request within the dialog. Raises MessageError for one that can't be read."""
        request = transaction.request
        if not self.dialog.accept(request):
            self._endpoint.respond(transaction, 500)
            return
        match request.method:
            case "ACK":
                self._confirm(transaction)
            case "BYE":
                self._endpoint.respond(transaction, 200)
                self._endpoint.respond(self._invite, 487)
                self._endpoint.acknowledge(self._invite)  # no more copies of a 200 after a BYE
                self._end(CallEnd.CALLER_HUNG_UP)
            case "INVITE":
                self._renegotiate(transaction)
            case "UPDATE":
                self._update(transaction)
            case _:
                self._endpoint.respond(transaction, 200)

    def _confirm(self, ack: ServerTransaction) -> None:
        if ack.request.cseq.number != self._invite.request.cseq.number:
            return
        self._endpoint.acknowledge(self._invite)
        if not self._invite.request.body:
            self._take_answer(ack)
        if self._ending is not None and not self.is_over:
            self._send_bye()
            self._end(CallEnd.AGENT_HUNG_UP)
        elif self.state is SessionState.ANSWERED:
            self.state = SessionState.CONFIRMED

    def _renegotiate(self, transaction: ServerTransaction) -> None:
        """A re-INVITE: hold, resume, moved media, a session refresh. Codec and our side of the media stay."""
        if self.state is not SessionState.CONFIRMED:
            self._endpoint.respond(transaction, 491)
            return
        renewed = self._redescribe(transaction)
        if renewed is not None:
            body, media = renewed
            self.dialog.refresh_target(transaction.request)
            self._invite = transaction
            self._accept(transaction, body)
            self._move(media)

    def _update(self, transaction: ServerTransaction) -> None:
        """UPDATE (RFC 3311): like a re-INVITE, but without an ACK and without an offer where it brings none."""
        has_offer = bool(transaction.request.body)
        if has_offer and self.state is SessionState.RINGING:  # the INVITE's is still unanswered
            self._endpoint.respond(transaction, 500, ("Retry-After", "1"))
            return
        renewed = self._redescribe(transaction) if has_offer else (b"", self.media)
        if renewed is not None:
            body, media = renewed
            self.dialog.refresh_target(transaction.request)
            typed = (("Content-Type", sdp.CONTENT_TYPE),) if body else ()
            self._endpoint.respond(transaction, 200, self._contact, ALLOW, *typed, body=body)
            self._move(media)

    def _redescribe(self, transaction: ServerTransaction) -> tuple[bytes, MediaDescription] | None:
        """Our description in answer to a new offer, or as an offer of ours, and the media from then on.

        None after refusing it.
        """
        if not transaction.request.body:
            return self._offer_again(), self.media
        try:
            offer = sdp.parse(transaction.request.body)
        except DescriptionError:
            self._endpoint.respond(transaction, 400)
            return None
        agreement = self._agree(offer, transaction)
        if agreement is None:
            self._endpoint.respond(transaction, 488)
            return None
        return self._answer(offer, agreement), self._moved(agreement)

    def _take_answer(self, ack: ServerTransaction) -> None:
        """The answer to the offer in our 200. One that can't be used leaves everything as it is."""
        with contextlib.suppress(DescriptionError):
            agreement = self._agree(sdp.parse(ack.request.body), ack)
            if agreement is not None:
                self._move(self._moved(agreement))

    def _agree(
        self, theirs: sdp.Description, transaction: ServerTransaction
    ) -> sdp.Agreement | None:
        codecs, source_host = (self.media.codec,), transaction.source.host
        return sdp.agree(theirs, codecs, source_host=source_host)

    def _moved(self, agreement: sdp.Agreement) -> MediaDescription:
        """The media at the other side's new address; while inactive that can wait for the next offer."""
        if agreement.direction is Direction.INACTIVE:
            return self.media
        return replace(self.media, remote_host=agreement.host, remote_port=agreement.port)

    def _move(self, media: MediaDescription) -> None:
        if media == self.media:
            return
        self.media = media
        where = media.remote_host, media.remote_port
        log.debug("account=%s call=%s event=media-moved to=%s:%d", *self._origin, *where)
        for callback in self._media_callbacks:
            self._endpoint.notify(functools.partial(callback, media))

    def _answer(self, offer: sdp.Description, agreement: sdp.Agreement) -> bytes:
        host, port = self.media.local_host, self.media.local_port

        def write(session: str) -> bytes:
            return sdp.answer(offer, agreement, host=host, port=port, session=session)

        return self._versioned(write)

    def _offer_again(self) -> bytes:
        media = self.media

        def write(session: str) -> bytes:
            return sdp.offer(
                media.codec,
                media.payload_type,
                media.event_payload_type,
                host=media.local_host,
                port=media.local_port,
                session=session,
            )

        return self._versioned(write)

    def _versioned(self, write: Callable[[str], bytes]) -> bytes:
        """A description; its version counts up when something in it has changed (RFC 3264 section 8)."""
        body = write(f"{self._session_id} {self._version}")
        if body != self._description:
            self._version += 1
            body = self._description = write(f"{self._session_id} {self._version}")
        return body

    def _accept(self, transaction: ServerTransaction, body: bytes) -> None:
        transaction.on_unacknowledged = self._give_up
        typed = ("Content-Type", sdp.CONTENT_TYPE)
        self._endpoint.respond(transaction, 200, self._contact, ALLOW, typed, body=body)

    def _give_up(self) -> None:
        """Our 200 was never confirmed: end the session with BYE (section 13.3.1.4)."""
        if not self.is_over:
            self._send_bye()
            self._end(CallEnd.NOT_ACKNOWLEDGED)

    def _send_bye(self, *, is_second: bool = False) -> None:
        """BYE, once more with credentials when the PBX asks for them."""

        def take(response: Response | None) -> None:
            if response is None:
                log.warning("account=%s call=%s event=bye-unanswered", *self._origin)
                return
            is_challenge = response.status in (401, 407) and not is_second
            if is_challenge and self._authenticator.learn(response):
                self._send_bye(is_second=True)

        request = self.dialog.request("BYE")
        if is_second:
            credentials = self._authenticator.headers("BYE", request.uri)
            request = replace(request, headers=request.headers.with_(*credentials))
        self._endpoint.request(request, self.dialog.next_hop, take)

    def _end(self, end: CallEnd) -> None:
        if not self.is_over:
            self.state = SessionState.ENDED
            self._report(end)

    def on_media(self, callback: Callable[[MediaDescription], None]) -> None:
        """Have `callback` called on the signalling thread each time the other side moves its media."""
        with self._endpoint.lock:
            if self._ending is None:
                self._media_callbacks.append(callback)

    def on_end(self, callback: Callable[[CallEnd], None]) -> None:
        """Have `callback` called on the signalling thread when the call is over; at once when it is already."""
        with self._endpoint.lock:
            if self._ending is None:
                self._callbacks.append(callback)
                return
        callback(self._ending)

    def _report(self, end: CallEnd) -> None:
        """Say that the call is over, once: a BYE that waits for the ACK may come later."""
        if self._ending is None:
            self._ending = end
            self._on_end(end)
            for callback in self._callbacks:
                self._endpoint.notify(functools.partial(callback, end))
            self._callbacks.clear()  # the transactions know this call for half a minute more
            self._media_callbacks.clear()
