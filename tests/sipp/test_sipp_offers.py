"""Offers and answers (RFC 3264) as Asterisk would never make them."""

from __future__ import annotations

import pytest
from extension import Extension
from sipp import Caller

from softagent.media.description import Direction
from softagent.sip.phone import CallEnd


@pytest.mark.parametrize("scenario", ["no_common_codec", "bad_sdp", "unsupported_body"])
def test_an_offer_that_cannot_be_taken_is_refused(
    extension: Extension, sipp: Caller, scenario: str
) -> None:
    sipp.run(scenario)
    assert extension.is_idle


def test_hold_and_resume(extension: Extension, sipp: Caller) -> None:
    """sendonly, inactive and sendrecv are answered as RFC 3264 section 6.1 has it, and told to the call."""
    with sipp("hold_resume") as caller:
        leg = extension.answered()
        directions = [leg.changed().direction for _ in range(3)]
        caller.finish()
    assert directions == [Direction.RECVONLY, Direction.INACTIVE, Direction.SENDRECV]
    assert leg.end() is CallEnd.CALLER_HUNG_UP


def test_media_that_move_to_another_port(extension: Extension, sipp: Caller) -> None:
    with sipp("moved_media") as caller:
        leg = extension.answered()
        assert leg.media is not None
        before = leg.media.remote_port
        assert leg.changed().remote_port == before + 2
        caller.finish()


def test_a_codec_change_that_cannot_be_taken_leaves_the_call_as_it_is(
    extension: Extension, sipp: Caller
) -> None:
    with sipp("refused_codec_change") as caller:
        leg = extension.answered()
        before = leg.media
        caller.finish()
    assert leg.end() is CallEnd.CALLER_HUNG_UP
    assert leg.media == before


def test_a_codec_change(extension: Extension, sipp: Caller) -> None:
    with sipp("codec_change") as caller:
        leg = extension.answered()
        assert leg.media is not None
        assert leg.media.codec == "PCMU"
        changed = leg.changed()
        caller.finish()
    assert (changed.codec, changed.payload_type) == ("PCMA", 8)


def test_an_offer_that_comes_late(extension: Extension, sipp: Caller) -> None:
    """The INVITE has none: ours is in the 200, the caller's answer in the ACK, and sound flows."""
    with sipp("delayed_offer") as caller:
        leg = extension.answered()
        agreed = leg.changed()
        leg.listen(0.3)
        caller.finish()
    assert agreed.codec == "PCMU"
    assert leg.end() is CallEnd.CALLER_HUNG_UP
    assert leg.stats().packets_sent > 0
