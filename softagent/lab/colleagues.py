"""The telephones behind the lab's PBX that an agent may transfer to, and what was tried with them.

LabCall --REFER--> Colleagues.refer         agent --INVITE--> LabPbx -> Colleagues.handle
"""

from __future__ import annotations

import enum
import re
import secrets
import threading
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from softagent.lab.endpoint import SipEndpoint
from softagent.lab.sdpwire import offer, parse_answer
from softagent.lab.sipwire import Address, Request, address_uri, uri_user
from softagent.lab.tap import bind_even
from softagent.media.codec import codec_named
from softagent.media.description import MediaDescription
from softagent.media.frame import Tick
from softagent.media.playout import Playout
from softagent.media.stream import RtpStream


class Colleague(enum.Enum):
    """What a colleague's telephone does when it is called: the final status of its INVITE."""

    ANSWERS = (200, "OK")
    BUSY = (486, "Busy Here")
    REFUSES = (603, "Decline")
    AWAY = (480, "Temporarily Unavailable")

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def reason(self) -> str:
        return self.value[1]


UNKNOWN = (404, "Not Found")


@dataclass(frozen=True, slots=True)
class Referral:
    """A REFER of the agent's."""

    extension: str
    replaces: bool
    """Whether it joins the caller with a call that the agent has made itself (RFC 3891)."""
    status: int
    """What became of it."""


class Colleagues:
    """The colleagues, by extension. `refer` and `handle` are for the receive thread; the rest for any."""

    def __init__(self, endpoint: SipEndpoint, colleagues: Mapping[str, Colleague]) -> None:
        self._endpoint = endpoint
        self._colleagues = dict(colleagues)
        self._lock = threading.Lock()
        """Guards everything below."""
        self._referrals: list[Referral] = []
        self._dialled: list[str] = []
        self._calls: dict[str, RtpStream | None] = {}
        """Calls of the agent's by Call-ID, with their sound while they are up."""

    @property
    def referrals(self) -> tuple[Referral, ...]:
        """Every REFER so far."""
        with self._lock:
            return tuple(self._referrals)

    @property
    def dialled(self) -> tuple[str, ...]:
        """Every extension that was called so far."""
        with self._lock:
            return tuple(self._dialled)

    def stop(self) -> None:
        """End the sound of every call."""
        with self._lock:
            streams, self._calls = list(self._calls.values()), {}
        for stream in streams:
            if stream is not None:
                stream.stop()

    def refer(self, request: Request) -> tuple[int, str]:
        """Note a REFER; status and reason of the call that comes of it."""
        uri = urllib.parse.unquote(address_uri(request.headers.first("Refer-To")))
        extension = uri_user(uri)
        replaces = re.search(r"[?&]Replaces=", uri, re.IGNORECASE) is not None
        status, reason = (200, "OK") if replaces else self._answer_of(extension)
        with self._lock:
            if replaces and self._dialled:  # the contact of a call of ours names no extension
                extension = self._dialled[-1]
            self._referrals.append(Referral(extension, replaces, status))
        return status, reason

    def handle(self, request: Request, source: Address) -> bool:
        """A request of a call that the agent makes; False when it is none."""
        call_id = request.headers.first("Call-ID")
        with self._lock:
            is_known = call_id in self._calls
        if request.method == "INVITE":
            self._be_called(request, source, is_first=not is_known)
            return True
        if not is_known:
            return False
        if request.method != "ACK":
            self._endpoint.respond(request, source, 200, "OK")
        if request.method == "BYE":
            with self._lock:
                stream, self._calls[call_id] = self._calls[call_id], None
            if stream is not None:
                stream.stop()
        return True

    def _answer_of(self, extension: str) -> tuple[int, str]:
        colleague = self._colleagues.get(extension)
        return UNKNOWN if colleague is None else colleague.value

    def _be_called(self, request: Request, source: Address, *, is_first: bool) -> None:
        extension = uri_user(request.uri)
        status, reason = self._answer_of(extension)
        call_id = request.headers.first("Call-ID")
        if is_first:
            with self._lock:
                self._dialled.append(extension)
                self._calls[call_id] = None
        if status >= 300:
            self._endpoint.respond(request, source, status, reason, tag="colleague")
            return
        host, port = self._endpoint.address
        local, stream = _open_sound(request.body, host)
        fields = (
            ("Contact", f"<sip:{extension}@{host}:{port}>"),
            ("Content-Type", "application/sdp"),
        )
        body = offer(*local, codecs=("PCMU",), session=secrets.randbelow(2**31))
        with self._lock:
            before, self._calls[call_id] = self._calls[call_id], stream
        if before is not None:
            before.stop()
        stream.start()
        self._endpoint.respond(
            request, source, 200, "OK", fields=fields, body=body, tag="colleague"
        )


def _open_sound(offered: bytes, host: str) -> tuple[Address, RtpStream]:
    """Where a colleague takes the sound of a call, and its stream, which sends silence."""
    with bind_even(host) as probe:
        local: Address = probe.getsockname()[:2]
    media = parse_answer(offered)
    codec = codec_named("PCMU")
    return local, RtpStream(
        MediaDescription(
            codec="PCMU",
            payload_type=0,
            remote_host=media.host,
            remote_port=media.port,
            local_host=local[0],
            local_port=local[1],
            event_payload_type=None,
        ),
        playout=Playout(codec.rate_hz),
        on_tick=_ignore,
        name="lab-colleague",
    )


def _ignore(_tick: Tick) -> None:
    """Nobody listens."""
