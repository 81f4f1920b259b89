"""What a worker tells its parent about its calls, as it happens: small values over a pipe.

The supervisor reads them for its log; `demo` and `bench` read them to show and to measure.
Words are only sent when the parent asks for them (see `softagent.worker.run_worker`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call was answered."""

    account: str
    call: str
    caller: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller's words of one turn, final."""

    account: str
    call: str
    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A clause of the agent's answer that the caller has begun to hear."""

    account: str
    call: str
    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Did:
    """Something was done for the caller, or tried."""

    account: str
    call: str
    deed: str
    """What: "transfer:sales", "action:booking", "message", "digits"."""
    result: str
    """A value of `softagent.dialogue.deeds.DeedResult`."""


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """Where the time of one turn went, in milliseconds after the caller's last voiced tick.

    `marks` in order: paused, transcribed, first_token, first_clause, first_audio, ended,
    heard. The caller hears the answer at `heard`, and at `filler` what was said to bridge the
    wait, where that was needed.
    """

    account: str
    call: str
    turn: int
    marks: dict[str, float]


@dataclass(frozen=True, slots=True)
class CallSound:
    """How a call's sound was carried: "listening" as we heard it, "talking" as the far end did.

    None where nobody told: the far end sent no RTCP, or no sound came.
    """

    listening_r: float | None = None
    """R factor, 0 to 100 (ITU-T G.107)."""
    listening_mos: float | None = None
    talking_r: float | None = None
    talking_mos: float | None = None
    round_trip_ms: float | None = None
    lost: int = 0
    """Packets that never came to us."""
    jitter_ms: float = 0.0
    buffer_ms: float = 0.0
    """What our jitter buffer added, on average."""
    far_loss_percent: float | None = None
    """Of our packets, as the far end says."""
    far_jitter_ms: float | None = None
    foreign: int = 0
    """Packets from strangers, none of them heard."""
    replayed: int = 0
    """Packets refused by SRTP because they came again, and because they weren't good."""
    unauthenticated: int = 0
    interval_p50_ms: float = 0.0
    """From one packet that we sent to the next."""
    interval_p99_ms: float = 0.0
    interval_max_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over."""

    account: str
    call: str
    reason: str
    seconds: float
    turns: int
    interruptions: int
    sound: CallSound = CallSound()


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """The registration stands otherwise than before."""

    account: str
    state: str
    """A value of `softagent.sip.phone.RegistrationState`."""
    reason: str = ""
    registrar: str = ""
    """The one in use, or tried last."""
    expires_seconds: int = 0
    """What it granted."""
    refresh_seconds: float = 0.0
    """How often we register again."""


@dataclass(frozen=True, slots=True)
class MessagesWaiting:
    """So many of the account's messages are still to be delivered."""

    account: str
    count: int
    error: str = ""
    """Why one of them couldn't be, with its way."""


Report = CallStarted | Heard | Said | Did | TurnMeasured | CallEnded | MessagesWaiting
