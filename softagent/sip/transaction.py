"""Transactions: what was lost is sent again, what comes twice is heard once (RFC 3261 section 17).

    datagram -> Transactions.receive -> new request / response for the caller's code
                                     -> nothing: a repetition, answered here
    wake(now) -> repetitions into the outbox, and what has timed out

Over TCP and TLS nothing is lost, so nothing is repeated and nothing waits for copies.
Pure: time is a number that the caller passes in; messages wait in `outbox`.
"""

from __future__ import annotations

import enum
import heapq
import itertools
import secrets
from collections.abc import Callable

from softagent.sip.alarm import NEVER
from softagent.sip.hop import Hop
from softagent.sip.invite import InviteState, InviteTransaction
from softagent.sip.message import Request, Response
from softagent.sip.repetition import Repetition, Timing
from softagent.sip.requesting import ClientTransaction
from softagent.sip.response import destination

MAGIC = "z9hG4bK"
"""Begins every branch made after RFC 3261 (section 8.1.1.7)."""


class ServerState(enum.Enum):
    """Figures 7 and 8 of RFC 3261, with the ACCEPTED of RFC 6026."""

    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    """2xx to an INVITE, repeated until the ACK."""
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class ServerTransaction:
    """One request from the network and our answers to it."""

    def __init__(self, request: Request, source: Hop) -> None:
        self.request = request
        self.source = source
        self.destination = destination(request, source)
        self.state = ServerState.PROCEEDING
        self.on_unacknowledged: Callable[[], None] | None = None
        """Called when the 2xx to an INVITE was never confirmed (section 13.3.1.4)."""
        self.tag = secrets.token_hex(8)
        """Our To tag, the same in every response to this request."""
        self.last = b""
        self._repetition: Repetition | None = None
        self._expiry = NEVER

    @property
    def is_invite(self) -> bool:
        return self.request.method == "INVITE"

    @property
    def next_wake(self) -> float:
        if self.state is ServerState.TERMINATED:
            return NEVER
        return self._repetition.next_wake if self._repetition else self._expiry

    def respond(self, response: Response, timing: Timing, now: float) -> bytes:
        """Take a response to send; b"" when a final one has gone out already."""
        if self.state is not ServerState.PROCEEDING:
            return b""
        self.last = response.serialize()
        if response.status >= 200:
            limit = timing.timeout_seconds
            is_reliable = self.source.transport.is_reliable
            self._expiry = now if is_reliable else now + limit
            is_success = response.status < 300
            accepted = self.is_invite and is_success
            self.state = ServerState.ACCEPTED if accepted else ServerState.COMPLETED
            if self.is_invite:  # a 2xx is repeated by any transport: not every hop may be reliable
                repeats = accepted or not is_reliable
                self._repetition = Repetition(timing, now, limit_seconds=limit, repeats=repeats)
        return self.last

    def acknowledge(self, timing: Timing, now: float) -> None:
        """The ACK has come: no more repetitions, but late copies of the INVITE are still known."""
        if self.state in (ServerState.ACCEPTED, ServerState.COMPLETED) and self.is_invite:
            copies = 0.0 if self.source.transport.is_reliable else timing.t4_seconds
            stay = self.state is ServerState.ACCEPTED
            self._expiry = now + (timing.timeout_seconds if stay else copies)
            self._repetition = None
            self.state = ServerState.CONFIRMED

    def wake(self, now: float) -> bytes:
        """The response again if that is due; TERMINATED when its time is over."""
        if self._repetition is None:
            if now >= self._expiry:
                self.state = ServerState.TERMINATED
            return b""
        if now >= self._repetition.deadline_seconds:
            was_accepted = self.state is ServerState.ACCEPTED
            self.state = ServerState.TERMINATED
            if was_accepted and self.on_unacknowledged is not None:
                self.on_unacknowledged()
            return b""
        return self.last if self._repetition.is_due(now) else b""


Key = tuple[str, ...]
Transaction = ServerTransaction | ClientTransaction | InviteTransaction


class Transactions:
    """All transactions of one socket. Used under its owner's lock; calls back from within its methods."""

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.outbox: list[tuple[bytes, Hop]] = []
        """Datagrams to send, filled by every method here."""
        self._servers: dict[Key, ServerTransaction] = {}
        self._clients: dict[Key, ClientTransaction] = {}
        self._invites: dict[Key, InviteTransaction] = {}
        self._order = itertools.count()
        self._wakes: list[tuple[float, int, Key, Transaction]] = []

    @property
    def next_wake(self) -> float:
        """When `wake` wants to be called; it may find nothing to do."""
        return self._wakes[0][0] if self._wakes else NEVER

    def receive_request(
        self, request: Request, source: Hop, now: float
    ) -> ServerTransaction | None:
        """Take a request: the transaction of a new one, None for what is dealt with here.

        An ACK that no transaction claims confirms a 2xx and is the dialog's: it comes
        back in a transaction that is never answered.
        """
        key = server_key(request, "INVITE" if request.method == "ACK" else request.method)
        known = self._servers.get(key)
        if request.method == "ACK":
            if known is None or known.state is ServerState.ACCEPTED:
                return ServerTransaction(request, source)
            self.acknowledge(known, now)
            return None
        if known is not None:
            if known.last:
                self.outbox.append((known.last, known.destination))
            return None
        transaction = self._servers[key] = ServerTransaction(request, source)
        return transaction

    def knows(self, request: Request) -> bool:
        """Whether a request is one that has come before, or the ACK to our answer to it."""
        method = "INVITE" if request.method == "ACK" else request.method
        return server_key(request, method) in self._servers

    def invite_of(self, cancel: Request) -> ServerTransaction | None:
        """The INVITE that a CANCEL is about (section 9.2)."""
        return self._servers.get(server_key(cancel, "INVITE"))

    def respond(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        """Send a response, and see to its repetition."""
        if datagram := transaction.respond(response, self.timing, now):
            self.outbox.append((datagram, transaction.destination))
            self._schedule(server_key(transaction.request, transaction.request.method), transaction)

    def acknowledge(self, transaction: ServerTransaction, now: float) -> None:
        """The ACK to a final response of ours has come."""
        transaction.acknowledge(self.timing, now)
        self._schedule(server_key(transaction.request, transaction.request.method), transaction)

    def send_request(
        self,
        request: Request,
        destination: Hop,
        now: float,
        on_result: Callable[[Response | None], None],
        *,
        limit_seconds: float | None = None,
    ) -> None:
        """Send a request other than INVITE and ACK; `on_result` gets the final response, None at the limit."""
        limit = self.timing.timeout_seconds if limit_seconds is None else limit_seconds
        repeats = not destination.transport.is_reliable
        repetition = Repetition(self.timing, now, limit_seconds=limit, repeats=repeats)
        transaction = ClientTransaction(request, destination, on_result, repetition)
        key = (request.via.branch, request.method)
        self._clients[key] = transaction
        self.outbox.append((transaction.datagram, destination))
        self._schedule(key, transaction)

    def send_invite(
        self,
        request: Request,
        destination: Hop,
        now: float,
        on_response: Callable[[Response | None], None],
    ) -> InviteTransaction:
        """Send an INVITE; `on_response` gets what InviteTransaction says."""
        transaction = InviteTransaction(
            request, destination, on_response, timing=self.timing, now=now
        )
        key = (request.via.branch, "INVITE")
        self._invites[key] = transaction
        self.outbox.append((transaction.datagram, destination))
        self._schedule(key, transaction)
        return transaction

    def cancel(self, transaction: InviteTransaction, now: float) -> None:
        """Give up an INVITE of ours: CANCEL now, or as soon as the other side is heard of."""
        if (request := transaction.cancel(now)) is not None:
            self.send_request(request, transaction.destination, now, lambda response: None)
            self._schedule((request.via.branch, "INVITE"), transaction)

    def lose(self, hop: Hop, *, was_open: bool) -> None:
        """Give up what was sent over a connection that is gone (section 17.1.4).

        A request that the other side's closing may have crossed is sent once more, over a new
        connection: should it have arrived, its branch tells that it is the same.
        """
        lost = [key for key, client in self._clients.items() if client.destination.shares(hop)]
        for key in lost:
            client = self._clients[key]
            if was_open and client.try_again():
                self.outbox.append((client.datagram, client.destination))
            else:
                self._clients.pop(key).give_up()
        for key, invite in list(self._invites.items()):
            if not invite.is_open or not invite.destination.shares(hop):
                continue
            if was_open and invite.try_again():
                self.outbox.append((invite.datagram, invite.destination))
            else:
                self._invites.pop(key).give_up()

    @property
    def is_quiet(self) -> bool:
        """Whether every request of ours has been answered or given up."""
        return not self._clients and not any(invite.is_open for invite in self._invites.values())

    def receive_response(self, response: Response, now: float) -> bool:
        """Take a response; whether it belongs to a request of ours that is still open (section 17.1.3)."""
        key = (response.via.branch, response.cseq.method)
        if (invite := self._invites.get(key)) is not None:
            self._receive_for(key, invite, response, now)
            return True
        transaction = self._clients.get(key)
        if transaction is None:
            return False
        if response.status >= 200:
            del self._clients[key]
        transaction.receive(response)
        return True

    def _receive_for(
        self, key: Key, invite: InviteTransaction, response: Response, now: float
    ) -> None:
        if acknowledgement := invite.acknowledgement(response):
            self.outbox.append((acknowledgement, invite.destination))
        is_first = invite.state is InviteState.CALLING
        try:
            invite.receive(response, now)
        finally:
            if is_first and invite.is_cancelled:
                self.cancel(invite, now)
            self._schedule(key, invite)

    def wake(self, now: float) -> None:
        """Repeat what is due, forget what is over, also when that raises what a callback raised."""
        while self._wakes and self._wakes[0][0] <= now:
            _, _, key, transaction = heapq.heappop(self._wakes)
            if transaction.next_wake > now:
                continue  # rescheduled meanwhile: it is in the heap again
            try:
                if datagram := transaction.wake(now):
                    self.outbox.append((datagram, transaction.destination))
            finally:
                self._keep_or_drop(key, transaction)

    def _keep_or_drop(self, key: Key, transaction: Transaction) -> None:
        match transaction:
            case ServerTransaction(state=ServerState.TERMINATED):
                self._servers.pop(key, None)
            case ClientTransaction(is_over=True):
                self._clients.pop(key, None)
            case InviteTransaction(is_over=True):
                self._invites.pop(key, None)
            case _:
                self._schedule(key, transaction)

    def _schedule(self, key: Key, transaction: Transaction) -> None:
        if transaction.next_wake < NEVER:
            entry = (transaction.next_wake, next(self._order), key, transaction)
            heapq.heappush(self._wakes, entry)


def server_key(request: Request, method: str) -> Key:
    """What tells transactions apart (section 17.2.3); without the magic branch as RFC 2543 did."""
    via = request.via
    if via.branch.startswith(MAGIC) and via.branch != MAGIC:
        return (via.branch, via.host.lower(), str(via.port or ""), method)
    number, sender = str(request.cseq.number), request.sender.tag
    return (request.call_id, number, sender, request.uri, str(via), method)
