"""What we say, tick by tick, as packets: sound, or keys in its place.

Playout -> put(frame) -> Packetizer -> Codec -> RtpSender -> pop() at every slot -> socket
send_digits -> DigitSender ---------------------'
"""

from __future__ import annotations

from softagent.media.bridged import codec_at
from softagent.media.description import MediaDescription
from softagent.media.dtmf import DigitSender, EventPacket
from softagent.media.frame import FRAME_MS, Samples
from softagent.media.packetizer import Packetizer
from softagent.media.sender import RtpSender


class RtpSpeaker:
    """Our side of one stream without its socket. Pure; the owner guards it.

    Packets leave without a break while the direction allows it: silence is sent as well,
    and while a key is pressed, its events take the place of sound (RFC 4733 section 2.5.1.2).
    """

    def __init__(
        self, media: MediaDescription, *, rate_hz: int, sender: RtpSender | None = None
    ) -> None:
        """Speak as `media` says with frames at `rate_hz`, whatever codecs may follow."""
        self.sender = sender or RtpSender(payload_type=media.payload_type)
        self._rate_hz = rate_hz
        self._media = media
        self._codec = codec_at(media.codec, rate_hz)
        self._frame_units = self._codec.clock_hz * FRAME_MS // 1000
        self._packetizer = Packetizer(media.ptime_ms, rate_hz=rate_hz)
        self._keys = DigitSender(self._codec.clock_hz)
        self._ready: list[bytes] = []
        """Packets that leave in the next slot, before any of the packetizer's."""
        self._was_silent = True
        self._begins_talkspurt = False

    @property
    def needs_half_ticks(self) -> bool:
        """Whether packets leave in the middle of a tick too."""
        return self._packetizer.needs_half_ticks

    @property
    def is_pressing(self) -> bool:
        """Whether keys are being pressed, or wait to be."""
        return not self._keys.is_idle

    def change(self, media: MediaDescription) -> None:
        """Go on as a new SDP agreed; what waits for a packet to fill up leaves as it is, if it may."""
        self._flush()
        if media.codec != self._media.codec:
            self._codec = codec_at(media.codec, self._rate_hz)
        if media.ptime_ms != self._media.ptime_ms:
            self._packetizer = Packetizer(media.ptime_ms, rate_hz=self._rate_hz)
        self.sender.payload_type = media.payload_type
        self._media = media

    def press(self, digits: str) -> bool:
        """Press keys, one after another; False when the other side doesn't take any this way.

        ValueError when one is none of 0-9, *, #, A-D.
        """
        if self._media.event_payload_type is None:
            return False
        self._keys.press(digits)
        return True

    def skip(self, ticks: int) -> None:
        """Leave out time in which the machine slept."""
        self.sender.skip(ticks * self._frame_units)

    def put(self, samples: Samples, *, is_silent: bool) -> None:
        """Take the frame of the tick that begins, shape (frame,)."""
        self._begins_talkspurt |= self._was_silent and not is_silent
        self._was_silent = is_silent
        if not self._may_send:
            self._keys.let_go()
            self._packetizer.restart()
            self.skip(1)
        elif self._keys.is_idle:
            self._keys.tick(self.sender.timestamp)
            self._packetizer.push(samples)
        else:
            self._flush()
            event = self._keys.tick(self.sender.timestamp)
            if event is None:
                self._ready.append(self._packet(samples))
            else:
                self._say(event)

    def pop(self, *, slots: int) -> list[bytes]:
        """Give the packets that leave now, in order; the next slot is `slots` times 10 ms away."""
        packets, self._ready = self._ready, []
        if not self._may_send:
            return []
        if self._keys.is_idle:
            sound = self._packetizer.pop(slots=slots)
            if sound is not None and len(sound):
                packets.append(self._packet(sound))
        return packets

    @property
    def _may_send(self) -> bool:
        """Whether sound may leave, and it is known where to."""
        return self._media.direction.sends and self._media.remote_port != 0

    def _flush(self) -> None:
        sound = self._packetizer.flush()
        if len(sound):
            self._ready.append(self._packet(sound))

    def _packet(self, sound: Samples) -> bytes:
        payload = self._codec.encode(sound)
        talkspurt, self._begins_talkspurt = self._begins_talkspurt, False
        return self.sender.packet(
            payload, duration=self._codec.duration(payload), talkspurt=talkspurt
        )

    def _say(self, event: EventPacket) -> None:
        payload_type = self._media.event_payload_type
        if payload_type is not None:  # a new SDP may have taken the keys away
            self._ready.append(
                self.sender.event(
                    event.payload,
                    payload_type=payload_type,
                    timestamp=event.timestamp,
                    marker=event.marker,
                )
            )
        self.skip(1)
