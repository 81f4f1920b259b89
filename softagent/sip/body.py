"""What the body of a message holds: one part, or several of them (RFC 3261 section 20.11, RFC 5621)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from softagent.sip.address import parameter, parse_parameters
from softagent.sip.headers import Headers, canonical
from softagent.sip.message import Message

MULTIPART = "multipart/"
DEEPEST = 3
"""Levels of multipart within multipart that are looked into."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body, or all of it."""

    kind: str
    """Media type in lower case, without parameters."""
    content: bytes
    headers: Headers

    @property
    def is_optional(self) -> bool:
        """Whether who doesn't understand it may go on without it."""
        _, _, tail = (self.headers.first("Content-Disposition") or "").partition(";")
        return (parameter(parse_parameters(tail), "handling") or "").lower() == "optional"

    @property
    def is_plain(self) -> bool:
        """Whether it is there as it is, neither compressed nor encoded."""
        codings = self.headers.tokens("Content-Encoding")
        codings |= self.headers.tokens("Content-Transfer-Encoding") - {"binary", "8bit", "7bit"}
        return not codings - {"identity"}


def parts(message: Message) -> tuple[Part, ...]:
    """The parts of a message's body; none where it has no body."""
    return tuple(_parts(message.headers, message.body, DEEPEST)) if message.body else ()


def find(message: Message, kind: str) -> bytes:
    """Content of the first part of that type, b"" where there is none."""
    return next((part.content for part in parts(message) if part.kind == kind), b"")


def media_type(value: str) -> str:
    """`application/sdp` of a Content-Type or Accept value, in lower case and without parameters."""
    return "".join(value.partition(";")[0].lower().split())


def _parts(headers: Headers, content: bytes, depth: int) -> Iterator[Part]:
    stated = headers.first("Content-Type") or ""
    kind = media_type(stated)
    boundary = parameter(parse_parameters(stated.partition(";")[2]), "boundary")
    if not kind.startswith(MULTIPART) or not boundary or depth == 0:
        yield Part(kind, content, headers)
        return
    mark = re.escape(boundary.encode("utf-8", "surrogateescape"))
    pieces = re.split(rb"(?:^|\r?\n)--" + mark + rb"(?:--)?[ \t]*(?:\r?\n|$)", content)
    for piece in pieces[1:-1] if len(pieces) > 2 else ():
        head, blank, inside = _split(piece)
        yield from _parts(head, inside if blank else b"", depth - 1)


def _split(piece: bytes) -> tuple[Headers, bool, bytes]:
    """Header fields of a part, whether a blank line follows them, and what comes after it."""
    if (first := re.match(rb"\r?\n", piece)) is not None:
        return Headers(), True, piece[first.end() :]
    found = re.search(rb"\r?\n\r?\n", piece)
    head, content = (
        (piece, b"") if found is None else (piece[: found.start()], piece[found.end() :])
    )
    lines = head.decode("utf-8", "surrogateescape").splitlines()
    fields = (line.partition(":") for line in lines)
    named = tuple((canonical(name), value.strip()) for name, colon, value in fields if colon)
    return Headers(named), found is not None, content
