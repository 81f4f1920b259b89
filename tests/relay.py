"""A relay that loses datagrams between two UDP addresses: the kernel here has no netem."""

from __future__ import annotations

import random
import select
import socket
import threading
from types import TracebackType
from typing import Self

Address = tuple[str, int]


class LossyRelay:
    """Passes datagrams between whoever sends to it and `target`, and loses a share of them, from `with` on."""

    def __init__(self, target: Address, *, loss: float, seed: int) -> None:
        """`loss`: share lost each way, 0 to 1."""
        self.lost = 0
        self.passed = 0
        self._target = target
        self._loss = loss
        self._random = random.Random(seed)
        self._near, self._far = _loopback(), _loopback()
        self._client: Address | None = None
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay")
        self.address: Address = self._near.getsockname()[:2]
        """Where to send what is for the target."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_stopping.set()
        self._thread.join()
        self._near.close()
        self._far.close()

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            ready, _, _ = select.select([self._near, self._far], [], [], 0.1)
            for side in ready:
                data, source = side.recvfrom(65535)
                if side is self._near:
                    self._client = source
                    self._pass(self._far, data, self._target)
                elif self._client is not None:
                    self._pass(self._near, data, self._client)

    def _pass(self, side: socket.socket, data: bytes, to: Address) -> None:
        if self._random.random() < self._loss:
            self.lost += 1
        else:
            self.passed += 1
            side.sendto(data, to)


def _loopback() -> socket.socket:
    side = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    side.bind(("127.0.0.1", 0))
    return side
