"""SIP messages as the lab reads and writes them: just enough of RFC 3261, shared with no other part.

What tests a telephone must not share its bugs, so nothing here comes from `softagent.sip`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

MAGIC_COOKIE = "z9hG4bK"
"""What every branch begins with (RFC 3261 8.1.1.7)."""

Address = tuple[str, int]

_COMPACT = {
    "c": "content-type",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "t": "to",
    "v": "via",
}


class WireError(ValueError):
    """A datagram is not a SIP message that the lab understands."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The header fields of a message, in order; names compare without case, compact forms included."""

    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of `name`, in order."""
        return tuple(value for key, value in self.fields if _canonical(key) == name.lower())

    def first(self, name: str) -> str:
        """The first value of `name`; empty when there is none."""
        return next(iter(self.all(name)), "")


@dataclass(frozen=True, slots=True)
class Request:
    """A SIP request."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A SIP response."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""


def parse(datagram: bytes) -> Request | Response:
    """Read one message from one datagram. Raises WireError."""
    head, separator, rest = datagram.partition(b"\r\n\r\n")
    if not separator:
        raise WireError("no empty line after the headers")
    try:
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8")).split("\r\n")
    except UnicodeDecodeError:
        raise WireError("headers are not UTF-8") from None
    headers = Headers(tuple(_parse_field(line) for line in lines[1:]))
    body = _cut_body(rest, headers.first("content-length"))
    if match := re.fullmatch(r"SIP/2\.0 ([1-6]\d\d) ?(.*)", lines[0]):
        return Response(int(match[1]), match[2], headers, body)
    if match := re.fullmatch(r"([A-Z]+) (\S+) SIP/2\.0", lines[0]):
        return Request(match[1], match[2], headers, body)
    raise WireError(f"not a SIP start line: {lines[0][:60]!r}")


def serialize(message: Request | Response) -> bytes:
    """The datagram of a message, with its Content-Length added."""
    match message:
        case Request():
            start = f"{message.method} {message.uri} SIP/2.0"
        case Response():
            start = f"SIP/2.0 {message.status} {message.reason}"
    fields = [*message.headers.fields, ("Content-Length", str(len(message.body)))]
    head = "\r\n".join([start, *(f"{name}: {value}" for name, value in fields)])
    return head.encode() + b"\r\n\r\n" + message.body


def new_branch() -> str:
    """A branch that no other transaction has."""
    return MAGIC_COOKIE + secrets.token_hex(8)


def cseq(headers: Headers) -> tuple[int, str]:
    """Number and method of the CSeq header. Raises WireError."""
    match = re.fullmatch(r"(\d+)\s+([A-Z]+)", headers.first("cseq").strip())
    if match is None:
        raise WireError(f"bad CSeq: {headers.first('cseq')!r}")
    return int(match[1]), match[2]


def parameter(value: str, name: str) -> str:
    """A parameter behind the angle brackets of a Via, From, To or Contact; empty when absent."""
    tail = value.rpartition(">")[2]
    match = re.search(rf";\s*{name}\s*=\s*([^;,\s]+)", tail, re.IGNORECASE)
    return match[1] if match else ""


def address_uri(value: str) -> str:
    """The URI inside a From, To, Contact or Route value."""
    match = re.search(r"<([^>]*)>", value)
    return match[1] if match else value.partition(";")[0].strip()


def uri_user(uri: str) -> str:
    """The user part of a SIP URI; empty when there is none."""
    match = re.match(r"sips?:([^@;>]+)@", uri)
    return match[1] if match else ""


def uri_address(uri: str) -> Address:
    """Host and port that a SIP URI points at (5060 unless given). Raises WireError."""
    match = re.match(r"sips?:(?:[^@]*@)?([^:;>?\s]+)(?::(\d+))?", uri)
    if match is None:
        raise WireError(f"bad SIP URI: {uri!r}")
    return match[1], int(match[2] or 5060)


def auth_parameters(value: str) -> dict[str, str]:
    """The parameters of a Digest challenge or answer. Raises WireError for another scheme."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise WireError(f"not Digest authentication: {scheme!r}")
    found: Iterable[tuple[str, str, str]] = re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', rest)
    return {name.lower(): quoted or bare for name, quoted, bare in found}


def digest(*, user: str, password: str, method: str, parameters: dict[str, str]) -> str:
    """The `response` value of RFC 2617 3.2.2.1 (MD5), with qop=auth or, where absent, without."""
    secret = _md5(f"{user}:{parameters['realm']}:{password}")
    subject = _md5(f"{method}:{parameters['uri']}")
    if parameters.get("qop") != "auth":
        return _md5(f"{secret}:{parameters['nonce']}:{subject}")
    middle = ":".join(parameters[name] for name in ("nonce", "nc", "cnonce", "qop"))
    return _md5(f"{secret}:{middle}:{subject}")


def answer_challenge(challenge: str, *, user: str, password: str, method: str, uri: str) -> str:
    """The Authorization value that answers a WWW- or Proxy-Authenticate challenge.

    Raises WireError when the challenge is incomplete or asks for anything but MD5.
    """
    asked = auth_parameters(challenge)
    if not {"realm", "nonce"} <= asked.keys():
        raise WireError("a challenge without realm or nonce")
    if asked.get("algorithm", "MD5").upper() != "MD5":
        raise WireError(f"unsupported digest algorithm {asked['algorithm']}")
    given = {"username": user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
    bare = {"algorithm": "MD5"}
    if "auth" in asked.get("qop", "").split(","):
        given["cnonce"] = secrets.token_hex(8)
        bare |= {"qop": "auth", "nc": "00000001"}
    if "opaque" in asked:
        given["opaque"] = asked["opaque"]
    given["response"] = digest(user=user, password=password, method=method, parameters=given | bare)
    quoted = [f'{name}="{value}"' for name, value in given.items()]
    return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in bare.items())])


def _canonical(name: str) -> str:
    lowered = name.lower()
    return _COMPACT.get(lowered, lowered)


def _parse_field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise WireError(f"not a header field: {line[:60]!r}")
    return name.strip(), value.strip()


def _cut_body(rest: bytes, content_length: str) -> bytes:
    if not content_length:
        return rest
    if not content_length.isdecimal() or int(content_length) > len(rest):
        raise WireError(f"Content-Length {content_length!r} for a body of {len(rest)} bytes")
    return rest[: int(content_length)]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
