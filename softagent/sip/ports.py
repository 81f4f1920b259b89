"""RTP ports: even ones of the account's range, each for one call at a time (RTCP has the odd ones)."""

from __future__ import annotations

import socket
from collections import deque

from softagent.config import PortRange


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
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
