"""RTCP on loopback: what two streams tell each other, and what strangers try to."""

import socket

import pytest
from loopback import HOST, PATIENCE_SECONDS, Ears, free_ports, media, stream

from softagent.media.description import Direction
from softagent.media.reports import ReportSchedule
from softagent.media.rtcp import GoodbyeReceived, ReportReceived, goodbye, parse_compound


class EveryTick(ReportSchedule):
    """A schedule for those who can't wait."""

    def tick(self):
        return True


def free_pairs(count):
    """Even ports whose neighbours are free too."""
    found = []
    while len(found) < count:
        (port,) = free_ports(1)
        if port % 2 == 0:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as neighbour:
                try:
                    neighbour.bind((HOST, port + 1))
                except OSError:
                    continue
                found.append(port)
    return found


@pytest.fixture
def phone():
    """A socket where the caller's reports come from and go to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((HOST, 0))
        endpoint.settimeout(PATIENCE_SECONDS)
        yield endpoint


@pytest.mark.parametrize("agreed", [{}, {"rtcp_mux": True}], ids=["next port", "same port"])
def test_both_ends_learn_the_round_trip_and_how_they_are_heard(agreed):
    here, there = free_pairs(2)
    ears = Ears()
    ours = stream(here, there, agreed=agreed, schedule=EveryTick(), on_tick=ears)
    theirs = stream(there, here, agreed=agreed, schedule=EveryTick())
    ours.start()
    theirs.start()
    ears.wait_until(lambda: None not in (ours.stats().round_trip_ms, theirs.stats().round_trip_ms))
    ours.stop()
    theirs.stop()
    for stats in (ours.stats(), theirs.stats()):
        assert 0 <= stats.round_trip_ms < 1000
        assert stats.far_lost == 0
        assert stats.far_loss_percent == 0.0
        assert stats.far_jitter_ms >= 0
        assert stats.talking.mos > 3.5
        assert stats.listening.r_factor > 70
        assert (stats.malformed, stats.foreign, stats.failures) == (0, 0, 0)


def test_reports_go_to_the_port_that_sdp_names_and_the_last_says_goodbye(phone):
    here, there = free_pairs(2)
    agreed = {"remote_rtcp_port": phone.getsockname()[1]}
    ears = Ears()
    ours = stream(here, there, agreed=agreed, on_tick=ears)
    ours.start()
    ears.wait_for(3)
    ours.stop()
    datagram, source = phone.recvfrom(2048)
    report, bye = parse_compound(datagram)
    assert source == (HOST, here + 1)
    assert report.sender.packet_count == ours.stats().packets_sent
    assert bye == GoodbyeReceived((report.ssrc,))


def test_a_listener_reports_as_one(phone):
    """On hold by the far end we send nothing, and say so by a receiver report."""
    here, there = free_pairs(2)
    agreed = {"remote_rtcp_port": phone.getsockname()[1], "direction": Direction.RECVONLY}
    ears = Ears()
    ours = stream(here, there, agreed=agreed, on_tick=ears)
    ours.start()
    ears.wait_for(2)
    ours.stop()
    (report, _) = parse_compound(phone.recv(2048))
    assert isinstance(report, ReportReceived)
    assert report.sender is None


def test_strangers_reports_are_dropped_and_nonsense_is_counted(phone):
    (here, there) = free_pairs(2)
    ears = Ears()
    ours = stream(here, there, on_tick=ears)
    ours.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.sendto(goodbye(1), (HOST, here + 1))
        stranger.sendto(goodbye(1), (HOST, here))
    phone.sendto(b"nonsense", (HOST, here + 1))
    phone.sendto(b"\x80\xc8", (HOST, here))
    ears.wait_until(lambda: (ours.stats().foreign, ours.stats().malformed) == (2, 2))
    ours.stop()
    assert ours.stats().talking is None
    assert ours.stats().failures == 0


def test_without_a_report_port_the_call_goes_on(caplog):
    here, there = free_pairs(2)
    ears = Ears()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, here + 1))
        ours = stream(here, there, on_tick=ears, schedule=EveryTick())
        ours.start()
        ears.wait_for(5)
        ours.stop()
    assert ours.stats().packets_sent >= 5
    assert ours.stats().failures == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_new_address_in_sdp_is_reported_to(phone):
    here, there = free_pairs(2)
    ears = Ears()
    ours = stream(here, there, on_tick=ears)
    ours.start()
    ours.change(media(here, there, remote_rtcp_port=phone.getsockname()[1]))
    ears.wait_for(2)
    ours.stop()
    assert parse_compound(phone.recv(2048))
