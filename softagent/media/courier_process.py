"""The process that sends a worker's packets when they are due, whatever the worker is busy with.

worker's media clock -> Order(packet, due) -> [socket pair] -> this process -> RTP port

Python runs one thread at a time: while another thread of the worker holds the interpreter
and has itself lost its core to another program, the media clock waits, real-time priority
or not. Here is nothing to wait for. Imports the standard library only, so that it is small.
"""

from __future__ import annotations

import gc
import heapq
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

from softagent.media.priority import raise_priority

OPEN, SEND, ASK, CLOSE = b"O", b"S", b"A", b"C"
HEAD = struct.Struct("!cI")
"""What is wanted, of which stream."""
ORDER = struct.Struct("!dBHB")
"""Due in seconds of the monotonic clock, whether it begins a talk, port, bytes of the host."""
ANSWER = struct.Struct("!QdI")
"""Packets that the system refused, longest interval in ms, number of steps that follow."""
UNKNOWN = b"?"
"""The answer about a stream that isn't there; it shows that the process is."""
STEP_MS = 0.1
STEPS = 1000
LONGEST_ORDER_BYTES = 4096


@dataclass(slots=True)
class Stream:
    """A port that packets leave from, and how well they did."""

    endpoint: socket.socket
    last_seconds: float | None = None
    unsent: int = 0
    max_ms: float = 0.0
    steps: list[int] = field(default_factory=lambda: [0] * STEPS)
    """Intervals between packets sent, in steps of 0.1 ms."""

    def send(self, packet: bytes, peer: tuple[str, int], *, begins: bool) -> bool:
        """Send now; False when the system refuses. `begins` when the time since the last
        packet means nothing."""
        is_sent = True
        try:
            self.endpoint.sendto(packet, peer)
        except (OSError, OverflowError):  # no route, a full buffer, port 65536: the next may pass
            self.unsent += 1
            is_sent = False
        now = time.monotonic()
        if self.last_seconds is not None and not begins:
            interval_ms = 1000 * (now - self.last_seconds)
            self.max_ms = max(self.max_ms, interval_ms)
            self.steps[min(int(interval_ms / STEP_MS), STEPS - 1)] += 1
        self.last_seconds = now
        return is_sent

    def answer(self) -> bytes:
        """The counts for the worker."""
        head = ANSWER.pack(self.unsent, self.max_ms, STEPS)
        return head + struct.pack(f"!{STEPS}I", *self.steps)


class Rounds:
    """Takes orders from the worker and sends each packet when it is due."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._streams: dict[int, Stream] = {}
        self._waiting: list[tuple[float, int, int, bool, bytes, tuple[str, int]]] = []
        """A heap: due, order, stream, whether it begins, packet, peer."""
        self._taken = 0
        self._failures = 0

    def run(self) -> None:
        """Until the worker is gone."""
        while True:
            wait = self._waiting[0][0] - time.monotonic() if self._waiting else None
            if wait is None or wait > 0:
                readable, _, _ = select.select([self._control], [], [], wait)
                if readable and not self._take():
                    return
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                _, _, number, begins, packet, peer = heapq.heappop(self._waiting)
                stream = self._streams.get(number)
                if stream is not None:
                    stream.send(packet, peer, begins=begins)

    def _take(self) -> bool:
        """Take one order; False when the worker is gone."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, LONGEST_ORDER_BYTES, 1)
            if not message:
                return False
            self._obey(message, descriptors)
        except ConnectionError:
            return False
        except Exception:  # an order that can't be read is one packet; the rest goes on
            self._failures += 1
        return True

    def _obey(self, message: bytes, descriptors: list[int]) -> None:
        kind, number = HEAD.unpack_from(message)
        stream = self._streams.get(number)
        if kind == SEND:
            self._schedule(number, message)
        elif kind == OPEN:
            self._streams[number] = Stream(socket.socket(fileno=descriptors[0]))
        elif kind in (ASK, CLOSE):
            if kind == CLOSE and stream is not None:
                del self._streams[number]
                stream.endpoint.close()
            self._control.send(UNKNOWN if stream is None else stream.answer())

    def _schedule(self, number: int, message: bytes) -> None:
        due, begins, port, length = ORDER.unpack_from(message, HEAD.size)
        start = HEAD.size + ORDER.size
        host, packet = message[start : start + length].decode(), message[start + length :]
        self._taken += 1
        heapq.heappush(
            self._waiting, (due, self._taken, number, bool(begins), packet, (host, port))
        )


def main() -> None:
    """Run with the number of an inherited socket as the only argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # they are for the worker, and we end with it
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.disable()
    raise_priority()
    Rounds(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
