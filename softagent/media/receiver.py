"""The caller's side of an RTP stream without its socket: datagrams in, frames and digits out.

datagram -> from whom? -> RTP? -> sound, noise -> JitterBuffer  -> pop() once a tick
                                  event ------> DigitReceiver -'
"""

from __future__ import annotations

from aiortp import RtpPacket, is_rtcp
from aiortp.packet import RtcpReceiverInfo

from softagent.media.bridged import codec_at
from softagent.media.comfort import STATIC_PAYLOAD_TYPE
from softagent.media.description import MediaDescription
from softagent.media.dtmf import DigitReceiver
from softagent.media.frame import Samples
from softagent.media.jitter import JitterBuffer
from softagent.media.sources import Address, SourceFilter
from softagent.media.stats import Reception


class RtpReceiver:
    """Judges and sorts what arrives. Pure; the owner guards it.

    After a change of the codec, the one before is still heard: its last packets are on the way.
    """

    def __init__(self, media: MediaDescription, *, rate_hz: int) -> None:
        """Hear as `media` says in frames at `rate_hz`, whatever codecs may follow."""
        codec = codec_at(media.codec, rate_hz)
        self.reception = Reception(codec.clock_hz)
        self.jitter_buffer = JitterBuffer(codec)
        self.packets = 0
        self.payload_bytes = 0
        self.malformed = 0
        self.foreign = 0
        self.unknown_type = 0
        self.unheard_ticks = 0
        """Since a packet of this call last came, or its media last changed."""
        self._rate_hz = rate_hz
        self._media = media
        self._codecs = {media.payload_type: codec}
        """By payload type: the agreed one, and the one before."""
        self._digits = DigitReceiver(codec.clock_hz)
        self._sources = SourceFilter(_agreed(media), media.trusted_hosts)
        self._ssrc: int | None = None

    @property
    def peer(self) -> Address:
        """Where the caller is, as far as we know: where our packets should go."""
        return self._sources.peer

    def knows(self, source: Address) -> bool:
        """Whether `source` is at a host that has to do with the call."""
        return self._sources.knows(source)

    def change(self, media: MediaDescription) -> None:
        """Go on as a new SDP agreed: from its address, in its codec."""
        before, self._media = self._media, media
        self._sources.redirect(_agreed(media), media.trusted_hosts)
        if (media.codec, media.payload_type) != (before.codec, before.payload_type):
            self._codecs = {
                before.payload_type: self._codecs[before.payload_type],
                media.payload_type: codec_at(media.codec, self._rate_hz),
            }
        self.unheard_ticks = 0

    def push(self, datagram: bytes, *, source: Address, arrival_seconds: float) -> None:
        """Take whatever came to the port; what is of no use is counted and forgotten."""
        if not self._sources.knows(source):
            self.foreign += 1
            return
        try:
            packet = None if is_rtcp(datagram) else RtpPacket.parse(datagram)
        except ValueError:
            packet = None
        if packet is None:
            self.malformed += 1
        elif not self._understands(packet.payload_type):
            self.unknown_type += 1
        elif not self._sources.accepts(
            source, ssrc=packet.ssrc, sequence_number=packet.sequence_number
        ):
            self.foreign += 1
        else:
            self._count(packet)
            self._hear(packet, arrival_seconds)

    def _understands(self, payload_type: int) -> bool:
        """Whether SDP agreed on it; comfort noise is heard without, as some send it so."""
        return payload_type in (
            *self._codecs,
            self._media.event_payload_type,
            self._media.noise_payload_type,
            STATIC_PAYLOAD_TYPE,
        )

    def _hear(self, packet: RtpPacket, arrival_seconds: float) -> None:
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            if packet.payload_type == self._media.event_payload_type:
                self.jitter_buffer.push_event(packet)
                self._digits.push(
                    packet.payload,
                    timestamp=packet.timestamp,
                    sequence_number=packet.sequence_number,
                    marker=bool(packet.marker),
                )
            else:
                self.jitter_buffer.push_noise(packet)
            return
        if packet.ssrc == self._ssrc:
            self.reception.time(arrival_seconds, packet.timestamp)
        if self.jitter_buffer.push(packet, codec):
            self._restart(packet)

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
                packets_lost=min(self.reception.source_lost, 0x7FFFFF),
                highest_sequence=self.reception.highest_sequence % (1 << 32),
                jitter=int(self.reception.jitter),
                lsr=0,
                dlsr=0,
            )
        ]

    def _count(self, packet: RtpPacket) -> None:
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


def _agreed(media: MediaDescription) -> Address:
    return media.remote_host, media.remote_port
