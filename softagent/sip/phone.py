"""What the rest of softagent knows of a telephone: protocols, without any library behind them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from softagent.media.description import MediaDescription

__all__ = [
    "Call",
    "CallEnd",
    "Caller",
    "IncomingCall",
    "MediaDescription",
    "OnResult",
    "Outcome",
    "OutgoingCall",
    "Phone",
    "Registration",
    "RegistrationState",
    "Result",
]


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
    refresh_seconds: float = field(default=0.0, compare=False)
    """Until the next REGISTER, while REGISTERED."""
    registrar: str = ""
    """The one in use, or tried last: "192.168.1.10:5060"."""


class CallEnd(enum.Enum):
    """Why a call is over."""

    CALLER_HUNG_UP = "caller-hung-up"
    AGENT_HUNG_UP = "agent-hung-up"
    CANCELLED = "cancelled"
    """The caller gave up before the answer."""
    NOT_ACKNOWLEDGED = "not-acknowledged"
    """Our 200 OK was never confirmed with an ACK (RFC 3261 13.3.1.4)."""
    TRANSFERRED = "transferred"
    """The caller has been connected with somebody else."""
    FAR_END_LOST = "far-end-lost"
    """No sound, or no answer to a session refresh, for too long (RFC 4028 section 10)."""
    FAX = "fax"
    """A fax was calling: it was hung up on."""
    LINE_DEAD = "line-dead"
    """A busy or dial tone was heard: whoever called is gone."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as the PBX says."""

    number: str
    name: str = ""


class Outcome(enum.Enum):
    """How something that we asked of the other side went."""

    ACCEPTED = "accepted"
    BUSY = "busy"
    """486 or 600."""
    NO_ANSWER = "no-answer"
    """It rang until the time was up, or 408, 480."""
    REFUSED = "refused"
    """Any other final response; `status` says which."""
    TIMED_OUT = "timed-out"
    """Nothing came back."""
    CALL_OVER = "call-over"
    """The call ended before it was done, or had ended already."""


@dataclass(frozen=True, slots=True)
class Result:
    """The end of an action."""

    outcome: Outcome
    status: int = 0
    """The SIP status that decided it, 0 where none came."""
    reason: str = ""
    """Its words."""

    @property
    def is_accepted(self) -> bool:
        return self.outcome is Outcome.ACCEPTED


OnResult = Callable[[Result], None]
"""Called once, from a signalling thread; must be quick."""


class Call(Protocol):
    """One call, by whoever it was begun. Any thread may call the methods; each does nothing once the call is over.

    What asks something of the other side tells its end through `on_result`, at once with
    CALL_OVER when the call is over. A failure leaves the call as it was.
    """

    @property
    def call_id(self) -> str: ...

    @property
    def caller(self) -> Caller:
        """The other side."""
        ...

    @property
    def media(self) -> MediaDescription:
        """Known from the first ring on for a call that comes in with an offer."""
        ...

    def hang_up(self) -> None:
        """End a call that is up with BYE, repeated until answered; give up one that rings."""
        ...

    def hold(self, on_result: OnResult) -> None:
        """Put the other side on hold: a re-INVITE with sendonly (RFC 3264 section 8.4)."""
        ...

    def resume(self, on_result: OnResult) -> None:
        """Take the other side off hold again."""
        ...

    def transfer(self, target: str, on_result: OnResult) -> None:
        """Blind transfer: REFER the other side to `target`, a number or SIP URI (RFC 3515, RFC 5589).

        Its progress is read to the end: ACCEPTED means that the target has answered. The call
        itself ends with the other side's BYE, or ours once it was accepted.
        """
        ...

    def transfer_to(self, consultation: Call, on_result: OnResult) -> None:
        """Attended transfer: REFER the other side to the far end of `consultation` (RFC 3891 Replaces)."""
        ...

    def send_info_digits(self, digits: str, on_result: OnResult) -> None:
        """Send keys as INFO requests (application/dtmf-relay), where RFC 4733 was not agreed on."""
        ...

    def on_media(self, callback: Callable[[MediaDescription], None]) -> None:
        """Have `callback` called, from a signalling thread, each time the media change.

        Moved, held, resumed, another codec or key: it gets what `media` is from then on. None
        of that happens before `answer`. The callback must be quick.
        """
        ...

    def on_digits(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called, from a signalling thread, with keys that came as INFO. It must be quick."""
        ...

    def on_end(self, callback: Callable[[CallEnd], None]) -> None:
        """Have `callback` called once, from a signalling thread, when the call is over for any reason.

        Called at once when it is over already. The callback must be quick.
        """
        ...


class IncomingCall(Call, Protocol):
    """A call that rings here."""

    def answer(self) -> None:
        """Send 200 OK, repeated until the ACK. RTP must flow from now on."""
        ...

    def reject(self, status: int, *, retry_after_seconds: int | None = None) -> None:
        """Refuse a ringing call with a SIP status, e.g. 486."""
        ...


class OutgoingCall(Call, Protocol):
    """A call that we have begun. `media` raises LookupError until it is answered."""


RING_SECONDS = 30.0
"""How long a call of ours rings unless told otherwise."""


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

    def call(
        self, target: str, on_result: OnResult, *, ring_seconds: float = RING_SECONDS
    ) -> OutgoingCall:
        """Call `target`, a number or SIP URI; ACCEPTED means that it was answered (and acknowledged).

        `hang_up` gives up a call that still rings (CANCEL).
        """
        ...

    def stop(self, *, timeout_seconds: float = 4.0) -> None:
        """End a running call with BYE, remove the registration, close the sockets, join the threads."""
        ...
