"""The far end of a call that our telephone begins, on the scripted PBX's socket."""

from __future__ import annotations

import queue

from conftest import Handset
from peer import PATIENCE_SECONDS, Peer
from wire import OFFER

from softagent.sip.message import Request, Response
from softagent.sip.phone import CallEnd, MediaDescription, OutgoingCall, Result


def fresh(peer: Peer, method: str, *known: Request) -> Request:
    """The next request of that method which is no copy of those known: T1 is short here."""
    message = peer.expect(
        lambda m: isinstance(m, Request) and m.method == method and m not in known
    )
    assert isinstance(message, Request)
    return message


ANSWER = OFFER.replace(b" 0 8 101", b" 0 101").replace(b"a=rtpmap:8 PCMA/8000\r\n", b"")


class Dialling:
    """A call that we have begun, with all that it reports."""

    def __init__(self, handset: Handset, target: str = "1003", **settings: float) -> None:
        self.results: queue.Queue[Result] = queue.Queue()
        self.ends: queue.Queue[CallEnd] = queue.Queue()
        self.moves: queue.Queue[MediaDescription] = queue.Queue()
        self.call: OutgoingCall = handset.phone.call(target, self.results.put, **settings)
        self.call.on_end(self.ends.put)
        self.call.on_media(self.moves.put)

    def result(self) -> Result:
        """What became of the call, or of what was asked for last."""
        return self.results.get(timeout=PATIENCE_SECONDS)

    def end(self) -> CallEnd:
        return self.ends.get(timeout=PATIENCE_SECONDS)

    def moved(self) -> MediaDescription:
        return self.moves.get(timeout=PATIENCE_SECONDS)


class Callee:
    """One telephone that an INVITE of ours rings at."""

    def __init__(self, peer: Peer, invite: Request, tag: str = "far") -> None:
        self.peer = peer
        self.invite = invite
        self.tag = tag
        self._sequence = 100

    @property
    def contact(self) -> str:
        transport = self.peer.transport.lower()
        return f"Contact: <sip:1003@{self.peer.sent_by};transport={transport}>\r\n"

    def reply(
        self, status: int, headers: str = "", body: bytes = b"", *, to: Request | None = None
    ) -> None:
        """Respond to the INVITE, or another request of ours, with our tag."""
        asked = to or self.invite
        fields = "".join(
            f"{name}: {value}\r\n"
            for name, value in asked.headers
            if name in ("Via", "From", "Call-ID", "CSeq")
        )
        tag = "" if asked.recipient.tag or status == 100 else f";tag={self.tag}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        head = (
            f"SIP/2.0 {status} Scripted\r\n{fields}To: {asked.need('To')}{tag}\r\n"
            f"{headers}{kind}Content-Length: {len(body)}\r\n\r\n"
        )
        self.peer.send(head.encode() + body)

    def accept(self, headers: str = "", body: bytes = ANSWER) -> Request:
        """Pick up; the ACK."""
        self.reply(200, self.contact + headers, body)
        return self.peer.request("ACK")

    def ask(self, method: str, **changes: object) -> bytes:
        """Send the telephone a request within the dialog."""
        self._sequence += 1
        standard = {
            "sequence": self._sequence,
            "call": self.invite.call_id,
            "from_tag": self.tag,
            "to_tag": self.invite.sender.tag,
        }
        return self.peer.ask(method, **{**standard, **changes})

    def notify(self, fragment: str, state: str = "active;expires=60", **changes: object) -> int:
        """Progress of a transfer; how the telephone takes it."""
        fields = f"Event: refer\r\nSubscription-State: {state}\r\n"
        self.ask(
            "NOTIFY", headers=fields, kind="message/sipfrag", body=fragment.encode(), **changes
        )
        message = self.peer.expect(lambda m: isinstance(m, Response) and m.cseq.method == "NOTIFY")
        assert isinstance(message, Response)
        return message.status
