"""Reports between two ends of a call, with numbers as time."""

import itertools
import random
from dataclasses import replace

from aiortp.packet import RtcpReceiverInfo
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.description import MediaDescription
from softagent.media.reports import INTERVAL_TICKS, ReportExchange, ReportSchedule
from softagent.media.rtcp import GoodbyeReceived, goodbye, parse_compound
from softagent.media.sender import RtpSender

START = 1_700_000_000.0
THERE, STRANGER = ("192.0.2.1", 5005), ("192.0.2.66", 5005)
MEDIA = MediaDescription(
    codec="PCMU",
    payload_type=0,
    remote_host=THERE[0],
    remote_port=5004,
    local_host="192.0.2.2",
    local_port=4000,
    event_payload_type=101,
)
SOUND = MEDIA.remote_host, MEDIA.remote_port


class End:
    """One end of a call: what it sends, and its reports."""

    def __init__(self, ssrc):
        self.sender = RtpSender(payload_type=0, ssrc=ssrc)
        self.exchange = ReportExchange(self.sender, 8000)

    def send(self, packets):
        for _ in range(packets):
            self.sender.packet(bytes(160), duration=160)

    def report(self, at, *, heard=None, lost=0, jitter=0):
        blocks = [] if heard is None else [block(heard, lost=lost, jitter=jitter)]
        return self.exchange.report(blocks, unix_seconds=START + at)

    def take(self, datagram, at, *, source=THERE, is_at_report_port=True):
        self.exchange.push(
            datagram,
            source=source,
            is_known=source[0] == THERE[0],
            arrival_seconds=START + at,
            is_at_report_port=is_at_report_port,
        )


def block(ssrc, *, lost=0, jitter=0, lsr=0, dlsr=0):
    return RtcpReceiverInfo(ssrc, 0, lost, 0, jitter, lsr, dlsr)


def ends():
    here, there = End(1), End(2)
    here.send(10)
    there.send(10)
    return here, there


def test_the_round_trip_is_what_the_network_takes_without_the_time_in_between():
    """30 ms there, 3 s until the answer, 50 ms back (RFC 3550 figure 2)."""
    here, there = ends()
    there.take(here.report(2.5), 2.53)
    assert here.exchange.round_trip_ms is None
    here.take(there.report(5.53, heard=1), 5.58)
    assert abs(here.exchange.round_trip_ms - 80) < 0.1


def test_both_ends_learn_it_and_the_mean_is_told():
    here, there = ends()
    there.take(here.report(2.5), 2.51)
    here.take(there.report(5.0, heard=1), 5.01)
    here.send(1)
    there.take(here.report(7.5, heard=2), 7.55)
    here.take(there.report(10.0, heard=1), 10.05)
    assert abs(there.exchange.round_trip_ms - 60) < 0.1
    assert abs(here.exchange.round_trip_ms - (20 + 100) / 2) < 0.1


def test_a_report_says_when_the_other_ones_last_came():
    here, there = ends()
    there.take(here.report(2.5), 2.6)
    (report,) = parse_compound(there.report(4.1, heard=1))
    assert report.blocks[0].lsr != 0
    assert report.blocks[0].dlsr == int(1.5 * 65536) - (report.blocks[0].dlsr != 1.5 * 65536)
    (other,) = parse_compound(there.report(4.1, heard=99))
    assert (other.blocks[0].lsr, other.blocks[0].dlsr) == (0, 0), "that source never reported"


def test_an_answer_to_a_report_that_was_not_ours_is_no_round_trip():
    here, _ = ends()
    here.report(2.5)
    foreign = ReportExchange(RtpSender(payload_type=0, ssrc=3), 8000)
    here.take(foreign.report([block(1, lsr=1234567, dlsr=0)], unix_seconds=START), 3.0)
    assert here.exchange.round_trip_ms is None
    assert here.exchange.far_end is not None


def test_a_clock_that_was_set_meanwhile_is_no_round_trip():
    here, there = ends()
    there.take(here.report(2.5), 2.5)
    answer = there.report(3.0, heard=1)
    here.take(answer, 3600.0)
    assert here.exchange.round_trip_ms is None
    here.take(answer, 2.999)
    assert here.exchange.round_trip_ms == 0.0


def test_how_the_far_end_hears_us_is_known():
    here, there = ends()
    here.send(90)
    here.take(there.report(5.0, heard=1, lost=2, jitter=40), 5.0)
    view = here.exchange.far_end
    assert (view.lost, view.expected, view.jitter_ms) == (2, 100, 5.0)
    assert view.loss_percent == 2.0


def test_loss_is_a_share_of_what_the_same_source_has_sent():
    """With new SRTP keys we may go on as another source, of which the far end counts anew."""
    here, there = ends()
    here.send(90)
    here.sender.renew()
    here.send(10)
    here.take(there.report(2, heard=here.sender.ssrc, lost=5), 2.1)
    assert here.exchange.far_end.loss_percent == 50


def test_duplicates_are_no_negative_loss_and_another_source_is_not_us():
    here, there = ends()
    here.take(there.report(5.0, heard=1, lost=-4), 5.0)
    assert here.exchange.far_end.loss_percent == 0.0
    here.take(there.report(6.0, heard=77, lost=9), 6.0)
    assert here.exchange.far_end.lost == 0


def test_who_sends_reports_as_a_sender_and_who_listens_as_a_receiver():
    here, _ = ends()
    kinds = []
    for packets in (0, 5, 0, 0, 1):
        here.send(packets)
        kinds.append(here.report(0.0)[1])
    assert kinds == [200, 200, 201, 201, 200], "the ten of the beginning come first"


def test_the_last_report_says_goodbye_and_ours_do_not_answer_who_has_left():
    here, there = ends()
    last = there.exchange.last_report([], unix_seconds=START)
    assert parse_compound(last)[-1] == GoodbyeReceived((2,))
    here.take(last, 0.1)
    (report,) = parse_compound(here.report(1.0, heard=2))
    assert report.blocks[0].lsr == 0


def test_strangers_are_not_heard():
    here, there = ends()
    here.take(there.report(1.0, heard=1, lost=10), 1.0, source=STRANGER)
    assert here.exchange.far_end is None
    assert here.exchange.foreign == 1
    assert here.exchange.destination(MEDIA, SOUND) == THERE


def test_reports_go_where_sdp_says():
    here, _ = ends()
    assert here.exchange.destination(MEDIA, SOUND) == THERE, "the next port"
    elsewhere = replace(MEDIA, remote_rtcp_port=7777)
    assert here.exchange.destination(elsewhere, SOUND) == (THERE[0], 7777)
    assert here.exchange.destination(replace(MEDIA, rtcp_mux=True), SOUND) == SOUND


def test_reports_go_to_where_they_come_from():
    here, there = ends()
    behind_nat = (THERE[0], 61234)
    here.take(there.report(1.0), 1.0, source=behind_nat)
    assert here.exchange.destination(MEDIA, SOUND) == behind_nat
    here.take(there.report(1.0), 1.0, source=THERE)
    assert here.exchange.foreign == 1, "another port of that host is somebody else's"
    here.exchange.change(MEDIA, replace(MEDIA, codec="PCMA"))
    assert here.exchange.destination(MEDIA, SOUND) == behind_nat
    here.exchange.change(MEDIA, replace(MEDIA, remote_port=5006))
    here.take(there.report(1.0), 1.0, source=THERE)
    assert here.exchange.destination(MEDIA, SOUND) == THERE


def test_reports_beside_the_sound_do_not_move_the_address():
    """Multiplexed or not: they go where the sound goes, or as agreed."""
    here, there = ends()
    here.take(there.report(1.0), 1.0, source=(THERE[0], 9), is_at_report_port=False)
    assert here.exchange.destination(MEDIA, SOUND) == THERE


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_datagram_raises(datagram):
    here, there = ends()
    here.take(datagram, 1.0)
    here.take(there.report(1.0, heard=1) + datagram, 1.0)
    here.take(goodbye(5) + datagram, 1.0)
    assert here.exchange.malformed == (len(datagram) < 4 or parse_compound(datagram) is None)


@settings(deadline=None)
@given(st.integers())
def test_reports_are_five_seconds_apart_give_or_take_half_and_the_first_comes_soon(seed):
    schedule = ReportSchedule(random.Random(seed))
    due = [tick for tick in range(1, 20_001) if schedule.tick()]
    assert due[0] == 125, "2.5 s"
    gaps = [after - before for before, after in itertools.pairwise(due)]
    assert all(INTERVAL_TICKS * 0.5 - 1 <= gap <= INTERVAL_TICKS * 1.5 for gap in gaps)
    assert len(set(gaps)) > 5
    assert abs(sum(gaps) / len(gaps) - INTERVAL_TICKS) < 40
