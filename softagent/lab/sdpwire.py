"""SDP as the lab offers and reads it (RFC 4566, RFC 3264): one audio stream of G.711 and digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from softagent.lab.sipwire import WireError

PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8}
"""Static payload types (RFC 3551 table 4)."""
EVENT_PAYLOAD_TYPE = 101
"""What the lab offers for telephone-event (RFC 4733)."""


@dataclass(frozen=True, slots=True)
class MediaAnswer:
    """Where the answering side takes its audio, and in which codec."""

    host: str
    port: int
    codec: str
    payload_type: int
    event_payload_type: int | None


def offer(host: str, port: int, *, codecs: Sequence[str], session: int) -> bytes:
    """An offer of `codecs` in that order, and of digits, at `host`:`port`."""
    types = [PAYLOAD_TYPES[codec] for codec in codecs]
    lines = [
        "v=0",
        f"o=lab {session} {session} IN IP4 {host}",
        "s=softagent lab",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(map(str, types))} {EVENT_PAYLOAD_TYPE}",
        *(f"a=rtpmap:{PAYLOAD_TYPES[codec]} {codec}/8000" for codec in codecs),
        f"a=rtpmap:{EVENT_PAYLOAD_TYPE} telephone-event/8000",
        f"a=fmtp:{EVENT_PAYLOAD_TYPE} 0-16",
        "a=ptime:20",
        "a=sendrecv",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def parse_answer(body: bytes) -> MediaAnswer:
    """Read the answer to one of our offers. Raises WireError."""
    text = body.decode("utf-8", "replace")
    media = re.search(r"^m=audio (\d+) RTP/AVP ([\d ]+)", text, re.MULTILINE)
    if media is None:
        raise WireError("the answer has no audio stream")
    connections = re.findall(r"^c=IN IP4 (\S+)", text, re.MULTILINE)
    if not connections:
        raise WireError("the answer has no connection address")
    port = int(media[1])
    if port == 0:
        raise WireError("the answer refuses the audio stream")
    names = {number: codec for codec, number in PAYLOAD_TYPES.items()}
    types = [int(number) for number in media[2].split()]
    chosen = next((number for number in types if number in names), None)
    if chosen is None:
        raise WireError(f"the answer has none of our codecs: {media[2].strip()}")
    event = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", text, re.MULTILINE)
    return MediaAnswer(
        host=connections[-1],
        port=port,
        codec=names[chosen],
        payload_type=chosen,
        event_payload_type=int(event[1]) if event and int(event[1]) in types else None,
    )
