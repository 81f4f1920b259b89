"""Session descriptions as values: read and written (RFC 8866), as far as a telephone needs them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from softagent.media.description import Direction
from softagent.sip.address import natural
from softagent.sip.errors import DescriptionError, MessageError
from softagent.sip.sdes import Crypto

CONTENT_TYPE = "application/sdp"
LARGEST_PORT = 65535
LARGEST_PAYLOAD_TYPE = 127
LONGEST_PTIME_MS = 1000
EVENT = "TELEPHONE-EVENT"
NOISE = "CN"
NOISE_TYPE = 13
"""Static payload type of comfort noise (RFC 3551 section 6)."""
CLOCK_HZ = 8000
"""RTP clock of every codec we speak, also of G.722 (RFC 3551 section 4.5.2)."""
STATIC = {0: "PCMU", 8: "PCMA", 9: "G722", NOISE_TYPE: NOISE}
"""Payload types that need no rtpmap (RFC 3551 section 6)."""

_DIRECTIONS = {direction.value: direction for direction in Direction}


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type of a media line."""

    payload_type: int
    name: str
    """Encoding name in capitals."""
    clock_hz: int = CLOCK_HZ

    @property
    def lines(self) -> list[str]:
        """The attributes that describe it."""
        number = self.payload_type
        if self.name == EVENT:
            return [
                f"a=rtpmap:{number} telephone-event/{self.clock_hz}",
                f"a=fmtp:{number} 0-15",
            ]
        return [f"a=rtpmap:{number} {self.name}/{self.clock_hz}"]


@dataclass(frozen=True, slots=True)
class Media:
    """One m= line with its attributes."""

    kind: str
    port: int
    protocol: str
    tokens: tuple[str, ...]
    """The format list as written: a refused line is sent back with it."""
    host: str = ""
    """From c= at this line or, failing that, at the session's level; empty without one."""
    family: str = "IP4"
    """Of the address in c=, IP4 or IP6."""
    direction: Direction = Direction.SENDRECV
    formats: tuple[Format, ...] = ()
    """Those with a name, one channel and the telephone's clock."""
    ptime_ms: int | None = None
    maxptime_ms: int | None = None
    rtcp_port: int | None = None
    """From a=rtcp (RFC 3605)."""
    rtcp_mux: bool = False
    cryptos: tuple[Crypto, ...] = ()
    """Those that we can use."""

    @property
    def refused(self) -> Media:
        """The same line switched off: nothing but port 0 counts in it (RFC 3264 section 6)."""
        return Media(self.kind, 0, self.protocol, self.tokens)

    @property
    def lines(self) -> list[str]:
        """The line and its attributes, ready to be written."""
        first = f"m={self.kind} {self.port} {self.protocol} {' '.join(self.tokens)}"
        if self.port == 0:
            return [first]
        described = [line for known in self.formats for line in known.lines]
        keys = [f"a=crypto:{crypto.serialize()}" for crypto in self.cryptos]
        ptime = [] if self.ptime_ms is None else [f"a=ptime:{self.ptime_ms}"]
        mux = ["a=rtcp-mux"] if self.rtcp_mux else []
        return [first, *described, *keys, *ptime, *mux, f"a={self.direction.value}"]


@dataclass(frozen=True, slots=True)
class Description:
    """An offer or an answer."""

    media: tuple[Media, ...]
    timing: str = "0 0"

    def serialize(self, *, host: str, session: str) -> bytes:
        """The body; `session` is the session id and version of o= ("4711 1"), `host` our address."""
        where = f"IN {family_of(host)} {host}"
        head = ["v=0", f"o=- {session} {where}", "s=-", f"c={where}", f"t={self.timing}"]
        lines = [*head, *(line for media in self.media for line in media.lines)]
        return "".join(f"{line}\r\n" for line in lines).encode()


def family_of(host: str) -> str:
    """What the network type of an address is called."""
    return "IP6" if ":" in host else "IP4"


def audio(
    port: int,
    protocol: str,
    formats: tuple[Format, ...],
    *,
    direction: Direction,
    ptime_ms: int,
    rtcp_mux: bool = False,
    cryptos: tuple[Crypto, ...] = (),
) -> Media:
    """A line of ours."""
    return Media(
        "audio",
        port,
        protocol,
        tuple(str(known.payload_type) for known in formats),
        direction=direction,
        formats=formats,
        ptime_ms=ptime_ms,
        rtcp_mux=rtcp_mux,
        cryptos=cryptos,
    )


def parse(body: bytes) -> Description:
    """Parse a body. Raises DescriptionError and nothing else."""
    common, *blocks = _blocks(body)
    timing, session = "0 0", Media("", 0, "", ())
    for kind, value in common:
        if kind == "t":
            timing = value
        else:
            session = _with_line(session, kind, value)
    return Description(tuple(_media(block, session) for block in blocks), timing)


Line = tuple[str, str]


def _blocks(body: bytes) -> list[list[Line]]:
    """The lines as (letter, value), those of the session and then of each m= line."""
    blocks: list[list[Line]] = [[]]
    has_version = False
    for line in body.decode("utf-8", "replace").splitlines():
        letter, equals, value = line.partition("=")
        letter = letter.strip()
        has_version |= bool(equals) and letter == "v"
        if letter == "m" and equals:
            blocks.append([])
        if equals:
            blocks[-1].append((letter, value.strip()))
    if len(blocks) == 1 and not has_version:
        raise DescriptionError("neither a version nor a media line")
    return blocks


def _media(block: list[Line], session: Media) -> Media:
    (_, head), *lines = block
    parts = head.split()
    if len(parts) < 4:
        raise DescriptionError(f"bad media line: {head[:60]!r}")
    kind, port, protocol, *tokens = parts
    media = replace(
        session,
        kind=kind.lower(),
        port=_number(port.partition("/")[0], "port", LARGEST_PORT),
        protocol=protocol,
        tokens=tuple(tokens),
    )
    known: dict[int, Format | None] = {}
    for letter, value in lines:
        if letter == "a" and value.startswith("rtpmap:"):
            _add_map(known, value)
        else:
            media = _with_line(media, letter, value)
    return replace(media, formats=_formats(media, known))


def _with_line(media: Media, letter: str, value: str) -> Media:
    """The media with what one line says of them; what we don't know, or can't read, is ignored."""
    if letter == "c":
        family, host = _connection(value)
        return replace(media, family=family, host=host)
    if letter != "a":
        return media
    if value in _DIRECTIONS:
        return replace(media, direction=_DIRECTIONS[value])
    name, _, rest = value.partition(":")
    match name:
        case "ptime":
            return replace(media, ptime_ms=_milliseconds(rest))
        case "maxptime":
            return replace(media, maxptime_ms=_milliseconds(rest))
        case "rtcp":
            return replace(media, rtcp_port=_optional(rest.partition(" ")[0], LARGEST_PORT))
        case "rtcp-mux":
            return replace(media, rtcp_mux=True)
        case "crypto" if (crypto := Crypto.parse(rest)) is not None:
            return replace(media, cryptos=(*media.cryptos, crypto))
        case _:
            return media


def _connection(value: str) -> tuple[str, str]:
    parts = value.split()
    if len(parts) < 3:
        raise DescriptionError(f"bad connection line: {value[:60]!r}")
    return parts[1].upper(), parts[2].partition("/")[0]


def _add_map(known: dict[int, Format | None], value: str) -> None:
    """Note `rtpmap:101 telephone-event/8000`; one of several channels is none that we know."""
    number, _, encoding = value.removeprefix("rtpmap:").strip().partition(" ")
    name, _, rest = encoding.strip().partition("/")
    clock, _, channels = rest.partition("/")
    payload_type = _optional(number, LARGEST_PAYLOAD_TYPE)
    clock_hz = _optional(clock, 1_000_000)
    if payload_type is None or clock_hz is None:
        return
    is_mono = channels.strip() in ("", "1")
    known[payload_type] = Format(payload_type, name.upper(), clock_hz) if is_mono else None


def _formats(media: Media, known: dict[int, Format | None]) -> tuple[Format, ...]:
    """The line's formats that have a name and the telephone's clock, in the order of preference."""
    found = []
    for token in media.tokens:
        number = _optional(token, LARGEST_PAYLOAD_TYPE)
        if number is None:
            continue
        static = Format(number, STATIC[number]) if number in STATIC else None
        chosen = known.get(number, static)
        if chosen is not None and chosen.clock_hz == CLOCK_HZ:
            found.append(chosen)
    return tuple(found)


def _milliseconds(text: str) -> int | None:
    """Whole milliseconds; some write 20.0."""
    return _optional(text.partition(".")[0], LONGEST_PTIME_MS)


def _optional(text: str, largest: int) -> int | None:
    try:
        return natural(text, "number", largest=largest)
    except MessageError:
        return None


def _number(text: str, what: str, largest: int) -> int:
    try:
        return natural(text, what, largest=largest)
    except MessageError as error:
        raise DescriptionError(str(error)) from None
