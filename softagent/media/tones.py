"""Tones that say who or what is at the far end: a fax, a voicemail, or nobody any more.

frame -> PitchFinder -> Bursts -> ToneDetector -> Tone

Speech has no steady pitch and music no such cadence: what isn't exactly one of these is
nothing. All lengths are ticks.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Sequence

from softagent.media.bursts import Burst, Bursts
from softagent.media.frame import Samples, ticks
from softagent.media.pitch import PitchFinder


class Tone(enum.Enum):
    """What has been recognised."""

    FAX_CALLING = "fax-calling"
    """CNG: 1100 Hz for 0.5 s every 3.5 s (ITU-T T.30, 4.3.3.2)."""
    FAX_ANSWERING = "fax-answering"
    """CED or ANSam: 2100 Hz for seconds (T.30 4.3.3.3, V.8); modems answer so too."""
    BUSY = "busy"
    """Busy or congestion: on and off at an even pace (E.180)."""
    DIAL_TONE = "dial-tone"
    """Without an end: the far end has hung up, or the number doesn't exist (E.180)."""
    SPECIAL_INFORMATION = "special-information"
    """Three rising tones before an announcement that the call can't be completed (E.180)."""
    BEEP = "beep"
    """A voicemail's: a single steady tone after speech and before silence."""

    @property
    def is_fax(self) -> bool:
        return self in (Tone.FAX_CALLING, Tone.FAX_ANSWERING)

    @property
    def is_line_dead(self) -> bool:
        """Nobody is there any more."""
        return self in (Tone.BUSY, Tone.DIAL_TONE)


Range = tuple[int, int]
"""Ticks, both ends included."""


def _between(shortest_ms: int, longest_ms: int) -> Range:
    """A length as it may be counted: a tick more or less at either end."""
    return ticks(shortest_ms) - 1, ticks(longest_ms) + 1


CNG_HZ = (1055.0, 1145.0)
"""T.30 allows 38 Hz; the rest is for what is measured in noise."""
CNG_ON = _between(425, 575)
CNG_OFF = _between(2550, 3450)
CED_HZ = (2070.0, 2130.0)
CED_TICKS = ticks(1000)
PROGRESS_HZ = (385.0, 465.0)
"""Single call progress tones: 400 in the United Kingdom, 425 in most of Europe, 440 in France."""
BUSY_PAIR_HZ = (465.0, 495.0), (605.0, 635.0)
DIAL_PAIR_HZ = (335.0, 365.0), (425.0, 455.0)
BUSY_PART = _between(180, 600)
"""Tone or silence of a busy or congestion tone, in any country."""
BUSY_BURSTS = 4
EVEN = 2
"""Ticks by which parts of an even pace may differ."""
DIAL_TICKS = ticks(3000)
SIT_HZ = (890.0, 1010.0), (1340.0, 1460.0), (1740.0, 1860.0)
SIT_ON = _between(230, 430)
SIT_OFF = 4
BEEP_HZ = (400.0, 2100.0)
BEEP_ON = _between(200, 1000)
BEEP_SILENCE = ticks(300)
PROGRESS_BEEP_ON = _between(200, 600)
"""A longer tone at a call progress tone's pitch may be a European ringing tone."""
PROGRESS_BEEP_SILENCE = ticks(800)
"""After a shorter one another may follow: then it is a busy tone."""


class ToneDetector:
    """One direction of one call, one thread; pure. A tone is reported once each time it is there."""

    def __init__(self, rate_hz: int) -> None:
        self._pitches = PitchFinder(rate_hz)
        self._bursts = Bursts()
        self._tick = 0
        self._cng_ended: int | None = None
        """When the last burst was over that may have been CNG."""

    def push(self, samples: Samples) -> Tone | None:
        """Take the next frame, shape (n,) at the call's rate; return what it completes."""
        self._tick += 1
        bursts = self._bursts
        before = 0 if bursts.current is None else bursts.current.ticks
        bursts.push(self._pitches.push(samples))
        if bursts.current is not None:
            return _lasting(bursts.current, before)
        if bursts.has_ended:
            return self._on_ended()
        return self._beep()

    def _on_ended(self) -> Tone | None:
        """A burst is over: what those up to it are."""
        past = self._bursts.past
        if _is_cng(past[-1]):
            return self._on_cng(past[-1])
        if _is_special_information(past):
            past.clear()
            return Tone.SPECIAL_INFORMATION
        if _is_busy(past):
            past.clear()
            return Tone.BUSY
        return None

    def _on_cng(self, burst: Burst) -> Tone | None:
        ended = self._tick - self._bursts.gap
        off = None if self._cng_ended is None else ended - burst.ticks - self._cng_ended
        self._cng_ended = ended
        return Tone.FAX_CALLING if off is not None and _is_in(off, CNG_OFF) else None

    def _beep(self) -> Tone | None:
        """Whether the silence after the last burst is long enough to make it a voicemail's."""
        past, gap = self._bursts.past, self._bursts.gap
        if not past or not past[-1].follows_speech or not past[-1].is_single(BEEP_HZ):
            return None
        burst = past[-1]
        is_progress = burst.is_single(PROGRESS_HZ)
        on = PROGRESS_BEEP_ON if is_progress else BEEP_ON
        silence = PROGRESS_BEEP_SILENCE if is_progress else BEEP_SILENCE
        if gap != silence or _is_cng(burst) or not _is_in(burst.ticks, on):
            return None
        return Tone.BEEP if self._bursts.is_gap_quiet(burst.level_dbfs) else None


def _lasting(burst: Burst, before: int) -> Tone | None:
    """What a burst turns out to be by lasting; `before` is its length a tick ago."""
    if before < CED_TICKS <= burst.ticks and burst.is_single(CED_HZ):
        return Tone.FAX_ANSWERING
    if before < DIAL_TICKS <= burst.ticks:
        is_dial = burst.is_single(PROGRESS_HZ) or burst.is_pair(*DIAL_PAIR_HZ)
        return Tone.DIAL_TONE if is_dial else None
    return None


def _is_cng(burst: Burst) -> bool:
    return burst.is_single(CNG_HZ) and _is_in(burst.ticks, CNG_ON)


def _is_special_information(past: Sequence[Burst]) -> bool:
    if len(past) < len(SIT_HZ):
        return False
    last = list(past)[-len(SIT_HZ) :]
    return all(burst.gap <= SIT_OFF for burst in last[1:]) and all(
        burst.is_single(band) and _is_in(burst.ticks, SIT_ON)
        for burst, band in zip(last, SIT_HZ, strict=True)
    )


def _is_busy(past: Sequence[Burst]) -> bool:
    """Four bursts of one tone at an even pace; British congestion has two lengths, by turns."""
    last = list(past)[-BUSY_BURSTS:]
    if len(last) < BUSY_BURSTS or not all(map(_is_busy_tone, last)):
        return False
    ons, offs = [burst.ticks for burst in last], [burst.gap for burst in last[1:]]
    return (
        all(burst.is_gap_quiet for burst in last[1:])
        and all(_is_in(part, BUSY_PART) for part in (*ons, *offs))
        and any(_repeats(ons, period) and _repeats(offs, period) for period in (1, 2))
    )


def _is_busy_tone(burst: Burst) -> bool:
    return burst.is_single(PROGRESS_HZ) or burst.is_pair(*BUSY_PAIR_HZ)


def _repeats(parts: Sequence[int], period: int) -> bool:
    """Whether each part is as long as the one `period` before it."""
    pairs = zip(parts, itertools.islice(parts, period, None), strict=False)
    return all(abs(one - other) <= EVEN for one, other in pairs)


def _is_in(length: int, limits: Range) -> bool:
    return limits[0] <= length <= limits[1]
