"""What signalling agreed on for the sound of one call: all that an RTP stream needs to know.

SDP offer and answer -> MediaDescription -> RtpStream(media), RtpStream.change(media)
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal

from softagent.media.frame import FRAME_MS

SrtpSuite = Literal["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]
"""Crypto suites of RFC 4568 section 6.2 that we speak."""


class Direction(enum.Enum):
    """Which way sound flows, in the words of the side that says it (RFC 3264 section 5.1)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def mirrored(self) -> Direction:
        """The same thing, said by the other side (RFC 3264 section 6.1)."""
        match self:
            case Direction.SENDONLY:
                return Direction.RECVONLY
            case Direction.RECVONLY:
                return Direction.SENDONLY
            case _:
                return self

    @property
    def sends(self) -> bool:
        """Whether the side that says it may send sound."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the side that says it wants to hear."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key and salt for each direction, 16 + 14 bytes (RFC 4568 section 6.1)."""

    suite: SrtpSuite
    send: bytes = field(repr=False)
    """Ours: it protects what we send."""
    receive: bytes = field(repr=False)
    """The other side's."""


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """What SDP agreed on for one call: enough to open an RTP stream."""

    codec: str
    """PCMU, PCMA or G722."""
    payload_type: int
    remote_host: str
    remote_port: int
    local_host: str
    local_port: int
    """Bound by the RTP stream; reserved for this call by the phone."""
    event_payload_type: int | None
    """Payload type of telephone-event/8000 towards both sides, None when not offered."""
    noise_payload_type: int | None = None
    """Payload type of comfort noise (RFC 3389), None when not agreed on."""
    ptime_ms: int = FRAME_MS
    """Sound in each packet that we send, as the other side asked: 10 to 60, a multiple of 10."""
    direction: Direction = Direction.SENDRECV
    """Ours. Unless it is SENDRECV, the call is on hold and its time stands still."""
    srtp: SrtpKeys | None = None
    """None for plain RTP."""
    rtcp_mux: bool = False
    """Whether RTCP shares the RTP port (RFC 5761)."""
    remote_rtcp_port: int | None = None
    """The other side's RTCP port where it isn't the next one (RFC 3605)."""
    trusted_hosts: frozenset[str] = frozenset()
    """Hosts, beside `remote_host`, that sound may come from: those the signalling came from."""

    @property
    def is_held(self) -> bool:
        """Whether the call is on hold, by either side."""
        return self.direction is not Direction.SENDRECV
