"""One registration in one process: loads the engines, registers, and has every call answered.

main thread: signals, the parent's pipe, heartbeats
signalling thread (the phone's) --on_call--> a call thread for each CallSession
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import multiprocessing.connection
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection

from softagent.call import CallSession
from softagent.capture.observe import unobserved
from softagent.capture.tracer import Tracer, account_tracer
from softagent.config import Account
from softagent.deeds.doer import keep_nothing
from softagent.dialogue.phrases import phrases
from softagent.engines import Engines, load_engines
from softagent.errors import CredentialsRefused, RegistrationLost, SoftagentError
from softagent.heartbeat import BEAT_SECONDS, Beat, Ready
from softagent.media.codec import codec_named
from softagent.media.courier import Courier
from softagent.messages.mailroom import Mailroom
from softagent.models.store import ModelStore
from softagent.reception import greetings
from softagent.report import Heard, RegistrationChanged, Report, Said
from softagent.sip.phone import (
    CallEnd,
    IncomingCall,
    Phone,
    Registration,
    RegistrationState,
)
from softagent.sip.pyvoip import PyVoipPhone
from softagent.speech.remembered import RememberedSpeech
from softagent.talk import fixed_texts, handbook_of, opening_of

_log = logging.getLogger("softagent.worker")

SWITCH_INTERVAL_SECONDS = 0.0005
"""How long a busy Python thread may keep the media clock waiting (the default is 5 ms)."""
M_ARENA_MAX = -8
"""mallopt(3)."""
CALL_END_SECONDS = 4.0
"""How long a running call may take to clean up when the worker stops."""
TEMPORARILY_UNAVAILABLE = 480


def run_worker(
    account: Account, *, parent: Connection | None = None, report_words: bool = False
) -> int:
    """Answer `account`'s extension until told to stop; return the exit code. Main thread only.

    Stops on SIGTERM, on SIGINT when there is no `parent`, and when `parent` is closed from
    the other side. Sends Ready, Beat and reports to `parent`, what was heard and said only
    with `report_words`.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    _share_one_heap()
    try:
        engines = _warm_engines(account)
        _set_aside_what_stays()
        phone, tracer = PyVoipPhone(account), account_tracer(account)
        if tracer is not None:
            phone.observe(tracer.signalling)
        return Worker(
            account,
            engines,
            phone,
            parent=parent,
            report_words=report_words,
            tracer=tracer,
            courier=Courier(),
        ).run()
    except SoftagentError as error:
        _log.error("account=%s event=worker-failed error=%r", account.name, str(error))
        return error.exit_code


def _warm_engines(account: Account) -> Engines:
    """Load everything, read the prompt's beginning and speak the fixed sentences once."""
    started = time.monotonic()
    engines = load_engines(account, ModelStore())
    engines.language_model.prime(opening_of(account), cancelled=lambda: False)
    speech = RememberedSpeech(engines.synthesizer)
    fixed = phrases(account.language)
    for rate_hz in {codec_named(name).rate_hz for name in account.codecs}:
        for text in (
            account.notice,
            *greetings(account),
            account.farewell,
            fixed.still_there,
            fixed.say_again,
            fixed.trouble,
            *fixed_texts(account),
            *(fixed.fillers if account.turn.filler_ms else ()),
        ):
            if text:
                speech.remember(text, rate_hz=rate_hz)
    _log.info(
        "account=%s event=engines-ready seconds=%.1f", account.name, time.monotonic() - started
    )
    return replace(engines, synthesizer=speech)


def _share_one_heap() -> None:
    """Have all threads allocate from one heap.

    glibc makes more, for threads that allocate at once; with five new threads a call,
    engines at work in two of them, each heap grows to the size of its busiest moment and
    stays there: tens of megabytes over the first hundred calls.
    """
    with contextlib.suppress(AttributeError):  # not every C library has it
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _set_aside_what_stays() -> None:
    """Hide what is loaded for good from the garbage collector, which holds up every thread.

    There are 70,000 objects by now: looked at again and again, they would cost the media
    clock tens of milliseconds each time, and CPython would put off a full collection until
    a quarter as many have been added, which are the remains of 250 calls.
    """
    gc.collect()
    gc.freeze()


class Worker:
    """Ties a phone to call sessions. `run` belongs to the main thread; callbacks come from the phone's."""

    def __init__(
        self,
        account: Account,
        engines: Engines,
        phone: Phone,
        *,
        parent: Connection | None = None,
        report_words: bool = False,
        beat_seconds: float = BEAT_SECONDS,
        tracer: Tracer | None = None,
        courier: Courier | None = None,
    ) -> None:
        self._account = account
        self._engines = engines
        self._phone = phone
        self._parent = parent
        self._report_words = report_words
        self._beat_seconds = beat_seconds
        self._tracer = tracer
        self._courier = courier
        self._opening = opening_of(account)
        self._handbook = handbook_of(account)
        self._sending = threading.Lock()
        """Guards `_parent.send`: the main thread beats, call threads report."""
        self._minding = threading.Lock()
        """Guards `_calls` and `_is_stopping`: main thread, the phone's and the call threads."""
        self._calls: dict[threading.Thread, CallSession | None] = {}
        """Two at most: the next call may come while the last one is being cleaned up."""
        self._is_stopping = False
        self._has_registered = False
        self._failure: SoftagentError | None = None
        self._mailroom = Mailroom(account, self._send) if account.messages.has_place else None
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)

    def run(self) -> int:
        """Register, mind the calls until told to stop, and take everything down again."""
        with self._signals(), contextlib.ExitStack() as cleanup:
            if self._tracer is not None:
                self._tracer.start()
                cleanup.callback(self._tracer.stop)
            if self._courier is not None:
                self._courier.start()
                cleanup.callback(self._courier.stop)
            if self._mailroom is not None:
                self._mailroom.start()
                cleanup.callback(self._mailroom.stop)
            self._phone.start(on_call=self._on_call, on_registration=self._on_registration)
            try:
                self._mind()
            finally:
                self._stop()
        if self._failure is not None:
            raise self._failure
        return 0

    def _mind(self) -> None:
        sources: list[Connection | socket.socket] = [self._woken]
        if self._parent is not None:
            sources.append(self._parent)
        while not multiprocessing.connection.wait(sources, self._beat_seconds):
            if not self._phone.is_alive:
                raise RegistrationLost(
                    f'account "{self._account.name}": the signalling has stopped, its last log'
                    " line says why; a new process takes over"
                )
            self._send(Beat())

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn SIGTERM, and SIGINT without a parent, into a byte on `_woken`."""
        numbers = [signal.SIGTERM] if self._parent else [signal.SIGTERM, signal.SIGINT]
        # The handlers do nothing: without the descriptor a signal would be lost.
        wakeup_before = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup_before)
            self._wake.close()
            self._woken.close()

    def _stop(self) -> None:
        _log.info("account=%s event=stopping", self._account.name)
        with self._minding:
            self._is_stopping = True
            calls = dict(self._calls)
        for session in calls.values():
            if session is not None:
                session.end(CallEnd.AGENT_HUNG_UP)
        deadline = time.monotonic() + CALL_END_SECONDS
        for thread in calls:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._phone.stop()

    # From the phone's threads

    def _on_registration(self, registration: Registration) -> None:
        _log.info(
            "account=%s event=registration state=%s reason=%r expires_s=%d registrar=%s",
            self._account.name,
            registration.state.value,
            registration.reason,
            registration.expires_seconds,
            registration.registrar or "-",
        )
        self._send(
            RegistrationChanged(
                self._account.name,
                registration.state.value,
                registration.reason,
                registration.registrar,
                registration.expires_seconds,
                registration.refresh_seconds,
            )
        )
        if registration.state is RegistrationState.REGISTERED and not self._has_registered:
            self._has_registered = True
            self._send(Ready())
        elif registration.is_refused and not self._has_registered:
            self._failure = CredentialsRefused(
                f'account "{self._account.name}": {self._account.registrar} refuses user'
                f' "{self._account.auth_user or self._account.username}"'
                f" ({registration.reason}): check username, auth_user and password"
            )
            with contextlib.suppress(OSError):
                self._wake.send(b"\0")

    def _on_call(self, call: IncomingCall) -> None:
        thread = threading.Thread(
            target=self._take, args=(call,), name=f"call {self._account.name}", daemon=True
        )
        with self._minding:
            if not self._is_stopping:
                thread.start()
                self._calls[thread] = None
                return
        call.reject(TEMPORARILY_UNAVAILABLE)

    def _take(self, call: IncomingCall) -> None:
        """The call thread: a call that fails is one call lost."""
        try:
            self._converse(call)
        except Exception:
            _log.exception("account=%s call=%s event=call-failed", self._account.name, call.call_id)
            call.hang_up()
        finally:
            with self._minding:
                del self._calls[threading.current_thread()]
            gc.collect()  # the parts of a call know each other: only this frees them, and now it is cheap

    def _converse(self, call: IncomingCall) -> None:
        messages = None if self._mailroom is None else self._mailroom.open(call, self._report)
        session = CallSession(
            call,
            self._account,
            self._engines,
            self._opening,
            report=self._report if messages is None else messages.report,
            observe=unobserved if self._tracer is None else self._tracer.media(call.call_id),
            courier=self._courier,
            phone=self._phone,
            keep=keep_nothing if messages is None else messages.keep,
            look_up=self._handbook.look_up if self._handbook is not None else None,
        )
        if messages is not None:
            messages.record(session.recording)
        with self._minding:
            self._calls[threading.current_thread()] = session
            is_too_late = self._is_stopping
        if is_too_late:
            session.end(CallEnd.AGENT_HUNG_UP)
        try:
            session.run()
        finally:
            if messages is not None:
                messages.close()

    def _report(self, report: Report) -> None:
        if self._report_words or not isinstance(report, Heard | Said):
            self._send(report)

    def _send(self, message: object) -> None:
        if self._parent is None:
            return
        with self._sending, contextlib.suppress(OSError):  # a dead parent is noticed by `_mind`
            self._parent.send(message)
