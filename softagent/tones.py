"""[account.tones]: what is done when a machine is on the line, or nobody any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from softagent.abilities import Destination


@dataclass(frozen=True, slots=True)
class ToneSettings:
    """A fax is told by its tones (T.30), a dead line by a busy or dial tone (E.180)."""

    fax: Literal["hang-up", "transfer", "ignore"] = "hang-up"
    """A fax that calls is hung up on, or put through to `fax_destination`."""
    fax_destination: str = ""
    """Name of the destination that takes faxes, with `fax = "transfer"`."""
    busy: Literal["hang-up", "ignore"] = "hang-up"
    """What a busy or dial tone leads to: it comes from a line whose caller has gone."""

    def contradictions(self) -> Iterator[str]:
        """What can't be true together, one sentence each."""
        if self.fax == "transfer" and not self.fax_destination:
            yield 'fax "transfer": expected fax_destination as well'
        if self.fax_destination and self.fax != "transfer":
            yield f'fax_destination: has no effect with fax = "{self.fax}": take it out'


def contradictions(tones: ToneSettings, destinations: Sequence[Destination]) -> Iterator[str]:
    """What doesn't go with the account's destinations, one sentence each."""
    known = [destination.name for destination in destinations]
    if tones.fax_destination and tones.fax_destination not in known:
        names = " or ".join(f'"{name}"' for name in known) or "one first"
        yield (f'tones: fax_destination "{tones.fax_destination}": there is none: expected {names}')
