"""The scripted PBX on TCP and TLS: one connection at a time, with a framing of its own."""

from __future__ import annotations

import re
import socket
import ssl

from peer import PATIENCE_SECONDS, Peer


class StreamPeer(Peer):
    """A PBX that listens for connections; `context` makes them TLS."""

    transport = "TCP"
    kind = socket.SOCK_STREAM

    def __init__(self, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        super().__init__(host)
        self.socket.listen(8)
        self.connection: socket.socket | None = None
        self._context = context
        self._received = b""
        if context is not None:
            self.transport = "TLS"

    def accept(self) -> None:
        """Take the next connection in place of the one before. Raises TimeoutError, or ssl.SSLError."""
        self.hang_up()
        self.socket.settimeout(PATIENCE_SECONDS)
        connection, _ = self.socket.accept()
        connection.settimeout(PATIENCE_SECONDS)
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        self.connection = connection

    def connect(self, port: int) -> None:
        """Connect to the telephone in place of the connection before."""
        self.hang_up()
        self.connection = socket.create_connection((self.host, port), PATIENCE_SECONDS)

    def hang_up(self) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.close()
        self.connection, self._received = None, b""

    def close(self) -> None:
        self.hang_up()
        super().close()

    def take(self, seconds: float) -> tuple[bytes, tuple[str, int]]:
        if self.connection is None:
            self.accept()
        assert self.connection is not None
        self.connection.settimeout(seconds)
        while (message := self._cut()) is None:
            data = self.connection.recv(65535)
            if not data:
                raise EOFError
            self._received += data
        return message, self.connection.getpeername()[:2]

    def take_bytes(self, count: int) -> bytes:
        """The next bytes, whatever they are."""
        assert self.connection is not None
        self.connection.settimeout(PATIENCE_SECONDS)
        while len(self._received) < count:
            self._received += self.connection.recv(65535) or b"(closed)"
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def is_hung_up_on(self) -> bool:
        """Whether the telephone ends the connection."""
        assert self.connection is not None
        self.connection.settimeout(PATIENCE_SECONDS)
        try:
            while self.connection.recv(65535):
                pass
        except ConnectionError:
            pass
        return True

    def send(self, data: bytes) -> None:
        assert self.connection is not None
        self.connection.sendall(data)

    def _cut(self) -> bytes | None:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
        if len(rest) < length:
            return None
        self._received = rest[length:]
        return head + end + rest[:length]
