"""What softagent answers to the messages of RFC 4475 and RFC 5118, and why.

A telephone's extension is neither registrar nor proxy, and it has one call at a time.
Where an RFC leaves a choice, `why` says which one is made here. `busy` is the status while
a call is up, `idle` the one without; None is silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Torture:
    """One message and what has to come of it."""

    name: str
    busy: int | None
    idle: int | None
    why: str
    header: str = ""
    """A line that the response must carry."""
    folder: str = "torture"

    @property
    def data(self) -> bytes:
        """The datagram."""
        data = (HERE / self.folder / f"{self.name}.dat").read_bytes()
        return data if self.folder == "torture" else _mended(data)


def _mended(data: bytes) -> bytes:
    """RFC 5118's messages with SIP's line endings and right lengths: see torture_ipv6/README.md."""
    head, _, body = data.replace(b"\n", b"\r\n").partition(b"\r\n\r\n")
    head = re.sub(rb"(?m)^Content-Length: [0-9]+", b"Content-Length: %d" % len(body), head)
    return head + b"\r\n\r\n" + body


NOT_A_REGISTRAR = "a method that we know and don't take comes before all else (RFC 3261 8.2.1)"
NO_REQUEST_OF_OURS = "a response to nothing that we have asked is dropped (18.1.2)"
BAD = "the RFC's 400"
BUSY, RINGS = 486, 180


def _both(name: str, status: int | None, why: str, header: str = "") -> Torture:
    return Torture(name, status, status, why, header)


def _call(name: str, why: str) -> Torture:
    return Torture(name, BUSY, RINGS, why)


def _options(name: str, why: str) -> Torture:
    """Answered as an INVITE would be (RFC 3261 11.2)."""
    return Torture(name, BUSY, 200, why)


RFC_4475 = (
    # 3.1.1 Valid messages
    _both("wsinv", 481, "well formed; its To tag names a dialog that isn't there (12.2.2)"),
    _both(
        "intmeth", 501, "the RFC's 501 with Allow; every odd character is echoed", "Allow: INVITE"
    ),
    _call("esc01", "well formed; which user part is ours, the PBX decides: we take any"),
    _both("escnull", 405, NOT_A_REGISTRAR, "Allow: INVITE"),
    _both("esc02", 501, "the RFC's 501: % is no escape in a method", "Allow: INVITE"),
    _options("lwsdisp", "the RFC: accept as well formed"),
    _call("longreq", "well formed, however long"),
    _both("dblreq", 405, "the REGISTER is refused, the INVITE behind it is noise"),
    _options("semiuri", "well formed; ;par=... is part of the user"),
    _options("transports", "well formed; we answer to the topmost Via and where it came from"),
    _both("mpart01", 200, "well formed; a MESSAGE is taken and not shown to anybody"),
    _both("unreason", None, NO_REQUEST_OF_OURS),
    _both("noreason", None, NO_REQUEST_OF_OURS),
    # 3.1.2 Invalid messages
    _both("badinv01", 400, BAD),
    _both("clerr", 400, BAD + ": over UDP nothing can follow"),
    _both("ncl", 400, "the RFC: an error; a length is never negative"),
    _both("scalar02", 400, BAD + " for CSeq; it comes before the 405 that the method would get"),
    _both("scalarlg", None, "the RFC: discard"),
    _both("quotbal", 400, BAD + ": we don't guess where a quote ends"),
    _both("ltgtruri", 400, BAD),
    _both("lwsruri", 400, BAD),
    _call("lwsstart", "the RFC lets us ignore the extra spaces, and nothing is ambiguous"),
    _options("trws", "the RFC lets us ignore the spaces at the end, and nothing is ambiguous"),
    _both("escruri", 400, "headers in a Request-URI are no business of a caller's (19.1.1)"),
    _call("baddate", "the RFC: ignore a Date that isn't used"),
    _both("regbadct", 405, NOT_A_REGISTRAR, "Allow: INVITE"),
    _options("badaspec", "the RFC lets us ignore the spaces, and nothing is ambiguous"),
    _options("baddn", "the RFC lets us infer the quotes: PBXs do pass such names on"),
    _both("badvers", 505, "the RFC's 505"),
    _both("mismatch01", 400, BAD),
    _both("mismatch02", 501, "the RFC prefers 501 to 400", "Allow: INVITE"),
    _both("bigcode", None, "the RFC: drop"),
    # 3.2 Transaction layer
    _options("badbranch", "the RFC lets us tell it apart as RFC 2543 did"),
    # 3.3 Application layer
    _both("insuf", 400, "the RFC's 400, ideally: with what can be copied"),
    _both("unkscm", 416, "the RFC's 416"),
    _both("novelsc", 416, "the RFC's 416 of one who never takes that scheme"),
    _both("unksm2", 405, NOT_A_REGISTRAR + "; a registrar's would be 400", "Allow: INVITE"),
    _both(
        "bext01",
        420,
        "the RFC's 420; Proxy-Require is for proxies",
        "Unsupported: nothingSupportsThis, nothingSupportsThisEither",
    ),
    _both("invut", 415, "the RFC's 415", "Accept: application/sdp"),
    _both("regaut01", 405, NOT_A_REGISTRAR, "Allow: INVITE"),
    _both("multi01", 400, BAD),
    _both("mcl01", 400, "the RFC: an error"),
    _both("bcast", None, NO_REQUEST_OF_OURS),
    _options("zeromf", "the RFC: an endpoint doesn't care"),
    _both("cparam01", 405, NOT_A_REGISTRAR, "Allow: INVITE"),
    _both("cparam02", 405, NOT_A_REGISTRAR, "Allow: INVITE"),
    _both("regescrt", 405, NOT_A_REGISTRAR, "Allow: INVITE"),
    _both("sdp01", 406, "the RFC's 406 with Warning 399", "Warning: 399"),
    # 3.4 Backward compatibility
    _call("inv2543", "legal in RFC 2543: no branch, no From tag, no Content-Length"),
)
"""In the RFC's order."""


def _ipv6(name: str, busy: int | None, idle: int | None, why: str) -> Torture:
    return Torture(name, busy, idle, why, folder="torture_ipv6")


RFC_5118 = (
    _ipv6("ipv6-good", 405, 405, "well formed; " + NOT_A_REGISTRAR),
    _ipv6("ipv6-bad", 400, 400, "the RFC's 400: an address without its brackets"),
    _ipv6("port-ambiguous", 405, 405, "well formed, the port being part of the address"),
    _ipv6("port-unambiguous", 405, 405, "well formed"),
    _ipv6("via-received-param-with-delim", 481, 481, "must be parsed; no such dialog"),
    _ipv6("via-received-param-no-delim", BUSY, 200, "well formed"),
    _ipv6("ipv6-in-sdp", BUSY, 488, "well formed; G726 is no codec of ours"),
    _ipv6("mult-ip-in-header", 481, 481, "well formed; no such dialog"),
    _ipv6("mult-ip-in-sdp", BUSY, RINGS, "well formed; the PCMU line is taken"),
    _ipv6("ipv4-mapped-ipv6", BUSY, 488, "well formed; G726 is no codec of ours"),
    _ipv6("ipv6-bug-abnf-3-colons", BUSY, 200, "must be tolerated"),
    _ipv6("ipv6-correct-abnf-2-colons", BUSY, 200, "well formed"),
)
