"""Our side of an RTP stream without its socket: payloads in, packets and reports out."""

from __future__ import annotations

import random

from aiortp import RtcpSdesPacket, RtcpSrPacket, RtpPacket
from aiortp.packet import RtcpReceiverInfo, RtcpSenderInfo, RtcpSourceInfo

NTP_EPOCH_SECONDS = 2_208_988_800
"""From 1900, where NTP begins, to 1970 (RFC 868)."""
SDES_CNAME = 1


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
        self.payload_type = payload_type
        self._sequence_number = (
            random.getrandbits(16) if sequence_number is None else sequence_number
        )
        self._timestamp = random.getrandbits(32) if timestamp is None else timestamp

    @property
    def timestamp(self) -> int:
        """RTP time of the next packet of sound."""
        return self._timestamp

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
        self.packets += 1
        self.payload_bytes += len(payload)
        return packet.serialize()

    def report(self, *, unix_seconds: float, reception: list[RtcpReceiverInfo]) -> bytes:
        """Make a sender report with our name (RFC 3550 section 6.4.1)."""
        ntp_timestamp = int((unix_seconds + NTP_EPOCH_SECONDS) * (1 << 32)) % (1 << 64)
        info = RtcpSenderInfo(
            ntp_timestamp=ntp_timestamp,
            rtp_timestamp=self._timestamp,
            packet_count=self.packets % (1 << 32),
            octet_count=self.payload_bytes % (1 << 32),
        )
        name = RtcpSourceInfo(self.ssrc, [(SDES_CNAME, b"%08x@softagent" % self.ssrc)])
        report = RtcpSrPacket(ssrc=self.ssrc, sender_info=info, reports=reception)
        return bytes(report) + bytes(RtcpSdesPacket(chunks=[name]))
