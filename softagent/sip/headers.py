"""Header fields of SIP messages: their names, their order, and the values that every message needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from softagent.sip.address import (
    Parameters,
    join_host_port,
    natural,
    parameter,
    parse_parameters,
    serialize_parameters,
    split,
    split_host_port,
)
from softagent.sip.errors import MessageError

VERSION = "SIP/2.0"
LARGEST_SEQUENCE = 2**31 - 1
_COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
"""Compact forms: RFC 3261 section 7.3.3 and the RFCs that added more of them."""

_NAMES = {
    name.lower(): name
    for name in (
        *_COMPACT.values(),
        *("Accept", "Allow", "Authorization", "CSeq", "Expires", "Max-Forwards", "Min-Expires"),
        *("P-Asserted-Identity", "Proxy-Authenticate", "Proxy-Authorization", "Record-Route"),
        *("Require", "Retry-After", "Route", "Unsupported", "User-Agent", "WWW-Authenticate"),
    )
}

_UNSPLIT = ("WWW-Authenticate", "Proxy-Authenticate", "Authorization", "Proxy-Authorization")
"""Commas separate the parameters of these, not values (RFC 3261 section 7.3.1)."""


def canonical(name: str) -> str:
    """The usual spelling of a header name, from any case or the compact form."""
    short = name.strip().lower()
    return _COMPACT.get(short) or _NAMES.get(short) or name.strip()


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in their order, names in their usual spelling."""

    fields: tuple[tuple[str, str], ...] = ()

    def first(self, name: str) -> str | None:
        """The first field of that name, whole; None where there is none."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    def count(self, name: str) -> int:
        """How many fields have that name."""
        return sum(key.lower() == name.lower() for key, _ in self.fields)

    def values(self, name: str) -> tuple[str, ...]:
        """All values of that name: from several fields, and from fields with several values."""
        found = [value for key, value in self.fields if key.lower() == name.lower()]
        if name in _UNSPLIT:
            return tuple(found)
        return tuple(value for field in found for value in split(field, ","))

    def tokens(self, name: str) -> frozenset[str]:
        """The values of a list of option tags or methods, in lower case."""
        return frozenset(value.lower() for value in self.values(name))

    def with_(self, *fields: tuple[str, str]) -> Headers:
        """These fields after the present ones."""
        return Headers(self.fields + fields)

    def without(self, *names: str) -> Headers:
        """All but the fields of these names."""
        dropped = {name.lower() for name in names}
        return Headers(tuple(field for field in self.fields if field[0].lower() not in dropped))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)


@dataclass(frozen=True, slots=True)
class CSeq:
    """Sequence number and method (RFC 3261 section 20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Parse `314159 INVITE`. Raises MessageError for a number out of range or no method."""
        number, method = (*text.split(None, 1), "", "")[:2]
        if not method:
            raise MessageError(f"bad CSeq: {text[:40]!r}")
        return cls(natural(number, "CSeq", largest=LARGEST_SEQUENCE), method.strip())

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class Via:
    """One hop that a request has taken (RFC 3261 section 20.42)."""

    transport: str
    host: str
    port: int | None
    parameters: Parameters = ()
    version: str = "2.0"

    @classmethod
    def parse(cls, text: str) -> Via:
        """Parse one value, of any version. Raises MessageError when it isn't SIP's or names no host."""
        head, _, tail = text.partition(";")
        name, _, rest = (part.strip() for part in head.partition("/"))
        version, _, rest = (part.strip() for part in rest.partition("/"))
        transport, sent_by = (*rest.split(None, 1), "", "")[:2]
        host, port = split_host_port(sent_by)
        if name.upper() != "SIP" or not re.fullmatch(r"[0-9.]{1,9}", version) or not host:
            raise MessageError(f"bad Via: {text[:60]!r}")
        return cls(transport.upper(), host, port, parse_parameters(tail), version)

    def parameter(self, name: str) -> str | None:
        """Value of a parameter, "" for a bare flag, None where it is missing."""
        return parameter(self.parameters, name)

    def with_parameter(self, name: str, value: str) -> Via:
        """The same hop with a parameter set."""
        kept = tuple(item for item in self.parameters if item[0].lower() != name)
        return replace(self, parameters=(*kept, (name, value)))

    @property
    def branch(self) -> str:
        """The transaction's id; empty when an old client sent none."""
        return self.parameter("branch") or ""

    def __str__(self) -> str:
        where = join_host_port(self.host, self.port)
        return f"SIP/{self.version}/{self.transport} {where}{serialize_parameters(self.parameters)}"
