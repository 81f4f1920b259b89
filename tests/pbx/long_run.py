"""A call and two registrations that last while other tests run, on an Asterisk of their own."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk import Asterisk
from caller import Call
from exchange import SHORT, TIMED, password
from extension import Extension, Leg

LONG_SECONDS = 105.0
"""More than the session interval of 90 s, and its half after the first refresh."""


class LongRun:
    """From `with` on: a call to TIMED, and SHORT registered."""

    leg: Leg
    call: Call

    def __init__(self, pbx: Asterisk, folder: Path) -> None:
        self.pbx = pbx
        port = pbx.sip_port
        self.timed = Extension(TIMED, password(TIMED), port=port)
        # Nothing but what is granted makes it register again.
        self.short = Extension(SHORT, password(SHORT), port=port, registration_check_seconds=3600)
        self._recording = folder / "long.wav"
        self._cleanup = contextlib.ExitStack()
        self.begun = 0.0
        self.mark = 0

    def __enter__(self) -> Self:
        self._cleanup.enter_context(self.timed)
        self._cleanup.enter_context(self.short)
        self.timed.wait_registered()
        self.short.wait_registered()
        self.call = self._cleanup.enter_context(
            Call(TIMED, pbx=f"127.0.0.1:{self.pbx.sip_port}", recording=self._recording)
        )
        self.leg = self.timed.answered()
        self.call.wait("confirmed")
        self.begun, self.mark = time.monotonic(), self.pbx.mark()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()
