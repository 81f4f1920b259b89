"""What a session description says, of whatever medium and codec: more than our own telephone takes.

`softagent.sip.sdp` reads what can be answered and drops the rest; a trace shows the rest too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from softagent.capture.observe import Address

STATIC = {
    0: ("PCMU", 8000),
    3: ("GSM", 8000),
    4: ("G723", 8000),
    8: ("PCMA", 8000),
    9: ("G722", 8000),
    13: ("CN", 8000),
    18: ("G729", 8000),
}
"""Name and clock of the payload types that need no rtpmap (RFC 3551 table 4)."""
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
EVENT = "telephone-event"
NOISE = "CN"


@dataclass(slots=True)
class DescribedMedia:
    """One m= line."""

    kind: str
    port: int
    protocol: str
    host: str
    direction: str
    formats: dict[int, tuple[str, int]] = field(default_factory=dict)
    """Name and clock by payload type, in the order of preference."""
    ptime: str = ""
    has_keys: bool = False
    """For SRTP (RFC 4568): with plain RTP/AVP an offer to encrypt if both can."""

    @property
    def address(self) -> Address:
        """Where this side wants its packets."""
        return self.host, self.port

    @property
    def is_encrypted(self) -> bool:
        return "SAVP" in self.protocol

    @property
    def codecs(self) -> list[str]:
        """Names, without digits and comfort noise."""
        return [name for name, _ in self.formats.values() if name not in (EVENT, NOISE)]

    @property
    def extras(self) -> list[str]:
        """What goes with the codecs."""
        names = [name for name, _ in self.formats.values()]
        words = {EVENT: "digits", NOISE: "noise"}
        return [word for name, word in words.items() if name in names]

    def summary(self) -> str:
        """On one line: codecs, address, direction."""
        where = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        what = "" if self.kind == "audio" else f"{self.kind} "
        if self.port == 0:
            return f"{what or 'audio '}off"
        words = [*self.codecs, *self.extras, where, self.direction]
        words += ["SRTP"] if self.is_encrypted else ["SRTP if wanted"] if self.has_keys else []
        words += [f"ptime {self.ptime}"] if self.ptime not in ("", "20") else []
        return what + " ".join(words)


def described(body: bytes) -> list[DescribedMedia]:
    """The media lines of a body; nothing where there is none that can be read."""
    found: list[DescribedMedia] = []
    host, direction = "", "sendrecv"
    for key, value in _lines(body.decode("utf-8", "replace").splitlines()):
        if key == "m":
            found.extend(_media(value, host, direction))
        elif key == "c" and found:
            found[-1].host = _connection(value)
        elif key == "c":
            host = _connection(value)
        elif key == "a" and value in DIRECTIONS:
            if found:
                found[-1].direction = value
            else:
                direction = value
        elif key == "a" and found:
            _attribute(found[-1], value)
    return found


def _lines(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and len(key) == 1:
            yield key, value.strip()


def _media(value: str, host: str, direction: str) -> list[DescribedMedia]:
    words = value.split()
    port = words[1].partition("/")[0] if len(words) > 2 else ""
    if not (port.isascii() and port.isdigit()) or int(port) > 65535:
        return []
    media = DescribedMedia(words[0], int(port), words[2], host, direction)
    for word in words[3:]:
        if word.isascii() and word.isdigit() and int(word) < 128:
            media.formats[int(word)] = STATIC.get(int(word), (f"type {word}", 8000))
    return [media]


def _connection(value: str) -> str:
    words = value.split()
    return words[2].partition("/")[0] if len(words) > 2 else ""


def _attribute(media: DescribedMedia, value: str) -> None:
    name, _, rest = value.partition(":")
    if name == "rtpmap":
        number, _, encoding = rest.strip().partition(" ")
        codec, clock = (*encoding.split("/"), "", "")[:2]
        if number.isascii() and number.isdigit() and int(number) in media.formats:
            hz = (
                int(clock)
                if clock.isascii() and clock.isdigit() and 0 < int(clock) < 10**6
                else 8000
            )
            media.formats[int(number)] = (_usual(codec), hz)
    elif name == "ptime":
        media.ptime = rest.strip()[:4]
    elif name == "crypto":
        media.has_keys = True


def _usual(codec: str) -> str:
    """The usual spelling of a codec's name."""
    return EVENT if codec.lower() == EVENT else codec.upper()
