"""Keys that the caller presses: RFC 4733 telephone-events in, digits out.

receive thread -> event packets -> DigitReceiver -> media clock -> Tick.digits
"""

from __future__ import annotations

from aiortp.dtmf import EVENT_TO_DIGIT, DtmfEvent

QUIET_TICKS = 3
"""Ticks without an update after which a press counts as ended: its end packets were lost."""
LATE_SECONDS = 4
"""An event that began this much before the current one or less is a straggler, not a new press."""
LONGEST_SEGMENT = 0xFFFF
"""A press longer than this duration goes on in a new segment (RFC 4733 section 2.5.1.3)."""
SEGMENT_SLACK_SECONDS = 0.1
"""Some senders cut a long press a packet earlier."""


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
