"""Brings each request to its call, and decides whether a new one may ring (RFC 3261 sections 8.2, 9.2 and 12.2.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from softagent.sip.errors import MessageError
from softagent.sip.headers import Via
from softagent.sip.impossible import CallNotPossible
from softagent.sip.incoming import IncomingSession, Invitation
from softagent.sip.line import Line
from softagent.sip.message import Request
from softagent.sip.replaces import Replaces
from softagent.sip.session import Session
from softagent.sip.transaction import MAGIC, ServerTransaction
from softagent.sip.uas import Reply, reply_outside_dialog

BACK_IN_SECONDS = 30
"""After which to try again while this telephone goes out of service: it is another one's turn by then."""

MOST_CALLS = 2
"""The caller's, and the one in which it is asked whether somebody wants to speak with them."""

Identity = tuple[str, str, str]
"""Call-ID, From tag and CSeq: the same in all copies of one request, by whichever way they come."""


class Switchboard:
    """All calls of one line. Used under its lock."""

    def __init__(self, line: Line, on_invitation: Callable[[Invitation], None]) -> None:
        """`on_invitation` gets an INVITE that may ring."""
        self.sessions: list[Session] = []
        self.is_draining = False
        """Whether calls go on but no new one may begin."""
        self._line = line
        self._on_invitation = on_invitation
        self._seen: dict[Identity, float] = {}
        """Requests that began something, and until when a copy of theirs may come another way."""

    @property
    def refusal(self) -> Reply | None:
        """What a new call is told whatever it offers; None while it may ring."""
        if self.is_draining:
            return Reply(503, (("Retry-After", str(BACK_IN_SECONDS)),))
        if any(session.ending is None for session in self.sessions):
            return Reply(486)
        return None

    def admit_ours(self) -> None:
        """Whether we may call somebody: beside one call for a consultation. Raises CallNotPossible."""
        if sum(session.ending is None for session in self.sessions) >= MOST_CALLS:
            raise CallNotPossible(f"there are {MOST_CALLS} calls already")

    def connect(self, session: Session) -> None:
        """Bring requests to this session from now on, until it is over."""
        self._forget()
        self.sessions.append(session)

    def handle(self, transaction: ServerTransaction) -> None:
        """Deal with a request. Raises MessageError for one that can't be read."""
        request = transaction.request
        self._forget()
        session = self.session_of(request)
        if request.method == "CANCEL":
            self._cancel(transaction)
        elif session is not None:
            session.handle(transaction)
        elif request.recipient.tag and request.method != "ACK":
            self._respond(transaction, Reply(481))
        elif self._is_seen(request) or self._is_ours(transaction):
            self._respond(transaction, Reply(482))
        elif request.method == "INVITE":
            self._invite(transaction)
        elif (reply := self._reply(request)) is not None:
            self._respond(transaction, reply)

    def _forget(self) -> None:
        self.sessions = [session for session in self.sessions if not session.is_forgettable]

    def session_of(self, request: Request) -> Session | None:
        """The call whose dialog a request belongs to. Raises MessageError when its tags can't be read."""
        return next((s for s in self.sessions if s.owns(request)), None)

    def _reply(self, request: Request) -> Reply | None:
        """An OPTIONS is answered as an INVITE would be (section 11.2)."""
        if request.method == "OPTIONS":
            return self.refusal or Reply(200, self._line.capabilities)
        return reply_outside_dialog(request)

    def _invite(self, transaction: ServerTransaction) -> None:
        replaces = Replaces.of(transaction.request)
        replaced = None if replaces is None else self._replaced(replaces)
        taken = replaced if isinstance(replaced, Reply) else self._take(transaction, replaced)
        if isinstance(taken, Reply):
            self._respond(transaction, taken)
        else:
            self._on_invitation(taken)

    def _take(self, transaction: ServerTransaction, replaced: Session | None) -> Invitation | Reply:
        """A call to be replaced doesn't make us busy."""
        if self.refusal is not None and (replaced is None or self.is_draining):
            return self.refusal
        taken = Invitation.take(transaction, self._line)
        return taken if isinstance(taken, Reply) else replace(taken, replaced=replaced)

    def _replaced(self, replaces: Replaces) -> Session | Reply:
        """The call that an INVITE takes the place of, or why it can't (RFC 3891 section 3)."""
        for session in self.sessions:
            if not replaces.means(session.dialog) or session.is_early:
                continue  # one that rings isn't ours to give away
            if session.ending is not None:
                return Reply(603)
            return Reply(486) if replaces.is_early_only else session
        return Reply(481)

    def _cancel(self, transaction: ServerTransaction) -> None:
        """200 to the CANCEL and 487 to its INVITE (section 9.2)."""
        invite = self._line.endpoint.transactions.invite_of(transaction.request)
        if invite is None:
            self._respond(transaction, Reply(481))
            return
        transaction.tag = invite.tag
        self._respond(transaction, Reply(200))
        for session in self.sessions:
            if isinstance(session, IncomingSession) and session.dialog.local_tag == invite.tag:
                session.cancel()

    def _is_seen(self, request: Request) -> bool:
        """Whether this request has come by another way already (section 8.2.2.2)."""
        if request.method == "ACK":
            return False
        endpoint = self._line.endpoint
        now = endpoint.now
        self._seen = {identity: until for identity, until in self._seen.items() if until > now}
        identity = request.call_id, request.sender.tag, str(request.cseq)
        if identity in self._seen:
            return True
        self._seen[identity] = now + endpoint.transactions.timing.timeout_seconds
        return False

    def _is_ours(self, transaction: ServerTransaction) -> bool:
        """Whether this request has gone through us before: a loop (section 16.3, item 4)."""
        for value in transaction.request.headers.values("Via"):
            try:
                via = Via.parse(value)
            except MessageError:
                continue
            is_here = via.port == self._line.endpoint.local_port and via.branch.startswith(MAGIC)
            if is_here and via.host == self._line.host_towards(transaction.source):
                return True
        return False

    def _respond(self, transaction: ServerTransaction, reply: Reply) -> None:
        self._line.endpoint.respond(transaction, reply.status, *reply.headers)
