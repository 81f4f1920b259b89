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
from softagent.media.sources import Address

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

    def __init__(self, local: Address, *, name: str = "", observe: Observe = unobserved) -> None:
        """Bind `local`, and the next port for RTCP if it is free; PortInUse for the first.

        `observe` sees every datagram as it is on the wire, for a trace.
        """
        host, port = local
        self._observe = observe
        self._socket = _bound_socket(local)
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
            self._observe(datagram, arrival.source, _address(endpoint), at_seconds=arrival.seconds)
            arrivals.append(arrival)
        return arrivals

    def send(self, packet: bytes, peer: Address) -> bool:
        """Send from the RTP port; False when the system refuses."""
        return self._send(self._socket, packet, peer)

    def send_report(self, packet: bytes, peer: Address) -> bool:
        """Send from the RTCP port; False when there is none or the system refuses."""
        return self._report_socket is not None and self._send(self._report_socket, packet, peer)

    def close(self) -> None:
        """Free both ports. May be called again."""
        self._socket.close()
        if self._report_socket is not None:
            self._report_socket.close()

    def _send(self, endpoint: socket.socket, packet: bytes, peer: Address) -> bool:
        try:
            endpoint.sendto(packet, peer)
            self._observe(packet, _address(endpoint), peer)
        except (OSError, OverflowError):  # no route, a full buffer, port 65536: the next may pass
            return False
        return True


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
