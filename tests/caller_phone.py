"""The far end of a call's sound: speaks when a test tells it to, and hears when the agent has spoken."""

from __future__ import annotations

import threading

import numpy as np
from scripted_call import HOST, LOUD

from softagent.media.codec import codec_named
from softagent.media.description import MediaDescription
from softagent.media.frame import Samples, Tick
from softagent.media.playout import Playout
from softagent.media.stream import RtpStream

PATIENCE_SECONDS = 10.0
SPOKEN = np.full(2400, LOUD, np.int16)
"""300 ms of the caller's voice."""
QUIET_TICKS = 8


class CallerPhone:
    """The far end: speaks when told to, and knows when the agent has said something."""

    def __init__(self, port: int, remote_port: int, *, codec_name: str = "PCMU") -> None:
        codec = codec_named(codec_name)
        self._playout = Playout(codec.rate_hz)
        self._changed = threading.Condition()
        self._quiet_ticks = 0
        self._has_heard = False
        self._turn = 0
        self._stream = RtpStream(
            MediaDescription(
                codec=codec.name,
                payload_type=codec.payload_type,
                remote_host=HOST,
                remote_port=remote_port,
                local_host=HOST,
                local_port=port,
                event_payload_type=101,
            ),
            playout=self._playout,
            on_tick=self._listen,
            name="caller",
        )
        self._stream.start()

    def say(self, sound: Samples = SPOKEN) -> None:
        self._turn += 1
        self._playout.begin(self._turn)
        self._playout.put(self._turn, 0, sound)
        self._playout.finish(self._turn)
        self._playout.release(self._turn)

    def hear_out(self) -> None:
        """Wait until the agent has spoken and stopped."""
        with self._changed:
            self._has_heard = False
            assert self._changed.wait_for(
                lambda: self._has_heard and self._quiet_ticks >= QUIET_TICKS, PATIENCE_SECONDS
            )

    def wait_quiet(self, ticks: int) -> None:
        """Wait until the agent has not spoken for so long."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._quiet_ticks >= ticks, PATIENCE_SECONDS)

    def wait_until_said(self) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: not self._playout.pending_frames(self._turn), PATIENCE_SECONDS
            )

    def close(self) -> None:
        self._stream.stop()

    def _listen(self, tick: Tick) -> None:
        with self._changed:
            is_quiet = np.abs(tick.caller).max() < LOUD // 2
            self._quiet_ticks = self._quiet_ticks + 1 if is_quiet else 0
            self._has_heard |= not is_quiet
            self._changed.notify_all()
