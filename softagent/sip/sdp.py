"""Session descriptions: read an offer, find what both sides can do, write the answer (RFC 8866, RFC 3264)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace

from softagent.media.description import Direction
from softagent.media.frame import FRAME_MS
from softagent.sip.address import natural
from softagent.sip.errors import DescriptionError, MessageError

CONTENT_TYPE = "application/sdp"
LARGEST_PORT = 65535
LARGEST_PAYLOAD_TYPE = 127
EVENT = "TELEPHONE-EVENT"
ON_HOLD = "0.0.0.0"
"""In place of an address: hold as RFC 2543 had it."""
CLOCK_HZ = 8000
"""RTP clock of every codec we speak, also of G.722 (RFC 3551 section 4.5.2)."""

_STATIC = {0: "PCMU", 8: "PCMA", 9: "G722"}
"""Payload types that need no rtpmap (RFC 3551 section 6)."""


_DIRECTIONS = {direction.value: direction for direction in Direction}


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type of a media line."""

    payload_type: int
    name: str
    """Encoding name in capitals."""
    clock_hz: int


@dataclass(frozen=True, slots=True)
class Media:
    """One m= line with its attributes."""

    kind: str
    port: int
    protocol: str
    tokens: tuple[str, ...]
    """The format list as written: a refused line is sent back with it."""
    host: str = ""
    """From c= at this line or, failing that, at the session's level; empty without one of IPv4."""
    direction: Direction = Direction.SENDRECV
    formats: tuple[Format, ...] = ()

    @property
    def is_audio(self) -> bool:
        """Whether it is plain RTP audio that isn't switched off."""
        return self.kind == "audio" and self.protocol == "RTP/AVP" and self.port != 0


@dataclass(frozen=True, slots=True)
class Description:
    """An offer or an answer, as far as a telephone needs it."""

    media: tuple[Media, ...]
    timing: str = "0 0"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What we take of an offer: one audio line and one codec of it."""

    line: int
    """Which m= line, from 0."""
    codec: Format
    event_payload_type: int | None
    host: str
    """An IPv4 address."""
    port: int
    direction: Direction
    """Ours: already mirrored."""


def parse(body: bytes) -> Description:
    """Parse a body. Raises DescriptionError and nothing else."""
    media: list[Media] = []
    maps: list[dict[int, Format]] = []
    host, direction, timing = "", Direction.SENDRECV, "0 0"
    for line in body.decode("utf-8", "replace").splitlines():
        kind, equals, value = line.partition("=")
        if not equals:
            continue
        match kind.strip():
            case "m":
                media.append(replace(_media(value), host=host, direction=direction))
                maps.append({})
            case "c" if media:
                media[-1] = replace(media[-1], host=_host(value))
            case "c":
                host = _host(value)
            case "t":
                timing = value.strip()
            case "a" if value in _DIRECTIONS and media:
                media[-1] = replace(media[-1], direction=_DIRECTIONS[value])
            case "a" if value in _DIRECTIONS:
                direction = _DIRECTIONS[value]
            case "a" if media and value.startswith("rtpmap:"):
                _add_map(maps[-1], value)
    lines = tuple(
        replace(m, formats=_formats(m, known)) for m, known in zip(media, maps, strict=True)
    )
    if not lines:
        raise DescriptionError("no media line")
    return Description(lines, timing)


def agree(offer: Description, codecs: Sequence[str], *, source_host: str) -> Agreement | None:
    """Take the first of our codecs that a usable audio line offers; None when there is none.

    `source_host` is the address that the offer came from. It stands in for ON_HOLD and for
    a host name, whose look-up would hold up the media.
    """
    for line, media in enumerate(offer.media):
        if not media.is_audio or not media.host:
            continue
        offered = {known.name: known for known in reversed(media.formats)}
        codec = next((offered[name] for name in codecs if name in offered), None)
        if codec is None:
            continue
        event = offered.get(EVENT)
        direction = Direction.INACTIVE if media.host == ON_HOLD else media.direction.mirrored
        events = event.payload_type if event else None
        host = media.host if _is_address(media.host) else source_host
        return Agreement(line, codec, events, host, media.port, direction)
    return None


def answer(offer: Description, agreed: Agreement, *, host: str, port: int, session: str) -> bytes:
    """Write the answer: every line of the offer in its order, all but the agreed one refused with port 0.

    `session` is the session id and version of o= ("4711 1").
    """
    lines = _head(host, session, offer.timing)
    for number, media in enumerate(offer.media):
        if number == agreed.line:
            lines += _audio(port, agreed.codec, agreed.event_payload_type, agreed.direction)
        else:
            lines.append(f"m={media.kind} 0 {media.protocol} {' '.join(media.tokens)}")
    return _join(lines)


def offer(
    codec: str, payload_type: int, event: int | None, *, host: str, port: int, session: str
) -> bytes:
    """Write an offer of the one codec that the call already runs with (RFC 3261 section 14.2)."""
    chosen = Format(payload_type, codec, CLOCK_HZ)
    audio = _audio(port, chosen, event, Direction.SENDRECV)
    return _join([*_head(host, session, "0 0"), *audio])


def _media(value: str) -> Media:
    parts = value.split()
    if len(parts) < 4:
        raise DescriptionError(f"bad media line: {value[:60]!r}")
    kind, port, protocol, *tokens = parts
    number = _number(port.partition("/")[0], "port", LARGEST_PORT)
    return Media(kind.lower(), number, protocol.upper(), tuple(tokens))


def _host(value: str) -> str:
    parts = value.split()
    if len(parts) < 3:
        raise DescriptionError(f"bad connection line: {value[:60]!r}")
    return parts[2].partition("/")[0] if parts[1].upper() == "IP4" else ""


def _is_address(host: str) -> bool:
    """Whether sound can be sent there as it is written."""
    try:
        return not ipaddress.IPv4Address(host).is_unspecified
    except ValueError:
        return False


def _add_map(known: dict[int, Format], value: str) -> None:
    """Note `rtpmap:101 telephone-event/8000`; one that can't be read leaves its payload type unknown."""
    number, _, encoding = value.removeprefix("rtpmap:").strip().partition(" ")
    name, _, rest = encoding.strip().partition("/")
    try:
        payload_type = natural(number, "payload type", largest=LARGEST_PAYLOAD_TYPE)
        clock_hz = natural(rest.partition("/")[0], "clock", largest=1_000_000)
    except MessageError:
        return
    known[payload_type] = Format(payload_type, name.upper(), clock_hz)


def _formats(media: Media, known: dict[int, Format]) -> tuple[Format, ...]:
    """The line's formats that have a name and the telephone's clock, in the order of preference."""
    found = []
    for token in media.tokens:
        if not (token.isascii() and token.isdigit() and len(token) <= 3):
            continue
        number = int(token)
        static = Format(number, _STATIC[number], CLOCK_HZ) if number in _STATIC else None
        chosen = known.get(number, static)
        if chosen is not None and chosen.clock_hz == CLOCK_HZ:
            found.append(chosen)
    return tuple(found)


def _number(text: str, what: str, largest: int) -> int:
    try:
        return natural(text, what, largest=largest)
    except MessageError as error:
        raise DescriptionError(str(error)) from None


def _head(host: str, session: str, timing: str) -> list[str]:
    family = "IP6" if ":" in host else "IP4"
    where = f"IN {family} {host}"
    return ["v=0", f"o=- {session} {where}", "s=-", f"c={where}", f"t={timing}"]


def _audio(port: int, codec: Format, event: int | None, direction: Direction) -> list[str]:
    types = [codec.payload_type] if event is None else [codec.payload_type, event]
    lines = [
        f"m=audio {port} RTP/AVP {' '.join(map(str, types))}",
        f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_hz}",
    ]
    if event is not None:
        lines += [f"a=rtpmap:{event} telephone-event/{CLOCK_HZ}", f"a=fmtp:{event} 0-15"]
    return [*lines, f"a=ptime:{FRAME_MS}", f"a={direction.value}"]


def _join(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
