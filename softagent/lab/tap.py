"""PacketTap: stands between the agent and the scripted caller and notes when each RTP packet came.

agent <-> outer socket (arrival times by the kernel) <-> inner socket <-> the caller's RtpStream

The times are the kernel's, taken when the packet arrives, so that a busy Python thread on
the caller's side can't be mistaken for a late agent.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from dataclasses import dataclass

from softagent.lab.sipwire import Address

SO_TIMESTAMPNS = 35
"""socket(7), asm-generic/socket.h; Python 3.11 has no name for it."""
_TIMESPEC = struct.Struct("@ll")
_RTP_HEADER = struct.Struct("!BBHII")
TIME_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
"""Room for the kernel's time in recvmsg."""
DATAGRAM_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Arrival:
    """One RTP packet of the agent (header: RFC 3550 section 5.1)."""

    at_ns: int
    """When the kernel received it, in ns since 1970."""
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int


class PacketTap:
    """A relay for one call. `connect`, then `start`; `arrivals` is complete after `stop`."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._outer = bind_even(host)
        self._outer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._inner = bind_even(host)
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._agent: Address | None = None
        self._caller: Address | None = None
        self._arrivals: list[Arrival] = []
        self._thread = threading.Thread(target=self._relay, name="lab-tap", daemon=True)
        self.outer: Address = self._outer.getsockname()[:2]
        """What the agent is told."""
        self.inner: Address = self._inner.getsockname()[:2]
        """What the caller's stream is told."""

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        return tuple(self._arrivals)

    def connect(self, *, agent: Address, caller: Address) -> None:
        """Say where packets from either side go."""
        self._agent, self._caller = agent, caller

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the relay and close its sockets."""
        self._wake_sender.send(b"\0")
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        for end in (self._outer, self._inner, self._wake_receiver, self._wake_sender):
            end.close()

    def _relay(self) -> None:
        ends = [self._outer, self._inner, self._wake_receiver]
        while True:
            ready, _, _ = select.select(ends, [], [])
            if self._wake_receiver in ready:
                return
            if self._outer in ready:
                self._from_agent()
            if self._inner in ready:
                datagram, _ = self._inner.recvfrom(DATAGRAM_BYTES)
                _forward(self._outer, datagram, self._agent)

    def _from_agent(self) -> None:
        datagram, ancillary, _, _ = self._outer.recvmsg(DATAGRAM_BYTES, TIME_BYTES)
        _forward(self._inner, datagram, self._caller)
        arrival = noted(datagram, ancillary)
        if arrival is not None:
            self._arrivals.append(arrival)


def noted(datagram: bytes, ancillary: list[tuple[int, int, bytes]]) -> Arrival | None:
    """The RTP packet that came with the kernel's time (recvmsg); None for anything else."""
    if len(datagram) < _RTP_HEADER.size or datagram[0] >> 6 != 2:
        return None
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            _, marked_type, sequence, timestamp, ssrc = _RTP_HEADER.unpack_from(datagram)
            at_ns = seconds * 1_000_000_000 + nanoseconds
            return Arrival(at_ns, marked_type & 0x7F, sequence, timestamp, ssrc)
    return None


def bind_even(host: str) -> socket.socket:
    """A UDP socket on a free even port whose odd neighbour is free too (RFC 3550 section 11)."""
    while True:
        candidate = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        candidate.bind((host, 0))
        port = candidate.getsockname()[1]
        if port % 2 == 0 and _is_free(host, port + 1):
            return candidate
        candidate.close()


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _forward(end: socket.socket, datagram: bytes, to: Address | None) -> None:
    if to is not None:
        with contextlib.suppress(OSError):  # that side is gone or not there yet: a lost packet
            end.sendto(datagram, to)
