"""Figures of streams whose packets are known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiortp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.trace.figures import Figures, figures
from softagent.trace.rtp import Packets

START_NS = 1_800_000_000_000_000_000
Sent = tuple[int, int, float, int, int]
"""Sequence number, timestamp, time in ms, payload type, marker."""


def regular(
    count: int, *, first: int = 65500, stamp: int = 2**32 - 800, ppm: float = 0.0
) -> list[Sent]:
    """20 ms of PCMU each, through both wraps; the sender's clock runs `ppm` fast."""
    return [
        ((first + n) % 65536, (stamp + 160 * n) % 2**32, n * 20 / (1 + ppm / 1e6), 0, n == 0)
        for n in range(count)
    ]


def measured(sent: list[Sent]) -> Figures:
    packets = Packets(("10.0.0.1", 1), ("10.0.0.2", 2), 7)
    for sequence, stamp, at_ms, payload_type, marker in sent:
        packet = RtpPacket(
            payload_type=payload_type,
            marker=marker,
            sequence_number=sequence,
            timestamp=stamp,
            ssrc=7,
            payload=b"\xff" * 160,
        )
        packets.add(packet, START_NS + round(at_ms * 1e6))
    return figures(packets, 8000, beside=frozenset({13, 101}))


def test_a_clean_stream_is_clean() -> None:
    """Through the wraps of sequence number and timestamp."""
    clean = measured(regular(400))
    assert (clean.packets, clean.lost, clean.duplicates, clean.reordered) == (400, 0, 0, 0)
    assert (clean.late, clean.restarts, clean.timestamp_jumps, clean.pauses) == (0, 0, 0, 0)
    assert (clean.ptime_ms, clean.markers, clean.jitter_ms) == (20, 1, 0)
    assert clean.interval_ms is not None
    assert (clean.interval_ms.p50, clean.interval_ms.max) == (20, 20)
    assert clean.drift_ppm == pytest.approx(0, abs=0.1)


@settings(deadline=None)
@given(st.sets(st.integers(1, 98)), st.integers(0, 65535))
def test_every_missing_packet_is_counted(missing: set[int], first: int) -> None:
    """However many in a row, and nothing else is blamed."""
    sent = [one for n, one in enumerate(regular(100, first=first)) if n not in missing]
    found = measured(sent)
    assert (found.lost, found.duplicates, found.reordered) == (len(missing), 0, 0)
    assert (found.timestamp_jumps, found.pauses, found.restarts) == (0, 0, 0)
    assert found.lost_pct == pytest.approx(len(missing))


@settings(deadline=None)
@given(st.sets(st.integers(0, 99)))
def test_every_duplicate_is_counted(twice: set[int]) -> None:
    """It is neither lost nor out of order."""
    sent = []
    for n, one in enumerate(regular(100)):
        sent += [one, one] if n in twice else [one]
    found = measured(sent)
    assert (found.duplicates, found.lost, found.reordered) == (len(twice), 0, 0)


def test_a_packet_that_was_overtaken_is_reordered_and_not_lost() -> None:
    """By one, and by three."""
    sent = regular(60)
    sent[10], sent[11] = sent[11], sent[10]
    sent.insert(33, sent.pop(30))
    found = measured([(*one[:2], n * 20.0, *one[3:]) for n, one in enumerate(sent)])
    assert (found.reordered, found.lost, found.duplicates) == (2, 0, 0)


def test_a_packet_that_comes_too_late_is_late() -> None:
    """By more than three frames; by less it is only jitter."""
    sent = regular(300)
    for n, late_ms in ((50, 40.0), (120, 75.0), (121, 61.0)):
        sent[n] = (*sent[n][:2], sent[n][2] + late_ms, *sent[n][3:])
    found = measured(sorted(sent, key=lambda one: one[2]))
    assert (found.late, found.lost) == (2, 0)
    assert found.max_jitter_ms > 5


def test_a_clock_that_drifts_makes_no_packet_late() -> None:
    """Half a second in twenty minutes is drift, not the network."""
    found = measured(regular(60000, ppm=-400))
    assert found.late == 0
    assert found.drift_ppm == pytest.approx(-400, abs=1)


def shifted(sent: list[Sent], place: int, change: Callable[[Sent], Sent]) -> list[Sent]:
    return [*sent[:place], *map(change, sent[place:])]


def test_a_timestamp_jump_is_told_from_a_pause() -> None:
    """Both advance by more than a packet; only after a pause has that time passed."""
    paused = shifted(
        regular(200), 80, lambda one: (one[0], (one[1] + 16000) % 2**32, one[2] + 2000, *one[3:])
    )
    jumped = shifted(regular(200), 80, lambda one: (one[0], (one[1] + 16000) % 2**32, *one[2:]))
    stuck = shifted(regular(200), 80, lambda one: (*one[:2], one[2] + 2000, *one[3:]))
    assert [(f.pauses, f.timestamp_jumps) for f in map(measured, (paused, jumped, stuck))] == [
        (1, 0),
        (0, 1),
        (0, 0),
    ]
    assert measured(stuck).max_gap_ms == pytest.approx(2020)
    assert measured(stuck).max_gap_at == pytest.approx(79 * 0.02)


def test_a_sequence_that_begins_anew_is_no_loss() -> None:
    """A PBX that takes another source keeps the SSRC."""
    anew = shifted(regular(100), 50, lambda one: ((one[0] + 20000) % 65536, *one[1:]))
    found = measured(anew)
    assert (found.restarts, found.lost) == (1, 0)


def test_keys_and_noise_are_no_sound() -> None:
    """Their timestamps stand still, and their packets come between those of the sound."""
    sent = regular(50)
    for n in range(20, 26):
        sent[n] = (sent[n][0], sent[20][1], sent[n][2], 101, n == 20)
    found = measured(sent)
    assert (found.timestamp_jumps, found.lost, found.markers) == (0, 0, 2)
    assert found.interval_ms is not None
    assert found.interval_ms.max == pytest.approx(20)


def test_one_packet_is_a_stream_without_intervals() -> None:
    """Nothing to divide by."""
    found = measured(regular(1))
    assert (found.packets, found.interval_ms, found.ptime_ms) == (1, None, 0)
    assert (found.drift_ppm, found.max_gap_ms) == (None, 0)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 65535),
            st.integers(0, 2**32 - 1),
            st.floats(0, 1e6),
            st.sampled_from([0, 13, 101]),
            st.integers(0, 1),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_any_stream_has_figures(sent: list[Sent]) -> None:
    """However wild; every packet is either one of its kind or a duplicate."""
    found = measured(sent)
    assert found.packets == len(sent)
    assert 0 <= found.duplicates < len(sent)
    assert found.lost >= 0
