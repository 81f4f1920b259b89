"""One TCP or TLS connection that nobody ever waits for.

    connecting -> shaking hands (TLS) -> open -> lost, with the reason

Signalling thread only, but for `send`, which only adds to what waits.
"""

from __future__ import annotations

import enum
import errno
import os
import selectors
import socket
import ssl
from collections.abc import Iterator

from softagent.sip.errors import MessageError
from softagent.sip.framing import PING, PONG, Framer
from softagent.sip.hop import Hop, Transport
from softagent.sip.tls import CertificateRefused, TlsPolicy

LARGEST_QUEUE_BYTES = 256 * 1024
"""Of messages that the other side doesn't take."""
CONNECT_SECONDS = 4.0
"""From the first SYN to the end of the TLS handshake, and to the first message of a connection that came in."""
MESSAGE_SECONDS = 30.0
"""From a message's first byte to its last."""
IDLE_SECONDS = 600.0
"""Silence both ways; what comes in registered hears from us far more often."""
UNACKNOWLEDGED_MS = 10_000
"""How long the other side's machine may leave our bytes unconfirmed (TCP_USER_TIMEOUT)."""
READ_BYTES = 65536
MOST_READS = 16
"""In one go, so that one flooding connection doesn't hold up the others."""


class Stage(enum.Enum):
    """How far a connection has come."""

    CONNECTING = "connecting"
    SHAKING = "shaking"
    OPEN = "open"


class ConnectionLost(Exception):
    """The connection is over; the message says why."""


class Connection:
    """A stream to one hop."""

    def __init__(
        self, channel: socket.socket, hop: Hop, tls: TlsPolicy, *, is_ours: bool, now: float
    ) -> None:
        """`channel`: connecting already, or accepted. `is_ours`: we have begun it."""
        channel.setblocking(False)
        _tune(channel)
        self.hop = hop
        """With the connection's own number."""
        self.is_ours = is_ours
        self.stage = Stage.CONNECTING if is_ours else Stage.OPEN
        self.socket = channel
        self.local_port: int = channel.getsockname()[1]
        self.has_more = False
        """There was more to read than was read in one go; no event tells of that again."""
        self._tls = tls
        self._framer = Framer()
        self._out = bytearray()
        self._waits_to_write = False
        """TLS has to write before it can go on reading."""
        self._heard_at = now
        self._deadline = now + CONNECT_SECONDS
        if not is_ours and hop.transport is Transport.TLS:
            self._begin_tls()

    @property
    def deadline(self) -> float:
        """When `check` wants to be called."""
        return min(self._deadline, self._heard_at + IDLE_SECONDS)

    @property
    def interest(self) -> int:
        """What to wait for, as a selector's mask."""
        if self.stage is Stage.CONNECTING:
            return selectors.EVENT_WRITE
        wants_write = self._waits_to_write or (self.stage is Stage.OPEN and bool(self._out))
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if wants_write else 0)

    def send(self, data: bytes, now: float) -> None:
        """Have `data` sent as soon as the other side takes it. Raises ConnectionLost when it doesn't."""
        if len(self._out) + len(data) > LARGEST_QUEUE_BYTES:
            raise ConnectionLost("it doesn't read what we send")
        self._out += data
        self._heard_at = now

    def handle(self, now: float) -> Iterator[bytes]:
        """Go on as far as that goes without waiting; the messages that came. Raises ConnectionLost."""
        try:
            if self.stage is Stage.CONNECTING:
                self._finish_connecting()
            if self.stage is Stage.SHAKING:
                self._shake(now)
            if self.stage is Stage.OPEN:
                yield from self._read(now)
                self._write()
        except (ssl.SSLWantReadError, BlockingIOError):
            self._waits_to_write = False
        except ssl.SSLWantWriteError:
            self._waits_to_write = True
        except ssl.SSLError as error:
            raise ConnectionLost(self._tls.explain(error)) from None
        except CertificateRefused as error:
            raise ConnectionLost(str(error)) from None
        except OSError as error:
            raise ConnectionLost(_words(error)) from None
        except MessageError as error:
            raise ConnectionLost(f"unreadable: {error}") from None

    def check(self, now: float) -> None:
        """Raises ConnectionLost when the other side has taken too long."""
        if now >= self._deadline:
            if self.stage is not Stage.OPEN:
                raise ConnectionLost("no answer")
            raise ConnectionLost("no whole message came")
        if now >= self._heard_at + IDLE_SECONDS:
            raise ConnectionLost("idle")

    def close(self) -> None:
        """Close at once: what waits is dropped, and nobody waits for TLS to say goodbye."""
        self.socket.close()

    def _finish_connecting(self) -> None:
        problem = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            raise OSError(problem, os.strerror(problem))
        if self.hop.transport is Transport.TLS:
            self._begin_tls()
        else:
            self._open()

    def _begin_tls(self) -> None:
        self.stage = Stage.SHAKING
        server, name = self._tls.server, self._tls.server_name(self.hop.name or self.hop.host)
        if self.is_ours:
            self.socket = self._tls.client.wrap_socket(
                self.socket, do_handshake_on_connect=False, server_hostname=name
            )
        elif server is not None:
            self.socket = server.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def _shake(self, now: float) -> None:
        assert isinstance(self.socket, ssl.SSLSocket)
        self.socket.do_handshake()
        if self.is_ours:
            self._tls.check(self.socket.getpeercert(), self.hop.name or self.hop.host)
            self._open()
        else:
            self.stage = Stage.OPEN
            self._deadline = now + CONNECT_SECONDS

    def _open(self) -> None:
        self.stage, self._deadline = Stage.OPEN, float("inf")

    def _read(self, now: float) -> Iterator[bytes]:
        self.has_more = False
        for _ in range(MOST_READS):
            try:
                data = self.socket.recv(READ_BYTES)
            except (ssl.SSLWantReadError, BlockingIOError):
                return
            if not data:
                raise ConnectionLost("closed by the other side")
            self._heard_at = now
            for frame in self._framer.feed(data):
                if frame == PING:
                    self.send(PONG, now)
                elif frame != PONG:
                    yield frame
                self._open()
            if not self._framer.is_empty and self._deadline == float("inf"):
                self._deadline = now + MESSAGE_SECONDS
        self.has_more = True

    def _write(self) -> None:
        self._waits_to_write = False
        while self._out:
            sent = self.socket.send(self._out)
            del self._out[:sent]


def connect(hop: Hop, host: str) -> socket.socket:
    """A socket that is on its way to `hop`, from our address `host` ("" for any). Raises OSError."""
    family = socket.AF_INET6 if ":" in hop.host else socket.AF_INET
    channel = socket.socket(family, socket.SOCK_STREAM)
    try:
        channel.setblocking(False)
        if host:
            channel.bind((host, 0))
        problem = channel.connect_ex(hop.address)
        if problem not in (0, errno.EINPROGRESS):
            raise OSError(problem, os.strerror(problem))
    except OSError:
        channel.close()
        raise
    return channel


def _tune(channel: socket.socket) -> None:
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
