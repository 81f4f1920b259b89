"""What our telephone asks of the other side within a call: hold, resume, transfer, keys."""

from __future__ import annotations

import queue
from collections.abc import Callable

import pytest
from callee import ANSWER, Callee, Dialling, fresh
from conftest import Handset, answered
from peer import PATIENCE_SECONDS, Peer
from wire import OFFER

from softagent.media.description import Direction
from softagent.sip import sdp
from softagent.sip.message import Request
from softagent.sip.phone import Call, CallEnd, IncomingCall, Outcome, Result
from softagent.sip.refer import PARTING_SECONDS, PROGRESS_SECONDS, SILENCE_SECONDS

HELD = ANSWER.replace(b"sendrecv", b"recvonly")


class Asked:
    """A call that came in and is up, with the ends of what we ask for in it."""

    def __init__(self, peer: Peer, handset: Handset) -> None:
        self.peer = peer
        self.handset = handset
        self.call: IncomingCall
        self.call, self.tag = answered(peer, handset)
        self._results: queue.Queue[Result] = queue.Queue()
        self._sequence = 10
        peer.until_fence()

    def hold(self) -> Request:
        self.call.hold(self._results.put)
        return self.peer.request("INVITE")

    def resume(self) -> Request:
        self.call.resume(self._results.put)
        return self.peer.request("INVITE")

    def transfer(self, target: str = "1004") -> Request:
        self.call.transfer(target, self._results.put)
        return self.peer.request("REFER")

    def keys(self, keys: str) -> None:
        self.call.send_info_digits(keys, self._results.put)

    def result(self) -> Result:
        return self._results.get(timeout=PATIENCE_SECONDS)

    @property
    def has_result(self) -> bool:
        self.peer.until_fence()
        return not self._results.empty()

    def ask(self, method: str, **changes: object) -> None:
        """A request of the caller's."""
        self._sequence += 1
        self.peer.ask(method, to_tag=self.tag, **{"sequence": self._sequence, **changes})

    def notify(
        self,
        fragment: str,
        state: str = "active;expires=60",
        event: str = "refer",
        **changes: object,
    ) -> int:
        """Progress of a transfer; how our telephone takes it."""
        headers = f"Event: {event}\r\nSubscription-State: {state}\r\n"
        body = fragment.encode()
        self.ask("NOTIFY", headers=headers, kind="message/sipfrag", body=body, **changes)
        message = self.peer.expect(
            lambda m: not isinstance(m, Request) and m.cseq.method == "NOTIFY"
        )
        assert not isinstance(message, Request)
        return message.status

    def is_alive(self) -> bool:
        """Whether the call still answers."""
        self.ask("INFO")
        self.peer.response(200, "INFO")
        return self.handset.ends.empty()


@pytest.fixture
def asked(peer: Peer, handset: Handset) -> Asked:
    return Asked(peer, handset)


def direction(message: Request) -> Direction:
    return sdp.parse(message.body).media[0].direction


# Hold and resume


def test_hold_and_resume(peer: Peer, asked: Asked) -> None:
    """A re-INVITE with sendonly, later one with sendrecv; each acknowledged, the media told (RFC 3264 section 8.4)."""
    held = asked.hold()
    assert direction(held) is Direction.SENDONLY
    assert held.addresses("Contact")[0].uri.port == asked.handset.phone.local_port
    peer.reply(held, 200, f"Contact: <sip:1003@{peer.sent_by}>\r\n", HELD)
    ack = peer.request("ACK")
    assert (ack.cseq.number, ack.recipient.tag) == (held.cseq.number, "peer")
    assert asked.result().is_accepted
    assert asked.handset.moved().direction is Direction.SENDONLY
    assert asked.call.media.is_held
    resumed = asked.resume()
    assert direction(resumed) is Direction.SENDRECV
    assert resumed.cseq.number == held.cseq.number + 1
    assert sdp.parse(resumed.body).media[0].port == sdp.parse(held.body).media[0].port
    peer.reply(resumed, 200, body=ANSWER)
    peer.request("ACK")
    assert asked.result().is_accepted
    assert asked.handset.moved().direction is Direction.SENDRECV


def test_repeated_ok_to_hold_is_acknowledged_again(peer: Peer, asked: Asked) -> None:
    """And told once."""
    held = asked.hold()
    peer.reply(held, 200, body=HELD)
    first = peer.request("ACK")
    peer.reply(held, 200, body=HELD)
    assert peer.request("ACK").cseq == first.cseq
    assert asked.result().is_accepted
    assert not asked.has_result


def test_caller_is_held_from_both_sides(peer: Peer, asked: Asked) -> None:
    """While we hold, the other side's own offer doesn't undo it: sendrecv is answered with sendonly."""
    peer.reply(asked.hold(), 200, body=HELD)
    peer.request("ACK")
    asked.result()
    for offered, answered_with in (
        (OFFER, Direction.SENDONLY),
        (OFFER.replace(b"sendrecv", b"sendonly"), Direction.INACTIVE),
    ):
        asked.ask("INVITE", body=offered)
        ok = peer.response(200)
        assert sdp.parse(ok.body).media[0].direction is answered_with
        asked.ask("ACK", sequence=ok.cseq.number)


@pytest.mark.parametrize("status", [488, 403, 500])
def test_hold_is_refused(peer: Peer, asked: Asked, status: int) -> None:
    """The call goes on as it was, and can be held later."""
    peer.reply(asked.hold(), status)
    peer.request("ACK")
    assert asked.result() == Result(Outcome.REFUSED, status, "Scripted")
    assert not asked.call.media.is_held
    assert asked.is_alive()
    peer.reply(asked.hold(), 200, body=HELD)
    assert asked.result().is_accepted


def test_hold_is_never_answered(peer: Peer, asked: Asked) -> None:
    """After 64 * T1 it is given up; the call stays."""
    asked.hold()
    assert asked.result().outcome is Outcome.TIMED_OUT
    assert asked.is_alive()


@pytest.mark.parametrize("method", ["INVITE", "REFER", "INFO"])
def test_other_side_has_forgotten_the_call(peer: Peer, asked: Asked, method: str) -> None:
    """481 to anything within it ends it (section 12.2.1.2)."""
    match method:
        case "INVITE":
            request = asked.hold()
        case "REFER":
            request = asked.transfer()
        case _:
            asked.keys("1")
            request = peer.request("INFO")
    peer.reply(request, 481)
    assert asked.result().outcome is Outcome.CALL_OVER
    assert asked.handset.end() is CallEnd.FAR_END_LOST


def test_hold_with_an_answer_that_can_not_be_used(peer: Peer, asked: Asked) -> None:
    """It is acknowledged all the same, and nothing changes."""
    peer.reply(asked.hold(), 200, body=b"v=0\r\n")
    peer.request("ACK")
    result = asked.result()
    assert (result.outcome, result.status) == (Outcome.REFUSED, 200)
    assert not asked.call.media.is_held
    assert asked.is_alive()


def test_both_sides_ask_at_once(peer: Peer, asked: Asked) -> None:
    """Their re-INVITE gets 491 while ours is open; after their 491 we wait and ask again (section 14.1)."""
    held = asked.hold()
    asked.ask("INVITE", body=OFFER)
    peer.response(491)
    asked.ask("UPDATE", body=OFFER)
    peer.response(491, "UPDATE")
    peer.reply(held, 491)
    peer.request("ACK")
    again = fresh(peer, "INVITE", held)
    assert direction(again) is Direction.SENDONLY
    peer.reply(again, 200, body=HELD)
    assert asked.result().is_accepted


def test_hold_is_challenged(peer: Peer, asked: Asked) -> None:
    """The next one brings credentials."""
    peer.reply(asked.hold(), 401, 'WWW-Authenticate: Digest realm="pbx", nonce="n"\r\n')
    again = peer.expect(
        lambda m: isinstance(m, Request) and m.headers.first("Authorization") is not None
    )
    assert isinstance(again, Request)
    peer.reply(again, 200, body=HELD)
    assert peer.expect(
        lambda m: (
            isinstance(m, Request) and m.method == "ACK" and m.cseq.number == again.cseq.number
        )
    ).headers.first("Authorization")
    assert asked.result().is_accepted


def test_hold_and_resume_in_one_breath(peer: Peer, asked: Asked) -> None:
    """The second waits for the first: never two offers in the air (RFC 3264 section 4)."""
    held = asked.hold()
    asked.call.resume(asked._results.put)
    assert [m for m in peer.until_fence() if m != held] == []
    peer.reply(held, 200, body=HELD)
    assert asked.result().is_accepted
    resumed = fresh(peer, "INVITE", held)
    assert direction(resumed) is Direction.SENDRECV
    peer.reply(resumed, 200, body=ANSWER)
    assert asked.result().is_accepted


def test_hold_waits_for_the_ack(peer: Peer, handset: Handset) -> None:
    """No re-INVITE while the caller's own INVITE isn't through."""
    results: queue.Queue[Result] = queue.Queue()
    peer.invite()
    call = handset.call()
    call.answer()
    tag = peer.response(200).recipient.tag
    call.hold(results.put)
    assert [m for m in peer.until_fence() if isinstance(m, Request)] == []
    peer.ask("ACK", to_tag=tag)
    peer.reply(peer.request("INVITE"), 200, body=HELD)
    assert results.get(timeout=PATIENCE_SECONDS).is_accepted


# Blind transfer


def test_transfer_to_a_number(peer: Peer, asked: Asked) -> None:
    """REFER with Refer-To and Referred-By; NOTIFYs read to the last one; then our BYE (RFC 5589 section 6.1)."""
    refer = asked.transfer()
    assert refer.headers.first("Refer-To") == "<sip:1004@127.0.0.1>"
    assert refer.headers.first("Referred-By") == "<sip:1000@127.0.0.1>"
    assert (refer.uri, refer.recipient.tag) == (f"sip:1003@{peer.sent_by}", "peer")
    assert refer.addresses("Contact")
    peer.reply(refer, 202)
    assert asked.notify("SIP/2.0 100 Trying\r\n") == 200
    assert asked.notify("SIP/2.0 180 Ringing\r\n") == 200
    assert not asked.has_result
    assert asked.notify("SIP/2.0 200 OK\r\n", "terminated;reason=noresource") == 200
    assert asked.result() == Result(Outcome.ACCEPTED, 200, "OK")
    peer.reply(peer.request("BYE"), 200)
    assert asked.handset.end() is CallEnd.TRANSFERRED


def test_transfer_to_an_address(peer: Peer, asked: Asked) -> None:
    """What may not stand in a URI is escaped."""
    assert asked.transfer("#1004").headers.first("Refer-To") == "<sip:%231004@127.0.0.1>"


@pytest.mark.parametrize(
    ("line", "outcome", "status"),
    [
        ("SIP/2.0 486 Busy Here", Outcome.BUSY, 486),
        ("SIP/2.0 480 Temporarily Unavailable", Outcome.NO_ANSWER, 480),
        ("SIP/2.0 603 Decline", Outcome.REFUSED, 603),
        ("SIP/2.0 503 Service Unavailable", Outcome.REFUSED, 503),
    ],
)
def test_target_does_not_take_the_call(
    peer: Peer, asked: Asked, line: str, outcome: Outcome, status: int
) -> None:
    """The first call is alive, and can be transferred again."""
    peer.reply(asked.transfer(), 202)
    assert asked.notify(line, "terminated;reason=noresource") == 200
    result = asked.result()
    assert (result.outcome, result.status) == (outcome, status)
    assert asked.is_alive()
    refer = asked.transfer("1005")
    peer.reply(refer, 202)
    event = f"refer;id={refer.cseq.number}"
    assert asked.notify("SIP/2.0 200 OK", "terminated", event) == 200
    assert asked.result().is_accepted


@pytest.mark.parametrize("status", [403, 405, 501, 603])
def test_pbx_refuses_the_transfer(peer: Peer, asked: Asked, status: int) -> None:
    """Told at once; the call is alive."""
    peer.reply(asked.transfer(), status)
    assert asked.result() == Result(Outcome.REFUSED, status, "Scripted")
    assert asked.is_alive()


def test_transfer_is_challenged(peer: Peer, asked: Asked) -> None:
    """The second REFER's number is the subscription's id (RFC 3515 section 2.4.6)."""
    first = asked.transfer()
    peer.reply(first, 407, 'Proxy-Authenticate: Digest realm="pbx", nonce="n"\r\n')
    second = peer.expect(
        lambda m: isinstance(m, Request) and m.headers.first("Proxy-Authorization") is not None
    )
    assert isinstance(second, Request)
    peer.reply(second, 202)
    assert asked.notify("SIP/2.0 200 OK", event=f"refer;id={second.cseq.number}") == 200
    assert asked.result().is_accepted


def test_transfer_is_never_answered(peer: Peer, asked: Asked) -> None:
    """Neither response nor NOTIFY: timed out, the call alive."""
    asked.transfer()
    assert asked.result().outcome is Outcome.TIMED_OUT
    assert asked.is_alive()


def test_notify_overtakes_the_response(peer: Peer, asked: Asked) -> None:
    """The end may come before the 202 (RFC 3515 section 2.4.4)."""
    refer = asked.transfer()
    assert asked.notify("SIP/2.0 200 OK", "terminated") == 200
    assert asked.result().is_accepted
    peer.reply(refer, 202)
    peer.reply(peer.request("BYE"), 200)
    assert not asked.has_result


def test_notifies_out_of_order(peer: Peer, asked: Asked) -> None:
    """A late one is refused by its number and changes nothing (section 12.2.2)."""
    peer.reply(asked.transfer(), 202)
    assert asked.notify("SIP/2.0 180 Ringing", sequence=30) == 200
    assert asked.notify("SIP/2.0 100 Trying", sequence=29) == 500
    assert asked.notify("SIP/2.0 486 Busy Here", "terminated", sequence=31) == 200
    assert asked.result().outcome is Outcome.BUSY


def test_pbx_says_bye_before_the_last_notify(peer: Peer, asked: Asked) -> None:
    """The caller has been taken from us: transferred, unless bad news follows."""
    peer.reply(asked.transfer(), 202)
    asked.notify("SIP/2.0 100 Trying")
    asked.ask("BYE")
    peer.response(200, "BYE")
    assert asked.handset.end() is CallEnd.TRANSFERRED
    assert asked.notify("SIP/2.0 200 OK", "terminated") == 200
    assert asked.result() == Result(Outcome.ACCEPTED, 200, "OK")


def test_bad_news_after_the_bye(peer: Peer, asked: Asked) -> None:
    """It counts."""
    peer.reply(asked.transfer(), 202)
    asked.ask("BYE")
    peer.response(200, "BYE")
    assert asked.notify("SIP/2.0 486 Busy Here", "terminated") == 200
    assert asked.result().outcome is Outcome.BUSY


def test_pbx_says_yes_and_then_nothing(peer: Peer, asked: Asked) -> None:
    """Asterisk to a queue or mailbox: the caller is there, and our call is dead."""
    peer.reply(asked.transfer(), 202)
    assert not asked.has_result
    asked.handset.pass_time(SILENCE_SECONDS)
    assert asked.result().is_accepted
    peer.request("BYE")
    assert asked.handset.end() is CallEnd.TRANSFERRED


def test_pbx_says_bye_and_then_nothing(peer: Peer, asked: Asked) -> None:
    """No bad news within two seconds: transferred; later words find nobody."""
    peer.reply(asked.transfer(), 202)
    asked.ask("BYE")
    peer.response(200, "BYE")
    asked.handset.pass_time(PARTING_SECONDS)
    assert asked.result().is_accepted
    assert asked.notify("SIP/2.0 486 Busy Here", "terminated") == 481
    assert not asked.has_result


def test_pbx_stops_telling(peer: Peer, asked: Asked) -> None:
    """It rings and rings: timed out, and the call is there still."""
    peer.reply(asked.transfer(), 202)
    asked.notify("SIP/2.0 180 Ringing")
    asked.handset.pass_time(PROGRESS_SECONDS)
    assert asked.result().outcome is Outcome.TIMED_OUT
    assert asked.is_alive()


def test_caller_hangs_up_before_the_transfer_is_taken_on(peer: Peer, asked: Asked) -> None:
    """That is the end of the call, and no transfer."""
    refer = asked.transfer()
    asked.ask("BYE")
    peer.response(200, "BYE")
    assert asked.result().outcome is Outcome.CALL_OVER
    assert asked.handset.end() is CallEnd.CALLER_HUNG_UP
    peer.reply(refer, 481)
    assert not asked.has_result


def test_we_hang_up_during_a_transfer(peer: Peer, asked: Asked) -> None:
    """Nobody waits for it any more."""
    peer.reply(asked.transfer(), 202)
    peer.until_fence()
    asked.call.hang_up()
    assert asked.result().outcome is Outcome.CALL_OVER
    assert asked.handset.end() is CallEnd.AGENT_HUNG_UP


def test_second_transfer_has_to_wait_for_the_first(peer: Peer, asked: Asked) -> None:
    """Only one REFER goes out."""
    refer = asked.transfer()
    asked.call.transfer("1005", asked._results.put)
    assert asked.result().outcome is Outcome.REFUSED
    assert [m for m in peer.until_fence() if m != refer] == []


def test_transfer_to_nonsense(peer: Peer, asked: Asked) -> None:
    """No REFER goes out, and the reason names the target."""
    asked.call.transfer("two words", asked._results.put)
    assert "two words" in asked.result().reason
    assert peer.until_fence() == []


def test_notify_of_no_transfer(peer: Peer, asked: Asked) -> None:
    """481: nobody asked for it (RFC 6665 section 4.1.3)."""
    assert asked.notify("SIP/2.0 200 OK", "terminated") == 481
    assert asked.is_alive()


# Attended transfer


def consulted(peer: Peer, handset: Handset) -> tuple[Dialling, Callee]:
    """A second call, to whom the first is to be given."""
    dialling = Dialling(handset, "1004")
    far = Callee(peer, peer.request("INVITE"), "target")
    far.accept()
    assert dialling.result().is_accepted
    return dialling, far


def test_attended_transfer(peer: Peer, asked: Asked) -> None:
    """REFER to the consultation's far end with Replaces; then both calls end (RFC 5589 section 7.3)."""
    dialling, far = consulted(peer, asked.handset)
    asked.call.transfer_to(dialling.call, asked._results.put)
    refer = peer.request("REFER")
    assert refer.call_id == "call-1"
    replaces = f"{far.invite.call_id}%3Bto-tag%3Dtarget%3Bfrom-tag%3D{far.invite.sender.tag}"
    assert refer.headers.first("Refer-To") == (
        f"<sip:1003@{peer.sent_by};transport=udp?Replaces={replaces}>"
    )
    peer.reply(refer, 202)
    assert asked.notify("SIP/2.0 200 OK", "terminated") == 200
    assert asked.result().is_accepted
    for _ in range(2):
        peer.reply(peer.request("BYE"), 200)
    assert asked.handset.end() is CallEnd.TRANSFERRED
    assert dialling.end() is CallEnd.TRANSFERRED


def test_target_lets_go_of_the_consultation_itself(peer: Peer, asked: Asked) -> None:
    """Who has been replaced says BYE (RFC 3891 section 3): that is part of the transfer too."""
    dialling, far = consulted(peer, asked.handset)
    asked.call.transfer_to(dialling.call, asked._results.put)
    peer.reply(peer.request("REFER"), 202)
    peer.until_fence()
    far.ask("BYE")
    peer.response(200, "BYE")
    assert dialling.end() is CallEnd.TRANSFERRED
    assert asked.notify("SIP/2.0 200 OK", "terminated") == 200
    assert asked.result().is_accepted


def test_attended_transfer_fails(peer: Peer, asked: Asked) -> None:
    """Both calls are alive."""
    dialling, far = consulted(peer, asked.handset)
    asked.call.transfer_to(dialling.call, asked._results.put)
    peer.reply(peer.request("REFER"), 202)
    assert asked.notify("SIP/2.0 481 Call/Transaction Does Not Exist", "terminated") == 200
    assert (asked.result().outcome) is Outcome.REFUSED
    assert asked.is_alive()
    far.ask("INFO")
    peer.response(200, "INFO")
    assert dialling.ends.empty()
    far.ask("BYE")
    assert dialling.end() is CallEnd.CALLER_HUNG_UP


def test_call_is_not_transferred_to_itself(peer: Peer, asked: Asked) -> None:
    """Nothing is sent."""
    asked.call.transfer_to(asked.call, asked._results.put)
    assert asked.result().outcome is Outcome.REFUSED
    assert peer.until_fence() == []


def test_attended_transfer_to_who_has_not_answered(peer: Peer, asked: Asked) -> None:
    """There is nothing to replace yet, or no more."""
    dialling = Dialling(asked.handset, "1004")
    far = Callee(peer, peer.request("INVITE"))
    asked.call.transfer_to(dialling.call, asked._results.put)
    assert asked.result().outcome is Outcome.REFUSED
    far.reply(486)
    dialling.end()
    asked.call.transfer_to(dialling.call, asked._results.put)
    assert asked.result().outcome is Outcome.CALL_OVER


# Keys


def test_keys_go_out_one_after_the_other(peer: Peer, asked: Asked) -> None:
    """INFO with application/dtmf-relay, the next after the answer."""
    asked.keys("5#")
    first = peer.request("INFO")
    assert first.headers.first("Content-Type") == "application/dtmf-relay"
    assert first.body == b"Signal=5\r\nDuration=160\r\n"
    assert [m for m in peer.until_fence() if m != first] == []
    peer.reply(first, 200)
    second = fresh(peer, "INFO", first)
    assert second.body.startswith(b"Signal=#\r\n")
    peer.reply(second, 200)
    assert asked.result() == Result(Outcome.ACCEPTED, 200, "Scripted")


def test_keys_are_refused(peer: Peer, asked: Asked) -> None:
    """The first that isn't taken ends the row and is named."""
    asked.keys("12")
    peer.reply(peer.request("INFO"), 415)
    assert asked.result() == Result(Outcome.REFUSED, 415, "key 1: Scripted")
    assert peer.until_fence() == []
    assert asked.is_alive()


def test_key_that_does_not_exist(peer: Peer, asked: Asked) -> None:
    """Nothing is sent."""
    asked.keys("1x")
    assert "'X'" in asked.result().reason
    assert peer.until_fence() == []


Action = Callable[[Call, Callable[[Result], None]], None]


def test_attended_transfer_of_a_call_that_is_over(peer: Peer, asked: Asked) -> None:
    """The consultation stays as it is."""
    dialling, _ = consulted(peer, asked.handset)
    asked.ask("BYE")
    asked.handset.end()
    asked.call.transfer_to(dialling.call, asked._results.put)
    assert asked.result().outcome is Outcome.CALL_OVER
    assert dialling.ends.empty()


@pytest.mark.parametrize(
    "action",
    [
        lambda call, tell: call.hold(tell),
        lambda call, tell: call.resume(tell),
        lambda call, tell: call.transfer("1004", tell),
        lambda call, tell: call.send_info_digits("1", tell),
    ],
    ids=["hold", "resume", "transfer", "keys"],
)
def test_nothing_can_be_asked_of_a_call_that_is_over(
    peer: Peer, asked: Asked, action: Action
) -> None:
    """CALL_OVER, and not a word on the line."""
    asked.ask("BYE")
    asked.handset.end()
    peer.until_fence()
    action(asked.call, asked._results.put)
    assert asked.result().outcome is Outcome.CALL_OVER
    assert peer.until_fence() == []
