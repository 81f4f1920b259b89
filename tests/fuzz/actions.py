"""What the other side may do to a telephone: sensible requests in any order, and nonsense between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import seeds
from hypothesis import strategies as st
from telephone import OURS, PBX, STRANGER, Telephone

from softagent.sip.hop import Hop
from softagent.sip.message import Request

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
    """Our own side does something with its last call: answer, hang up, reject."""

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
            case Act(what) if subject.calls:
                call = subject.calls[-1]
                {
                    "answer": call.answer,
                    "hang up": call.hang_up,
                    "reject": lambda: call.reject(486),
                }[what]()
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
        call_id = f"dialog-{ask.dialog}"
        sequence = max(1, self._sequences.get(ask.dialog, 1) + ask.sequence)
        self._sequences[ask.dialog] = sequence
        self._count += 1
        branch = self._branches.get(ask.branch, f"{OURS}{self._count}")
        self._branches["last"] = branch
        if ask.method == "INVITE":
            self._branches["invite"] = branch
        tag = {"none": "", "wrong": ";tag=wrong"}.get(ask.to)
        if tag is None:
            tag = f";tag={self.subject.tags.get(call_id, 'unknown')}"
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


def _response(request: Request, status: int) -> bytes:
    copied = "".join(
        f"{name}: {value}\r\n"
        for name, value in request.headers
        if name in ("Via", "From", "To", "Call-ID", "CSeq")
    )
    challenge = 'WWW-Authenticate: Digest realm="r",nonce="n",qop="auth"\r\n'
    return f"SIP/2.0 {status} Scripted\r\n{copied}{challenge}Expires: 60\r\n\r\n".encode()


def actions(*sources: Hop, dialogs: int = 3, may_wait: float = 70.0) -> st.SearchStrategy[Action]:
    """Anything that those at `sources` may do, and what we may do meanwhile."""
    source = st.sampled_from(sources)
    ask = st.builds(
        Ask,
        st.sampled_from(METHODS),
        dialog=st.integers(0, dialogs - 1),
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
    yield st.builds(Act, st.sampled_from(("answer", "answer", "answer", "hang up", "reject")))
    yield st.just(Act("answer"))
    yield st.builds(Reply, st.integers(0, 3), st.sampled_from(STATUSES))
    yield st.builds(Wait, st.floats(0.0, may_wait))


def _likely(dialogs: int, source: Hop) -> Iterator[Ask]:
    """What a call consists of: random choices alone would seldom get one up."""
    for dialog in range(dialogs):
        yield Ask("INVITE", dialog, body=OFFER, source=source)
        yield Ask("ACK", dialog, to="ours", source=source)
        yield Ask("CANCEL", dialog, branch="invite", source=source)
        yield Ask("BYE", dialog, to="ours", sequence=1, source=source)
        for method in ("INVITE", "UPDATE"):
            yield Ask(method, dialog, to="ours", sequence=1, body=HOLD, source=source)


RINGING = (Ask("INVITE", body=OFFER),)
UP = (*RINGING, Act("answer"), Ask("ACK", to="ours"))
BEGINNINGS = st.sampled_from(((), RINGING, UP, UP))
ATTACKS = st.lists(
    actions(STRANGER).filter(lambda action: isinstance(action, Ask | Raw | Again)),
    min_size=6,
    max_size=25,
)
CALLS = st.lists(actions(PBX, PBX, STRANGER, dialogs=2), min_size=8, max_size=30)
