"""The network end of one call's media: the RTP socket and the one for RTCP beside it.

network <-> port n (RTP, and RTCP where it is multiplexed), port n + 1 (RTCP) <-> RtpStream
"""

from __future__ import annotations

import contextlib
import errno
import logging
import select
import socket
import struct
import time
from dataclasses import dataclass

from softagent.capture.observe import Observe, unobserved
from softagent.errors import PortInUse
from softagent.media.courier import LEAD_SECONDS, Courier
from softagent.media.courier_process import Stream
from softagent.media.sources import Address
from softagent.media.stats import Histogram

LONGEST_DATAGRAM_BYTES = 2048
SO_TIMESTAMPNS = 35
"""Linux: the kernel notes when a packet came (asm-generic/socket.h; not in Python's socket)."""
TIMESPEC = struct.Struct("@ll")
EXPEDITED_FORWARDING = 46 << 2
"""DSCP for telephony (RFC 4594 section 4.1)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A datagram that came."""

    datagram: bytes
    source: Address
    seconds: float
    """When the kernel got it, on the system's clock."""
    is_at_report_port: bool
    """Whether it came to the RTCP port; what came to the RTP port may be RTCP all the same."""


class MediaPort:
    """Both sockets, never blocking to send. One thread may receive while others send.

    Network errors are told by the return value and pass with their cause: the sockets stay
    good while an interface is down.
    """

    def __init__(
        self,
        local: Address,
        *,
        name: str = "",
        observe: Observe = unobserved,
        courier: Courier | None = None,
    ) -> None:
        """Bind `local`, and the next port for RTCP if it is free; PortInUse for the first.

        `observe` sees every datagram as it is on the wire, for a trace. With a `courier`
        packets may be handed over before they are due.
        """
        host, port = local
        self._observe = observe
        self._number = port
        self._socket = _bound_socket(local)
        self._direct = Stream(self._socket)
        """How packets leave without the courier."""
        self._delivery = None if courier is None else courier.open(self._socket)
        self._sent = 0, Histogram()
        self._report_socket: socket.socket | None = None
        try:
            self._report_socket = _bound_socket((host, port + 1))
        except PortInUse as error:  # reports are a courtesy: a call does without
            log.warning("event=rtcp-port-in-use name=%s port=%d reason=%s", name, port + 1, error)
        self._poll = select.poll()
        self._sockets = {self._socket.fileno(): self._socket}
        if self._report_socket is not None:
            self._sockets[self._report_socket.fileno()] = self._report_socket
        for number in self._sockets:
            self._poll.register(number, select.POLLIN)

    @property
    def has_report_port(self) -> bool:
        """Whether RTCP has a port of its own."""
        return self._report_socket is not None

    def receive(self, timeout_seconds: float) -> list[Arrival]:
        """Wait for datagrams; at most one from each socket. Raises OSError for what isn't well."""
        arrivals = []
        for number, _ in self._poll.poll(timeout_seconds * 1000):
            endpoint = self._sockets[number]
            try:
                datagram, ancillary, _, source = endpoint.recvmsg(LONGEST_DATAGRAM_BYTES, 64)
            except BlockingIOError:  # a bad checksum: the kernel changed its mind
                continue
            arrival = Arrival(
                datagram,
                (source[0], source[1]),
                _arrival_seconds(ancillary),
                is_at_report_port=endpoint is self._report_socket,
            )
            self._watch(datagram, arrival.source, _address(endpoint), arrival.seconds)
            arrivals.append(arrival)
        return arrivals

    @property
    def lead_seconds(self) -> float:
        """How long before they are due packets may be handed over."""
        return 0.0 if self._delivery is None else LEAD_SECONDS

    @property
    def sent(self) -> tuple[int, Histogram]:
        """RTP packets that the system refused, and the intervals between those sent."""
        if self._delivery is not None:
            self._sent = self._delivery.counts()
        return self._merged(self._sent)

    def send(
        self, packet: bytes, peer: Address, *, due_seconds: float = 0.0, begins: bool = False
    ) -> bool:
        """Send from the RTP port, when it is due if there is a courier; False when refused.

        `due_seconds` is of the monotonic clock; `begins` says that no interval ends here.
        """
        if self._delivery is not None and self._delivery.send(
            packet, peer, due_seconds=due_seconds, begins=begins
        ):
            at_seconds = time.time() + max(due_seconds - time.monotonic(), 0.0)
        elif self._direct.send(packet, peer, begins=begins):
            at_seconds = 0.0
        else:
            return False
        self._watch(packet, _address(self._socket), peer, at_seconds)
        return True

    def send_report(self, packet: bytes, peer: Address, *, is_muxed: bool = False) -> bool:
        """Send from the RTCP port, or from that of RTP; False when there is none or it is refused."""
        endpoint = self._socket if is_muxed else self._report_socket
        if endpoint is None:
            return False
        try:
            endpoint.sendto(packet, peer)
        except (OSError, OverflowError):
            return False
        self._watch(packet, _address(endpoint), peer, 0.0)
        return True

    def close(self) -> None:
        """Free both ports. May be called again."""
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            self._sent = delivery.close()
        self._socket.close()
        if self._report_socket is not None:
            self._report_socket.close()

    def _watch(
        self, datagram: bytes, source: Address, destination: Address, at_seconds: float
    ) -> None:
        """Show a datagram to whoever observes; a trace that fails costs the trace, not the call."""
        try:
            self._observe(datagram, source, destination, at_seconds=at_seconds)
        except Exception:
            self._observe = unobserved
            log.exception("event=trace-failed port=%d", self._number)

    def _merged(self, delivered: tuple[int, Histogram]) -> tuple[int, Histogram]:
        """What left directly as well: before the courier was lost, or all of it."""
        unsent, intervals = delivered
        direct = Histogram(self._direct.steps, max_ms=self._direct.max_ms)
        return unsent + self._direct.unsent, intervals.with_others(direct)


def is_closed(error: OSError) -> bool:
    """Whether an error of `receive` says that there is nothing left to receive from."""
    return error.errno == errno.EBADF


def _address(endpoint: socket.socket) -> Address:
    host, port = endpoint.getsockname()[:2]
    return host, port


def _bound_socket(local: Address) -> socket.socket:
    """A UDP socket on `local` that notes when packets came, where the system can."""
    host, port = local
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    endpoint = socket.socket(family, socket.SOCK_DGRAM)
    endpoint.setblocking(False)
    try:
        endpoint.bind(local)
    except (OSError, OverflowError) as error:
        endpoint.close()
        raise PortInUse(
            f'RTP port {port} on "{host}": {error}; choose another range for rtp_ports'
        ) from error
    with contextlib.suppress(OSError):
        endpoint.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    with contextlib.suppress(OSError):
        if family == socket.AF_INET6:
            endpoint.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED_FORWARDING)
        else:
            endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED_FORWARDING)
    return endpoint


def _arrival_seconds(ancillary: list[tuple[int, int, bytes]]) -> float:
    """When the kernel got the packet, or now where it doesn't tell."""
    for level, kind, value in ancillary:
        if (level, kind, len(value)) == (socket.SOL_SOCKET, SO_TIMESTAMPNS, TIMESPEC.size):
            seconds, nanoseconds = TIMESPEC.unpack(value)
            return float(seconds + nanoseconds / 1e9)
    return time.time()
