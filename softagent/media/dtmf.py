"""Keys that are pressed: RFC 4733 telephone-events in, digits out, and the other way round.

receive thread -> event packets -> DigitReceiver -> media clock -> Tick.digits
send_digits -> DigitSender -> media clock -> event packets in place of sound
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from aiortp.dtmf import DTMF_EVENTS, EVENT_TO_DIGIT, DtmfEvent

from softagent.media.frame import FRAME_MS, ticks

QUIET_TICKS = 3
"""Ticks without an update after which a press counts as ended: its end packets were lost."""
LATE_SECONDS = 4
"""An event that began this much before the current one or less is a straggler, not a new press."""
LONGEST_SEGMENT = 0xFFFF
"""A press longer than this duration goes on in a new segment (RFC 4733 section 2.5.1.3)."""
SEGMENT_SLACK_SECONDS = 0.1
"""Some senders cut a long press a packet earlier."""
END_PACKETS = 3
"""The end is told so often, in case that one gets lost (RFC 4733 section 2.5.1.4)."""
VOLUME = 10
"""-10 dBm0 (RFC 4733 section 2.3.3)."""
PRESS_MS = 100
GAP_MS = 100
"""How long a key is pressed, and how long none is before the next: any menu understands that."""


class DigitReceiver:
    """The press that is going on, and the digits that have ended. Pure; one caller at a time."""

    def __init__(self, clock_hz: int) -> None:
        self._late_units = LATE_SECONDS * clock_hz
        self._shortest_segment = LONGEST_SEGMENT - int(SEGMENT_SLACK_SECONDS * clock_hz)
        self._ended = ""
        self._event: DtmfEvent | None = None
        self._timestamp = 0
        self._sequence_number = 0
        self._is_reported = True
        self._quiet_ticks = 0

    def reset(self) -> None:
        """A new stream begins, with timestamps and sequence numbers of its own."""
        self._report()
        self._event = None

    def push(self, payload: bytes, *, timestamp: int, sequence_number: int, marker: bool) -> None:
        """Take the payload of one event packet; whatever is no key is ignored."""
        if len(payload) < 4:
            return
        event = DtmfEvent.parse(payload)
        if event.event not in EVENT_TO_DIGIT:
            return
        if self._event is not None and self._is_stale(timestamp, sequence_number):
            return
        if self._event is None or self._is_new_press(event, timestamp, marker):
            self._report()
            self._is_reported = False
        self._event = event
        self._timestamp = timestamp
        self._sequence_number = sequence_number
        self._quiet_ticks = 0
        if event.end:
            self._report()

    def tick(self) -> str:
        """Let 20 ms pass; give the keys whose press has ended since the last tick, in order."""
        self._quiet_ticks += 1
        if self._quiet_ticks > QUIET_TICKS:
            self._report()
        digits, self._ended = self._ended, ""
        return digits

    def _is_stale(self, timestamp: int, sequence_number: int) -> bool:
        """A repetition on the wire, or something that was overtaken."""
        if (self._timestamp - timestamp) % (1 << 32) > self._late_units:
            return False  # far off either way: a source that counts anew
        return not 0 < (sequence_number - self._sequence_number) % (1 << 16) < 1 << 15

    def _is_new_press(self, event: DtmfEvent, timestamp: int, marker: bool) -> bool:
        assert self._event is not None
        elapsed = (timestamp - self._timestamp) % (1 << 32)
        if elapsed == 0:
            return marker and self._event.end and not event.end
        goes_on = (
            event.event == self._event.event
            and not self._event.end
            and not marker
            and self._shortest_segment <= elapsed <= LONGEST_SEGMENT + 1
        )
        return not goes_on

    def _report(self) -> None:
        if not self._is_reported and self._event is not None:
            self._ended += self._event.digit
        self._is_reported = True


@dataclass(frozen=True, slots=True)
class EventPacket:
    """What a telephone-event packet says, and the two header fields that are its own."""

    payload: bytes
    timestamp: int
    """When the press, or this segment of it, began."""
    marker: bool


@dataclass(slots=True)
class _Press:
    event: int
    ticks_left: int
    gap_ticks: int
    begun: int | None = None
    """Timestamp of its current segment."""
    duration: int = 0
    """Of that, as far as it was told."""
    is_marked: bool = False
    end: EventPacket | None = None
    ends_left: int = END_PACKETS


class DigitSender:
    """The keys that we press, one packet a tick each. Pure; one caller at a time."""

    def __init__(self, clock_hz: int) -> None:
        self._frame_units = clock_hz * FRAME_MS // 1000
        self._presses: deque[_Press] = deque()
        self._gap_ticks = 0

    @property
    def is_idle(self) -> bool:
        """Whether every key has been pressed and let go."""
        return not self._presses

    def press(self, digits: str, *, press_ms: int = PRESS_MS, gap_ms: int = GAP_MS) -> None:
        """Press `digits`, one after another, after those that still wait.

        ValueError, with nothing pressed, when one of them is none of 0-9, *, #, A-D.
        """
        unknown = [digit for digit in digits.upper() if digit not in DTMF_EVENTS]
        if unknown:
            raise ValueError(f'keys "{digits}": there is no key "{unknown[0]}"; use 0-9 * # A-D')
        for digit in digits.upper():
            self._presses.append(_Press(DTMF_EVENTS[digit], max(ticks(press_ms), 1), ticks(gap_ms)))

    def let_go(self) -> None:
        """Nothing can be sent for now: a press that is going on has ended with what was told."""
        press = self._presses[0] if self._presses else None
        if press is not None and press.begun is not None and press.end is None:
            press.end = self._packet(press, press.duration, end=True)

    def tick(self, timestamp: int) -> EventPacket | None:
        """Let 20 ms pass that begin at `timestamp`; None when they belong to sound."""
        if self._gap_ticks:
            self._gap_ticks -= 1
            return None
        if not self._presses:
            return None
        press = self._presses[0]
        packet = press.end or self._update(press, timestamp)
        if press.end is not None:
            press.ends_left -= 1
            if not press.ends_left:
                self._presses.popleft()
                self._gap_ticks = max(press.gap_ticks - (END_PACKETS - 1), 0)
        return packet

    def _update(self, press: _Press, timestamp: int) -> EventPacket:
        """Tell how long the press has lasted; a long one goes on in segments (section 2.5.1.3)."""
        press.begun = timestamp if press.begun is None else press.begun
        duration = (timestamp + self._frame_units - press.begun) % (1 << 32)
        press.ticks_left -= 1
        if duration > LONGEST_SEGMENT:
            packet = self._packet(press, LONGEST_SEGMENT, end=False)
            press.begun = (press.begun + LONGEST_SEGMENT) % (1 << 32)
            press.duration = duration - LONGEST_SEGMENT
            return packet
        press.duration = duration
        packet = self._packet(press, duration, end=press.ticks_left <= 0)
        press.end = packet if press.ticks_left <= 0 else None
        return packet

    def _packet(self, press: _Press, duration: int, *, end: bool) -> EventPacket:
        assert press.begun is not None
        event = DtmfEvent(event=press.event, end=end, volume=VOLUME, duration=duration)
        packet = EventPacket(event.serialize(), press.begun, marker=not press.is_marked)
        press.is_marked = True
        return packet
