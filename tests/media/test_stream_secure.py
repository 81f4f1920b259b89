"""SRTP on loopback: two streams that share keys, and others who don't."""

import socket
from dataclasses import replace

import numpy as np
import pytest
from aiortp import RtpPacket, is_rtcp
from loopback import HOST, PATIENCE_SECONDS, Ears, free_ports, media, stream

from softagent.media.codec import codec_named
from softagent.media.description import SrtpKeys
from softagent.media.playout import Playout
from softagent.media.sender import RtpSender
from softagent.media.srtp import SrtpChannel

OURS, THEIRS, OTHER = bytes(range(30)), bytes(range(30, 60)), bytes(range(60, 90))
SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]


def keys(suite=SUITES[0], *, send=OURS, receive=THEIRS):
    return SrtpKeys(suite, send, receive)


def mirrored(given):
    return SrtpKeys(given.suite, given.receive, given.send)


@pytest.fixture
def phone():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((HOST, 0))
        endpoint.settimeout(PATIENCE_SECONDS)
        yield endpoint


@pytest.mark.parametrize("suite", SUITES)
def test_sound_and_reports_get_through_a_wrap_and_nobody_else_hears_them(suite):
    here, there = free_ports(2)
    wire, ears, playout = [], Ears(), Playout(8000)
    tone = np.full(1600, 8000, dtype=np.int16)
    playout.begin(1)
    playout.put(1, 0, tone)
    playout.finish(1)
    playout.release(1)
    given = keys(suite)
    speaking = stream(
        here,
        there,
        playout=playout,
        agreed={"srtp": given, "rtcp_mux": True},
        sender=RtpSender(payload_type=0, sequence_number=65530),
        observe=lambda datagram, *_, **__: wire.append(datagram),
    )
    hearing = stream(there, here, on_tick=ears, agreed={"srtp": mirrored(given), "rtcp_mux": True})
    hearing.start()
    speaking.start()
    ears.wait_until(lambda: len(ears.ticks) > 15 and np.count_nonzero(ears.sound > 7000) >= 1600)
    speaking.stop()
    count = len(ears.ticks)
    ears.wait_for(count + 5)
    hearing.stop()
    stats = hearing.stats()
    assert (stats.lost, stats.unauthenticated, stats.replayed, stats.malformed) == (0, 0, 0, 0)
    assert stats.talking is not None, "its last report came, with what it had heard of us"
    assert any(is_rtcp(datagram) for datagram in wire)
    silence, sound = (codec_named("PCMU").encode(np.full(8, n, dtype=np.int16)) for n in (0, 8000))
    assert not any(silence in datagram or sound in datagram for datagram in wire)


def test_plain_repeated_and_altered_packets_are_counted_and_not_heard(phone):
    (port,) = free_ports(1)
    ears = Ears()
    ours = stream(port, phone.getsockname()[1], on_tick=ears, agreed={"srtp": keys()})
    ours.start()
    theirs = SrtpChannel(mirrored(keys()))
    plain = RtpPacket(payload_type=0, sequence_number=1, payload=bytes(160)).serialize()
    good = theirs.protect(plain)
    for datagram in (plain, good, good, good[:-1] + b"\x00", b"", bytes(1900)):
        phone.sendto(datagram, (HOST, port))
    last = theirs.protect(
        RtpPacket(payload_type=0, sequence_number=2, timestamp=160, payload=bytes(160)).serialize()
    )
    phone.sendto(last, (HOST, port))
    ears.wait_until(lambda: ours.stats().packets_received == 2)
    ours.stop()
    stats = ours.stats()
    assert (stats.packets_received, stats.replayed, stats.unauthenticated) == (2, 2, 3)
    assert stats.malformed == 0


def test_new_keys_in_a_new_sdp_are_followed_by_both_ends():
    """Ours after a wrap, too: we go on as another source, which begins to count wraps at 0."""
    here, there = free_ports(2)
    first = keys()
    second = keys(send=OTHER, receive=THEIRS)
    ears = Ears()
    sender = RtpSender(payload_type=0, sequence_number=65533, ssrc=5)
    ours = stream(here, there, agreed={"srtp": first}, sender=sender)
    theirs = stream(there, here, on_tick=ears, agreed={"srtp": mirrored(first)})
    theirs.start()
    ours.start()
    ears.wait_until(lambda: theirs.stats().packets_received > 10)
    assert sender.has_wrapped
    theirs.change(media(there, here, srtp=mirrored(second)))
    ours.change(media(here, there, srtp=second))
    before = theirs.stats().packets_received
    ears.wait_until(lambda: theirs.stats().packets_received > before + 20)
    ours.stop()
    theirs.stop()
    assert sender.ssrc != 5
    assert theirs.stats().unauthenticated == 0
    assert ours.stats().unauthenticated == 0


def test_the_same_sdp_again_disturbs_nothing():
    """A session refresh: same keys, same source, the count of wraps goes on."""
    here, there = free_ports(2)
    given, ears = keys(), Ears()
    sender = RtpSender(payload_type=0, sequence_number=65533, ssrc=5)
    ours = stream(here, there, agreed={"srtp": given}, sender=sender)
    theirs = stream(there, here, on_tick=ears, agreed={"srtp": mirrored(given)})
    theirs.start()
    ours.start()
    ears.wait_until(lambda: theirs.stats().packets_received > 10)
    for _ in range(3):
        ours.change(replace(media(here, there), srtp=keys()))
        theirs.change(replace(media(there, here), srtp=mirrored(keys())))
        before = theirs.stats().packets_received
        ears.wait_until(lambda before=before: theirs.stats().packets_received > before + 5)
    ours.stop()
    theirs.stop()
    assert sender.ssrc == 5
    stats = theirs.stats()
    assert (stats.lost, stats.unauthenticated, stats.replayed) == (0, 0, 0)
