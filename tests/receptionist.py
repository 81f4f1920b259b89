"""An extension whose calls real CallSessions take, with engines that do what the test tells them to.

PyVoipPhone --> CallSession (Conversation, Playout, RtpStream) --> scripted recognizer, model and voice
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from extension import PATIENCE_SECONDS, Extension
from scripted_call import Buzzer, engines

from softagent.call import CallSession
from softagent.media.frame import Samples
from softagent.report import Report
from softagent.sip.phone import CallEnd, IncomingCall


class RecordedVoice(Buzzer):
    """A synthesizer that has one recording for whatever is to be said."""

    def __init__(self, recording: Samples) -> None:
        """`recording` has the call's rate, shape (n,)."""
        self._recording = recording

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        yield self._recording


class Receptionist(Extension):
    """Greets each caller, and hears nothing of what they say."""

    def __init__(
        self, username: str, password: str, *, port: int, voice: Samples, **options: object
    ) -> None:
        super().__init__(username, password, port=port, **options)  # type: ignore[arg-type]
        self._engines = engines(synthesizer=RecordedVoice(voice))
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        """Of all calls."""
        self._sessions: list[tuple[CallSession, threading.Thread]] = []
        self._ends: queue.SimpleQueue[CallEnd] = queue.SimpleQueue()

    def call_end(self, *, seconds: float = PATIENCE_SECONDS) -> CallEnd:
        """How the next call comes to its end."""
        try:
            return self._ends.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"the call didn't end within {seconds:g} s") from None

    def close_calls(self) -> None:
        """End what still runs."""
        for session, thread in self._sessions:
            session.end(CallEnd.AGENT_HUNG_UP)
            thread.join(PATIENCE_SECONDS)

    def _ring(self, call: IncomingCall) -> None:
        session = CallSession(
            call,
            self.account,
            self._engines,
            (),
            report=self.reports.put,
            phone=self.phone,
        )
        thread = threading.Thread(
            target=lambda: self._ends.put(session.run()), name="receptionist", daemon=True
        )
        self._sessions.append((session, thread))
        thread.start()
