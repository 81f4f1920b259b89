"""Hands packets to a process that sends them on time; see `courier_process` for why.

MediaPort.send(packet, due) -> Delivery -> [socket pair] -> courier process -> network
"""

from __future__ import annotations

import itertools
import logging
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from softagent.media import courier_process
from softagent.media.courier_process import (
    ANSWER,
    ASK,
    CLOSE,
    HEAD,
    LONGEST_ORDER_BYTES,
    OPEN,
    ORDER,
    SEND,
)
from softagent.media.sources import Address
from softagent.media.stats import Histogram

LEAD_SECONDS = 0.020
"""How long before they leave packets are handed over: what the worker may be late unheard."""
ANSWER_SECONDS = 1.0
START_SECONDS = 10.0
"""On a busy machine; nobody is calling yet."""
NO_STREAM = 0
"""Streams are numbered from 1."""
STOP_SECONDS = 2.0
RETRY_SECONDS = 60.0
"""After one that didn't start: each try has a call wait for it."""

log = logging.getLogger(__name__)


class Courier:
    """A worker's courier process. Any thread.

    Without it, or when it dies, packets leave at once; the next stream has it started again,
    but after a start that failed for a minute none has.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._retry_at = clock()
        """Before that none is started."""
        self._guard = threading.Lock()
        """Guards the process and questions with their answers, in turn; orders need none."""
        self._numbers = itertools.count(1)
        self._control: socket.socket | None = None
        """None while there is no process."""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it is up, so that no call has to."""
        with self._guard:
            self._start(START_SECONDS)

    def open(self, endpoint: socket.socket) -> Delivery | None:
        """Send from `endpoint` too, from now on; None when the process can't be had."""
        number = next(self._numbers)
        with self._guard:
            self._start(ANSWER_SECONDS)
            control = self._control
            if control is None:
                return None
            try:
                socket.send_fds(control, [HEAD.pack(OPEN, number)], [endpoint.fileno()])
            except OSError as error:
                self._lose(control, error)
                return None
        return Delivery(self, control, number)

    def stop(self) -> None:
        """End the process. May be called again."""
        with self._guard:
            self._end(STOP_SECONDS)

    def order(self, control: socket.socket, message: bytes) -> bool:
        """Hand over to the process behind `control`; False when it is gone or doesn't keep up."""
        if control is not self._control:
            return False
        try:
            control.send(message)
        except BlockingIOError:
            return False
        except OSError as error:
            self._lose(control, error)
            return False
        return True

    def ask(self, control: socket.socket, message: bytes) -> bytes:
        """Hand over and wait for the answer; empty when there is none."""
        with self._guard:
            if control is not self._control:
                return b""
            return self._question(control, message, ANSWER_SECONDS)

    def _question(self, control: socket.socket, message: bytes, patience_seconds: float) -> bytes:
        try:
            control.send(message)
            if not _is_readable(control, patience_seconds):
                raise TimeoutError("no answer")
            answer = control.recv(2 * LONGEST_ORDER_BYTES)
            if not answer:
                raise ConnectionError("the process has ended")
        except OSError as error:
            self._lose(control, error)
            return b""
        return answer

    def _start(self, patience_seconds: float) -> None:
        if self._control is not None or self._clock() < self._retry_at:
            return
        self._end(0.0)  # of a lost one nothing is to be had, and a call waits
        try:
            control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = _spawn(theirs)
        except OSError as error:
            log.error("event=courier-failed reason=%s", error)
            self._retry_at = self._clock() + RETRY_SECONDS
            return
        # Not a timeout: with one, Python 3.11 waits for room before it sends, MSG_DONTWAIT or not.
        control.setblocking(False)
        self._control = control
        question = HEAD.pack(ASK, NO_STREAM)
        if not self._question(control, question, patience_seconds):  # else packets would pile up
            self._retry_at = self._clock() + RETRY_SECONDS

    def _lose(self, control: socket.socket, error: OSError) -> None:
        """Note that the process behind `control` is gone, or as good as gone."""
        if control is self._control:
            self._control = None
            control.close()
            log.error("event=courier-lost reason=%s advice=%s", error, "the next call has another")

    def _end(self, patience_seconds: float) -> None:
        """Without its end of the socket pair it ends by itself; who doesn't is killed."""
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            control.close()
        if process is None:
            return
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Delivery:
    """One stream's packets on their way through the courier."""

    def __init__(self, courier: Courier, control: socket.socket, number: int) -> None:
        self._courier = courier
        self._control = control
        """Of the process that knows this stream."""
        self._number = number

    def send(self, packet: bytes, peer: Address, *, due_seconds: float, begins: bool) -> bool:
        """Have `packet` sent when it is due on the monotonic clock; False when it can't be.

        `begins` when the time since the packet before means nothing.
        """
        host = peer[0].encode()
        try:
            order = ORDER.pack(due_seconds, begins, peer[1], len(host))
        except struct.error:  # a port beyond 65535, a host too long
            return False
        return self._courier.order(
            self._control, HEAD.pack(SEND, self._number) + order + host + packet
        )

    def counts(self) -> tuple[int, Histogram]:
        """Packets that the system refused, and the intervals between those sent."""
        return self._ask(ASK)

    def close(self) -> tuple[int, Histogram]:
        """Let the port go; what waits isn't sent any more. Returns the last counts."""
        return self._ask(CLOSE)

    def _ask(self, kind: bytes) -> tuple[int, Histogram]:
        answer = self._courier.ask(self._control, HEAD.pack(kind, self._number))
        if len(answer) < ANSWER.size:
            return 0, Histogram()
        unsent, max_ms, steps = ANSWER.unpack_from(answer)
        counts = struct.unpack_from(f"!{steps}I", answer, ANSWER.size)
        return unsent, Histogram(counts, max_ms=max_ms)


def _is_readable(control: socket.socket, patience_seconds: float) -> bool:
    poll = select.poll()
    poll.register(control, select.POLLIN)
    return bool(poll.poll(1000 * patience_seconds))


def _spawn(control: socket.socket) -> subprocess.Popen[bytes]:
    number = control.fileno()
    program = [sys.executable, "-P", "-m", courier_process.__name__, str(number)]
    return subprocess.Popen(program, pass_fds=[number], stdin=subprocess.DEVNULL)
