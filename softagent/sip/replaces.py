"""An INVITE that takes the place of a call: the Replaces header (RFC 3891)."""

from __future__ import annotations

from dataclasses import dataclass

from softagent.sip.address import parameter, parse_parameters
from softagent.sip.dialog import Dialog
from softagent.sip.errors import MessageError
from softagent.sip.message import Request

EXTENSION = "replaces"


@dataclass(frozen=True, slots=True)
class Replaces:
    """Which call is to be replaced, in the words of who sends the INVITE."""

    call_id: str
    to_tag: str
    """Ours: it would be in To in a request of the call."""
    from_tag: str
    is_early_only: bool
    """Whether it is meant for a call that still rings."""

    @classmethod
    def of(cls, invite: Request) -> Replaces | None:
        """What an INVITE says; None where it replaces nothing. Raises MessageError for what can't be read."""
        values = invite.headers.values("Replaces")
        if not values:
            return None
        call_id, _, tail = values[0].partition(";")
        fields = parse_parameters(tail)
        to_tag, from_tag = parameter(fields, "to-tag"), parameter(fields, "from-tag")
        if len(values) > 1 or not call_id.strip() or to_tag is None or from_tag is None:
            raise MessageError(f"bad Replaces: {', '.join(values)[:60]!r}")
        return cls(call_id.strip(), to_tag, from_tag, parameter(fields, "early-only") is not None)

    def means(self, dialog: Dialog) -> bool:
        """Whether that is the dialog (section 3)."""
        return (self.call_id, self.to_tag, self.from_tag) == (
            dialog.call_id,
            dialog.local_tag,
            dialog.remote_tag,
        )
