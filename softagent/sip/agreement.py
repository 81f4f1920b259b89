"""What two session descriptions have in common (RFC 3264 sections 6 and 7). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from softagent.media.description import Direction
from softagent.media.frame import FRAME_MS
from softagent.sip.address import numeric
from softagent.sip.errors import NotAcceptable
from softagent.sip.sdes import Crypto
from softagent.sip.sdp import EVENT, NOISE, Description, Format, Media

Encryption = Literal["off", "preferred", "required"]

PLAIN = ("RTP/AVP", "RTP/AVPF")
SECURE = ("RTP/SAVP", "RTP/SAVPF")
SHORTEST_PTIME_MS, LONGEST_PTIME_MS, PTIME_STEP_MS = 10, 60, 10

# Warning codes (RFC 3261 section 20.43)
OTHER_ADDRESSES = 301
OTHER_PROTOCOL = 302
NO_AUDIO = 304
OTHER_FORMATS = 305


@dataclass(frozen=True, slots=True)
class Abilities:
    """What we can do with sound."""

    codecs: tuple[str, ...]
    """In order of preference."""
    family: str = "IP4"
    """Of our addresses, IP4 or IP6."""
    srtp: Encryption = "off"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What we take of a description: one audio line and one codec of it."""

    line: int
    """Which m= line, from 0."""
    protocol: str
    codec: Format
    event: Format | None
    noise: Format | None
    host: str
    """A number of our family; empty where there is none to send to."""
    port: int
    direction: Direction
    """Ours: already mirrored."""
    ptime_ms: int
    crypto: Crypto | None
    """Theirs, None for plain RTP."""
    rtcp_mux: bool
    rtcp_port: int | None

    @property
    def formats(self) -> tuple[Format, ...]:
        """Payload types that may arrive, in the order to write them."""
        return tuple(known for known in (self.codec, self.noise, self.event) if known is not None)


def agree(theirs: Description, abilities: Abilities) -> Agreement:
    """Take the best audio line: an encrypted one where we want that, and our first codec in it.

    Raises NotAcceptable for a description without a line that we can use.
    """
    usable, problems = [], []
    for line, media in enumerate(theirs.media):
        try:
            usable.append(_take(line, media, abilities))
        except NotAcceptable as problem:
            problems.append(problem)
    if not usable:
        raise max(problems, key=lambda problem: problem.code, default=_no_audio())
    return min(usable, key=lambda agreed: agreed.crypto is None and abilities.srtp != "off")


def agree_to_answer(
    answer: Description, offered: Media, line: int, abilities: Abilities
) -> Agreement:
    """Take the answer to a line of ours: of the codecs that we have offered its first (RFC 3264 section 7).

    Raises NotAcceptable for an answer that we can't use.
    """
    if line >= len(answer.media):
        raise NotAcceptable(OTHER_PROTOCOL, "Our line isn't answered")
    names = {known.name for known in offered.formats} - {EVENT, NOISE}
    answered = answer.media[line]
    chosen = tuple(known.name for known in answered.formats if known.name in names)
    return _take(line, answered, replace(abilities, codecs=chosen))


def flow(*, sends: bool, receives: bool) -> Direction:
    """The direction in which sound flows where that is so."""
    return {
        (True, True): Direction.SENDRECV,
        (True, False): Direction.SENDONLY,
        (False, True): Direction.RECVONLY,
        (False, False): Direction.INACTIVE,
    }[sends, receives]


def narrowed(direction: Direction, wish: Direction) -> Direction:
    """What is left of a direction of ours when we want no more than `wish`."""
    return flow(sends=direction.sends and wish.sends, receives=direction.receives and wish.receives)


def _take(line: int, media: Media, abilities: Abilities) -> Agreement:
    if media.kind != "audio" or media.port == 0:
        raise _no_audio()
    crypto = _crypto(media, abilities.srtp)
    if media.family != abilities.family or not media.host:
        raise NotAcceptable(OTHER_ADDRESSES, "Incompatible network address formats")
    codec = _first(media.formats, abilities.codecs)
    if codec is None:
        raise NotAcceptable(OTHER_FORMATS, "Incompatible media format")
    is_unspecified = _is_unspecified(media.host)
    mirrored = media.direction.mirrored
    return Agreement(
        line,
        media.protocol,
        codec,
        _first(media.formats, (EVENT,)),
        _first(media.formats, (NOISE,)),
        "" if is_unspecified or not numeric(media.host) else media.host,  # nobody waits for DNS
        media.port,
        flow(sends=mirrored.sends and not is_unspecified, receives=mirrored.receives),
        _ptime_ms(media),
        crypto,
        media.rtcp_mux,
        None if media.rtcp_port in (0, media.port + 1) else media.rtcp_port,
    )


def _crypto(media: Media, srtp: Encryption) -> Crypto | None:
    """Their key: of several the first that we can use, which they like best (RFC 4568 section 5.1.2).

    An RTP/AVP line with a key is encrypted as far as possible (as Asterisk's
    media_encryption_optimistic offers it).
    """
    protocol = media.protocol.upper()
    if protocol not in (*PLAIN, *SECURE):
        raise NotAcceptable(OTHER_PROTOCOL, "Incompatible transport protocol")
    crypto = media.cryptos[0] if media.cryptos and srtp != "off" else None
    needs_key = protocol in SECURE or srtp == "required"
    if needs_key and crypto is None:
        raise NotAcceptable(OTHER_PROTOCOL, "Incompatible transport protocol")
    return crypto


def _first(formats: Sequence[Format], names: Sequence[str]) -> Format | None:
    """The format of the first of the names; of several formats of that name the first."""
    return next((known for name in names for known in formats if known.name == name), None)


def _ptime_ms(media: Media) -> int:
    """Sound in each packet that we send: what they ask for, as far as we can (RFC 8866 section 6.4)."""
    wanted = media.ptime_ms or FRAME_MS
    allowed = min(wanted, media.maxptime_ms or wanted, LONGEST_PTIME_MS)
    return max(allowed // PTIME_STEP_MS * PTIME_STEP_MS, SHORTEST_PTIME_MS)


def _no_audio() -> NotAcceptable:
    return NotAcceptable(NO_AUDIO, "Media type not available")


def _is_unspecified(host: str) -> bool:
    """The hold of RFC 2543: nothing may be sent there (RFC 3264 section 8.4)."""
    return host in ("0.0.0.0", "::")
