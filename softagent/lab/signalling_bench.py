"""The signalling benchmark: a worker's telephone without engines, called and abandoned by the lab's PBX.

child process: PyVoipPhone, calls answered at once <- INVITE -- LabPbx, in this process
                                                   -- REGISTER -> LabPbx, gone and back
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from softagent.config import AccessSettings, Account, PortRange, Secret
from softagent.errors import EngineFailed
from softagent.lab.outgoing import CallFailed, LabCall
from softagent.lab.pbx import LabPbx
from softagent.lab.sipwire import Address
from softagent.lab.tap import bind_even
from softagent.media.codec import codec_named
from softagent.media.playout import Playout
from softagent.media.stream import RtpStream
from softagent.sip.phone import IncomingCall
from softagent.sip.pyvoip import PyVoipPhone

HOST = "127.0.0.1"
USER = "100"
PASSWORD = "bench"
RTP_PORTS = PortRange(24000, 24999)
PATIENCE_SECONDS = 30.0
ANSWER_SECONDS = 10.0
SWITCH_INTERVAL_SECONDS = 0.0005
"""As in a worker."""
MOST_WAITING = 16
"""Calls that wait for their refusal at once."""
BUSY_HERE = 486
MOST_REQUESTS_PER_SECOND = 1000
"""[account.access] for the benchmark: its limit is not what is to be measured."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SignallingPlan:
    """How much to measure."""

    calls: int
    refusals: int
    restarts: int
    """How often the PBX vanishes and comes back without its memory."""
    longest_absence_seconds: float = 12.0
    """Longer than any pause between two REGISTERs."""
    seed: int = 1


@dataclass(slots=True)
class SignallingMeasurements:
    """What came of it."""

    answers_ms: list[float]
    """INVITE to 200, as the PBX sees it."""
    taken_per_second: float
    """Calls one after the other, each from INVITE to the answered BYE."""
    refused_per_second: float
    """Calls refused as busy while another one is up."""
    unanswered: int
    """Of those: neither refused nor taken in time."""
    reregistered_s: list[float | None]
    """From the PBX's return to a binding there; None where it didn't come."""
    absent_s: list[float]
    """How long the PBX was away each time."""


def measure_signalling(plan: SignallingPlan, progress: Progress) -> SignallingMeasurements:
    """Measure everything. Raises EngineFailed when the telephone fails, CallFailed when a call does."""
    pbx = _started_pbx()
    address = pbx.address
    try:
        with _telephone(address):
            if not pbx.wait_registered(USER, PATIENCE_SECONDS):
                raise EngineFailed("the telephone did not register: see above")
            progress(f"{plan.calls} calls, one after the other ...")
            answers_ms, taken = _take(pbx, plan.calls)
            progress(f"{plan.refusals} calls while one is up ...")
            refused, unanswered = _refuse(pbx, plan.refusals)
            returns: list[float | None] = []
            away = absences(plan)
            for number, absence in enumerate(away, start=1):
                progress(f"PBX away for {absence:.1f} s ({number} of {plan.restarts}) ...")
                pbx.stop()
                time.sleep(absence)
                pbx = _started_pbx(address[1])
                returns.append(_return(pbx))
    finally:
        pbx.stop()
    return SignallingMeasurements(answers_ms, taken, refused, unanswered, returns, away)


def _started_pbx(port: int = 0) -> LabPbx:
    pbx = LabPbx({USER: PASSWORD}, host=HOST, port=port)
    pbx.start()
    return pbx


def _take(pbx: LabPbx, count: int) -> tuple[list[float], float]:
    """Answer times in ms, and calls a second."""
    answers_ms = []
    with _media_address() as media:
        _end(_answered(pbx, media))  # the first one loads code
        began = time.monotonic()
        for _ in range(count):
            call = _answered(pbx, media)
            assert call.answered_at is not None
            answers_ms.append((call.answered_at - call.invited_at) * 1000)
            _end(call)
        seconds = time.monotonic() - began
    return answers_ms, count / seconds if seconds else 0.0


def _refuse(pbx: LabPbx, count: int) -> tuple[float, int]:
    """Refusals a second, and calls that were not refused."""
    room = threading.Semaphore(MOST_WAITING)
    statuses: list[int] = []

    def wait(call: LabCall) -> None:
        try:
            call.wait_answered(ANSWER_SECONDS)
            statuses.append(200)
        except CallFailed as failure:
            statuses.append(failure.status)
        finally:
            room.release()

    with _media_address() as media:
        busy = _answered(pbx, media)
        began = time.monotonic()
        waiters = []
        for _ in range(count):
            room.acquire()
            waiter = threading.Thread(target=wait, args=(pbx.call(USER, media=media),))
            waiter.start()
            waiters.append(waiter)
        for waiter in waiters:
            waiter.join()
        seconds = time.monotonic() - began
        _end(busy)
    refused = statuses.count(BUSY_HERE)
    return refused / seconds if seconds else 0.0, count - refused


def _return(pbx: LabPbx) -> float | None:
    """Seconds until the telephone is known again to a PBX that has just come back; None when it never is."""
    began = time.monotonic()
    if not pbx.wait_registered(USER, PATIENCE_SECONDS):
        return None
    return time.monotonic() - began


def absences(plan: SignallingPlan) -> list[float]:
    """Spread evenly over what can be, in random order."""
    share = plan.longest_absence_seconds / max(1, plan.restarts)
    chances = random.Random(plan.seed)
    found = [(number + chances.random()) * share for number in range(plan.restarts)]
    chances.shuffle(found)
    return found


def _answered(pbx: LabPbx, media: Address) -> LabCall:
    call = pbx.call(USER, media=media)
    call.wait_answered(ANSWER_SECONDS)
    return call


def _end(call: LabCall) -> None:
    call.hang_up()
    if not call.wait_ended(ANSWER_SECONDS):
        raise EngineFailed("the telephone did not answer a BYE")


@contextlib.contextmanager
def _media_address() -> Iterator[Address]:
    """Where the calls' sound goes: nobody listens, but the port is ours."""
    with bind_even(HOST) as socket:
        address: Address = socket.getsockname()[:2]
        yield address


@contextlib.contextmanager
def _telephone(registrar: Address) -> Iterator[None]:
    """The telephone under test, in a process of its own."""
    account = Account(
        name="bench",
        registrar=registrar[0],
        port=registrar[1],
        username=USER,
        password=Secret(PASSWORD),
        local_address=HOST,
        rtp_ports=RTP_PORTS,
        access=AccessSettings(requests_per_second=MOST_REQUESTS_PER_SECOND),
    )
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_be_telephone, args=(account, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        yield
    finally:
        ours.close()
        child.join(PATIENCE_SECONDS)
        if child.is_alive():
            child.kill()
            child.join()


def _be_telephone(account: Account, parent: Connection) -> None:
    """What runs in the child: a worker's telephone and media, and no engines."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who then ends us
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    phone = PyVoipPhone(account)
    phone.start(
        on_call=lambda call: threading.Thread(target=_answer, args=(call,)).start(),
        on_registration=lambda registration: None,
    )
    with contextlib.suppress(EOFError):
        parent.recv()
    phone.stop()


def _answer(call: IncomingCall) -> None:
    """A call's thread: sound from the 200 on, until the caller hangs up."""
    is_over = threading.Event()
    rate_hz = codec_named(call.media.codec).rate_hz
    stream = RtpStream(call.media, playout=Playout(rate_hz), on_tick=lambda tick: None)
    stream.start()
    call.on_end(lambda end: is_over.set())
    call.answer()
    is_over.wait()
    stream.stop()
