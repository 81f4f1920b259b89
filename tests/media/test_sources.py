"""Whom to hear: the agreed address, its other ports with care, strangers never."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.media.sources import PROBATION_PACKETS, SourceFilter

AGREED = ("192.0.2.1", 4000)
MOVED = ("192.0.2.1", 4010)
SIGNALLING = ("198.51.100.7", 61000)
STRANGER = ("203.0.113.9", 4000)


def accepted(sources, source, *, count=1, ssrc=1, start=0, step=1):
    """Which of `count` packets from `source` are heard."""
    return [
        sources.accepts(source, ssrc=ssrc, sequence_number=(start + n * step) % (1 << 16))
        for n in range(count)
    ]


@pytest.fixture
def sources():
    return SourceFilter(AGREED, {SIGNALLING[0]})


def test_strangers_are_never_heard_not_even_first(sources):
    assert accepted(sources, STRANGER, count=50) == [False] * 50
    assert sources.peer == AGREED
    accepted(sources, AGREED)
    assert accepted(sources, STRANGER, count=50) == [False] * 50
    assert sources.peer == AGREED


@pytest.mark.parametrize("source", [AGREED, MOVED, SIGNALLING])
def test_the_first_packet_from_a_known_host_is_heard_and_answered(sources, source):
    assert accepted(sources, source) == [True]
    assert sources.peer == source


def test_another_port_takes_over_after_packets_in_a_row(sources):
    accepted(sources, AGREED, count=3)
    heard = accepted(sources, MOVED, count=PROBATION_PACKETS + 1, start=65533)
    assert heard == [False] * (PROBATION_PACKETS - 1) + [True, True]
    assert sources.peer == MOVED


def test_another_port_does_not_take_over_while_the_established_one_is_heard(sources):
    for number in range(200):
        assert accepted(sources, AGREED, start=number) == [True]
        assert accepted(sources, MOVED, start=number, ssrc=2) == [False]
    assert sources.peer == AGREED


@pytest.mark.parametrize("step", [0, 2, -1])
def test_packets_out_of_order_pass_no_probation(sources, step):
    accepted(sources, AGREED)
    assert not any(accepted(sources, MOVED, count=50, start=100, step=step))


def test_packets_of_several_ssrcs_pass_no_probation(sources):
    accepted(sources, AGREED)
    assert not any(
        sources.accepts(MOVED, ssrc=number % 2, sequence_number=number) for number in range(50)
    )


def test_two_ports_that_come_by_turns_pass_no_probation(sources):
    accepted(sources, AGREED)
    for number in range(50):
        assert accepted(sources, MOVED, start=number) == [False]
        assert accepted(sources, SIGNALLING, start=number) == [False]


def test_the_agreed_address_takes_over_at_once(sources):
    accepted(sources, SIGNALLING, count=5)
    assert accepted(sources, AGREED) == [True]
    assert sources.peer == AGREED
    assert accepted(sources, SIGNALLING) == [False]


def test_a_new_address_is_listened_for_anew(sources):
    accepted(sources, SIGNALLING)
    sources.redirect(STRANGER)
    assert sources.peer == STRANGER
    assert accepted(sources, AGREED) == [False]
    assert accepted(sources, STRANGER) == [True]


def test_the_same_address_again_keeps_what_was_found_out(sources):
    """A session refresh: behind a NAT, the address in SDP is still the wrong one."""
    accepted(sources, SIGNALLING)
    sources.redirect(AGREED, {SIGNALLING[0]})
    assert sources.peer == SIGNALLING


@pytest.mark.parametrize(
    ("agreed", "source"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8:0::1", "2001:db8::1"),
        ("fe80::1", "fe80::1%eth0"),
        ("PBX.example", "pbx.example"),
    ],
)
def test_one_address_has_many_spellings(agreed, source):
    assert SourceFilter((agreed, 4000)).knows((source, 4002))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([AGREED, MOVED, SIGNALLING, STRANGER, ("", 0), ("::1", 9)]),
            st.integers(0, 2),
            st.integers(0, 4),
        ),
        max_size=100,
    )
)
def test_whatever_comes_only_known_hosts_are_heard_and_answered(packets):
    sources = SourceFilter(AGREED, {SIGNALLING[0]})
    known = {AGREED[0], SIGNALLING[0]}
    for source, ssrc, sequence_number in packets:
        heard = sources.accepts(source, ssrc=ssrc, sequence_number=sequence_number)
        assert source[0] in known or not heard
        assert sources.peer[0] in known
        if source == AGREED:
            assert heard
            assert sources.peer == AGREED
