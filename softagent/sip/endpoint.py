"""The signalling socket and its thread: datagrams in, datagrams out, timers between them.

    socket -> parse -> Transactions -> on_request      (under the lock)
    timers -> Transactions.wake, on_wake, alarms       (under the lock)
              notify(...)                              (after it, on the same thread)

The thread waits for a datagram, for the next deadline or for another thread's
`poke`; it never polls.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import secrets
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from softagent.capture.observe import Observe, unobserved
from softagent.errors import ConfigError, PortInUse, SoftagentError
from softagent.sip.address import join_host_port
from softagent.sip.admission import Admission, Refusal, shown_method
from softagent.sip.alarm import NEVER, Alarm, Alarms
from softagent.sip.errors import MessageError
from softagent.sip.hop import Hop
from softagent.sip.invite import InviteTransaction
from softagent.sip.message import (
    LARGEST_DATAGRAM_BYTES,
    VERSION,
    BadRequest,
    Headers,
    Request,
    Response,
    parse,
)
from softagent.sip.response import USER_AGENT, respond, stateless_tag
from softagent.sip.transaction import MAGIC, ServerTransaction, Timing, Transactions

log = logging.getLogger("softagent.sip")


class Endpoint:
    """One UDP address that speaks SIP. Any thread may call it while holding `lock`."""

    def __init__(
        self,
        name: str,
        *,
        timing: Timing,
        on_request: Callable[[ServerTransaction], None],
        on_wake: Callable[[float], float],
        admission: Admission | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_request` gets each new request; `on_wake` gets the time and says when it wants to be called next.

        Without an `admission` everyone is let in.
        """
        self.lock = threading.RLock()
        """Guards everything of this telephone: transactions, registration, calls, ports."""
        self.changed = threading.Condition(self.lock)
        """Notified after each thing the signalling thread has done, for `stop` to wait on."""
        self.transactions = Transactions(timing)
        self.local_port = 0
        self.name = name
        """The account's, for the log."""
        self.observe: Observe = unobserved
        """Sees every datagram, for a trace; set before `open`."""
        self._on_request = on_request
        self._on_wake = on_wake
        self._admission = admission
        self._clock = clock
        self._alarms = Alarms()
        self._notices: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._socket: socket.socket | None = None
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
        """Whether the socket is bound and not closed yet."""
        return self._socket is not None and not self._is_closing

    def open(self, host: str, port: int) -> None:
        """Bind the socket and start the thread.

        Raises PortInUse for what may pass: the port is taken, the address isn't up; else ConfigError.
        """
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            channel.bind((host, port))
        except OSError as error:
            channel.close()
            raise self._bind_problem(error, host, port) from None
        channel.setblocking(False)
        self._socket, self.local_port = channel, channel.getsockname()[1]
        self._selector.register(channel, selectors.EVENT_READ)
        self._selector.register(self._poked, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name=f"sip-{self.name}", daemon=True)
        self._thread.start()

    def close(self, timeout_seconds: float) -> None:
        """Join the thread and close the sockets."""
        self._is_closing = True
        self.poke()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_seconds)
        self._selector.close()
        for channel in (self._socket, self._poked, self._poker):
            if channel is not None:
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
        complete = self._complete(request, destination)
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
        complete = self._complete(request, destination)
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
        datagram = self._complete(request, destination).serialize()
        self.transactions.outbox.append((datagram, destination))
        self._flush()

    def after(self, seconds: float, action: Callable[[], None]) -> Alarm:
        """Have `action` called under the lock on the signalling thread, unless it is cancelled before."""
        alarm = self._alarms.set(self.now + seconds, action)
        self.poke()
        return alarm

    def _complete(self, request: Request, destination: Hop) -> Request:
        """A request of ours as it goes out: in a transaction of its own, with our name."""
        host = join_host_port(_via_host(destination), self.local_port)
        branch = f"{MAGIC}{secrets.token_hex(12)}"
        via = f"{VERSION}/{destination.transport.value} {host};rport;branch={branch}"
        fields = (("Via", via), ("Max-Forwards", "70"), *request.headers)
        headers = Headers((*fields, ("User-Agent", USER_AGENT)))
        return Request(request.method, request.uri, headers, request.body)

    def _bind_problem(self, error: OSError, host: str, port: int) -> SoftagentError:
        whose = f'account "{self.name}": '
        match error.errno:
            case errno.EADDRINUSE:
                where = join_host_port(host or "0.0.0.0", port)
                return PortInUse(
                    f"{whose}local_port {port}: {where} is taken by another program; "
                    "choose another port, or 0 for any"
                )
            case errno.EADDRNOTAVAIL:  # no ConfigError: after a power cut the network comes late
                return PortInUse(
                    f'{whose}local_address "{host}": this machine has no such address now; '
                    "bring its network up, or leave local_address out to have it chosen"
                )
            case _:
                return ConfigError(
                    [
                        f'{whose}local_address "{host}", local_port {port}: '
                        f"can't be used here ({error.strerror}); leave them out to have them chosen"
                    ]
                )

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
            wake = min(self._wake_owner(), self.transactions.next_wake, self._alarms.next_wake)
            timeout = None if wake == NEVER else max(0.0, wake - self.now)
        if self._notices:
            timeout = 0.0
        ready = {key.fileobj for key, _ in self._selector.select(timeout)}
        if self._poked in ready:
            self._poked.recv(4096)
        with self.lock:
            if self._socket in ready:
                self._receive()
            self._wake(self.transactions)
            self._wake(self._alarms)
            self._flush()
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

    def _receive(self) -> None:
        if self._socket is None:
            return
        try:
            data, address = self._socket.recvfrom(LARGEST_DATAGRAM_BYTES)
        except OSError as error:
            log.debug("account=%s event=receive-failed error=%r", self.name, error)
            return
        source = Hop(*address)
        self.observe(data, address, self._socket.getsockname())
        try:
            if not self._is_flood(source):
                self._dispatch(data, source)
        except MessageError as error:
            log.debug("account=%s event=ignored from=%s error=%r", self.name, source, str(error))
        except Exception:
            log.exception("account=%s event=request-failed from=%s", self.name, source)

    def _dispatch(self, data: bytes, source: Hop) -> None:
        try:
            message = parse(data)
        except BadRequest as bad:
            log.debug("account=%s event=bad-request from=%s error=%r", self.name, source, str(bad))
            if not self._is_refused(bad.request, source):
                self._reply_in_passing(bad.request, bad.status, source)
            return
        if isinstance(message, Response):
            log.debug("account=%s event=received status=%d", self.name, message.status)
            self.transactions.receive_response(message, self.now)
            return
        log.debug("account=%s event=received method=%s", self.name, message.method)
        if self._is_refused(message, source, is_readable=True):
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

    def _is_flood(self, source: Hop) -> bool:
        """Whether what a stranger sends is too much even to be read."""
        refusal = self._admission and self._admission.before_reading(source.host, self.now)
        if refusal:
            self._note(refusal, "unread", source)
        return refusal is not None

    def _is_refused(self, request: Request, source: Hop, *, is_readable: bool = False) -> bool:
        """Whether a request is not for us to serve; its refusal is on its way then."""
        if self._admission is None:
            return False
        refusal = self._admission.of_source(request, source.host, self.now)
        if refusal is None and is_readable:
            refusal = self._admission.of_caller(request, source.host, self.now)
        if refusal is None:
            return False
        self._note(refusal, shown_method(request), source)
        if refusal.status is not None:
            self._reply_in_passing(request, refusal.status, source)
        return True

    def _note(self, refusal: Refusal, method: str, source: Hop) -> None:
        """The line that fail2ban waits for: its words are documented and stay as they are."""
        if refusal.is_noted:
            log.warning(
                "account=%s event=request-refused from=%s method=%s reason=%s",
                *(self.name, source, method, refusal.reason.value),
            )

    def _reply_in_passing(self, request: Request, status: int, source: Hop) -> None:
        """Answer without a transaction: nothing is kept, a repetition gets the same (section 8.2.7)."""
        where = ServerTransaction(request, source).destination
        response = respond(request, status, source=source, tag=stateless_tag(request))
        self.transactions.outbox.append((response.serialize(), where))

    def _flush(self) -> None:
        for datagram, destination in self.transactions.outbox:
            try:
                if self._socket is not None:
                    self._socket.sendto(datagram, destination.address)
                    self.observe(datagram, self._socket.getsockname(), destination.address)
            except OSError as error:
                # The timers send again; a network that is down may be up by then.
                log.debug("account=%s event=not-sent to=%s error=%r", self.name, destination, error)
        self.transactions.outbox.clear()

    def _give_notices(self) -> None:
        while self._notices:
            notice = self._notices.popleft()
            try:
                notice()
            except Exception:
                log.exception("account=%s event=callback-failed", self.name)


def _via_host(destination: Hop) -> str:
    """Our address in a Via, which is a courtesy with rport: the answer goes to where the request came from."""
    try:
        return local_address(destination)
    except OSError:
        return "0.0.0.0"


def local_address(destination: Hop) -> str:
    """Our own address on the route to `destination`, an IP address. Raises OSError when there is no route.

    Connecting a UDP socket sends nothing; it only asks the routing table.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(destination.address)
        host: str = probe.getsockname()[0]
        return host
