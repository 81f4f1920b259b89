"""RTP ports: even ones of the account's range, each for one call at a time (RTCP has the odd ones)."""

from __future__ import annotations

import errno
import socket
from collections import deque

from softagent.config import PortRange
from softagent.sip.doors import bound


class RtpPorts:
    """Hands out local ports that are free in fact. Used under its owner's lock."""

    def __init__(self, ports: PortRange) -> None:
        first = ports.first + ports.first % 2
        self._free = deque(range(first, ports.last + 1, 2))
        self._used: set[int] = set()

    def reserve(self, host: str) -> int | None:
        """A port that can be bound at `host`, longest unused first; None when all are taken."""
        for _ in range(len(self._free)):
            port = self._free.popleft()
            if _can_bind(host, port):
                self._used.add(port)
                return port
            self._free.append(port)
        return None

    def release(self, port: int) -> None:
        """Give a port back. Giving it back twice does no harm."""
        if port in self._used:
            self._used.remove(port)
            self._free.append(port)


def _can_bind(host: str, port: int) -> bool:
    """Whether the port is free there; without a host in both families, for the call decides which it takes."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if _problem(family, host, port):
        return False
    return bool(host) or _problem(socket.AF_INET6, host, port) != errno.EADDRINUSE


def _problem(family: socket.AddressFamily, host: str, port: int) -> int | None:
    """Why a port can't be bound, as the system's number; None when it can."""
    try:
        bound(socket.SOCK_DGRAM, family, host, port).close()
    except OSError as error:
        return error.errno or errno.EIO
    return None
