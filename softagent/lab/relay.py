"""A userspace relay that makes a network as bad as asked for: not every kernel has netem.

    near stream <-> near sockets (RTP, RTCP) <-> a Road each way <-> far sockets <-> far stream

What the near stream sends is noted as it arrives, with the kernel's time, before the road.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import select
import socket
import threading
import time

from softagent.lab.impairment import Impairment, Road
from softagent.lab.sipwire import Address
from softagent.lab.tap import DATAGRAM_BYTES, SO_TIMESTAMPNS, TIME_BYTES, Arrival, bind_even, noted
from softagent.media.priority import raise_priority

JOIN_SECONDS = 2.0


class Relay:
    """Both directions of one call. `connect`, then `start`; the counts are right after `stop`."""

    def __init__(
        self, host: str, *, to_near: Impairment, to_far: Impairment, seed: int = 0
    ) -> None:
        """Raises ConfigError for an impairment that can't be."""
        self.to_near, self.to_far = Road(to_near, 2 * seed), Road(to_far, 2 * seed + 1)
        self._near, self._far = _pair(host), _pair(host)
        self._near[0].setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._ends: tuple[Address, Address] | None = None
        self._arrivals: list[Arrival] = []
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, socket.socket, bytes, Address]] = []
        """What is on its way, by arrival. Relay thread only."""
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="lab-relay", daemon=True)
        self.near: Address = self._near[0].getsockname()[:2]
        """What the near stream is told."""
        self.far: Address = self._far[0].getsockname()[:2]
        """What the far stream is told."""

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        """What the near stream has sent."""
        return tuple(self._arrivals)

    def connect(self, *, near: Address, far: Address) -> None:
        """Say where either stream's RTP goes; its RTCP goes to the port after that."""
        self._ends = near, far

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the relay and close its sockets; what is still on its way is lost. May be called again."""
        with contextlib.suppress(OSError):
            self._wake_sender.send(b"\0")
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS)
        for end in (*self._near, *self._far, self._wake_receiver, self._wake_sender):
            end.close()

    def _run(self) -> None:
        """The relay thread."""
        raise_priority()
        ends = [*self._near, *self._far, self._wake_receiver]
        while True:
            timeout = self._waiting[0][0] - time.monotonic() if self._waiting else None
            ready, _, _ = select.select(ends, [], [], None if timeout is None else max(0, timeout))
            if self._wake_receiver in ready:
                return
            for index in (0, 1):
                if self._near[index] in ready:
                    self._take(self._near[index], self._far[index], index, is_outward=True)
                if self._far[index] in ready:
                    self._take(self._far[index], self._near[index], index, is_outward=False)
            self._deliver()

    def _take(
        self, inlet: socket.socket, outlet: socket.socket, index: int, *, is_outward: bool
    ) -> None:
        """One datagram; `index` is 1 for RTCP."""
        try:
            datagram, ancillary, _, _ = inlet.recvmsg(DATAGRAM_BYTES, TIME_BYTES)
        except OSError:  # an ICMP error for something we sent
            return
        if is_outward and index == 0 and (arrival := noted(datagram, ancillary)) is not None:
            self._arrivals.append(arrival)
        if self._ends is None:
            return
        host, port = self._ends[1 if is_outward else 0]
        road = self.to_far if is_outward else self.to_near
        for at in road.arrivals(time.monotonic()):
            entry = (at, next(self._order), outlet, datagram, (host, port + index))
            heapq.heappush(self._waiting, entry)

    def _deliver(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, outlet, datagram, to = heapq.heappop(self._waiting)
            with contextlib.suppress(OSError):  # that side is gone or not there yet: lost
                outlet.sendto(datagram, to)


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Sockets for RTP and RTCP on neighbouring ports."""
    while True:
        rtp = bind_even(host)
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            rtcp.bind((host, rtp.getsockname()[1] + 1))
        except OSError:  # taken in between
            rtp.close()
            rtcp.close()
            continue
        return rtp, rtcp
