"""The packets in a jitter buffer: by timestamp, each once, and what was heard last."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from aiortp import RtpPacket

from softagent.media.codec import Codec

HEARD_PACKETS = 64
"""So many of the packets heard last are known again when they come twice."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A packet that hasn't been heard yet."""

    sequence_number: int
    payload: bytes
    codec: Codec
    units: int
    """How long it lasts."""


class WaitingPackets:
    """Packets by timestamp, which goes on past 32 bits. Pure."""

    def __init__(self) -> None:
        self._packets: dict[int, Waiting] = {}
        self._heard: deque[int] = deque(maxlen=HEARD_PACKETS)
        """Timestamps of the packets heard last."""
        self._heard_number = 0
        """Sequence number of the last of them."""

    def __len__(self) -> int:
        return len(self._packets)

    @property
    def first(self) -> int:
        """The earliest timestamp."""
        return min(self._packets)

    @property
    def end(self) -> int:
        """Where the latest packet ends."""
        last = max(self._packets)
        return last + self._packets[last].units

    def restart(self) -> None:
        """Another timeline begins."""
        self._packets.clear()
        self._heard.clear()

    def clear(self) -> None:
        """Forget what waits."""
        self._packets.clear()

    def has_had(self, timestamp: int) -> bool:
        """Whether a packet of `timestamp` waits, or has been heard lately."""
        return timestamp in self._packets or timestamp in self._heard

    def put(self, timestamp: int, packet: RtpPacket, codec: Codec) -> None:
        """Add a packet."""
        self._packets[timestamp] = Waiting(
            packet.sequence_number, packet.payload, codec, codec.duration(packet.payload)
        )

    def take(self, timestamp: int) -> Waiting:
        """Take the packet at `timestamp` to hear it."""
        waiting = self._packets.pop(timestamp)
        self._heard.append(timestamp)
        self._heard_number = waiting.sequence_number
        return waiting

    def drop_first(self) -> None:
        """Leave out the earliest packet."""
        del self._packets[self.first]

    def follows_heard(self, timestamp: int) -> bool:
        """Whether no packet is missing between the one heard last and that at `timestamp`."""
        number = self._packets[timestamp].sequence_number
        return bool(self._heard) and number == (self._heard_number + 1) % (1 << 16)
