"""Telling who has answered a call of ours what it is about, before the caller is put through."""

from __future__ import annotations

from softagent.engines import Synthesizer
from softagent.media.codec import codec_named
from softagent.media.description import MediaDescription
from softagent.media.frame import Tick
from softagent.media.playout import Playout
from softagent.media.stream import RtpStream
from softagent.sip.phone import OnResult, Outcome, Result

LONGEST_SECONDS = 15.0
"""More than an announcement takes."""
SAID = Result(Outcome.ACCEPTED)
_TURN = 0


class Announcement:
    """One sentence in one call. The deed's thread only; its end is told by the media clock."""

    def __init__(self, media: MediaDescription, text: str, synthesizer: Synthesizer) -> None:
        codec = codec_named(media.codec)
        self._text = text
        self._rate_hz = codec.rate_hz
        self._synthesizer = synthesizer
        self._playout = Playout(codec.rate_hz)
        self._stream = RtpStream(
            media, playout=self._playout, on_tick=self._on_tick, name="announcement"
        )
        self._on_said: OnResult = _nobody

    def begin(self, on_said: OnResult) -> None:
        """Speak; `on_said` is called after the last word. Raises PortInUse."""
        self._on_said = on_said
        self._stream.start()
        self._playout.begin(_TURN)
        self._playout.release(_TURN)
        spoken = self._synthesizer.synthesize(
            self._text, rate_hz=self._rate_hz, cancelled=lambda: False
        )
        for samples in spoken:
            self._playout.put(_TURN, 0, samples)
        self._playout.finish(_TURN)

    def stop(self) -> None:
        """Fall silent."""
        self._stream.stop()

    def _on_tick(self, tick: Tick) -> None:
        if tick.agent.is_last:
            self._on_said(SAID)


def _nobody(_result: Result) -> None:
    """Before it has begun."""
