"""A call that is there, by whoever it was begun: what either side may say between the answer and the BYE.

their request -> handle -> Negotiation -> response, callbacks
                 request, hang_up      -> our requests

RFC 3261 sections 12 to 15, RFC 3311 (UPDATE), RFC 6086 (INFO), RFC 6665 (NOTIFY).
"""

from __future__ import annotations

import contextlib
import enum
import logging
from collections.abc import Callable, Iterator

from softagent.media.description import MediaDescription
from softagent.sip.address import Uri
from softagent.sip.asking import Asking
from softagent.sip.dialog import Dialog, asserted_identity
from softagent.sip.hop import Transport
from softagent.sip.keypad import read_info
from softagent.sip.line import Line
from softagent.sip.listeners import Listeners
from softagent.sip.message import Message, Request, Response
from softagent.sip.negotiation import Negotiation
from softagent.sip.phone import CallEnd, Caller, OnResult
from softagent.sip.refer import Transfer
from softagent.sip.refresh import Refresher
from softagent.sip.reinvite import Reinvite
from softagent.sip.renegotiation import TARGET_REFRESHES, Renegotiation
from softagent.sip.sessiontimer import SessionTimer
from softagent.sip.transaction import ServerTransaction
from softagent.sip.transfer import Transfers
from softagent.sip.uas import Reply, reply_to_notify

log = logging.getLogger("softagent.sip")

OnResponse = Callable[[Response | None], None]


class SessionState(enum.Enum):
    """How far the call has come."""

    EARLY = "early"
    """There is no final response yet."""
    ANSWERED = "answered"
    """Our 200 OK is out, its ACK isn't here."""
    CONFIRMED = "confirmed"
    ENDED = "ended"


class Session:
    """One call's dialog and media. Used under the line's lock."""

    def __init__(
        self,
        line: Line,
        dialog: Dialog,
        negotiation: Negotiation,
        *,
        contact: Uri,
        caller: Caller,
        on_end: Callable[[CallEnd], None],
    ) -> None:
        """`contact` is ours; `on_end` is called once, under the lock."""
        self.line = line
        self.dialog = dialog
        self.negotiation = negotiation
        self.caller = caller
        """The other side, as the PBX said last."""
        self.asking = Asking(line.endpoint, dialog, line.authenticator_towards(dialog.source))
        self.transfers = Transfers(self)
        self.joined: Transfer | None = None
        """The transfer of another call to this one's far end, which ends this one."""
        self.is_caller = False
        """Whether it was we who began the call, and made its Call-ID."""
        self.allowed: frozenset[str] = frozenset()
        """Methods that the other side takes, in lower case."""
        self.refresher = Refresher(self, SessionTimer(line.session_seconds))
        self.state = SessionState.EARLY
        self.contact = ("Contact", f"<{contact}>")
        self.ending: CallEnd | None = None
        """Why the call is over, once that has been told; a BYE may still be due."""
        self._on_end = on_end
        self.renegotiation = Renegotiation(self)
        self._has_warned = False
        self.listeners = Listeners(line.endpoint)

    @property
    def media(self) -> MediaDescription:
        """What has been agreed on. Raises LookupError before that."""
        return self.negotiation.media

    @property
    def is_early(self) -> bool:
        """Whether there is no final response yet."""
        return self.state is SessionState.EARLY

    @property
    def is_over(self) -> bool:
        """Nothing more to say, not even a BYE that waits for the ACK."""
        return self.state is SessionState.ENDED

    @property
    def is_forgettable(self) -> bool:
        """Whether no request for it can come any more, not even the last word of a transfer."""
        return self.is_over and not self.transfers.is_pending

    @property
    def is_up(self) -> bool:
        """Whether it is answered and not over."""
        return self.ending is None and self.state in (SessionState.ANSWERED, SessionState.CONFIRMED)

    @property
    def can_offer(self) -> bool:
        """Whether an offer of ours may go out now: the call is up and no other one is in the air (RFC 3264 section 4)."""
        is_pending = self.negotiation.is_offering or self.negotiation.is_offered
        return self.state is SessionState.CONFIRMED and not (
            is_pending or self.renegotiation.is_open
        )

    @property
    def origin(self) -> tuple[str, str]:
        """Account and call, for the log."""
        return self.line.endpoint.name, self.dialog.call_id

    # Ours

    def hang_up(self, *, at_once: bool = False) -> None:
        """End the call: a BYE, which has to wait for the ACK (section 15) unless we leave `at_once`."""
        if at_once:
            self.end_with_bye(CallEnd.AGENT_HUNG_UP)
        else:
            self._part(CallEnd.AGENT_HUNG_UP)

    def give_way(self) -> None:
        """Another call of the other side's takes the place of this one (RFC 3891 section 3)."""
        self._part(CallEnd.TRANSFERRED)

    def _part(self, end: CallEnd) -> None:
        if self.state is SessionState.ANSWERED:
            self._report(end)
        else:
            self.end_with_bye(end)

    def end_with_bye(self, end: CallEnd) -> None:
        """Say BYE and be over."""
        if self.state in (SessionState.ANSWERED, SessionState.CONFIRMED):
            self._send_bye()
            self.end(end)

    def end(self, end: CallEnd) -> None:
        """Be over, without a word."""
        if not self.is_over:
            self.state = SessionState.ENDED
            self.transfers.part(is_ours=end is not CallEnd.TRANSFERRED)
            self.refresher.stop()
            self.renegotiation.settle()
            self._report(end)

    def lose(self, reason: str) -> None:
        """The far end has gone: nobody will hear the BYE, but what is between us may."""
        log.warning("account=%s call=%s event=far-end-lost reason=%s", *self.origin, reason)
        self.end_with_bye(CallEnd.FAR_END_LOST)

    def request(
        self,
        method: str,
        *headers: tuple[str, str],
        body: bytes = b"",
        on_response: OnResponse,
    ) -> None:
        """Send a request within the dialog, again with credentials where the PBX asks for them.

        `on_response` gets the final response, or None when none came. Not for INVITE.
        """
        self.asking.ask(method, on_response, *headers, body=body)

    def reinvite(self, describe: Callable[[], bytes], on_result: OnResult) -> None:
        """Ask for a change of the session as soon as no other one is in the air; see Reinvite.

        `describe` writes the offer just before it is sent; `on_result` gets the end, after what
        it changes.
        """
        Reinvite(self, describe, on_result).start()

    def owns(self, request: Request) -> bool:
        """Whether a request of the other side belongs to this call."""
        return self.dialog.matches(request)

    def _send_bye(self) -> None:
        def take(response: Response | None) -> None:
            if response is None:
                log.warning("account=%s call=%s event=bye-unanswered", *self.origin)

        self.request("BYE", on_response=take)

    # Theirs

    def handle(self, transaction: ServerTransaction) -> None:
        """Take a request within the dialog. Raises MessageError for one that can't be read."""
        request = transaction.request
        if not self.dialog.accept(request):
            self.respond(transaction, 500)
            return
        self.note(request)
        match request.method:
            case "ACK":
                self._confirm(transaction)
            case "BYE":
                self._leave(transaction)
            case "NOTIFY" if self.transfers.hear(transaction):
                pass
            case _ if self.ending is not None:
                self.respond(transaction, 481)
            case "INVITE":
                self.renegotiation.reinvite(transaction)
            case "UPDATE":
                self.renegotiation.update(transaction)
            case "PRACK":
                self._acknowledge_early(transaction)
            case "INFO":
                self._inform(transaction)
            case "NOTIFY":
                self.reply(transaction, reply_to_notify(transaction.request))
            case "OPTIONS":
                self.respond(transaction, 200, self.contact, *self.line.capabilities)
            case _:
                self.respond(transaction, 200)

    def note(self, message: Message) -> None:
        """What any message of the other side may say: which methods it takes, and who it is now (connected line)."""
        if allowed := message.headers.tokens("Allow"):
            self.allowed = allowed
        who = asserted_identity(message) if message.cseq.method in TARGET_REFRESHES else None
        if who is not None and who != self.caller:
            self.caller = who
            log.debug("account=%s call=%s event=caller-changed caller=%s", *self.origin, who.number)

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        *headers: tuple[str, str],
        body: bytes = b"",
    ) -> None:
        """Answer a request."""
        self.line.endpoint.respond(transaction, status, *headers, body=body)

    def reply(self, transaction: ServerTransaction, reply: Reply) -> None:
        """Answer a request as somebody has decided."""
        self.respond(transaction, reply.status, *reply.headers)

    def _confirm(self, ack: ServerTransaction) -> None:
        """The ACK to a 200 of ours; a BYE of ours may have waited for it."""
        is_first = self.state is SessionState.ANSWERED
        if not self.renegotiation.confirm(ack):
            return
        if is_first:
            self.state = SessionState.CONFIRMED
        if self.ending is not None:
            self.end_with_bye(self.ending)
        elif not self.renegotiation.take_answer(ack) and is_first:
            self.end_with_bye(CallEnd.FAILED)  # there is nothing to talk with

    def _leave(self, transaction: ServerTransaction) -> None:
        """BYE: the end, be it part of a transfer."""
        self.respond(transaction, 200)
        is_joined = self.joined is not None and self.joined.is_taken
        is_transferred = self.transfers.is_taken or is_joined
        self.end(CallEnd.TRANSFERRED if is_transferred else CallEnd.CALLER_HUNG_UP)

    def _inform(self, transaction: ServerTransaction) -> None:
        digits, reply = read_info(transaction.request)
        self.reply(transaction, reply)
        if digits:
            self.listeners.tell_digits(digits)

    def _acknowledge_early(self, transaction: ServerTransaction) -> None:
        """A PRACK for nothing that we have sent (RFC 3262 section 3)."""
        self.respond(transaction, 481)

    # Who listens

    @contextlib.contextmanager
    def telling_media(self) -> Iterator[None]:
        """Tell who listens what has become of the media within the block."""
        before = self.negotiation.media
        yield
        if self.negotiation.media != before:
            self.tell_media()

    def tell_media(self) -> None:
        """Tell what the media are now; before the answer nobody listens yet."""
        media = self.negotiation.media
        if self.is_early:
            return
        log.debug(
            "account=%s call=%s event=media-changed to=%s:%d codec=%s direction=%s srtp=%s",
            *self.origin,
            media.remote_host,
            media.remote_port,
            media.codec,
            media.direction.value,
            "off" if media.srtp is None else media.srtp.suite,
        )
        self.listeners.tell_media(media)
        self.warn_of_open_keys()

    def warn_of_open_keys(self) -> None:
        """Encryption whose keys anybody on the way can read is none; say so once."""
        transport = self.dialog.next_hop.transport
        if self.media.srtp is None or transport is Transport.TLS or self._has_warned:
            return
        self._has_warned = True
        readable = "account=%s call=%s event=srtp-keys-readable transport=%s"
        log.warning(readable, *self.origin, transport.value.lower())

    def _report(self, end: CallEnd) -> None:
        """Say that the call is over, once: a BYE that waits for the ACK may come later."""
        if self.ending is None:
            self.ending = end
            self._on_end(end)
            self.listeners.tell_end(end)
