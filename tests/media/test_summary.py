"""What a stream's parts have counted, put together."""

from loopback import media
from rtp_source import Source

from softagent.media.playout import Playout
from softagent.media.receiver import RtpReceiver
from softagent.media.reports import ReportExchange
from softagent.media.sender import RtpSender
from softagent.media.srtp import SrtpChannel
from softagent.media.stats import Histogram
from softagent.media.summary import ClockCounts, summarize


def heard(*, times):
    """The stream in which each of a second's packets came so often."""
    agreed = media(4000, 5000)
    receiver = RtpReceiver(agreed, rate_hz=8000)
    for packet in Source().packets(50):
        for _ in range(times):
            receiver.push(packet.serialize(), source=receiver.peer, arrival_seconds=0.0)
        receiver.pop()
    sender = RtpSender(payload_type=0)
    return summarize(
        agreed.codec,
        sender=sender,
        receiver=receiver,
        reports=ReportExchange(sender, 8000),
        channel=SrtpChannel(None),
        clock=ClockCounts(),
        sent=(0, Histogram()),
        underruns=Playout(8000).underruns,
    )


def test_packets_that_come_twice_are_no_loss():
    """A switch that doubles every packet costs nothing that can be heard."""
    once, twice = heard(times=1), heard(times=2)
    assert once.listening.r_factor > 90
    assert twice.listening == once.listening
    assert (twice.late, twice.lost) == (0, 0)
