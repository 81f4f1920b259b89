"""Messages as a PBX sends them, to be bent by the tests."""

from __future__ import annotations

from softagent.sip.message import Request, Response, parse

OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 21900 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n"
)


def request_bytes(
    method: str,
    *,
    branch: str = "z9hG4bK1",
    call: str = "call-1",
    sequence: int = 1,
    to_tag: str = "",
    from_tag: str = "peer",
    sent_by: str = "127.0.0.1:5198",
    transport: str = "UDP",
    headers: str = "",
    kind: str = "application/sdp",
    body: bytes = b"",
) -> bytes:
    """One request; `headers` are lines ending with a line break."""
    tag = f";tag={to_tag}" if to_tag else ""
    typed = f"Content-Type: {kind}\r\n" if body else ""
    head = (
        f"{method} sip:1000@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {sent_by};branch={branch};rport\r\n"
        f'From: "Caller" <sip:1003@127.0.0.1>;tag={from_tag}\r\n'
        f"To: <sip:1000@127.0.0.1>{tag}\r\n"
        f"Call-ID: {call}\r\nCSeq: {sequence} {method}\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:1003@{sent_by}>\r\n{headers}{typed}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def request(method: str, **changes: object) -> Request:
    """The same, read."""
    message = parse(request_bytes(method, **changes))  # type: ignore[arg-type]
    assert isinstance(message, Request)
    return message


def response(to: Request, status: int, reason: str = "", headers: str = "") -> Response:
    """A registrar's response to one of our requests."""
    copied = "".join(
        f"{name}: {to.headers.first(name)}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq")
    )
    message = parse(f"SIP/2.0 {status} {reason}\r\n{copied}{headers}\r\n".encode())
    assert isinstance(message, Response)
    return message
