"""The caller's line as the agent listens to it: freed of echo and noise, begun anew when it is another one."""

from __future__ import annotations

import threading

from softagent.media.clean import SoundCleaner
from softagent.media.description import MediaDescription
from softagent.media.frame import Samples, Tick
from softagent.sound import SoundSettings


class CallerLine:
    """One call's. `change` is for the signalling thread, everything else for the call thread."""

    def __init__(self, media: MediaDescription, settings: SoundSettings, *, rate_hz: int) -> None:
        """Raises EngineFailed where the settings need an extra that is missing."""
        self._media = media
        """As last agreed; only `change` replaces it."""
        self._cleaner = SoundCleaner(settings, rate_hz=rate_hz) if settings.is_needed else None
        self._is_new = threading.Event()
        """Set by either thread: from now on it may be another line that is heard."""

    def change(self, media: MediaDescription) -> None:
        """The media are as a new offer has them."""
        before, self._media = self._media, media
        if _way(media) != _way(before):
            self._is_new.set()

    def renew(self) -> None:
        """The call has been on hold: it may come back another way."""
        self._is_new.set()

    def hear(self, tick: Tick) -> tuple[Samples, bool]:
        """The caller's frame, shape (n,), cleaned; and whether it was nothing but the agent's echo."""
        if self._cleaner is None:
            return tick.caller, False
        if self._is_new.is_set():
            self._is_new.clear()
            self._cleaner.begin_anew()
        samples = self._cleaner.clean(tick.caller, tick.agent.samples)
        return samples, self._cleaner.is_echo


def _way(media: MediaDescription) -> tuple[str, str, int]:
    """What an echo depends on."""
    return media.codec, media.remote_host, media.remote_port
