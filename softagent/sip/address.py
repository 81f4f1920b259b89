"""The addresses in SIP messages: URIs, and the name-addr form that To, From, Contact and Route share."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from softagent.sip.errors import MessageError

DEFAULT_PORT = 5060
LARGEST_SECONDS = 2**32 - 1

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")

Parameters = tuple[tuple[str, str | None], ...]
"""Name and value in their order; the value is None for a bare flag such as `lr`."""


def parameter(parameters: Parameters, name: str) -> str | None:
    """Value of a parameter, "" for a bare flag, None where it is missing; names don't care for case."""
    for key, value in parameters:
        if key.lower() == name:
            return "" if value is None else unquote(value)
    return None


def serialize_parameters(parameters: Parameters) -> str:
    """`;name=value;flag`, ready to be appended."""
    return "".join(
        f";{name}" if value is None else f";{name}={value}" for name, value in parameters
    )


def parse_parameters(text: str) -> Parameters:
    """Parse `name=value;flag`, values quoted or not (RFC 3261 section 7.3.1)."""
    found = []
    for part in split(text, ";"):
        name, equals, value = part.partition("=")
        if name.strip():
            found.append((name.strip(), value.strip() if equals else None))
    return tuple(found)


def split(text: str, separator: str) -> Iterator[str]:
    """Split at `separator`, but neither inside a quoted string nor inside angle brackets; drop empty parts."""
    if '"' not in text and "<" not in text and ">" not in text:
        yield from filter(None, map(str.strip, text.split(separator)))
        return
    start, is_quoted, is_bracketed, is_escaped = 0, False, False, False
    for position, character in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif is_quoted:
            is_escaped = character == "\\"
            is_quoted = character != '"'
        elif character == '"':
            is_quoted = True
        elif character in "<>":
            is_bracketed = character == "<"
        elif character == separator and not is_bracketed:
            if part := text[start:position].strip():
                yield part
            start = position + 1
    if part := text[start:].strip():
        yield part


def unquote(text: str) -> str:
    """Content of a quoted string, its escapes undone; other text as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    plain, is_escaped = [], False
    for character in text[1:-1]:
        if character == "\\" and not is_escaped:
            is_escaped = True
        else:
            plain.append(character)
            is_escaped = False
    return "".join(plain)


def split_host_port(text: str) -> tuple[str, int | None]:
    """Split `host:port`, `host` or `[IPv6]:port`; the host comes without brackets.

    Raises MessageError when the port is none.
    """
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        colon, digits = rest[:1], rest[1:]
    else:
        host, colon, digits = text.partition(":")
    if not colon:
        return host.strip(), None
    return host.strip(), natural(digits, "port", largest=65535)


def natural(text: str, what: str, *, largest: int) -> int:
    """A whole number from 0 to `largest`. Raises MessageError, which names `what`, for anything else."""
    digits = text.strip()
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= len(str(largest))
    if not is_number or int(digits) > largest:
        raise MessageError(f"bad {what}: {digits[:40]!r}")
    return int(digits)


def numeric(host: str) -> str:
    """An IP address in its one spelling, "" for anything else.

    Without brackets, as short as it gets, IPv4 in IPv6's clothes undressed; a zone stays.
    """
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def join_host_port(host: str, port: int | None) -> str:
    """`host:port`, an IPv6 address in brackets."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI, taken apart if it is of `sip:`, `sips:` or `tel:` (RFC 3261 section 19.1, RFC 3966)."""

    scheme: str
    user: str
    host: str
    port: int | None = None
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Parse a URI; one of another scheme keeps all that follows in `user`.

        Raises MessageError when it is no URI, or breaks the rules of its scheme.
        """
        scheme, colon, rest = text.strip().partition(":")
        scheme = scheme.lower()
        if not colon or not _SCHEME.fullmatch(scheme):
            raise MessageError(f"no URI: {text[:60]!r}")
        if scheme not in ("sip", "sips", "tel"):
            return cls(scheme, rest, "")
        if scheme == "tel":
            number, _, tail = rest.partition(";")
            return cls(scheme, number, "", None, parse_parameters(tail))
        user, at, where = rest.rpartition("@")
        if not at:
            user, where = "", rest
        where = where.partition("?")[0]
        address, _, tail = where.partition(";")
        host, port = split_host_port(address.strip())
        if not host:
            raise MessageError(f"no host in {text[:60]!r}")
        return cls(scheme, user.partition(":")[0], host, port, parse_parameters(tail))

    @property
    def is_sip(self) -> bool:
        """Whether requests can be sent there."""
        return self.scheme in ("sip", "sips")

    def __str__(self) -> str:
        tail = serialize_parameters(self.parameters)
        if not self.is_sip:
            return f"{self.scheme}:{self.user}{tail}"
        at = f"{self.user}@" if self.user else ""
        return f"{self.scheme}:{at}{join_host_port(self.host, self.port)}{tail}"

    def is_same(self, other: Uri) -> bool:
        """Whether both name the same place; parameters are left out of the comparison."""
        ports = (self.port or DEFAULT_PORT, other.port or DEFAULT_PORT)
        return (
            self.user == other.user
            and self.host.lower() == other.host.lower()
            and ports[0] == ports[1]
        )


@dataclass(frozen=True, slots=True)
class NameAddress:
    """`"Display name" <uri>;parameters`: one value of From, To, Contact, Route and their like."""

    uri: Uri
    display_name: str = ""
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> NameAddress:
        """Parse one value (RFC 3261 section 20.10). Raises MessageError when there is no URI in it."""
        position = _bracket(text)
        if position < 0:
            address, _, tail = text.partition(";")
            return cls(Uri.parse(address), "", parse_parameters(tail))
        inside, closing, tail = text[position + 1 :].partition(">")
        if not closing:
            raise MessageError(f"no > in {text[:60]!r}")
        name = unquote(text[:position].strip())
        return cls(Uri.parse(inside), name, parse_parameters(tail.lstrip(" \t;")))

    @property
    def preference(self) -> float:
        """Its q, by which the best of several comes first; 1 where none can be read (section 20.10)."""
        try:
            return float(parameter(self.parameters, "q") or 1)
        except ValueError:
            return 1.0

    @property
    def tag(self) -> str:
        """The dialog tag, empty where there is none yet."""
        return parameter(self.parameters, "tag") or ""

    def __str__(self) -> str:
        name = self.display_name.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{name}" ' if name else ""
        return f"{shown}<{self.uri}>{serialize_parameters(self.parameters)}"


def _bracket(text: str) -> int:
    """Position of the < that opens the URI, -1 where there is none: a quoted name may hold one too."""
    is_quoted = is_escaped = False
    for position, character in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif is_quoted and character == "\\":
            is_escaped = True
        elif character == '"':
            is_quoted = not is_quoted
        elif character == "<" and not is_quoted:
            return position
    return -1
