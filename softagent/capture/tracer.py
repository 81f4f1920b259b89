"""Writes what an account sends and receives into capture files, from a thread of its own.

    signalling thread, media clock, receive thread -> queue (bounded) -> trace thread -> TraceFiles

Whoever is observed only appends to a queue. The trace thread looks into it four times a
second instead of being woken by each packet: at a hundred packets a second that would
take the interpreter away from the media clock again and again.
"""

from __future__ import annotations

import bisect
import functools
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from softagent.capture.files import IDLE_SECONDS, Observed, TraceFiles
from softagent.capture.observe import Address, Observe
from softagent.config import Account

BATCH_SECONDS = 0.25
"""How long a datagram waits at most before it is in the file: what a killed process loses."""
MOST_WAITING = 8192
"""More than a minute of a call: what comes while the disk stands still for longer is dropped."""
ORDER_SECONDS = 0.05
"""How long a datagram is kept back for others with an earlier time: our own media comes here
before it leaves (`MediaPort.send`), and what the kernel received a little after that."""

log = logging.getLogger("softagent.trace")


def account_tracer(account: Account) -> Tracer | None:
    """The trace that the account's settings ask for; None when they ask for none."""
    settings = account.trace
    if settings.directory is None:
        return None
    return Tracer(account.name, settings.directory, show_keys=settings.keys)


class Tracer:
    """The trace of one account. Any thread may observe; `start` and `stop` belong to the owner."""

    def __init__(
        self,
        account: str,
        directory: Path,
        *,
        show_keys: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`show_keys`: leave the SRTP keys in the SDP."""
        self.dropped = 0
        """Datagrams that found the queue full."""
        self._account = account
        self._clock = clock
        self._files = TraceFiles(account, directory, show_keys=show_keys)
        self._waiting: deque[Observed] = deque()
        """From whoever is observed to the trace thread."""
        self._kept: list[Observed] = []
        """What waits for its turn by time. Trace thread only."""
        self._arrived = threading.Event()
        """Set when there is something in `_waiting`, or to stop."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"trace-{account}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_seconds: float = 2.0) -> None:
        """Write what waits and end the thread. May be called again."""
        self._stopping.set()
        self._arrived.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def media(self, call_id: str) -> Observe:
        """What a call's media stream is to call."""
        return functools.partial(self._observe, call_id)

    def signalling(
        self, datagram: bytes, source: Address, destination: Address, *, at_seconds: float = 0.0
    ) -> None:
        """What the signalling is to call: an `Observe`."""
        self._observe(None, datagram, source, destination, at_seconds=at_seconds)

    def _observe(
        self,
        call_id: str | None,
        datagram: bytes,
        source: Address,
        destination: Address,
        *,
        at_seconds: float = 0.0,
    ) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        at_seconds = at_seconds or self._clock()
        self._waiting.append(Observed(at_seconds, datagram, source, destination, call_id))
        if not self._arrived.is_set():
            self._arrived.set()

    def _run(self) -> None:
        """The trace thread."""
        try:
            while not self._stopping.is_set():
                if not self._kept:
                    self._arrived.wait(IDLE_SECONDS)
                self._stopping.wait(BATCH_SECONDS)
                self._arrived.clear()
                self._write(until=self._clock() - ORDER_SECONDS)
            self._write(until=math.inf)
        except Exception:
            log.exception("account=%s event=trace-failed", self._account)
        finally:
            self._files.close()
            if missing := self.dropped + self._files.lost:
                log.warning("account=%s event=trace-incomplete missing=%d", self._account, missing)

    def _write(self, *, until: float) -> None:
        """Write what is older than `until`, in order of time."""
        while self._waiting:
            self._kept.append(self._waiting.popleft())
        self._kept.sort(key=lambda seen: seen.at_seconds)
        ready = bisect.bisect_right(self._kept, until, key=lambda seen: seen.at_seconds)
        for seen in self._kept[:ready]:
            self._files.add(seen)
        del self._kept[:ready]
        self._files.flush(self._clock())
