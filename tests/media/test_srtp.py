"""SRTP: what the RFC's own numbers make of a packet, and packets that must not get through."""

import hashlib
import hmac

import pytest
from aiortp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.description import SrtpKeys
from softagent.media.sender import RtpSender
from softagent.media.srtp import PROFILES, SrtpChannel

RFC_KEY = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6")
"""Master key and salt of RFC 3711 appendix B.3."""
RFC_AUTH_KEY = bytes.fromhex("cebe321f6ff7716b6fd4ab49af256a156d38baa4")
"""What appendix B.3 derives from them to sign RTP with: the first 20 of its 94 bytes."""
OURS, THEIRS, OTHER = bytes(range(30)), bytes(range(30, 60)), bytes(range(60, 90))
SUITE = "AES_CM_128_HMAC_SHA1_80"


def channels(suite=SUITE, *, ours=OURS, theirs=THEIRS):
    """Our end and the other one."""
    return SrtpChannel(SrtpKeys(suite, ours, theirs)), SrtpChannel(SrtpKeys(suite, theirs, ours))


def packets(count, *, sequence_number=1, ssrc=7):
    sender = RtpSender(payload_type=0, sequence_number=sequence_number, ssrc=ssrc)
    return [sender.packet(bytes([n % 256]) * 160, duration=160) for n in range(count)]


def counted(numbers):
    """Packets by how many the sender has made so far; gaps are loss."""
    return [packets(1, sequence_number=number % 65536)[0] for number in numbers]


def report():
    return bytes.fromhex("81c8000b cafebabe" + "ab" * 40)


def test_a_packet_is_what_libsrtp_and_the_key_of_the_rfc_make_of_it():
    """Plain text and result as in libsrtp's own test (test/srtp_driver.c)."""
    channel = SrtpChannel(SrtpKeys(SUITE, RFC_KEY, RFC_KEY))
    plain = bytes.fromhex("800f1234 decafbad cafebabe" + "ab" * 16)
    protected = channel.protect(plain)
    assert protected.hex() == (
        "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"
    )
    assert channel.unprotect(protected) == plain


def test_a_report_is_what_libsrtp_and_the_key_of_the_rfc_make_of_it():
    plain = bytes.fromhex("81c8000b cafebabe" + "ab" * 16)
    channel = SrtpChannel(SrtpKeys(SUITE, RFC_KEY, RFC_KEY))
    protected = channel.protect_report(plain)
    assert protected.hex() == (
        "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"
    )
    assert channel.unprotect_report(protected) == plain


def test_the_signature_is_by_the_key_that_the_rfc_derives():
    """RFC 3711 section 4.2: HMAC-SHA1 over the packet and the count of wraps."""
    channel = SrtpChannel(SrtpKeys(SUITE, RFC_KEY, RFC_KEY))
    protected = channel.protect(packets(1)[0])
    signature = hmac.new(RFC_AUTH_KEY, protected[:-10] + bytes(4), hashlib.sha1).digest()
    assert protected[-10:] == signature[:10]


@pytest.mark.parametrize(("suite", "tag_bytes"), [(SUITE, 10), ("AES_CM_128_HMAC_SHA1_32", 4)])
def test_what_one_end_protects_the_other_reads(suite, tag_bytes):
    assert suite in PROFILES
    here, there = channels(suite)
    for plain in packets(3):
        protected = here.protect(plain)
        assert len(protected) == len(plain) + tag_bytes
        assert plain[12:] not in protected
        assert there.unprotect(protected) == plain
        answer = there.protect(plain)
        assert answer != protected, "each direction has its key"
        assert here.unprotect(answer) == plain
    protected = here.protect_report(report())
    assert len(protected) == len(report()) + 4 + 10, "the count, and 80 bits in both suites"
    assert there.unprotect_report(protected) == report()
    assert (there.replayed, there.unauthenticated) == (0, 0)


def test_a_repeated_packet_is_dropped_and_counted():
    here, there = channels()
    protected = [here.protect(packet) for packet in packets(3)]
    assert all(there.unprotect(packet) for packet in protected)
    assert [there.unprotect(packet) for packet in protected] == [None] * 3
    sr = here.protect_report(report())
    assert there.unprotect_report(sr)
    assert there.unprotect_report(sr) is None
    assert (there.replayed, there.unauthenticated) == (4, 0)


def test_a_packet_from_long_ago_counts_as_repeated():
    here, there = channels()
    protected = [here.protect(packet) for packet in packets(2000)]
    for packet in protected[1:]:
        assert there.unprotect(packet)
    assert there.unprotect(protected[0]) is None
    assert (there.replayed, there.unauthenticated) == (1, 0)


def test_packets_out_of_order_are_good():
    here, there = channels()
    protected = [here.protect(packet) for packet in packets(100)]
    assert all(there.unprotect(packet) for packet in reversed(protected))
    assert there.replayed == 0


@settings(deadline=None)
@given(st.integers(0, 181), st.integers(1, 255))
def test_no_byte_can_be_altered(position, change):
    """Header, payload and tag alike; the 182 bytes of a 20 ms packet."""
    here, there = channels()
    protected = bytearray(here.protect(packets(1)[0]))
    protected[position] ^= change
    assert there.unprotect(bytes(protected)) is None
    assert (there.replayed, there.unauthenticated) == (0, 1)


@settings(deadline=None)
@given(st.binary(max_size=2048))
def test_garbage_and_plain_packets_count_as_unauthenticated(datagram):
    here, there = channels()
    assert there.unprotect(datagram) is None
    assert there.unprotect_report(datagram) is None
    assert there.unprotect(packets(1)[0]) is None
    assert there.unprotect_report(report()) is None
    assert (there.replayed, there.unauthenticated) == (0, 4)
    assert there.unprotect(here.protect(packets(1)[0])), "and nothing is broken by it"


def test_the_count_of_wraps_goes_on_at_both_ends():
    """Three wraps: 65 minutes at 20 ms."""
    here, there = channels()
    for plain in counted([*range(65000, 4 * 65536, 997), *range(4 * 65536, 4 * 65536 + 50)]):
        assert there.unprotect(here.protect(plain)) == plain
    assert (there.replayed, there.unauthenticated) == (0, 0)


def test_two_seconds_of_loss_across_a_wrap_do_not_lose_the_count():
    here, there = channels()
    first, *rest = [here.protect(plain) for plain in counted(range(65500, 65700))]
    assert there.unprotect(first)
    assert all(there.unprotect(packet) for packet in rest[100:])


def test_another_source_under_the_same_key_is_heard():
    """A PBX that fails over or re-bridges changes its SSRC; its wraps count from 0 again."""
    here, there = channels()
    wrapped = [here.protect(p) for p in packets(20, sequence_number=65530)]
    assert all(there.unprotect(packet) for packet in wrapped)
    other = [here.protect(p) for p in packets(20, sequence_number=9, ssrc=8)]
    assert all(there.unprotect(packet) for packet in other)


def test_the_same_keys_again_change_nothing():
    """A session refresh repeats the SDP: the count of wraps must live on."""
    here, there = channels()
    before, after = packets(20, sequence_number=65530)[:10], packets(20, sequence_number=65530)[10:]
    for plain in before:
        there.unprotect(here.protect(plain))
    assert here.change(SrtpKeys(SUITE, OURS, THEIRS)) is False
    there.change(SrtpKeys(SUITE, THEIRS, OURS))
    assert [there.unprotect(here.protect(plain)) for plain in after] == after


def test_new_keys_are_used_at_once_and_old_ones_heard_until_the_first_new_packet():
    here, there = channels()
    before, after = packets(4), packets(8)[4:]
    underway = [here.protect(plain) for plain in before]
    assert here.change(SrtpKeys(SUITE, OTHER, THEIRS)) is True
    assert there.unprotect(underway[0])
    there.change(SrtpKeys(SUITE, THEIRS, OTHER))
    assert there.unprotect(underway[1]), "sent before the answer came"
    new = here.protect(after[0])
    assert there.unprotect(new) == after[0]
    assert there.unprotect(underway[2]) is None, "whoever knew the old key is out"
    assert there.unprotect(new) is None
    assert (there.replayed, there.unauthenticated) == (1, 1)


def test_a_changed_suite_is_a_changed_key():
    here, there = channels()
    here.change(SrtpKeys("AES_CM_128_HMAC_SHA1_32", OURS, THEIRS))
    there.change(SrtpKeys("AES_CM_128_HMAC_SHA1_32", THEIRS, OURS))
    protected = here.protect(packets(1)[0])
    assert len(protected) == 172 + 4
    assert there.unprotect(protected)


@pytest.mark.parametrize("is_counting_on", [True, False])
def test_new_keys_after_a_wrap_are_good_however_the_sender_counts(is_counting_on):
    """RFC 3711 keeps the count of wraps, senders that make a new context begin at 0."""
    here, there = channels()
    before = counted(range(65500, 3 * 65536 + 20, 500))
    for plain in before:
        assert there.unprotect(here.protect(plain))
    there.change(SrtpKeys(SUITE, THEIRS, OTHER))
    here, _ = channels(ours=OTHER)
    for plain in before if is_counting_on else []:
        here.protect(plain)
    after = counted(range(3 * 65536 + 20, 3 * 65536 + 40))
    assert [there.unprotect(here.protect(plain)) for plain in after] == after
    assert there.unauthenticated == 0


def test_without_keys_packets_stay_as_they_are_and_keys_may_come_and_go():
    here, there = SrtpChannel(None), SrtpChannel(None)
    first, second, third = packets(3)
    assert there.unprotect(here.protect(first)) == first
    assert there.unprotect_report(here.protect_report(report())) == report()
    assert here.change(SrtpKeys(SUITE, OURS, THEIRS)) is False, "they are the first"
    there.change(SrtpKeys(SUITE, THEIRS, OURS))
    assert there.unprotect(second) is None
    assert there.unprotect(here.protect(second)) == second
    here.change(None)
    there.change(None)
    assert there.unprotect(here.protect(third)) == third
    assert there.unauthenticated == 1


def test_keys_are_not_shown():
    shown = repr(SrtpKeys(SUITE, OURS, THEIRS))
    assert "\\x01" not in shown
    assert SUITE in shown


def test_a_protected_packet_keeps_its_header():
    here, _ = channels()
    (plain,) = packets(1)
    packet, original = RtpPacket.parse(here.protect(plain)), RtpPacket.parse(plain)
    assert (packet.sequence_number, packet.timestamp, packet.ssrc) == (
        original.sequence_number,
        original.timestamp,
        original.ssrc,
    )
