"""The caller's sound without the agent's echo, noise and differences of loudness, for whoever listens.

Tick.caller, Tick.agent -> EchoGuard -> WebRTC: noise, gain -> voice activity, recognition
                      '--> the recorder gets what was really heard

The echo is ours to take out (see `echo`); for noise and gain there is WebRTC's audio processing
in the `livekit` package, the extra "webrtc": of it nothing but that is used, no network, no account.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from softagent.errors import EngineFailed
from softagent.media.echo import EchoGuard
from softagent.media.frame import Samples
from softagent.sound import SoundSettings

BLOCK_MS = 10
"""What WebRTC takes at a time."""


class SoundCleaner:
    """One call's. Call thread only."""

    def __init__(self, settings: SoundSettings, *, rate_hz: int) -> None:
        """Raises EngineFailed where the extra "webrtc" is missing and needed."""
        self._settings = settings
        self._rate_hz = rate_hz
        self._webrtc = _WebRtc(settings, rate_hz) if settings.needs_webrtc else None
        self._guard: EchoGuard | None
        self.begin_anew()

    @property
    def is_echo(self) -> bool:
        """Whether the last frame was nothing but the agent's echo, so that it is silence now."""
        return self._guard is not None and self._guard.is_echo

    def begin_anew(self) -> None:
        """Forget what is known of the line: it may be another one now."""
        is_wanted = self._settings.echo_cancelling
        self._guard = EchoGuard(rate_hz=self._rate_hz) if is_wanted else None

    def clean(self, caller: Samples, agent: Samples) -> Samples:
        """The caller's frame, shape (n,), freed of what `agent`'s frames of now and before left in it."""
        if self._guard is not None:
            caller = self._guard.clean(caller=caller, agent=agent)
        return caller if self._webrtc is None else self._webrtc.process(caller)


def load_webrtc() -> Any:
    """The module `livekit.rtc`, which takes a moment the first time.

    Raises EngineFailed where the extra "webrtc" is missing.
    """
    try:
        from livekit import rtc
    except ImportError as error:
        raise EngineFailed(
            "sound.noise_suppression and sound.gain_control need the extra:"
            " pip install 'softagent[webrtc]'"
        ) from error
    return rtc


class _WebRtc:
    """WebRTC's noise suppression and gain control; about 0.2 ms for a frame."""

    def __init__(self, settings: SoundSettings, rate_hz: int) -> None:
        rtc = load_webrtc()
        self._frame = rtc.AudioFrame
        self._rate_hz = rate_hz
        self._block_samples = rate_hz * BLOCK_MS // 1000
        self._module = rtc.AudioProcessingModule(
            echo_cancellation=False,
            noise_suppression=settings.noise_suppression,
            high_pass_filter=settings.noise_suppression,
            auto_gain_control=settings.gain_control,
        )

    def process(self, samples: Samples) -> Samples:
        """A frame, shape (n,), without noise, or louder, as the settings want it."""
        size = self._block_samples
        blocks = [self._block(samples[at : at + size]) for at in range(0, len(samples), size)]
        processed: Samples = np.concatenate(blocks)
        return processed

    def _block(self, samples: Samples) -> Samples:
        block = self._frame(samples.tobytes(), self._rate_hz, 1, len(samples))
        self._module.process_stream(block)
        return np.frombuffer(bytes(block.data), dtype=np.int16)
