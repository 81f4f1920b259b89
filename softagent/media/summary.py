"""What a stream's parts have counted, put together."""

from __future__ import annotations

from softagent.media.quality import Quality, listening_delay_ms, quality, talking_delay_ms
from softagent.media.receiver import RtpReceiver
from softagent.media.reports import ReportExchange
from softagent.media.sender import RtpSender
from softagent.media.srtp import SrtpChannel
from softagent.media.stats import Histogram, Mean, StreamStats


class ClockCounts:
    """What only the threads themselves know. One writer each; any reader."""

    def __init__(self) -> None:
        self.lateness = Histogram()
        """How long after their deadline the media clock's slots began."""
        self.buffer_ms = Mean()
        """Sound in the jitter buffer, while there was any."""
        self.skipped = 0
        self.unsent_reports = 0
        self.failures = 0


def summarize(
    codec: str,
    *,
    sender: RtpSender,
    receiver: RtpReceiver,
    reports: ReportExchange,
    channel: SrtpChannel,
    clock: ClockCounts,
    sent: tuple[int, Histogram],
    underruns: int,
) -> StreamStats:
    """The stream up to now; the caller holds whatever guards the parts.

    `sent`: packets that the system refused, and intervals between those that it took.
    """
    unsent, intervals = sent
    counters, far_end = receiver.jitter_buffer.counters, reports.far_end
    return StreamStats(
        packets_sent=sender.packets,
        bytes_sent=sender.payload_bytes,
        packets_received=receiver.packets,
        bytes_received=receiver.payload_bytes,
        lost=receiver.reception.lost,
        late=counters.late,
        concealed=counters.concealed,
        dropped=counters.dropped,
        resyncs=counters.resyncs,
        burst_ratio=receiver.reception.runs.burst_ratio,
        jitter_ms=receiver.reception.jitter_ms,
        delay_ms=receiver.jitter_buffer.depth_ms,
        buffer_mean_ms=clock.buffer_ms.value,
        listening=_listening(codec, receiver, reports, clock.buffer_ms.value),
        talking=_talking(codec, reports),
        round_trip_ms=reports.round_trip_ms,
        far_lost=None if far_end is None else far_end.lost,
        far_loss_percent=None if far_end is None else far_end.loss_percent,
        far_jitter_ms=None if far_end is None else far_end.jitter_ms,
        malformed=receiver.malformed + reports.malformed,
        foreign=receiver.foreign + reports.foreign,
        replayed=channel.replayed,
        unauthenticated=channel.unauthenticated,
        unknown_type=receiver.unknown_type,
        unsent=unsent + clock.unsent_reports,
        late_p50_ms=clock.lateness.percentile_ms(50),
        late_p99_ms=clock.lateness.percentile_ms(99),
        late_max_ms=clock.lateness.max_ms,
        interval_p50_ms=intervals.percentile_ms(50),
        interval_p99_ms=intervals.percentile_ms(99),
        interval_max_ms=intervals.max_ms,
        skipped=clock.skipped,
        underruns=underruns,
        failures=clock.failures,
    )


def _listening(
    codec: str, receiver: RtpReceiver, reports: ReportExchange, buffer_ms: float
) -> Quality | None:
    """As we hear it: what came too late is as good as lost."""
    if not receiver.packets:
        return None
    lost = receiver.reception.lost + receiver.jitter_buffer.counters.late
    return quality(
        codec,
        delay_ms=listening_delay_ms(reports.round_trip_ms, buffer_ms),
        loss_percent=100 * lost / (receiver.packets + receiver.reception.lost),
        burst_ratio=receiver.reception.runs.burst_ratio,
    )


def _talking(codec: str, reports: ReportExchange) -> Quality | None:
    """As the far end hears it; its reports don't tell how loss clusters."""
    far_end = reports.far_end
    if far_end is None:
        return None
    return quality(
        codec,
        delay_ms=talking_delay_ms(reports.round_trip_ms, far_end.jitter_ms),
        loss_percent=far_end.loss_percent,
    )
