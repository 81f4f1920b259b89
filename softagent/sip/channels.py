"""All sockets of one telephone: UDP, connections of ours, and the doors that others come in by.

    send(data, hop) -> UDP socket | connection to that hop, made when there is none
    wait(timeout) -> receive(): messages with the hop that each came from

No thread: the endpoint's waits here, and everything but `wait` happens under its lock.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import selectors
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from softagent.sip.connection import Connection, ConnectionLost, Stage, connect
from softagent.sip.doors import bound
from softagent.sip.hop import Hop, Transport
from softagent.sip.message import LARGEST_DATAGRAM_BYTES
from softagent.sip.tls import TlsPolicy

log = logging.getLogger("softagent.sip")

MOST_VISITORS = 64
"""Connections that others have begun, at once."""
MOST_STRANGERS = 8
"""Of them, those from elsewhere than the PBX: a call whose PBX has failed over may need one."""
PORT_TRIES = 16
"""Free UDP ports looked at until TCP is free there too."""
REST_SECONDS = 1.0
"""For a door while this process can't open anything more."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Loss:
    """A connection that is over, or was never made."""

    hop: Hop
    reason: str
    was_open: bool = False
    """It has been there: what was on its way when it went may still be said over another one."""


class Channels:
    """The sockets on one local port."""

    def __init__(
        self,
        name: str,
        tls: TlsPolicy,
        *,
        is_allowed: Callable[[str], bool] = lambda host: True,
        is_flood: Callable[[Hop, float], bool] = lambda hop, now: False,
    ) -> None:
        """`is_allowed` tells whether requests may come from an IP address, `is_flood` whether too much does."""
        self.local_port = 0
        self.losses: list[Loss] = []
        """Connections lost since the owner has looked: it empties the list."""
        self._name = name
        self._tls = tls
        self._is_allowed = is_allowed
        self._is_flood = is_flood
        self._host = ""
        self._selector = selectors.DefaultSelector()
        self._udp: dict[socket.AddressFamily, socket.socket] = {}
        self._doors: dict[socket.socket, Transport] = {}
        self._resting: dict[socket.socket, float] = {}
        """Doors that nobody is let in by until then: there was nothing left to let them in with."""
        self._tls_port = 0
        self._connections: dict[int, Connection] = {}
        self._numbers = itertools.count(1)

    def open(self, host: str, port: int, *, needs_tcp: bool) -> None:
        """Bind `host`, or every address of both families, on `port`, or on a free one. Raises OSError.

        Others may come in by TCP on the same port, and by TLS on the next one or, failing
        that, any. Only with `needs_tcp` does it have to be free.
        """
        self._host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for tries_left in reversed(range(PORT_TRIES if port == 0 else 1)):
            first = bound(socket.SOCK_DGRAM, family, host, port)
            self._udp = {family: first}
            self.local_port = first.getsockname()[1]
            try:
                self._add_door(Transport.TCP, family, self.local_port)
                break
            except OSError as error:
                if tries_left:
                    first.close()
                elif needs_tcp:
                    self.close()
                    raise
                else:
                    log.info("account=%s event=no-tcp error=%r", self._name, str(error))
        if not host:
            self._open_second_family()
        if self._tls.server is not None:
            self._tls_port = self._open_tls(family)
        for channel in self._udp.values():
            channel.setblocking(False)
            self._selector.register(channel, selectors.EVENT_READ)

    def close(self) -> None:
        """Close everything."""
        for channel in (*self._udp.values(), *self._doors):
            channel.close()
        for connection in self._connections.values():
            connection.close()
        self._udp.clear()
        self._doors.clear()
        self._connections.clear()
        self._selector.close()

    def watch(self, channel: socket.socket) -> None:
        """Have `wait` return when there is something to read on a socket of the owner's."""
        self._selector.register(channel, selectors.EVENT_READ)

    def wait(self, timeout: float | None) -> set[object]:
        """The sockets that something happens on, within the time."""
        if any(connection.has_more for connection in self._connections.values()):
            timeout = 0.0
        return {key.fileobj for key, _ in self._selector.select(timeout)}

    def send(self, data: bytes, hop: Hop, now: float) -> None:
        """Send a message. Raises OSError when that fails at once; later failures are in `losses`."""
        if hop.transport is Transport.UDP:
            family = socket.AF_INET6 if ":" in hop.host else socket.AF_INET
            if family not in self._udp:
                raise OSError(f"there is no {family.name} socket")
            self._udp[family].sendto(data, hop.address)
            return
        connection = self._towards(hop)
        if connection is None:
            connection = self._connect(hop, now)
        try:
            connection.send(data, now)
        except ConnectionLost as lost:
            self._drop(connection, str(lost))
        else:
            self._watch_again(connection)

    def contact_port(self, hop: Hop) -> int:
        """The local port at which the far end of `hop` reaches us: where we listen, or our end of the connection."""
        if hop.transport is not Transport.TLS:
            return self.local_port
        connection = self._towards(hop)
        return self._tls_port or (connection.local_port if connection else self.local_port)

    def disconnect(self, hop: Hop, reason: str) -> None:
        """Close the connection to a hop, if there is one."""
        connection = self._towards(hop)
        if connection is not None:
            self._drop(connection, reason)

    def is_connected(self, hop: Hop) -> bool:
        """Whether there is a connection to that hop that is open already."""
        connection = self._towards(hop)
        return connection is not None and connection.stage is Stage.OPEN

    def prepare(self, hop: Hop, now: float) -> None:
        """Begin to connect where there is no connection yet. Raises OSError when that fails at once."""
        if hop.transport.is_reliable and self._towards(hop) is None:
            self._connect(hop, now)

    @property
    def next_wake(self) -> float:
        """When `wake` has something to do."""
        deadlines = (connection.deadline for connection in self._connections.values())
        return min((*deadlines, *self._resting.values()), default=NEVER)

    def wake(self, now: float) -> None:
        """Close what has taken too long."""
        for connection in list(self._connections.values()):
            try:
                connection.check(now)
            except ConnectionLost as lost:
                self._drop(connection, str(lost))
        for door in [door for door, until in self._resting.items() if now >= until]:
            del self._resting[door]
            self._selector.register(door, selectors.EVENT_READ)

    def receive(self, ready: set[object], now: float) -> Iterator[tuple[bytes, Hop]]:
        """What has come on the sockets that are ready, each message with where it came from."""
        for channel in self._udp.values():
            if channel in ready:
                yield from self._receive_datagram(channel)
        for door, transport in self._doors.items():
            if door in ready:
                self._admit(door, transport, now)
        for connection in list(self._connections.values()):
            if connection.socket in ready or connection.has_more:
                yield from self._go_on(connection, now)

    def _receive_datagram(self, channel: socket.socket) -> Iterator[tuple[bytes, Hop]]:
        try:
            data, address = channel.recvfrom(LARGEST_DATAGRAM_BYTES)
        except OSError as error:
            log.debug("account=%s event=receive-failed error=%r", self._name, error)
            return
        yield data, Hop(address[0], address[1])

    def _go_on(self, connection: Connection, now: float) -> Iterator[tuple[bytes, Hop]]:
        before = connection.socket
        try:
            for frame in connection.handle(now):
                yield frame, connection.hop
                if connection.hop.connection not in self._connections:  # who took it has dropped it
                    return
        except ConnectionLost as lost:
            self._drop(connection, str(lost), before)
            return
        except Exception as error:  # costs this connection, not the thread with all calls
            log.exception("account=%s event=connection-failed to=%s", self._name, connection.hop)
            self._drop(connection, f"failed here: {error!r}", before)
            return
        if connection.hop.connection in self._connections:
            self._watch_again(connection, before)

    def _admit(self, door: socket.socket, transport: Transport, now: float) -> None:
        """Let a visitor in, unless there are too many."""
        try:
            channel, address = door.accept()
        except (BlockingIOError, ConnectionError):  # gone again
            return
        except OSError as error:  # too many files: asking again at once would help nobody
            log.warning("account=%s event=accept-failed error=%r", self._name, str(error))
            self._selector.unregister(door)
            self._resting[door] = now + REST_SECONDS
            return
        hop = Hop(address[0], address[1], transport)
        if self._is_full(hop.host) or self._is_flood(hop, now):
            log.debug("account=%s event=connection-refused from=%s", self._name, hop)
            channel.close()
            return
        try:
            self._add(channel, hop, is_ours=False, now=now)
        except OSError as error:
            channel.close()
            log.debug("account=%s event=accept-failed error=%r", self._name, error)

    def _is_full(self, host: str) -> bool:
        """Whether there is no room for another visitor: strangers can't take the PBX's."""
        visitors = [c.hop.host for c in self._connections.values() if not c.is_ours]
        if self._is_allowed(host):
            return len(visitors) >= MOST_VISITORS
        strangers = sum(not self._is_allowed(visitor) for visitor in visitors)
        return strangers >= MOST_STRANGERS or len(visitors) >= MOST_VISITORS

    def _towards(self, hop: Hop) -> Connection | None:
        """The connection that the hop names, while it lives, or else one to its address."""
        known = self._connections.get(hop.connection)
        if known is not None:
            return known
        for connection in reversed(self._connections.values()):
            there = connection.hop
            if (there.host, there.port, there.transport) == (hop.host, hop.port, hop.transport):
                return connection
        return None

    def _connect(self, hop: Hop, now: float) -> Connection:
        channel = connect(hop, self._host)
        return self._add(channel, hop, is_ours=True, now=now)

    def _add(self, channel: socket.socket, hop: Hop, *, is_ours: bool, now: float) -> Connection:
        number = next(self._numbers)
        hop = replace(hop, connection=number)
        connection = Connection(channel, hop, self._tls, is_ours=is_ours, now=now)
        self._connections[number] = connection
        self._selector.register(connection.socket, connection.interest)
        log.debug("account=%s event=connection to=%s ours=%s", self._name, hop, is_ours)
        return connection

    def _watch_again(self, connection: Connection, before: socket.socket | None = None) -> None:
        """Wait for what the connection waits for now; TLS has put another socket in the place of the old."""
        if before is not None and before is not connection.socket:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(before)
            self._selector.register(connection.socket, connection.interest)
        else:
            self._selector.modify(connection.socket, connection.interest)

    def _drop(
        self, connection: Connection, reason: str, before: socket.socket | None = None
    ) -> None:
        for channel in {before or connection.socket, connection.socket}:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(channel)
        self._connections.pop(connection.hop.connection, None)
        connection.close()
        hop = connection.hop
        level = logging.INFO if connection.is_ours else logging.DEBUG
        transport = hop.transport.value
        log.log(
            level,
            "account=%s event=connection-lost to=%s transport=%s reason=%r",
            self._name,
            hop,
            transport,
            reason,
        )
        self.losses.append(Loss(hop, reason, was_open=connection.stage is Stage.OPEN))

    def _add_door(self, transport: Transport, family: socket.AddressFamily, port: int) -> int:
        door = bound(socket.SOCK_STREAM, family, self._host, port)
        door.listen(2 * MOST_VISITORS)
        door.setblocking(False)
        self._doors[door] = transport
        self._selector.register(door, selectors.EVENT_READ)
        taken: int = door.getsockname()[1]
        return taken

    def _open_second_family(self) -> None:
        """IPv6 beside IPv4, on the same port, where this machine has it."""
        family = socket.AF_INET6
        try:
            self._udp[family] = bound(socket.SOCK_DGRAM, family, "", self.local_port)
            self._add_door(Transport.TCP, family, self.local_port)
        except OSError as error:
            log.debug("account=%s event=no-ipv6 error=%r", self._name, str(error))

    def _open_tls(self, family: socket.AddressFamily) -> int:
        """Where others come in by TLS: the port after ours by custom, else any. Raises OSError."""
        try:
            port = self._add_door(Transport.TLS, family, self.local_port + 1)
        except (OSError, OverflowError):
            port = self._add_door(Transport.TLS, family, 0)
        if not self._host:
            with contextlib.suppress(OSError):  # no IPv6 here
                self._add_door(Transport.TLS, socket.AF_INET6, port)
        return port
