"""What a call does when its far end turns out to be a fax, or a line on which nobody is left.

caller's frames -> ToneDetector -> ToneWatch --> end the call, or put a fax through
"""

from __future__ import annotations

from collections.abc import Callable

from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.media.frame import Samples
from softagent.media.tones import Tone, ToneDetector
from softagent.sip.phone import CallEnd
from softagent.tones import ToneSettings

FAX_DEED = -1
"""Number of the transfer of a fax: the conversation's own count from 0."""


class ToneWatch:
    """One call's; call thread only, but for `transferred`. A call that we make learns of every tone by `on_tone`."""

    def __init__(
        self,
        settings: ToneSettings,
        *,
        rate_hz: int,
        end: Callable[[CallEnd], None],
        transfer: Callable[[str], None],
        on_tone: Callable[[Tone], None] = lambda _tone: None,
    ) -> None:
        """`end` ends the call; `transfer` puts it through to a destination, by its name."""
        self._settings = settings
        self._detector = ToneDetector(rate_hz)
        self._end = end
        self._transfer = transfer
        self._on_tone = on_tone
        self._is_fax = False
        """Its transfer is under way."""

    def push(self, samples: Samples, *, is_waiting: bool = False) -> None:
        """Take a frame of the far end, shape (n,), as it came.

        While something is done for the caller (`is_waiting`) a busy tone may be somebody else's.
        """
        tone = self._detector.push(samples)
        if tone is None:
            return
        self._on_tone(tone)
        if tone.is_fax:
            self._on_fax()
        elif tone.is_line_dead and self._settings.busy == "hang-up" and not is_waiting:
            self._end(CallEnd.LINE_DEAD)

    def transferred(self, outcome: DeedOutcome) -> None:
        """What came of the transfer of a fax; any thread. A fax that nobody takes is let go of."""
        is_done = outcome.result is DeedResult.DONE
        self._end(CallEnd.TRANSFERRED if is_done else CallEnd.FAX)

    def _on_fax(self) -> None:
        match self._settings.fax:
            case "hang-up":
                self._end(CallEnd.FAX)
            case "transfer" if not self._is_fax:
                self._is_fax = True
                self._transfer(self._settings.fax_destination)
