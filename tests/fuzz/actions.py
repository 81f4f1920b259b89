"""What the other side may do to a telephone: sensible requests in any order, and nonsense between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import seeds
from hypothesis import strategies as st
from telephone import OURS, PBX, STRANGER, Telephone

from softagent.sip.hop import Hop
from softagent.sip.message import Request
from softagent.sip.pyvoip import ReceivedCall

METHODS = (
    *("INVITE", "INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "INFO", "OPTIONS", "NOTIFY", "PRACK"),
    *("MESSAGE", "REFER", "SUBSCRIBE", "REGISTER", "FOO"),
)
HEADERS = (
    *("", "", "Require: timer\r\n", "Supported: timer, 100rel\r\nSession-Expires: 90\r\n"),
    *("Session-Expires: 5\r\n", "Contact: <sip:a@192.0.2.9>\r\n", "Contact: <tel:1>\r\n"),
    *("Replaces: dialog-0;to-tag=1;from-tag=2\r\n", "Record-Route: <sip:127.0.0.1>\r\n"),
    *("Refer-To: <sip:1002@127.0.0.1>\r\n", "RAck: 1 1 INVITE\r\n", "Retry-After: 1\r\n"),
    *("Content-Type: text/plain\r\n", "Event: refer\r\nSubscription-State: active\r\n"),
)
OFFER, _, _, HOLD, _ = seeds.files("sdp")
BODIES = (b"", *seeds.files("sdp"))
STATUSES = (100, 180, 183, 200, 302, 401, 407, 408, 423, 481, 491, 500, 503, 603)
PEER_TAG = "peer"
OUTGOING = -1
"""The dialog of the last call that we have begun."""
PROGRESS = (
    "Event: refer\r\nSubscription-State: active\r\nContent-Type: message/sipfrag;version=2.0\r\n"
)
DEEDS = ("answer", "hang up", "reject", "hold", "resume", "transfer", "consult", "digits", "call")


@dataclass(frozen=True)
class Ask:
    """A request, sound in itself."""

    method: str
    dialog: int = 0
    to: str = "none"
    """none, ours or wrong: the To tag."""
    sequence: int = 0
    """From the one before, it may go back."""
    branch: str = "new"
    """new, or that of the last request or the last INVITE."""
    body: bytes = b""
    headers: str = ""
    source: Hop = PBX


@dataclass(frozen=True)
class Raw:
    """Any bytes."""

    data: bytes = field(repr=False)
    source: Hop = PBX


@dataclass(frozen=True)
class Again:
    """One of the last datagrams once more."""

    back: int


@dataclass(frozen=True)
class Act:
    """Our own side does something, mostly with its last call."""

    what: str


@dataclass(frozen=True)
class Reply:
    """A response to one of our last requests."""

    back: int
    status: int


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: float


Action = Ask | Raw | Again | Act | Reply | Wait


class Caller:
    """Carries the actions out."""

    def __init__(self, subject: Telephone) -> None:
        self.subject = subject
        self._sequences: dict[int, int] = {}
        self._count = 0
        self._branches = {"last": f"{OURS}0", "invite": f"{OURS}0"}
        self._delivered: list[tuple[bytes, Hop]] = []

    def do(self, action: Action) -> None:
        """Do it, and let what follows at once follow."""
        subject = self.subject
        match action:
            case Ask():
                self._deliver(self._request(action), action.source)
            case Raw():
                self._deliver(action.data, action.source)
            case Again(back) if self._delivered:
                data, source = self._delivered[-1 - back % len(self._delivered)]
                subject.deliver(data, source)
            case Act("call"):
                subject.call()
                subject.wait(0.0)
            case Act(what) if subject.calls:
                _act(what, subject)
                subject.wait(0.0)
            case Reply(back, status) if subject.requests:
                request = subject.requests[-1 - back % len(subject.requests)]
                self._deliver(_response(request, status), PBX)
            case Wait(seconds):
                subject.wait(seconds)
            case _:
                pass

    def _deliver(self, data: bytes, source: Hop) -> None:
        self._delivered.append((data, source))
        self.subject.deliver(data, source)

    def _request(self, ask: Ask) -> bytes:
        call_id, ours = f"dialog-{ask.dialog}", self.subject.tags.get(f"dialog-{ask.dialog}", "")
        if ask.dialog == OUTGOING and (invite := self.subject.last_invite) is not None:
            call_id, ours = invite.call_id, invite.sender.tag
        sequence = max(1, self._sequences.get(ask.dialog, 1) + ask.sequence)
        self._sequences[ask.dialog] = sequence
        self._count += 1
        branch = self._branches.get(ask.branch, f"{OURS}{self._count}")
        self._branches["last"] = branch
        if ask.method == "INVITE":
            self._branches["invite"] = branch
        tag = {"none": "", "wrong": ";tag=wrong"}.get(ask.to, f";tag={ours}")
        has_type = "Content-Type" in ask.headers or not ask.body
        kind = "" if has_type else "Content-Type: application/sdp\r\n"
        head = (
            f"{ask.method} sip:1000@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {ask.source};branch={branch};rport\r\n"
            f"From: <sip:1003@127.0.0.1>;tag={PEER_TAG}\r\nTo: <sip:1000@127.0.0.1>{tag}\r\n"
            f"Call-ID: {call_id}\r\nCSeq: {sequence} {ask.method}\r\nMax-Forwards: 70\r\n"
            f"{ask.headers}{kind}Content-Length: {len(ask.body)}\r\n\r\n"
        )
        return head.encode() + ask.body


def _act(what: str, subject: Telephone) -> None:
    call = subject.calls[-1]
    match what:
        case "answer" | "reject" if isinstance(call, ReceivedCall):
            call.answer() if what == "answer" else call.reject(486)
        case "hang up":
            call.hang_up()
        case "hold":
            call.hold(subject.result())
        case "resume":
            call.resume(subject.result())
        case "transfer":
            call.transfer("1002", subject.result())
        case "consult":
            subject.calls[0].transfer_to(call, subject.result())
        case "digits":
            call.send_info_digits("12#", subject.result())
        case _:
            pass


def _response(request: Request, status: int) -> bytes:
    has_tag = bool(request.recipient.tag) or status == 100
    copied = "".join(
        f"{name}: {value}{'' if name != 'To' or has_tag else f';tag={PEER_TAG}'}\r\n"
        for name, value in request.headers
        if name in ("Via", "From", "To", "Call-ID", "CSeq")
    )
    body = OFFER if request.method == "INVITE" and status in (183, 200) else b""
    more = (
        'WWW-Authenticate: Digest realm="r",nonce="n",qop="auth"\r\nExpires: 60\r\n'
        f"Contact: <sip:1002@{PBX}>\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return f"SIP/2.0 {status} Scripted\r\n{copied}{more}".encode() + body


def actions(*sources: Hop, dialogs: int = 3, may_wait: float = 70.0) -> st.SearchStrategy[Action]:
    """Anything that those at `sources` may do, and what we may do meanwhile."""
    source = st.sampled_from(sources)
    ask = st.builds(
        Ask,
        st.sampled_from(METHODS),
        dialog=st.integers(OUTGOING, dialogs - 1),
        to=st.sampled_from(("none", "ours", "ours", "wrong")),
        sequence=st.sampled_from((0, 0, 1, 1, 2, -1)),
        branch=st.sampled_from(("new", "new", "new", "last", "invite")),
        body=st.sampled_from(BODIES),
        headers=st.sampled_from(HEADERS),
        source=source,
    )
    likely = st.sampled_from(tuple(_likely(dialogs, sources[0])))
    raw = st.builds(Raw, seeds.mutations("sip"), source=source)
    again = st.builds(Again, st.integers(0, 3))
    return st.one_of(likely, likely, likely, ask, ask, raw, again, *_ours(may_wait))


def _ours(may_wait: float) -> Iterator[st.SearchStrategy[Action]]:
    yield st.builds(Act, st.sampled_from(DEEDS))
    yield st.sampled_from((Act("answer"), Act("call"), Act("hold"), Act("transfer")))
    yield st.builds(Reply, st.integers(0, 1), st.sampled_from((180, 200, 202)))
    yield st.builds(Reply, st.integers(0, 3), st.sampled_from(STATUSES))
    yield st.builds(Wait, st.floats(0.0, may_wait))


def _likely(dialogs: int, source: Hop) -> Iterator[Ask]:
    """What a call consists of: random choices alone would seldom get one up."""
    for dialog in (OUTGOING, *range(dialogs)):
        yield Ask("INVITE", dialog, body=OFFER, source=source)
        yield Ask("ACK", dialog, to="ours", source=source)
        yield Ask("CANCEL", dialog, branch="invite", source=source)
        yield Ask("BYE", dialog, to="ours", sequence=1, source=source)
        for method in ("INVITE", "UPDATE"):
            yield Ask(method, dialog, to="ours", sequence=1, body=HOLD, source=source)
        for status in (b"100 Trying", b"200 OK", b"486 Busy"):
            yield Ask(
                *("NOTIFY", dialog, "ours", 1),
                body=b"SIP/2.0 " + status,
                headers=PROGRESS,
                source=source,
            )


RINGING = (Ask("INVITE", body=OFFER),)
UP = (*RINGING, Act("answer"), Ask("ACK", to="ours"))
CALLING = (Act("call"), Reply(0, 180))
THROUGH = (*CALLING, Reply(0, 200))
BEGINNINGS = st.sampled_from(((), RINGING, UP, (*UP, Act("hold"), Reply(0, 200)), CALLING, THROUGH))
ATTACKS = st.lists(
    actions(STRANGER).filter(lambda action: isinstance(action, Ask | Raw | Again)),
    min_size=6,
    max_size=25,
)
CALLS = st.lists(actions(PBX, PBX, STRANGER, dialogs=2), min_size=8, max_size=30)
