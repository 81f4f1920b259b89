"""What signalling and media call with each datagram they send or receive, when somebody wants to see them."""

from __future__ import annotations

from typing import Protocol

Address = tuple[str, int]


class Observe(Protocol):
    """Takes a datagram as it is on the wire; any thread, and never for long: it must not wait for anything."""

    def __call__(
        self, datagram: bytes, source: Address, destination: Address, *, at_seconds: float = 0.0
    ) -> None:
        """`at_seconds` since 1970 when the kernel got it, or is due to leave; 0 for now.

        Our own host may be "" or "0.0.0.0".
        """
        ...


def unobserved(
    datagram: bytes, source: Address, destination: Address, *, at_seconds: float = 0.0
) -> None:
    """Nobody watches."""
