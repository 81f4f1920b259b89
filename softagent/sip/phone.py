"""What the rest of softagent knows of a telephone: protocols, without any library behind them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class RegistrationState(enum.Enum):
    """Where the registration with the PBX stands."""

    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    REGISTERED = "registered"
    FAILED = "failed"
    """The last attempt failed; another one follows by itself."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The registration's state, with the reason in words ("403 Forbidden", "no answer from 10.0.0.1:5060")."""

    state: RegistrationState
    reason: str = ""
    is_refused: bool = False
    """The PBX has refused the credentials themselves (a second 401/407 with a fresh nonce, or 403)."""
    expires_seconds: int = 0
    """What the registrar granted; 0 unless REGISTERED."""


class CallEnd(enum.Enum):
    """Why a call is over."""

    CALLER_HUNG_UP = "caller-hung-up"
    AGENT_HUNG_UP = "agent-hung-up"
    CANCELLED = "cancelled"
    """The caller gave up before the answer."""
    NOT_ACKNOWLEDGED = "not-acknowledged"
    """Our 200 OK was never confirmed with an ACK (RFC 3261 13.3.1.4)."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as the PBX says."""

    number: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """What SDP agreed on for one call: enough to open an RTP stream."""

    codec: str
    """PCMU, PCMA or G722."""
    payload_type: int
    remote_host: str
    remote_port: int
    local_host: str
    local_port: int
    """Bound by the RTP stream; reserved for this call by the phone."""
    event_payload_type: int | None
    """Payload type of telephone-event/8000 towards both sides, None when not offered."""


class IncomingCall(Protocol):
    """One call that rings or is up. Any thread may call the methods; each does nothing once the call is over."""

    @property
    def call_id(self) -> str: ...

    @property
    def caller(self) -> Caller: ...

    @property
    def media(self) -> MediaDescription:
        """Known from the first ring on: a call without a common codec is never offered."""
        ...

    def answer(self) -> None:
        """Send 200 OK, repeated until the ACK. RTP must flow from now on."""
        ...

    def reject(self, status: int) -> None:
        """Refuse a ringing call with a SIP status, e.g. 486."""
        ...

    def hang_up(self) -> None:
        """End a call that is up with BYE, repeated until answered."""
        ...

    def on_media(self, callback: Callable[[MediaDescription], None]) -> None:
        """Have `callback` called, from a signalling thread, each time the other side moves its media.

        It gets what `media` is from then on: another remote host or port, the rest as before.
        None of that happens before `answer`. The callback must be quick.
        """
        ...

    def on_end(self, callback: Callable[[CallEnd], None]) -> None:
        """Have `callback` called once, from a signalling thread, when the call is over for any reason.

        Called at once when it is over already. The callback must be quick.
        """
        ...


class Phone(Protocol):
    """One registration with one PBX."""

    @property
    def registration(self) -> Registration: ...

    @property
    def is_alive(self) -> bool:
        """Whether its threads run, once started: one that has died comes back in a new process only."""
        ...

    def start(
        self,
        *,
        on_call: Callable[[IncomingCall], None],
        on_registration: Callable[[Registration], None],
    ) -> None:
        """Open the sockets and begin to register; both callbacks come from a signalling thread and must be quick.

        Does not wait for the registration. Raises PortInUse when the local port is taken or
        the local address isn't up.
        """
        ...

    def stop(self, *, timeout_seconds: float = 4.0) -> None:
        """End a running call with BYE, remove the registration, close the sockets, join the threads."""
        ...
