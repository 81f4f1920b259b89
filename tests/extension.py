"""An extension on the real stack with a test in the place of the agent: no engines, so it is up at once.

Extension --PyVoipPhone--> Leg (one call: IncomingCall, RtpStream, Playout) <-- the test
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

import numpy as np

from softagent.config import Account, PortRange, Secret
from softagent.media.codec import codec_named
from softagent.media.frame import Samples, Tick
from softagent.media.playout import Playout
from softagent.media.stats import StreamStats
from softagent.media.stream import RtpStream
from softagent.sip.phone import (
    Call,
    CallEnd,
    IncomingCall,
    MediaDescription,
    OnResult,
    Registration,
    RegistrationState,
    Result,
)
from softagent.sip.pyvoip import PyVoipPhone
from softagent.sip.repetition import RFC_TIMING, Timing

PATIENCE_SECONDS = 10.0
"""How long a test waits for what must come."""
RTP_PORTS = PortRange(24400, 24499)


def wait_until(
    condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS
) -> None:
    """Ask `condition` until it holds; fail, saying that `what` never came, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)


class Leg:
    """One call, with the test as its user. What is heard is kept from `answer` on."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.media: MediaDescription | None = None
        """Known from the answer on for a call without an offer, else from the beginning."""
        self.digits = ""
        self.info_digits = ""
        self.held_ticks = 0
        self.changes: queue.SimpleQueue[MediaDescription] = queue.SimpleQueue()
        self._ends: queue.SimpleQueue[CallEnd] = queue.SimpleQueue()
        self._heard: list[Samples] = []
        self._playout: Playout | None = None
        self._stream: RtpStream | None = None
        self._turn = 0
        with contextlib.suppress(LookupError):
            self._agree(call.media)
        call.on_media(self._change)
        call.on_digits(self._press)
        call.on_end(self._ends.put)

    def _agree(self, media: MediaDescription) -> RtpStream:
        """Take what the first offer and answer have agreed on."""
        self.media = media
        self._playout = Playout(codec_named(media.codec).rate_hz)
        self._stream = RtpStream(media, playout=self._playout, on_tick=self._on_tick, name="test")
        return self._stream

    def answer(self) -> Self:
        """Let sound flow and say so."""
        self.start()
        cast(IncomingCall, self.call).answer()
        return self

    def start(self) -> None:
        """Let sound flow, once it is known where to."""
        if self._stream is not None:
            self._stream.start()

    def do(self, action: Callable[[OnResult], None], *, seconds: float = 40.0) -> Result:
        """Ask something of the other side, e.g. `leg.do(leg.call.hold)`, and wait for its end."""
        results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        action(results.put)
        try:
            return results.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"no result within {seconds:g} s") from None

    def play(self, samples: Samples) -> None:
        """Let the caller hear `samples`, shape (n,), at this leg's rate; what was playing stops."""
        assert self._playout is not None
        self._turn += 1
        self._playout.begin(self._turn)
        self._playout.release(self._turn)
        self._playout.put(self._turn, 0, samples)
        self._playout.finish(self._turn)

    def press(self, digits: str) -> None:
        """Send keys as RFC 4733 has it."""
        assert self._stream is not None
        assert self._stream.send_digits(digits), "the other side takes no telephone-events"

    @property
    def heard_seconds(self) -> float:
        """How much has been heard: a position in `heard`."""
        return len(self._heard) / 50

    def heard(self, since: float = 0.0, until: float | None = None) -> Samples:
        """What the caller has said between two positions in seconds, shape (n,)."""
        frames = list(self._heard)
        last = len(frames) if until is None else round(until * 50)
        chosen = frames[round(since * 50) : last]
        return np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.int16)

    def listen(self, seconds: float) -> Samples:
        """What is said in the next `seconds`."""
        since = self.heard_seconds
        wait_until(
            lambda: self.heard_seconds >= since + seconds,
            f"{seconds:g} s of media",
            seconds=seconds + PATIENCE_SECONDS,
        )
        return self.heard(since, since + seconds)

    def changed(self) -> MediaDescription:
        """The media after the next change of it."""
        try:
            return self.changes.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            raise AssertionError(f"the media didn't change: {self.media}") from None

    def end(self, *, seconds: float = PATIENCE_SECONDS) -> CallEnd:
        """Why the call is over, once it is, and its media with it."""
        try:
            reason = self._ends.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"the call didn't end within {seconds:g} s") from None
        self._stop()
        return reason

    def stats(self) -> StreamStats:
        assert self._stream is not None
        return self._stream.stats()

    def close(self) -> None:
        """End the call if it isn't over, and its media."""
        self.call.hang_up()
        self._stop()

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.stop()

    @property
    def is_over(self) -> bool:
        return not self._ends.empty()

    def _change(self, media: MediaDescription) -> None:
        if self._stream is None:
            self._agree(media).start()
        else:
            self.media = media
            self._stream.change(media)
        self.changes.put(media)

    def _press(self, digits: str) -> None:
        self.info_digits += digits

    def _on_tick(self, tick: Tick) -> None:
        self._heard.append(tick.caller.copy())
        self.digits += tick.digits
        self.held_ticks += tick.is_held


class Extension:
    """One registration with one PBX, from `start` to `stop`."""

    def __init__(
        self,
        username: str,
        password: str,
        *,
        port: int,
        registrar: str = "127.0.0.1",
        timing: Timing = RFC_TIMING,
        **options: object,
    ) -> None:
        """`options` are the account's."""
        settings: dict[str, object] = {"rtp_ports": RTP_PORTS, **options}
        self.account = Account(
            name=f"extension-{username}",
            registrar=registrar,
            port=port,
            username=username,
            password=Secret(password),
            **settings,  # type: ignore[arg-type]
        )
        self.phone = PyVoipPhone(self.account, timing=timing)
        self.registrations: list[tuple[float, Registration]] = []
        """Every change of the registration, with its time on the monotonic clock."""
        self._calls: queue.SimpleQueue[Leg] = queue.SimpleQueue()
        self._legs: list[Leg] = []
        self._changed = threading.Condition()
        """Guards `registrations`: the signalling thread appends, tests wait."""

    def __enter__(self) -> Self:
        self.phone.start(on_call=self._ring, on_registration=self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close_calls()
        self.phone.stop()

    def close_calls(self) -> None:
        """End what still runs."""
        for leg in self._legs:
            leg.close()

    @property
    def is_idle(self) -> bool:
        """Whether no call rings that the test hasn't taken yet."""
        return self._calls.empty()

    def ringing(self, *, seconds: float = PATIENCE_SECONDS) -> Leg:
        """The next call that comes in."""
        try:
            return self._calls.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"no call within {seconds:g} s") from None

    def call(self, target: str, *, ring_seconds: float = 30.0) -> tuple[Leg | None, Result]:
        """Call somebody: the leg, with sound, when that was answered; None and why when it wasn't."""
        results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        outgoing = self.phone.call(target, results.put, ring_seconds=ring_seconds)
        try:
            result = results.get(timeout=ring_seconds + 40)
        except queue.Empty:
            raise AssertionError(f"nothing came of a call to {target}") from None
        return (self.adopt(outgoing) if result.is_accepted else None), result

    def adopt(self, outgoing: Call) -> Leg:
        """The leg of a call that this extension's phone has begun; its sound flows once it is answered."""
        leg = Leg(outgoing)
        self._legs.append(leg)
        leg.start()
        return leg

    def answered(self) -> Leg:
        """The next call that comes in, answered."""
        return self.ringing().answer()

    def wait_registered(
        self, *, seconds: float = PATIENCE_SECONDS, since: float = 0.0
    ) -> Registration:
        """The first time that it became registered after `since` on the monotonic clock."""
        return self.wait_registration(RegistrationState.REGISTERED, seconds=seconds, since=since)

    def wait_registration(
        self, state: RegistrationState, *, seconds: float = PATIENCE_SECONDS, since: float = 0.0
    ) -> Registration:
        """The first registration in that state after `since` on the monotonic clock."""

        def found() -> Registration | None:
            return next(
                (known for at, known in self.registrations if at >= since and known.state is state),
                None,
            )

        with self._changed:
            self._changed.wait_for(found, seconds)
            registration = found()
        assert registration is not None, (
            f"not {state.value} within {seconds:g} s: {self.registrations}"
        )
        return registration

    def _ring(self, call: IncomingCall) -> None:
        leg = Leg(call)
        self._legs.append(leg)
        self._calls.put(leg)

    def _note(self, registration: Registration) -> None:
        with self._changed:
            self.registrations.append((time.monotonic(), registration))
            self._changed.notify_all()
