"""What we ask of the other side, and SIPp answers."""

from __future__ import annotations

import pytest
from extension import Extension
from sipp import Caller


@pytest.mark.parametrize("scenario", ["glare", "glare_theirs"])
def test_both_sides_change_the_media_at_once(
    extension: Extension, sipp: Caller, scenario: str
) -> None:
    """Refused with 491 by either side (RFC 3261 section 14), ours succeeds in the end."""
    with sipp(scenario) as caller:
        leg = extension.answered()
        leg.listen(0.3)
        assert leg.do(leg.call.hold).is_accepted
        caller.finish()
