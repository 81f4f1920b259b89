"""One call's recording: a stereo WAV, where the account wants one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from softagent.capture.names import call_file_name
from softagent.errors import DiskFull
from softagent.media.frame import Tick
from softagent.media.recorder import StereoRecorder


class CallRecording:
    """Caller left, agent right. Call thread only; what fails costs the recording, not the call."""

    def __init__(
        self,
        directory: Path | None,
        *,
        account: str,
        call_id: str,
        rate_hz: int,
        on_failure: Callable[[Exception], None],
    ) -> None:
        """Nothing is recorded without a `directory`."""
        self.path: Path | None = None
        """Of the file; None while nothing is recorded."""
        self._on_failure = on_failure
        self._recorder: StereoRecorder | None = None
        if directory is not None:
            name = call_file_name(account, call_id, datetime.now(), ".wav")
            self._open(directory / name, rate_hz)

    def write(self, tick: Tick) -> None:
        """Add 20 ms."""
        if self._recorder is None:
            return
        try:
            self._recorder.write(tick.caller, tick.agent.samples)
        except (OSError, DiskFull) as error:
            self._on_failure(error)
            self._recorder = None

    def close(self) -> None:
        """Make the file whole."""
        if self._recorder is None:
            return
        try:
            self._recorder.close()
        except (OSError, DiskFull) as error:
            self._on_failure(error)

    def _open(self, path: Path, rate_hz: int) -> None:
        try:
            self._recorder = StereoRecorder(path, rate_hz)
            self.path = path
        except (OSError, DiskFull) as error:
            self._on_failure(error)
