"""How often the registrar hears from us, and how patient we are with it."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.config import Account


@dataclass(frozen=True, slots=True)
class Pacing:
    """The times of one registration."""

    refresh_share: float = 0.5
    """Part of the granted time after which to register again."""
    longest_refresh_seconds: float = 8.0
    """Register again at least as often: a PBX that restarted and forgot us knows us again within this."""
    answer_seconds: float = 8.0
    """How long to repeat a REGISTER before it counts as unanswered."""
    failover_seconds: float = 4.0
    """The same where there is somebody else to turn to."""
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 8.0
    """Waits after failures double from the first to the longest, each cut by up to a half (RFC 5626 section 4.5)."""
    refused_retry_seconds: float = 60.0
    """Wait after refused credentials: hammering on would get the address banned."""
    reconnect_seconds: float = 1.0
    """Shortest time from a registration to the next when its connection is lost: some close each one at once."""
    primary_check_seconds: float = 30.0
    """How often a primary registrar that has failed is asked whether it is back."""
    address_check_seconds: float = 5.0
    """How often to look whether our own address is still the same."""


PROMPT = Pacing()
"""Back within 10 s of the PBX's return."""

FLOW_FIRST_RETRY_SECONDS, FLOW_LONGEST_RETRY_SECONDS = 30.0, 1800.0
"""The waits that RFC 5626 section 4.5 proposes, for a registrar of thousands."""


def pacing_of(account: Account) -> Pacing:
    """The pacing that an account asks for."""
    prompt = account.retry == "prompt"
    return Pacing(
        longest_refresh_seconds=float(account.registration_check_seconds),
        first_retry_seconds=PROMPT.first_retry_seconds if prompt else FLOW_FIRST_RETRY_SECONDS,
        longest_retry_seconds=(
            PROMPT.longest_retry_seconds if prompt else FLOW_LONGEST_RETRY_SECONDS
        ),
    )
