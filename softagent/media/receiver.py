"""The caller's side of an RTP stream without its socket: datagrams in, frames and digits out.

datagram -> from whom? -> RTP? -> sound -> JitterBuffer  -> pop() once a tick
                                  event -> DigitReceiver -'
"""

from __future__ import annotations

from aiortp import RtpPacket, is_rtcp
from aiortp.packet import RtcpReceiverInfo

from softagent.media.codec import Codec
from softagent.media.dtmf import DigitReceiver
from softagent.media.frame import Samples
from softagent.media.jitter import JitterBuffer
from softagent.media.stats import Reception

Address = tuple[str, int]


class RtpReceiver:
    """Judges and sorts what arrives. Pure; the owner guards it.

    The first packet of the right type decides where the caller is, whatever SDP said
    (symmetric RTP, RFC 4961): behind a NAT the address in SDP is wrong. From then on
    only that address is heard, and the one in SDP, which wins when both send.
    """

    def __init__(
        self, *, codec: Codec, payload_type: int, event_payload_type: int | None, remote: Address
    ) -> None:
        self.reception = Reception(codec.clock_hz)
        self.jitter_buffer = JitterBuffer(codec)
        self.packets = 0
        self.payload_bytes = 0
        self.malformed = 0
        self.foreign = 0
        self.unknown_type = 0
        self.unheard_ticks = 0
        """Since a packet of this call last came, or its media last changed."""
        self._payload_type = payload_type
        self._event_payload_type = event_payload_type
        self._digits = DigitReceiver(codec.clock_hz)
        self._agreed = remote
        self._latched: Address | None = None
        self._ssrc: int | None = None

    @property
    def peer(self) -> Address:
        """Where the caller is, as far as we know: where our packets should go."""
        return self._latched or self._agreed

    def redirect(self, remote: Address) -> None:
        """SDP has agreed on another address: listen for the caller anew."""
        self._agreed, self._latched = remote, None
        self.unheard_ticks = 0

    def push(self, datagram: bytes, *, source: Address, arrival_seconds: float) -> None:
        """Take whatever came to the port; what is of no use is counted and forgotten."""
        if self._latched is not None and source not in (self._latched, self._agreed):
            self.foreign += 1
            return
        try:
            packet = None if is_rtcp(datagram) else RtpPacket.parse(datagram)
        except ValueError:
            packet = None
        if packet is None:
            self.malformed += 1
        elif packet.payload_type == self._payload_type:
            self._count(packet, source)
            if packet.ssrc == self._ssrc:
                self.reception.time(arrival_seconds, packet.timestamp)
            if self.jitter_buffer.push(packet):
                self._restart(packet)
        elif packet.payload_type == self._event_payload_type:
            self._count(packet, source)
            self._digits.push(
                packet.payload,
                timestamp=packet.timestamp,
                sequence_number=packet.sequence_number,
                marker=bool(packet.marker),
            )
        else:
            self.unknown_type += 1

    def pop(self) -> tuple[Samples, str]:
        """Take one frame of the caller's sound and the keys whose press has ended."""
        self.unheard_ticks += 1
        return self.jitter_buffer.pop(), self._digits.tick()

    def report(self) -> list[RtcpReceiverInfo]:
        """What a sender report says about the caller's stream; empty until there is one."""
        if self._ssrc is None:
            return []
        return [
            RtcpReceiverInfo(
                ssrc=self._ssrc,
                fraction_lost=self.reception.fraction_lost(),
                packets_lost=min(self.reception.lost, 0x7FFFFF),
                highest_sequence=self.reception.highest_sequence % (1 << 32),
                jitter=int(self.reception.jitter),
                lsr=0,
                dlsr=0,
            )
        ]

    def _count(self, packet: RtpPacket, source: Address) -> None:
        self._latched = source
        self.unheard_ticks = 0
        self.packets += 1
        self.payload_bytes += len(packet.payload)
        self._ssrc = packet.ssrc if self._ssrc is None else self._ssrc
        if packet.ssrc == self._ssrc:
            self.reception.count(packet.sequence_number)

    def _restart(self, packet: RtpPacket) -> None:
        """Another source, or the same one counting anew."""
        self._ssrc = packet.ssrc
        self._digits.reset()
        self.reception.restart()
        self.reception.count(packet.sequence_number)
