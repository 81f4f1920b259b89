"""A call of ours under any sequence of responses, with its clock turned by hand."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.config import Secret
from softagent.sip.address import NameAddress, Uri
from softagent.sip.alarm import Alarm, Alarms
from softagent.sip.calling import Answered, Calling, Invitee
from softagent.sip.digest import Authenticator, Credentials
from softagent.sip.errors import MessageError
from softagent.sip.headers import Headers
from softagent.sip.hop import Hop
from softagent.sip.invite import InviteTransaction
from softagent.sip.message import Request, Response, parse
from softagent.sip.outcome import CALL_OVER
from softagent.sip.phone import Result
from softagent.sip.repetition import Timing
from softagent.sip.transaction import Transactions

PBX = Hop("192.0.2.1", 5060)
RING_SECONDS = 30.0


class Wire:
    """In the endpoint's place: the same transactions, no socket, no thread."""

    def __init__(self) -> None:
        self.now = 0.0
        self.transactions = Transactions(Timing())
        self.alarms = Alarms()
        self.sent: list[Request] = []
        self.accepted: set[str] = set()
        """Tags of telephones whose 2xx has come before any refusal."""
        self._branches = itertools.count(1)

    def invite(
        self, request: Request, destination: Hop, on_response: Callable[[Response | None], None]
    ) -> InviteTransaction:
        def take(response: Response | None) -> None:
            if response is not None and 200 <= response.status < 300:
                self.accepted.add(response.recipient.tag)
            on_response(response)

        return self.transactions.send_invite(self._complete(request), destination, self.now, take)

    def request(
        self, request: Request, destination: Hop, on_result: Callable[[Response | None], None]
    ) -> None:
        self.transactions.send_request(self._complete(request), destination, self.now, on_result)

    def send(self, request: Request, destination: Hop) -> None:
        self.transactions.outbox.append((self._complete(request).serialize(), destination))

    def cancel(self, transaction: InviteTransaction) -> None:
        self.transactions.cancel(transaction, self.now)

    def after(self, seconds: float, action: Callable[[], None]) -> Alarm:
        return self.alarms.set(self.now + seconds, action)

    def pass_time(self, seconds: float) -> None:
        """Let everything happen that is due until then."""
        end = self.now + seconds
        while (wake := min(self.transactions.next_wake, self.alarms.next_wake)) <= end:
            self.now = max(self.now, wake)
            self.transactions.wake(self.now)
            self.alarms.wake(self.now)
            self.collect()
        self.now = end

    def collect(self) -> None:
        for datagram, _ in self.transactions.outbox:
            message = parse(datagram)
            assert isinstance(message, Request)
            self.sent.append(message)
        self.transactions.outbox.clear()

    def _complete(self, request: Request) -> Request:
        via = ("Via", f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{next(self._branches)}")
        return Request(request.method, request.uri, Headers((via, *request.headers)), request.body)


class Scene:
    """One call of ours, what it told, and who has answered it."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.answers: list[Answered] = []
        self.failures: list[Result] = []
        invitee = Invitee(
            NameAddress(Uri("sip", "1000", "pbx.example")),
            Uri("sip", "1003", "pbx.example"),
            PBX,
            Uri("sip", "1000", "192.0.2.2"),
            b"v=0\r\n",
            ring_seconds=RING_SECONDS,
        )
        self.calling = Calling(
            invitee,
            self.wire,  # type: ignore[arg-type]
            Authenticator(Credentials("1000", Secret("letmein"))),
            on_answer=self.answers.append,
            on_failure=self.failures.append,
        )
        self.wire.collect()

    def hear(self, status: int, tag: str, fields: str) -> None:
        """A response to the latest INVITE."""
        invite = self.calling.invite
        copied = "".join(
            f"{name}: {value}\r\n"
            for name, value in invite.headers
            if name in ("Via", "From", "Call-ID", "CSeq")
        )
        to = f"To: {invite.need('To')};tag={tag}\r\n"
        message = parse(f"SIP/2.0 {status} Scripted\r\n{copied}{to}{fields}\r\n".encode())
        assert isinstance(message, Response)
        with contextlib.suppress(MessageError):  # the endpoint passes over what can't be read
            self.wire.transactions.receive_response(message, self.wire.now)
        self.wire.collect()

    def requests(self, method: str) -> list[Request]:
        return [request for request in self.wire.sent if request.method == method]


HERE = "Contact: <sip:1003@192.0.2.3>\r\n"
CHALLENGE = 'WWW-Authenticate: Digest realm="pbx", nonce="{}"\r\n'
FIELDS = st.sampled_from(
    [
        HERE,
        HERE + "Require: 100rel\r\nRSeq: 1\r\n",
        HERE + "Require: 100rel\r\nRSeq: 2\r\n",
        HERE + "Require: 100rel\r\n",
        HERE + "Retry-After: 3\r\n",
        HERE + CHALLENGE.format("n1"),
        HERE + CHALLENGE.format("n2"),
    ]
)
STATUSES = st.sampled_from([100, 180, 183, 200, 202, 302, 401, 404, 407, 422, 486, 491, 503, 603])
RESPONSES = st.tuples(STATUSES, st.sampled_from(["a", "b", "c"]), FIELDS)
STEPS = st.lists(st.one_of(RESPONSES, st.floats(0.0, 10.0), st.just(None)), max_size=12)


@settings(deadline=None)
@given(steps=STEPS)
def test_every_call_ends_once_and_leaves_nobody_off_the_hook(
    steps: list[tuple[int, str, str] | float | None],
) -> None:
    """Whatever comes in whatever order, giving up (None) and waiting (seconds) among it.

    The end is told once. Who has answered gets an ACK; all but the one whose call it is get a
    BYE, and that one none. After the end no INVITE goes out, and nothing is waited for.
    """
    scene = Scene()
    for step in steps:
        match step:
            case None:
                scene.calling.give_up(CALL_OVER)
                scene.wire.collect()
            case float(seconds):
                scene.wire.pass_time(seconds)
            case (status, tag, fields):
                scene.hear(status, tag, fields)
        assert len(scene.answers) + len(scene.failures) <= 1
        assert scene.calling.is_decided is bool(scene.answers or scene.failures)
    scene.wire.pass_time(1000.0)
    assert len(scene.answers) + len(scene.failures) == 1
    assert scene.calling.is_over
    assert scene.wire.transactions.is_quiet
    ours = {answered.asking.dialog.remote_tag for answered in scene.answers}
    assert ours <= scene.wire.accepted
    acknowledged = {
        ack.recipient.tag
        for ack in scene.requests("ACK")
        if ack.via.branch not in {invite.via.branch for invite in scene.requests("INVITE")}
    }
    assert acknowledged == scene.wire.accepted
    assert {bye.recipient.tag for bye in scene.requests("BYE")} == scene.wire.accepted - ours


@settings(deadline=None)
@given(steps=st.lists(RESPONSES, max_size=8))
def test_no_invite_after_the_end(steps: list[tuple[int, str, str]]) -> None:
    """Once it is given up, neither challenge nor redirection nor Retry-After begins it anew."""
    scene = Scene()
    scene.hear(180, "a", HERE)
    scene.calling.give_up(CALL_OVER)
    before = len({invite.via.branch for invite in scene.requests("INVITE")})
    for status, tag, fields in steps:
        scene.hear(status, tag, fields)
    scene.wire.pass_time(1000.0)
    assert len({invite.via.branch for invite in scene.requests("INVITE")}) == before
    assert scene.failures == [CALL_OVER]
    assert scene.requests("CANCEL")
