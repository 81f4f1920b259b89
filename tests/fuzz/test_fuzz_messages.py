"""The entry points by themselves: whatever comes, nothing is raised and every answer can be sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import script
import seeds
import targets
from hypothesis import given
from hypothesis import strategies as st

from softagent.sip.errors import MessageError
from softagent.sip.framing import Framer

SEEDS = [
    *((targets.sip, data) for data in seeds.files("sip")),
    *((targets.description, data) for data in seeds.files("sdp")),
    *((targets.rtp, data) for data in (*seeds.files("rtp"), *seeds.files("rtcp"))),
    *((targets.rtcp, data) for data in (*seeds.files("rtcp"), *seeds.files("rtp"))),
    *((script.run, data) for data in seeds.files("calls")),
]


@pytest.mark.parametrize(("target", "data"), SEEDS)
def test_every_seed_is_taken(target: Callable[[bytes], None], data: bytes) -> None:
    """As it is: what the coverage-guided fuzzer begins with."""
    target(data)


@seeds.bounded(600)
@given(seeds.mutations("sip"))
def test_sip(data: bytes) -> None:
    """Messages of PBXs and of the torture set, damaged."""
    targets.sip(data)


def framed(chunks: list[bytes]) -> tuple[list[bytes], bool]:
    """The messages in a stream that comes in these pieces, and whether it could be read to its end."""
    framer, frames = Framer(), []
    try:
        for chunk in chunks:
            frames += framer.feed(chunk)
    except MessageError:
        return frames, False
    return frames, True


@seeds.bounded(200)
@given(st.lists(seeds.mutations("sip"), max_size=4), st.lists(st.integers(1, 300), max_size=40))
def test_streams(messages: list[bytes], sizes: list[int]) -> None:
    """However a stream is cut up, the same messages come out of it, and nothing but what was in it."""
    stream = b"".join(messages)
    chunks, start = [], 0
    for size in sizes:
        chunks.append(stream[start : start + size])
        start += size
    chunks.append(stream[start:])
    frames, is_whole = framed(chunks)
    assert (frames, is_whole) == framed([stream])
    for frame in frames:
        assert frame in stream
        targets.sip(frame)


@seeds.bounded(300)
@given(seeds.mutations("sdp"))
def test_descriptions(data: bytes) -> None:
    """Offers of PBXs, phones and border controllers, damaged."""
    targets.description(data)


@seeds.bounded(400)
@given(st.lists(seeds.mutations("rtcp"), max_size=6))
def test_rtcp(compounds: list[bytes]) -> None:
    """Reports in any order: ours go on, and what they say stays within bounds."""
    target = targets.RtcpTarget()
    for compound in compounds:
        target.push(compound)


@seeds.bounded(150)
@given(st.lists(st.one_of(seeds.mutations("rtp"), seeds.mutations("rtcp")), max_size=12))
def test_rtp(packets: list[bytes]) -> None:
    """Packets in any order: every one is counted once, and 20 ms of sound come out for each tick."""
    target = targets.RtpTarget()
    for packet in packets:
        target.push(packet)
