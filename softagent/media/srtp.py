"""SRTP with keys from SDP: packets that nobody else can read, alter or repeat (RFC 3711, RFC 4568).

RtpSender -> protect -> network -> unprotect -> RtpReceiver; RTCP likewise
"""

from __future__ import annotations

from dataclasses import dataclass

import pylibsrtp

from softagent.media.description import SrtpKeys

PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
"""Both authenticate RTCP with 80 bits (RFC 4568 section 6.2.2)."""
REPLAY_WINDOW_PACKETS = 1024
"""How far behind the newest a packet may come; the least allowed is 64 (RFC 3711 section 3.3.2)."""
REPLAYED = ("replay check failed", "packet index is too old")
"""How pylibsrtp 1.0 words its errors for a packet that came before; it gives no code."""
SEQUENCE_NUMBERS = 1 << 16
RTP_HEADER_BYTES = 12


class SrtpChannel:
    """Both directions of one call, in the clear while there are no keys. Pure; the owner guards it.

    Keys that a new SDP brings are used for sending at once. Packets may still come under
    the old ones; the first that is good under the new ones ends that.
    """

    def __init__(self, keys: SrtpKeys | None) -> None:
        self.replayed = 0
        self.unauthenticated = 0
        """Altered, under another key, or plain RTP."""
        self._keys: SrtpKeys | None = None
        self._sending: pylibsrtp.Session | None = None
        self._receiving: list[_Incoming] = []
        """What to try a packet with, the likeliest first; nothing for plain RTP."""
        self.change(keys)

    def change(self, keys: SrtpKeys | None) -> bool:
        """Take the keys of a new SDP; True when ours changed into others.

        Keys that are the same go on counting: a session refresh repeats them.
        """
        before, self._keys = self._keys, keys
        if keys is None:
            self._sending, self._receiving = None, []
            return False
        if before is None or (before.suite, before.receive) != (keys.suite, keys.receive):
            self._expect(_Incoming(keys.suite, keys.receive))
        if before is not None and (before.suite, before.send) == (keys.suite, keys.send):
            return False
        self._sending = _session(keys.suite, keys.send, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        return before is not None

    def _expect(self, fresh: _Incoming) -> None:
        if not self._receiving:
            self._receiving = [fresh]
            return
        current = self._receiving[-1]
        self._receiving = [fresh, *fresh.gone_on(current.index), current]

    def protect(self, packet: bytes) -> bytes:
        """Encrypt and sign an RTP packet of ours."""
        return packet if self._sending is None else self._sending.protect(packet)

    def protect_report(self, packet: bytes) -> bytes:
        """Encrypt and sign an RTCP packet of ours."""
        return packet if self._sending is None else self._sending.protect_rtcp(packet)

    def unprotect(self, datagram: bytes) -> bytes | None:
        """Verify and decrypt an RTP packet; None, and counted, when it isn't good."""
        return self._unprotect(datagram, is_report=False)

    def unprotect_report(self, datagram: bytes) -> bytes | None:
        """Verify and decrypt an RTCP packet; None, and counted, when it isn't good."""
        return self._unprotect(datagram, is_report=True)

    def _unprotect(self, datagram: bytes, *, is_report: bool) -> bytes | None:
        if not self._receiving:
            return datagram
        is_replayed = False
        for incoming in self._receiving:
            try:
                packet = incoming.open_report(datagram) if is_report else incoming.open(datagram)
            except (pylibsrtp.Error, ValueError) as error:  # ValueError: longer than 1500 bytes
                is_replayed |= str(error).startswith(REPLAYED)
                continue
            if not is_report and incoming is not self._receiving[-1]:
                self._receiving = [incoming]
            return packet
        self.replayed += is_replayed
        self.unauthenticated += not is_replayed
        return None


@dataclass(frozen=True, slots=True)
class _Index:
    """The newest packet of a source: how often its sequence number wrapped, and the number."""

    ssrc: int
    wraps: int
    sequence_number: int

    def after(self, ssrc: int, sequence_number: int) -> _Index:
        """The index of the newest packet once this one has come (RFC 3711 section 3.3.1)."""
        if ssrc != self.ssrc:
            return _Index(ssrc, 0, sequence_number)
        half = SEQUENCE_NUMBERS // 2
        ahead = (sequence_number - self.sequence_number + half) % SEQUENCE_NUMBERS - half
        if ahead <= 0:
            return self
        wraps = self.wraps + (sequence_number < self.sequence_number)
        return _Index(ssrc, wraps, sequence_number)


class _Incoming:
    """What comes under one key, of whatever source."""

    def __init__(self, suite: str, key: bytes) -> None:
        self.index: _Index | None = None
        self._suite, self._key = suite, key
        self._session = _session(suite, key, pylibsrtp.Policy.SSRC_ANY_INBOUND)

    def open(self, datagram: bytes) -> bytes:
        """Verify and decrypt; raises pylibsrtp.Error or ValueError."""
        packet = self._session.unprotect(datagram)
        ssrc = int.from_bytes(packet[8:12])
        sequence_number = int.from_bytes(packet[2:4])
        index = self.index or _Index(ssrc, 0, sequence_number)
        self.index = index.after(ssrc, sequence_number)
        return packet

    def open_report(self, datagram: bytes) -> bytes:
        """Verify and decrypt RTCP; raises pylibsrtp.Error or ValueError."""
        return self._session.unprotect_rtcp(datagram)

    def gone_on(self, index: _Index | None) -> list[_Incoming]:
        """The same key for a sender that kept counting wraps when it took this key.

        RFC 3711 has the count live on, some senders begin again at 0: nobody tells which.
        pylibsrtp 1.0 can't set it (no srtp_set_stream_roc); packets of our own, signed with
        the same key, lead its count there.
        """
        if index is None or not index.wraps:
            return []
        incoming = _Incoming(self._suite, self._key)
        guide = _session(self._suite, self._key, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        step = SEQUENCE_NUMBERS // 4
        last = index.wraps * SEQUENCE_NUMBERS + index.sequence_number - REPLAY_WINDOW_PACKETS
        for number in (*range(0, last, step), last):
            header = bytes((0x80, 0)) + (number % SEQUENCE_NUMBERS).to_bytes(2) + bytes(4)
            incoming.open(guide.protect(header + index.ssrc.to_bytes(4)))
        return [incoming]


def _session(suite: str, key: bytes, direction: int) -> pylibsrtp.Session:
    """A context of libsrtp for all sources in one direction."""
    policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=PROFILES[suite])
    policy.window_size = REPLAY_WINDOW_PACKETS
    return pylibsrtp.Session(policy=policy)
