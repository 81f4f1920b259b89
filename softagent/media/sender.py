"""Our side of an RTP stream without its socket: payloads in, packets and reports out."""

from __future__ import annotations

import random

from aiortp import RtpPacket
from aiortp.packet import RtcpSenderInfo

from softagent.media.rtcp import ntp_timestamp

SEQUENCE_START_BITS = 15
"""Room for half a circle before the first wrap, so that loss can't hide it (RFC 4568 section 6.4)."""


class RtpSender:
    """Sequence numbers, timestamps and counts of what we send (RFC 3550 section 5.1). Pure.

    All three numbers start at random unless they are given.
    """

    def __init__(
        self,
        *,
        payload_type: int,
        sequence_number: int | None = None,
        timestamp: int | None = None,
        ssrc: int | None = None,
    ) -> None:
        self.ssrc = random.getrandbits(32) if ssrc is None else ssrc
        self.packets = 0
        self.payload_bytes = 0
        self._before = 0, 0
        """Packets and bytes of the sources that we were before."""
        self.payload_type = payload_type
        self._sequence_number = (
            random.getrandbits(SEQUENCE_START_BITS) if sequence_number is None else sequence_number
        )
        self._timestamp = random.getrandbits(32) if timestamp is None else timestamp
        self.has_wrapped = False
        """Whether the sequence number has, since this source began."""

    @property
    def timestamp(self) -> int:
        """RTP time of the next packet of sound."""
        return self._timestamp

    @property
    def source_packets(self) -> int:
        """Those sent since this source began: what reports count (RFC 3550 section 6.4.1)."""
        return self.packets - self._before[0]

    def packet(self, payload: bytes, *, duration: int, talkspurt: bool = False) -> bytes:
        """Make the next packet; `duration` in RTP units; `talkspurt` marks the first after silence."""
        marker = talkspurt or not self.packets
        packet = self._numbered(payload, self.payload_type, self._timestamp, marker)
        self.skip(duration)
        return packet

    def event(self, payload: bytes, *, payload_type: int, timestamp: int, marker: bool) -> bytes:
        """Make the next packet of an event that began at `timestamp`; lets no time pass."""
        return self._numbered(payload, payload_type, timestamp, marker)

    def skip(self, duration: int) -> None:
        """Let time pass without a packet."""
        self._timestamp = (self._timestamp + duration) % (1 << 32)

    def _numbered(self, payload: bytes, payload_type: int, timestamp: int, marker: bool) -> bytes:
        packet = RtpPacket(
            payload_type=payload_type,
            marker=int(marker),
            sequence_number=self._sequence_number,
            timestamp=timestamp,
            ssrc=self.ssrc,
            payload=payload,
        )
        self._sequence_number = (self._sequence_number + 1) % (1 << 16)
        self.has_wrapped |= self._sequence_number == 0
        self.packets += 1
        self.payload_bytes += len(payload)
        return packet.serialize()

    def info(self, unix_seconds: float) -> RtcpSenderInfo:
        """What a sender report says of us (RFC 3550 section 6.4.1)."""
        return RtcpSenderInfo(
            ntp_timestamp=ntp_timestamp(unix_seconds),
            rtp_timestamp=self._timestamp,
            packet_count=self.source_packets % (1 << 32),
            octet_count=(self.payload_bytes - self._before[1]) % (1 << 32),
        )

    def renew(self) -> None:
        """Go on as another source from the next packet on.

        With new SRTP keys some begin to count wraps anew and some go on (RFC 3711 leaves
        the choice to key management): of a new source all know that it begins at 0.
        """
        self._before = self.packets, self.payload_bytes
        self.has_wrapped = False
        self.ssrc = random.getrandbits(32)
        self._sequence_number = random.getrandbits(SEQUENCE_START_BITS)
