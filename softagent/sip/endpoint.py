"""The signalling thread: messages in, messages out, timers between them.

    Channels -> parse -> Transactions -> on_request      (under the lock)
    timers   -> Transactions.wake, on_wake, alarms       (under the lock)
                notify(...)                              (after it, on the same thread)

The thread waits for a message, for the next deadline or for another thread's
`poke`; it never polls.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from softagent.capture.observe import Observe, unobserved
from softagent.config import TlsSettings
from softagent.sip.addressing import Addressing
from softagent.sip.admission import Admission
from softagent.sip.alarm import NEVER, Alarm, Alarms
from softagent.sip.channels import Channels, Loss
from softagent.sip.doors import bind_problem
from softagent.sip.errors import MessageError
from softagent.sip.framing import PING
from softagent.sip.hop import Hop
from softagent.sip.invite import InviteTransaction
from softagent.sip.message import BadRequest, Request, Response, parse
from softagent.sip.repetition import Timing
from softagent.sip.response import respond, stateless_tag
from softagent.sip.screening import Screening
from softagent.sip.tls import TlsPolicy
from softagent.sip.transaction import ServerTransaction, Transactions

log = logging.getLogger("softagent.sip")

MOST_TROUBLES = 16
"""Lost connections whose reasons are kept until somebody asks."""


class Endpoint:
    """One local address that speaks SIP. Any thread may call it while holding `lock`."""

    def __init__(
        self,
        name: str,
        *,
        timing: Timing,
        on_request: Callable[[ServerTransaction], None],
        on_wake: Callable[[float], float],
        on_lost: Callable[[Hop], None] = lambda hop: None,
        locate: Callable[[Hop], Hop] = lambda hop: hop,
        tls: TlsPolicy | None = None,
        admission: Admission | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_request` gets each new request; `on_wake` gets the time and says when it wants to be called next.

        `on_lost` gets the hop of a connection that has ended. `locate` puts a hop in the
        place of one that only stands in for it. Without an `admission` everyone is let in.
        """
        self.lock = threading.RLock()
        """Guards everything of this telephone: transactions, registration, calls, ports."""
        self.changed = threading.Condition(self.lock)
        """Notified after each thing the signalling thread has done, for `stop` to wait on."""
        self.transactions = Transactions(timing)
        self.name = name
        """The account's, for the log."""
        self.observe: Observe = unobserved
        """Sees every datagram, for a trace; set before `open`."""
        self._on_request = on_request
        self._on_wake = on_wake
        self._screening = Screening(name, admission, self._reply_in_passing)
        self._clock = clock
        self._alarms = Alarms()
        self._notices: deque[Callable[[], None]] = deque()
        self._on_lost = on_lost
        self._locate = locate
        policy = tls or TlsPolicy(TlsSettings(), ())
        self._channels = Channels(
            name,
            policy,
            is_allowed=self._screening.is_allowed,
            is_flood=self._screening.is_flood,
        )
        self.addressing = Addressing(self._channels)
        """Where we are, for whoever writes a Contact."""
        self._troubles: dict[Hop, str] = {}
        self._is_bound = False
        self._local = ("", 0)
        self._poked, self._poker = socket.socketpair()
        self._poked.setblocking(False)
        self._poker.setblocking(False)
        self._thread: threading.Thread | None = None
        self._is_closing = False

    @property
    def now(self) -> float:
        """Seconds on the clock that all timers here use."""
        return self._clock()

    @property
    def is_alive(self) -> bool:
        """Whether the signalling thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_open(self) -> bool:
        """Whether the sockets are bound and not closed yet."""
        return self._is_bound and not self._is_closing

    @property
    def is_closed(self) -> bool:
        """Whether it has been open, and won't be again."""
        return self._is_closing

    @property
    def local_port(self) -> int:
        """Where others reach us by UDP and TCP; 0 until it is open."""
        return self._channels.local_port

    def open(self, host: str, port: int, *, needs_tcp: bool = False) -> None:
        """Bind the sockets and start the thread.

        Raises PortInUse for what may pass: the port is taken, the address isn't up; else ConfigError.
        """
        try:
            self._channels.open(host, port, needs_tcp=needs_tcp)
        except OSError as error:
            raise bind_problem(error, self.name, host, port) from None
        self._is_bound, self._local = True, (host, self.local_port)
        self._channels.watch(self._poked)
        self._thread = threading.Thread(target=self._run, name=f"sip-{self.name}", daemon=True)
        self._thread.start()

    def close(self, timeout_seconds: float) -> None:
        """Join the thread and close the sockets."""
        self._is_closing = True
        self.poke()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_seconds)
        self._channels.close()
        for channel in (self._poked, self._poker):
            channel.close()

    def poke(self) -> None:
        """Have the thread look again: there is a datagram to send, a notice or an earlier deadline."""
        if threading.current_thread() is not self._thread:
            with contextlib.suppress(OSError):  # full: it will look anyway; closed: it has gone
                self._poker.send(b"\0")

    def notify(self, notice: Callable[[], None]) -> None:
        """Have `notice` called soon on the signalling thread, without the lock."""
        self._notices.append(notice)
        self.poke()

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        *headers: tuple[str, str],
        body: bytes = b"",
    ) -> None:
        """Answer a request. A final response is repeated as its transaction needs it."""
        source, tag = transaction.source, transaction.tag
        response = respond(
            transaction.request, status, source=source, tag=tag, headers=headers, body=body
        )
        self.transactions.respond(transaction, response, self.now)
        self._flush()
        self.poke()

    def acknowledge(self, transaction: ServerTransaction) -> None:
        """Stop repeating a 2xx: its ACK has come."""
        self.transactions.acknowledge(transaction, self.now)

    def request(
        self,
        request: Request,
        destination: Hop,
        on_result: Callable[[Response | None], None],
        *,
        limit_seconds: float | None = None,
    ) -> None:
        """Send a request as soon as it has got its Via; `on_result` is called under the lock.

        Without a route to `destination` it is repeated and times out like one that is lost.
        """
        complete, destination = self.addressing.addressed(request, self._locate(destination))
        self.transactions.send_request(
            complete, destination, self.now, on_result, limit_seconds=limit_seconds
        )
        self._flush()
        self.poke()

    def invite(
        self,
        request: Request,
        destination: Hop,
        on_response: Callable[[Response | None], None],
    ) -> InviteTransaction:
        """Send an INVITE as soon as it has got its Via; `on_response` is called under the lock."""
        complete, destination = self.addressing.addressed(request, self._locate(destination))
        transaction = self.transactions.send_invite(complete, destination, self.now, on_response)
        self._flush()
        self.poke()
        return transaction

    def cancel(self, transaction: InviteTransaction) -> None:
        """Give up an INVITE of ours."""
        self.transactions.cancel(transaction, self.now)
        self._flush()
        self.poke()

    def send(self, request: Request, destination: Hop) -> None:
        """Send the ACK to a 2xx, which nobody answers: who misses it repeats the 2xx."""
        complete, destination = self.addressing.addressed(request, self._locate(destination))
        self.transactions.outbox.append((complete.serialize(), destination))
        self._flush()

    def after(self, seconds: float, action: Callable[[], None]) -> Alarm:
        """Have `action` called under the lock on the signalling thread, unless it is cancelled before."""
        alarm = self._alarms.set(self.now + seconds, action)
        self.poke()
        return alarm

    def prepare(self, hop: Hop) -> None:
        """Begin to connect where there is no connection yet. Raises OSError when that fails at once."""
        self._channels.prepare(hop, self.now)

    def disconnect(self, hop: Hop, reason: str) -> None:
        """Close a connection that nothing comes back on; the signalling thread only."""
        self._channels.disconnect(hop, reason)

    def trouble(self, hop: Hop) -> str:
        """Why the last connection to `hop` failed, once; empty when it hasn't."""
        return self._troubles.pop(replace(hop, connection=0), "")

    def keep_alive(self, hop: Hop) -> None:
        """Send what keeps a NAT's mapping and a connection open (RFC 5626 section 3.5.1)."""
        self.transactions.outbox.append((PING, hop))
        self._flush()

    def _run(self) -> None:
        """The signalling thread."""
        try:
            while not self._is_closing:
                self._turn()
            self._give_notices()
        except Exception:
            log.exception("account=%s event=signalling-stopped", self.name)

    def _turn(self) -> None:
        """Wait for what comes next, and deal with it."""
        self._give_notices()
        with self.lock:
            owner = self._wake_owner()
            self._flush()
            wake = min(
                owner,
                self.transactions.next_wake,
                self._alarms.next_wake,
                self._channels.next_wake,
            )
            timeout = None if wake == NEVER else max(0.0, wake - self.now)
        if self._notices or self._channels.losses:
            timeout = 0.0
        ready = self._channels.wait(timeout)
        if self._poked in ready:
            self._poked.recv(4096)
        with self.lock:
            for data, source in self._channels.receive(ready, self.now):
                self._receive(data, source)
            self._channels.wake(self.now)
            self._wake(self.transactions)
            self._wake(self._alarms)
            self._flush()
            self._tell_losses()
            self.changed.notify_all()

    def _wake_owner(self) -> float:
        try:
            return self._on_wake(self.now)
        except Exception:
            log.exception("account=%s event=timer-failed", self.name)
            return self.now + 1.0

    def _wake(self, timers: Transactions | Alarms) -> None:
        try:
            timers.wake(self.now)
        except Exception:  # the one that failed is over, the others' time comes at once
            log.exception("account=%s event=timer-failed", self.name)

    def _receive(self, data: bytes, source: Hop) -> None:
        try:
            if not self._screening.is_flood(source, self.now):
                self.observe(data, source.address, self._local)
                self._dispatch(data, source)
            elif source.transport.is_reliable:  # cutting a stream into messages isn't free
                self._channels.disconnect(source, "a flood")
        except MessageError as error:
            log.debug("account=%s event=ignored from=%s error=%r", self.name, source, str(error))
        except Exception:
            log.exception("account=%s event=request-failed from=%s", self.name, source)

    def _dispatch(self, data: bytes, source: Hop) -> None:
        try:
            message = parse(data)
        except BadRequest as bad:
            log.debug("account=%s event=bad-request from=%s error=%r", self.name, source, str(bad))
            if not self._screening.is_refused(bad.request, source, self.now):
                self._reply_in_passing(bad.request, bad.status, source)
            return
        if isinstance(message, Response):
            log.debug("account=%s event=received status=%d", self.name, message.status)
            self.transactions.receive_response(message, self.now)
            return
        log.debug("account=%s event=received method=%s", self.name, message.method)
        if self._screening.is_refused(message, source, self.now, is_readable=True):
            return
        transaction = self.transactions.receive_request(message, source, self.now)
        if transaction is None:
            return
        try:
            self._on_request(transaction)
        except MessageError as error:
            log.info("account=%s event=bad-request from=%s error=%r", self.name, source, str(error))
            self._fail(transaction, 400)
        except Exception:
            self._fail(transaction, 500)
            raise

    def _fail(self, transaction: ServerTransaction, status: int) -> None:
        """Answer what our own code has given up: unanswered, its transaction would stay for ever."""
        if transaction.request.method != "ACK":
            self.respond(transaction, status)

    def _reply_in_passing(self, request: Request, status: int, source: Hop) -> None:
        """Answer without a transaction: nothing is kept, a repetition gets the same (section 8.2.7)."""
        where = ServerTransaction(request, source).destination
        response = respond(request, status, source=source, tag=stateless_tag(request))
        self.transactions.outbox.append((response.serialize(), where))

    def _flush(self) -> None:
        """Send what waits; what goes over a connection is left to the signalling thread."""
        is_signalling = threading.current_thread() is self._thread
        waiting, self.transactions.outbox = self.transactions.outbox, []
        for message, hop in waiting:
            if hop.transport.is_reliable and not is_signalling:
                self.transactions.outbox.append((message, hop))
            else:
                self._send(message, hop)
        if self.transactions.outbox:
            self.poke()

    def _send(self, message: bytes, hop: Hop) -> None:
        try:
            self._channels.send(message, hop, self.now)
        except OSError as error:
            # The timers send again by UDP; a network that is down may be up by then.
            log.debug("account=%s event=not-sent to=%s error=%r", self.name, hop, error)
            if hop.transport.is_reliable:
                reason = (error.strerror or str(error)).lower()
                self._channels.losses.append(Loss(hop, reason))
        else:
            self.observe(message, self._local, hop.address)

    def _tell_losses(self) -> None:
        """What was to be answered over a lost connection won't be (RFC 3261 section 17.1.4)."""
        while self._channels.losses:
            loss = self._channels.losses.pop(0)
            far_end = replace(loss.hop, connection=0)
            self._troubles.pop(far_end, None)
            self._troubles[far_end] = loss.reason
            if len(self._troubles) > MOST_TROUBLES:  # nobody has asked
                del self._troubles[next(iter(self._troubles))]
            try:
                self.transactions.lose(loss.hop, was_open=loss.was_open)
                self._on_lost(loss.hop)
            except Exception:  # requests that are left over run into their own time limits
                log.exception("account=%s event=loss-failed to=%s", self.name, loss.hop)

    def _give_notices(self) -> None:
        while self._notices:
            notice = self._notices.popleft()
            try:
                notice()
            except Exception:
                log.exception("account=%s event=callback-failed", self.name)
