"""The requests of one outgoing call, and what they carry from its dialog (RFC 3261 12)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from softagent.lab.endpoint import SipEndpoint
from softagent.lab.sipwire import (
    Address,
    Headers,
    Request,
    Response,
    address_uri,
    cseq,
    new_branch,
    parameter,
    uri_address,
)

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY, REFER"


@dataclass(frozen=True, slots=True)
class Dialled:
    """Whom to call, and as whom."""

    uri: str
    """Request-URI: the contact of a registered user, or extension@PBX."""
    address: Address
    """Where the first request goes."""
    from_uri: str
    from_name: str = ""
    user: str = ""
    """For digest authentication, when the PBX asks for it."""
    password: str = ""


class Dialog:
    """Writes the requests of a call. Guarded by the call that owns it."""

    def __init__(self, endpoint: SipEndpoint, dialled: Dialled) -> None:
        host, port = endpoint.address
        self.call_id = f"{secrets.token_hex(8)}@{host}"
        self.contact = f"<sip:lab@{host}:{port}>"
        self._endpoint = endpoint
        self._first_hop = dialled.address
        self._local = f'"{dialled.from_name}" <{dialled.from_uri}>;tag={secrets.token_hex(4)}'
        self._remote = f"<{dialled.uri}>"
        self._target = dialled.uri
        self._route: tuple[str, ...] = ()
        self._number = 0
        self._is_confirmed = False

    def confirm(self, answer: Response) -> None:
        """A 2xx says where the far end is, and by which way (RFC 3261 12.1.2)."""
        self._remote = answer.headers.first("To")
        self._target = address_uri(answer.headers.first("Contact"))
        self._route = tuple(reversed(answer.headers.all("Record-Route")))
        self._is_confirmed = True

    def request(
        self,
        method: str,
        *,
        number: int | None = None,
        branch: str = "",
        remote: str = "",
        fields: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        body_type: str = "application/sdp",
    ) -> Request:
        """A request of the dialog, with the next sequence number unless it is given one."""
        if number is None:
            self._number += 1
            number = self._number
        content = (("Content-Type", body_type),) if body else ()
        headers = (
            ("Via", self._endpoint.via(branch or new_branch())),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in self._route),
            ("From", self._local),
            ("To", remote or self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            ("Contact", self.contact),
            ("Allow", ALLOW),
            ("User-Agent", "softagent-lab"),
            *fields,
            *content,
        )
        return Request(method, self._target, Headers(headers), body)

    def cancel(self, invite: Request) -> Request:
        """CANCEL of an INVITE: its branch and its number (RFC 3261 9.1)."""
        number, _ = cseq(invite.headers)
        return self.request("CANCEL", number=number, branch=_branch(invite))

    def acknowledge(self, response: Response, invite: Request) -> Request:
        """ACK: within the dialog for a 2xx (RFC 3261 13.2.2.4), else of the INVITE's branch (17.1.1.3)."""
        number, _ = cseq(response.headers)
        if response.status < 300:
            return self.request("ACK", number=number)
        remote = response.headers.first("To")
        return self.request("ACK", number=number, branch=_branch(invite), remote=remote)

    def next_hop(self) -> Address:
        """Where requests go now: the first route, the far end itself, or the first hop before that."""
        if self._route:
            return uri_address(address_uri(self._route[0]))
        return uri_address(self._target) if self._is_confirmed else self._first_hop


def _branch(request: Request) -> str:
    return parameter(request.headers.first("Via"), "branch")
