"""The entry points by themselves: whatever comes, nothing is raised and every answer can be sent."""

from __future__ import annotations

import pytest
import seeds
import targets
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("data", seeds.files("sip"))
def test_every_seed_is_taken(data: bytes) -> None:
    """As it is."""
    targets.sip(data)


@seeds.bounded(600)
@given(seeds.mutations("sip"))
def test_sip(data: bytes) -> None:
    """Messages of PBXs and of the torture set, damaged."""
    targets.sip(data)


@seeds.bounded(600)
@given(seeds.mutations("sdp"))
def test_descriptions(data: bytes) -> None:
    """Offers of PBXs, phones and border controllers, damaged."""
    targets.description(data)


@seeds.bounded(600)
@given(st.lists(st.one_of(seeds.mutations("rtp"), seeds.mutations("rtcp")), max_size=12))
def test_rtp(packets: list[bytes]) -> None:
    """Packets in any order: every one is counted once, and 20 ms of sound come out for each tick."""
    target = targets.RtpTarget()
    for packet in packets:
        target.push(packet)
