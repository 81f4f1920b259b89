"""What both ends of a call tell each other about its quality, by RTCP.

our counts -> report() -> network;  network -> push() -> round trip, how they hear us
"""

from __future__ import annotations

import collections
import dataclasses
import random
from dataclasses import dataclass

from aiortp.packet import RtcpReceiverInfo

from softagent.media.description import MediaDescription
from softagent.media.frame import TICKS_PER_SECOND
from softagent.media.rtcp import (
    GoodbyeReceived,
    ReportReceived,
    goodbye,
    middle,
    ntp_timestamp,
    parse_compound,
    receiver_report,
    sender_report,
)
from softagent.media.sender import RtpSender
from softagent.media.sources import Address

INTERVAL_TICKS = 5 * TICKS_PER_SECOND
"""Between reports, on average (RFC 3550 section 6.2)."""
FIRST_INTERVAL_TICKS = INTERVAL_TICKS // 2
"""Before the first one (section 6.2)."""
REMEMBERED_REPORTS = 16
"""Of ours that an answer may refer to: more than a minute's."""
LONGEST_ROUND_TRIP_SECONDS = 10.0
"""What seems longer is a clock that was set meanwhile."""
SHORT_SECOND = 1 << 16
"""LSR and DLSR count 1/65536 s."""


@dataclass(frozen=True, slots=True)
class FarEndView:
    """How the far end hears us, as it said last."""

    lost: int
    """Packets since the beginning; never below zero, though duplicates may be taken off."""
    expected: int
    """Packets that we had sent until then."""
    jitter_ms: float

    @property
    def loss_percent(self) -> float:
        """Of all packets until then."""
        return min(100 * self.lost / self.expected, 100.0) if self.expected else 0.0


class ReportSchedule:
    """When to report: 5 s apart, give or take half, so that calls don't keep in step. Pure."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()
        self._ticks_left = FIRST_INTERVAL_TICKS

    def tick(self) -> bool:
        """Let a tick pass; True when it is time to report."""
        self._ticks_left -= 1
        if self._ticks_left > 0:
            return False
        self._ticks_left = int(INTERVAL_TICKS * self._rng.uniform(0.5, 1.5))
        return True


class ReportExchange:
    """One call's reports in both directions. Pure; the owner guards it."""

    def __init__(self, sender: RtpSender, clock_hz: int) -> None:
        self.far_end: FarEndView | None = None
        self.malformed = 0
        self.foreign = 0
        """Reports from an address that has no business here."""
        self._sender = sender
        self._clock_hz = clock_hz
        self._name = b"%08x@softagent" % sender.ssrc
        """Stays when the SSRC changes (RFC 3550 section 6.5.1)."""
        self._reported_packets = 0
        self._sent: collections.deque[int] = collections.deque(maxlen=REMEMBERED_REPORTS)
        """The middles of the NTP timestamps of our last sender reports."""
        self._heard: dict[int, tuple[int, float]] = {}
        """Of each source the middle of its last sender report's timestamp, and when it came."""
        self._round_trips = 0
        self._round_trip_seconds = 0.0
        self._source: Address | None = None

    @property
    def round_trip_ms(self) -> float | None:
        """The mean over the call; None until the far end has answered a report."""
        if not self._round_trips:
            return None
        return 1000 * self._round_trip_seconds / self._round_trips

    def change(self, before: MediaDescription, media: MediaDescription) -> None:
        """Go on as a new SDP agreed: from another address, whoever reports first is it."""
        if _agreed(before) != _agreed(media):
            self._source = None

    def destination(self, media: MediaDescription, peer: Address) -> Address:
        """Where reports go, `peer` being where sound goes.

        The same where they are multiplexed (RFC 5761), else to where the far end's come
        from (RFC 4961), to the port that SDP named (RFC 3605), or to the next one.
        """
        host, port = peer
        if media.rtcp_mux:
            return peer
        return self._source or (host, media.remote_rtcp_port or port + 1)

    def push(
        self,
        datagram: bytes,
        *,
        source: Address,
        is_known: bool,
        arrival_seconds: float,
        is_at_report_port: bool,
    ) -> None:
        """Take a compound that came; `is_known` when its host has to do with the call.

        The first of those that reports to the report port is the far end from then on.
        """
        if not is_known or (is_at_report_port and self._source not in (None, source)):
            self.foreign += 1
            return
        packets = parse_compound(datagram)
        if packets is None:
            self.malformed += 1
            return
        if is_at_report_port:
            self._source = source
        for packet in packets:
            if isinstance(packet, ReportReceived):
                self._take(packet, arrival_seconds)
            else:
                self._forget(packet)

    def report(self, blocks: list[RtcpReceiverInfo], *, unix_seconds: float) -> bytes:
        """Make our next report: a sender's if we have sent since the last one.

        `blocks` say what we have received, without LSR and DLSR.
        """
        sender = self._sender
        is_sending = sender.packets != self._reported_packets
        self._reported_packets = sender.packets
        blocks = [self._answer(block, unix_seconds) for block in blocks]
        if not is_sending:
            return receiver_report(sender.ssrc, blocks, name=self._name)
        info = sender.info(unix_seconds)
        self._sent.append(middle(info.ntp_timestamp))
        return sender_report(sender.ssrc, info, blocks, name=self._name)

    def last_report(self, blocks: list[RtcpReceiverInfo], *, unix_seconds: float) -> bytes:
        """Make the report that ends the call: with a BYE."""
        return self.report(blocks, unix_seconds=unix_seconds) + goodbye(self._sender.ssrc)

    def _answer(self, block: RtcpReceiverInfo, unix_seconds: float) -> RtcpReceiverInfo:
        """Say when the source's last report came, so that it can tell its round trip."""
        heard = self._heard.get(block.ssrc)
        if heard is None:
            return block
        timestamp, arrival_seconds = heard
        delay = int(max(unix_seconds - arrival_seconds, 0.0) * SHORT_SECOND)
        return dataclasses.replace(block, lsr=timestamp, dlsr=min(delay, 0xFFFFFFFF))

    def _take(self, report: ReportReceived, arrival_seconds: float) -> None:
        if report.sender is not None:
            self._heard = {report.ssrc: (middle(report.sender.ntp_timestamp), arrival_seconds)}
        for block in report.blocks:
            if block.ssrc == self._sender.ssrc:
                self._take_block(block, arrival_seconds)

    def _take_block(self, block: RtcpReceiverInfo, arrival_seconds: float) -> None:
        self.far_end = FarEndView(
            lost=max(block.packets_lost, 0),
            expected=self._sender.source_packets,
            jitter_ms=1000 * block.jitter / self._clock_hz,
        )
        if block.lsr not in self._sent:
            return
        now = middle(ntp_timestamp(arrival_seconds))
        units = (now - block.lsr - block.dlsr + (1 << 31)) % (1 << 32) - (1 << 31)
        seconds = max(units / SHORT_SECOND, 0.0)  # below zero by what DLSR is rounded to
        if seconds <= LONGEST_ROUND_TRIP_SECONDS:
            self._round_trips += 1
            self._round_trip_seconds += seconds

    def _forget(self, goodbye: GoodbyeReceived) -> None:
        for source in goodbye.sources:
            self._heard.pop(source, None)


def _agreed(media: MediaDescription) -> tuple[str, int, int | None]:
    return media.remote_host, media.remote_port, media.remote_rtcp_port
