"""What an RTP stream knows about itself: counted all along, read by whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softagent.media.loss import LossRuns
from softagent.media.quality import Quality

HISTOGRAM_STEP_MS = 0.1
HISTOGRAM_STEPS = 1000
"""Up to 100 ms in steps of 0.1 ms; what is more counts as the last step."""


@dataclass(frozen=True, slots=True)
class StreamStats:
    """One RTP stream up to now. Bytes are payload bytes."""

    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    """Sound and telephone-events; nothing malformed, foreign or of another type."""
    bytes_received: int = 0
    lost: int = 0
    """Sequence numbers that never came (RFC 3550 appendix A.3)."""
    late: int = 0
    """Packets that came after their turn."""
    concealed: int = 0
    """Frames that had to be made up, whole or in part."""
    dropped: int = 0
    """Frames left out to shorten the delay."""
    resyncs: int = 0
    """Times that the sender changed or its timestamp jumped."""
    burst_ratio: float = 1.0
    """1 where loss comes at random, more where it comes in runs (G.107 section 7.4.2)."""
    jitter_ms: float = 0.0
    """Interarrival jitter (RFC 3550 appendix A.8)."""
    delay_ms: int = 0
    """Sound that waits in the jitter buffer."""
    buffer_mean_ms: float = 0.0
    """Sound that waited in the jitter buffer on average, while there was any."""
    listening: Quality | None = None
    """How well we hear the caller; None until anything came."""
    talking: Quality | None = None
    """How well the caller hears us, by its own reports; None until one came."""
    round_trip_ms: float | None = None
    """To the far end and back, on average (RFC 3550 section 6.4.1); None until it answered."""
    far_lost: int | None = None
    """Packets of ours that never came, as the far end says."""
    far_loss_percent: float | None = None
    far_jitter_ms: float | None = None
    """Interarrival jitter of our packets, as the far end says."""
    malformed: int = 0
    """Datagrams that are no RTP."""
    foreign: int = 0
    """Packets from an address that has no business here."""
    replayed: int = 0
    """Packets that came again under SRTP (RFC 3711 section 3.3.2)."""
    unauthenticated: int = 0
    """Packets that weren't signed with the key agreed on: altered, foreign, or plain RTP."""
    unknown_type: int = 0
    """Packets of a payload type that SDP didn't agree on."""
    unsent: int = 0
    """Packets that the operating system refused to send."""
    late_p50_ms: float = 0.0
    """How long after their deadline packets were sent: half of them less than this."""
    late_p99_ms: float = 0.0
    late_max_ms: float = 0.0
    interval_p50_ms: float = 0.0
    """From one packet sent to the next, measured after each: half of them less than this."""
    interval_p99_ms: float = 0.0
    interval_max_ms: float = 0.0
    skipped: int = 0
    """Frames of time left out after the machine slept."""
    underruns: int = 0
    """Ticks of silence inside a reply because its sound came too late."""
    failures: int = 0
    """Packets and ticks lost to a defect: an exception in the callback, for one."""


DROPOUT_PACKETS = 3000
"""A sequence number further off than this is an error or a new beginning (RFC 3550 A.1)."""


class Histogram:
    """How long something took, each time: counts of fixed size. One writer; any reader."""

    def __init__(self, counts: Sequence[int] = (), *, max_ms: float = 0.0) -> None:
        """Begin with nothing, or with what another one has counted."""
        self._counts = list(counts) or [0] * HISTOGRAM_STEPS
        self._total = sum(counts)
        self.max_ms = max_ms

    def add(self, time_ms: float) -> None:
        """Count it once more."""
        step = min(max(int(time_ms / HISTOGRAM_STEP_MS), 0), HISTOGRAM_STEPS - 1)
        self._counts[step] += 1
        self._total += 1
        self.max_ms = max(self.max_ms, time_ms)

    def with_others(self, others: Histogram) -> Histogram:
        """Both counted together."""
        counts = [ours + theirs for ours, theirs in zip(self._counts, others._counts, strict=True)]
        return Histogram(counts, max_ms=max(self.max_ms, others.max_ms))

    def percentile_ms(self, percent: float) -> float:
        """The time that `percent` of them stay within, rounded up to a step."""
        wanted = self._total * percent / 100
        seen = 0
        for step, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return min(round((step + 1) * HISTOGRAM_STEP_MS, 3), self.max_ms)
        return 0.0


class Mean:
    """The mean of what was added. One writer; any reader."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        """Count `value`."""
        self._sum += value
        self._count += 1

    @property
    def value(self) -> float:
        """0 of nothing."""
        return self._sum / self._count if self._count else 0.0


class Reception:
    """Loss and jitter of one source, as RFC 3550 appendix A counts them."""

    def __init__(self, clock_hz: int) -> None:
        self.runs = LossRuns()
        self._clock_hz = clock_hz
        self._base: int | None = None
        self._highest = 0
        self._received = 0
        self._expected_jump: int | None = None
        self._last: tuple[float, int] | None = None
        self._jitter = 0.0
        self._expected_before = 0
        self._received_before = 0
        self._lost_before = 0

    @property
    def jitter(self) -> float:
        """Interarrival jitter in units of the RTP clock."""
        return self._jitter

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter."""
        return 1000 * self._jitter / self._clock_hz

    @property
    def highest_sequence(self) -> int:
        """The highest sequence number, its wraps counted in the upper 16 bits."""
        return self._highest

    @property
    def lost(self) -> int:
        """Packets expected and never seen; those of earlier sources included."""
        return self._lost_before + self.source_lost

    @property
    def source_lost(self) -> int:
        """Those of the current source, of which alone a report tells (RFC 3550 section 6.4.1)."""
        return max(self._expected - self._received, 0)

    @property
    def _expected(self) -> int:
        return 0 if self._base is None else self._highest - self._base + 1

    def restart(self) -> None:
        """Another source begins to count anew."""
        self.runs.restart()
        self._lost_before = self.lost
        self._base = self._last = self._expected_jump = None
        self._received = self._expected_before = self._received_before = 0

    def count(self, sequence_number: int) -> None:
        """Count a packet of any payload type."""
        if self._base is None:
            self._base = self._highest = sequence_number
            self._received = 1
            self.runs.count(sequence_number)
            return
        ahead = (sequence_number - self._highest + 0x8000) % 0x10000 - 0x8000
        if abs(ahead) < DROPOUT_PACKETS:
            self._received += 1
            self.runs.count(self._highest + ahead)
            self._highest += max(ahead, 0)
        elif sequence_number == self._expected_jump:
            self.restart()
            self.count(sequence_number)
        else:
            self._expected_jump = (sequence_number + 1) % 0x10000

    def time(self, arrival_seconds: float, timestamp: int) -> None:
        """Measure the jitter with a packet of sound."""
        if self._last is not None:
            last_arrival, last_timestamp = self._last
            sent = (timestamp - last_timestamp + 0x80000000) % 0x100000000 - 0x80000000
            variation = abs((arrival_seconds - last_arrival) * self._clock_hz - sent)
            if variation < self._clock_hz:  # more is a jump of the timestamp, not of the network
                self._jitter += (variation - self._jitter) / 16
        self._last = (arrival_seconds, timestamp)

    def fraction_lost(self) -> int:
        """Loss since the last call in 1/256, as a receiver report tells it."""
        expected = self._expected - self._expected_before
        lost = expected - (self._received - self._received_before)
        self._expected_before, self._received_before = self._expected, self._received
        return min(256 * lost // expected, 255) if expected > 0 and lost > 0 else 0
