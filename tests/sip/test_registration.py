"""The registration's life, with numbers as time and a jitter that never cuts."""

from __future__ import annotations

import pytest
from wire import response

from softagent.config import Secret
from softagent.sip.address import Uri
from softagent.sip.alarm import NEVER
from softagent.sip.digest import Authenticator, Credentials
from softagent.sip.message import Request, Response
from softagent.sip.pacing import Pacing
from softagent.sip.phone import Registration, RegistrationState
from softagent.sip.registration import MOST_DOUBTS, Registrant

VIA = ("Via", "SIP/2.0/UDP 10.0.0.9:5100;branch=z9hG4bK1")


class Scene:
    """A registrant and the registrar's side of it."""

    def __init__(self, **pacing: float) -> None:
        self.registrant = Registrant(
            Authenticator(Credentials("1000", Secret("letmein"))),
            expires_seconds=120,
            pacing=Pacing(**pacing),
            jitter=lambda: 1.0,
        )
        self.aim("pbx.lan")
        self.registrant.contact = Uri("sip", "1000", "10.0.0.9", 5100)
        self.registrant.next_wake = 0.0
        self.now = 0.0

    def aim(self, domain: str, route: str = "", where: str = "") -> None:
        """Turn to a registrar."""
        address, registrar = Uri("sip", "1000", domain), Uri("sip", "", domain)
        self.registrant.aim(address, registrar, route=route, where=where)

    @property
    def state(self) -> RegistrationState:
        return self.registrant.registration.state

    @property
    def pause(self) -> float:
        """Seconds until the next REGISTER."""
        return self.registrant.next_wake - self.now

    def register(self) -> Request:
        """Let the time pass until the next REGISTER is due, and take it."""
        self.now = self.registrant.next_wake
        sent = self.registrant.wake(self.now)
        assert sent is not None
        return sent

    def answer(
        self, sent: Request, status: int, reason: str = "", headers: str = ""
    ) -> Request | None:
        """The registrar answers."""
        with_via = Request(sent.method, sent.uri, type(sent.headers)((VIA, *sent.headers)))
        reply: Response = response(with_via, status, reason, headers)
        return self.registrant.handle(reply, self.now)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def challenge(nonce: str, extra: str = "") -> str:
    return f'WWW-Authenticate: Digest realm="pbx", nonce="{nonce}"{extra}\r\n'


def test_registers_with_credentials(scene: Scene) -> None:
    """REGISTER, 401, REGISTER with an answer, 200."""
    first = scene.register()
    assert scene.state is RegistrationState.REGISTERING
    assert first.uri == "sip:pbx.lan"
    assert first.headers.first("Authorization") is None
    second = scene.answer(first, 401, "Unauthorized", challenge("a"))
    assert second is not None
    assert 'nonce="a"' in second.need("Authorization")
    assert second.call_id == first.call_id
    assert second.cseq.number == first.cseq.number + 1
    assert scene.answer(second, 200, "OK", "Expires: 60\r\n") is None
    assert scene.registrant.registration == Registration(
        RegistrationState.REGISTERED, "200 OK", expires_seconds=60
    )


def test_next_registration_answers_unasked(scene: Scene) -> None:
    """The nonce is used again, with its count, until the registrar wants another."""
    second = scene.answer(scene.register(), 401, "", challenge("a", ', qop="auth"'))
    assert second is not None
    scene.answer(second, 200, "OK")
    third = scene.register()
    assert "nc=00000002" in third.need("Authorization")
    fourth = scene.answer(third, 401, "", challenge("b", ', qop="auth", stale=true'))
    assert fourth is not None
    assert "nc=00000001" in fourth.need("Authorization")
    assert scene.state is RegistrationState.REGISTERED


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ("Contact: <sip:1000@10.0.0.9:5100>;expires=20\r\nExpires: 3600\r\n", 20),
        ("Contact: <sip:1000@1.1.1.1>;expires=9, <sip:1000@10.0.0.9:5100>;expires=30\r\n", 30),
        ("Contact: <sip:1000@203.0.113.5:40000>;expires=40\r\n", 40),
        ("Contact: <sip:2000@1.1.1.1>;expires=9\r\nExpires: 50\r\n", 50),
        ("Expires: 70\r\n", 70),
        ("Contact: nonsense\r\n", 120),
        ("", 120),
    ],
)
def test_granted_time(scene: Scene, headers: str, granted: int) -> None:
    """Our contact's own expires, then Expires, then what we asked for (section 10.2.4)."""
    scene.answer(scene.register(), 200, "OK", headers)
    assert scene.registrant.registration.expires_seconds == granted


@pytest.mark.parametrize(("granted", "pause"), [(120, 60), (20, 10), (3600, 100)])
def test_refreshes_well_before_the_granted_expiry(granted: int, pause: float) -> None:
    """At half of what was granted, or sooner."""
    scene = Scene(longest_refresh_seconds=100)
    scene.answer(scene.register(), 200, "OK", f"Expires: {granted}\r\n")
    assert scene.pause == pause
    scene.register()
    assert scene.state is RegistrationState.REGISTERED


def test_a_forgetful_pbx_hears_from_us_within_ten_seconds(scene: Scene) -> None:
    """However long was granted: a PBX that restarts may have forgotten us."""
    scene.answer(scene.register(), 200, "OK", "Expires: 3600\r\n")
    assert scene.pause <= 8


def test_retries_for_ever_and_stays_within_ten_seconds(scene: Scene) -> None:
    """1, 2, 4, 8, 8, ... seconds: once the PBX is back it hears from us within 10."""
    pauses = []
    for _ in range(200):
        scene.register()
        scene.registrant.handle_failure("no answer from pbx.lan:5060", scene.now)
        pauses.append(scene.pause)
    assert pauses[:5] == [1, 2, 4, 8, 8]
    assert max(pauses) == 8
    assert scene.registrant.registration == Registration(
        RegistrationState.FAILED, "no answer from pbx.lan:5060"
    )
    scene.answer(scene.register(), 200, "OK")
    assert scene.state is RegistrationState.REGISTERED
    scene.register()
    scene.registrant.handle_failure("no answer", scene.now)
    assert scene.pause == 1


def test_jitter_cuts_up_to_half() -> None:
    """Uniform between 50 and 100 % (RFC 5626 section 4.5): not all phones come at once."""
    scene = Scene()
    scene.registrant._jitter = lambda: 0.0
    scene.register()
    scene.registrant.handle_failure("no answer", scene.now)
    assert scene.pause == 0.5


def test_refused_credentials(scene: Scene) -> None:
    """A second challenge with a fresh nonce that isn't stale: the password is wrong."""
    second = scene.answer(scene.register(), 401, "Unauthorized", challenge("a"))
    assert second is not None
    assert scene.answer(second, 401, "Unauthorized", challenge("b")) is None
    assert scene.registrant.registration == Registration(
        RegistrationState.FAILED, "401 Unauthorized", is_refused=True
    )
    assert scene.pause == 60
    again = scene.answer(scene.register(), 401, "Unauthorized", challenge("c"))
    assert again is not None
    scene.answer(again, 200, "OK")
    assert scene.state is RegistrationState.REGISTERED


def test_credentials_that_were_good_may_be_so_again(scene: Scene) -> None:
    """A PBX that starts refuses whom it doesn't know yet; only if it insists there is a long pause."""
    scene.answer(scene.register(), 200, "OK")
    pauses = []
    for _ in range(MOST_DOUBTS + 1):
        scene.answer(scene.register(), 403, "Forbidden")
        assert scene.registrant.registration.is_refused
        pauses.append(scene.pause)
    assert pauses == [1, 2, 4, 60]
    scene.answer(scene.register(), 200, "OK")
    scene.answer(scene.register(), 403, "Forbidden")
    assert scene.pause == 1


def test_forbidden_is_refused(scene: Scene) -> None:
    """403 needs no second try."""
    scene.answer(scene.register(), 403, "Forbidden")
    assert scene.registrant.registration.is_refused


def test_unknown_extension_is_a_failure_but_no_refusal(scene: Scene) -> None:
    """404, 503 and the like are tried again soon."""
    scene.answer(scene.register(), 404, "Not Found")
    assert scene.registrant.registration == Registration(RegistrationState.FAILED, "404 Not Found")
    assert scene.pause == 1


def test_stale_nonce_is_no_refusal(scene: Scene) -> None:
    """stale=true says that the credentials were right."""
    second = scene.answer(scene.register(), 401, "", challenge("a"))
    assert second is not None
    third = scene.answer(second, 401, "", challenge("b", ", stale=true"))
    assert third is not None
    assert 'nonce="b"' in third.need("Authorization")


def test_endless_stale_nonces_are_given_up(scene: Scene) -> None:
    """A registrar that finds every nonce stale gets a pause, not a flood."""
    sent: Request | None = scene.register()
    count = 0
    while sent is not None:
        count += 1
        sent = scene.answer(sent, 401, "", challenge(f"n{count}", ", stale=true"))
    assert count == 5
    assert scene.state is RegistrationState.FAILED
    assert not scene.registrant.registration.is_refused


def test_challenge_that_can_not_be_answered(scene: Scene) -> None:
    """The reason says what was wrong."""
    assert scene.answer(scene.register(), 401, "Unauthorized") is None
    registration = scene.registrant.registration
    assert registration.reason == "401 Unauthorized, with no challenge that can be answered"
    assert not registration.is_refused


def test_proxy_challenge(scene: Scene) -> None:
    """407 is answered like 401, in its own header."""
    line = 'Proxy-Authenticate: Digest realm="p", nonce="a"\r\n'
    second = scene.answer(scene.register(), 407, "", line)
    assert second is not None
    assert second.headers.first("Proxy-Authorization")


def test_interval_too_brief(scene: Scene) -> None:
    """423 names the least it takes, which is asked for from then on (section 10.2.8)."""
    second = scene.answer(scene.register(), 423, "Interval Too Brief", "Min-Expires: 600\r\n")
    assert second is not None
    assert second.headers.first("Expires") == "600"
    scene.answer(second, 200, "OK")
    assert scene.registrant.registration.expires_seconds == 600
    assert scene.register().headers.first("Expires") == "600"


@pytest.mark.parametrize("headers", ["", "Min-Expires: soon\r\n", "Min-Expires: 60\r\n"])
def test_interval_too_brief_without_sense(scene: Scene, headers: str) -> None:
    """423 that names nothing longer is a failure, not a loop."""
    assert scene.answer(scene.register(), 423, "Interval Too Brief", headers) is None
    assert scene.state is RegistrationState.FAILED


def test_nothing_is_due_while_it_is_taken_back(scene: Scene) -> None:
    """Whoever wants another REGISTER then is too late, and doesn't keep the thread awake."""
    scene.answer(scene.register(), 200, "OK")
    scene.registrant.remove()
    scene.registrant.next_wake = 0.0
    assert scene.registrant.wake(scene.now) is None
    assert scene.registrant.next_wake == NEVER


def test_removal(scene: Scene) -> None:
    """Expires: 0, challenged or not."""
    scene.answer(scene.register(), 200, "OK")
    sent = scene.registrant.remove()
    assert sent is not None
    assert sent.headers.first("Expires") == "0"
    again = scene.answer(sent, 401, "", challenge("z", ", stale=true"))
    assert again is not None
    assert again.headers.first("Expires") == "0"
    assert not scene.registrant.is_removed
    scene.answer(again, 200, "OK")
    assert scene.registrant.is_removed
    assert scene.state is RegistrationState.UNREGISTERED


def test_removal_that_is_not_answered(scene: Scene) -> None:
    """No answer is the end of it too."""
    scene.answer(scene.register(), 200, "OK")
    assert scene.registrant.remove() is not None
    scene.registrant.handle_failure("no answer", scene.now)
    assert scene.registrant.is_removed


def test_nothing_to_remove(scene: Scene) -> None:
    """Without a registration nothing is sent, and nothing afterwards."""
    scene.register()
    scene.registrant.handle_failure("no answer", scene.now)
    assert scene.registrant.remove() is None
    assert scene.registrant.is_removed
    assert scene.registrant.wake(1e9) is None


def test_password_is_never_written(scene: Scene) -> None:
    """Digest sends a hash only."""
    second = scene.answer(scene.register(), 401, "", challenge("a"))
    assert second is not None
    assert b"letmein" not in second.serialize()


@pytest.mark.parametrize(
    ("status", "headers", "is_unavailable"),
    [
        (500, "", True),
        (503, "", True),
        (408, "", True),
        (404, "", False),
        (403, "", False),
        (603, "", False),
    ],
)
def test_failures_that_another_server_may_not_have(
    scene: Scene, status: int, headers: str, is_unavailable: bool
) -> None:
    """This server's own (RFC 3263 section 4.3), in contrast to what every one would say."""
    scene.answer(scene.register(), status, "No", headers)
    assert scene.state is RegistrationState.FAILED
    assert scene.registrant.is_unavailable is is_unavailable


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ("Retry-After: 30\r\n", 30),
        ("Retry-After: 30 (maintenance);duration=60\r\n", 30),
        ("Retry-After: 99999\r\n", 1800),
        ("Retry-After: soon\r\n", 1),
        ("Retry-After: 0\r\n", 1),
    ],
)
def test_retry_after(scene: Scene, headers: str, pause: float) -> None:
    """Waits as long as asked, within reason."""
    scene.answer(scene.register(), 503, "Service Unavailable", headers)
    assert scene.pause == pause


def test_service_route_is_kept(scene: Scene) -> None:
    """As the latest 200 gives it, in its order (RFC 3608 section 6.1)."""
    scene.answer(scene.register(), 200, "OK", "Service-Route: <sip:a;lr>, <sip:b;lr>\r\n")
    assert scene.registrant.service_route == ("<sip:a;lr>", "<sip:b;lr>")
    scene.answer(scene.register(), 200, "OK", "Path: <sip:p;lr>\r\n")
    assert scene.registrant.service_route == ()


def test_several_contacts_in_the_answer(scene: Scene) -> None:
    """Others' and instance ids among them; ours says what was granted (RFC 5626 section 6)."""
    contacts = (
        "Contact: <sip:1000@10.0.0.7:5060>;expires=3000, "
        '<sip:1000@10.0.0.9:5100>;expires=40;reg-id=1;+sip.instance="<urn:uuid:1>"\r\n'
    )
    scene.answer(scene.register(), 200, "OK", contacts)
    assert scene.registrant.registration.expires_seconds == 40


def test_a_new_contact_takes_the_old_ones_place(scene: Scene) -> None:
    """In one request: a registrar that allows a single contact would refuse a second one."""
    scene.answer(scene.register(), 200, "OK")
    old, new = scene.registrant.contact, Uri("sip", "1000", "198.51.100.7", 40000)
    scene.registrant.contact = new
    moved = scene.register()
    assert moved.headers.first("Contact") == f"<{new}>, <{old}>;expires=0"
    scene.answer(moved, 200, "OK")
    assert scene.register().headers.first("Contact") == f"<{new}>"


def test_another_registrar_knows_no_old_contact(scene: Scene) -> None:
    """There is nothing to take back there; the proxy's route goes along."""
    scene.answer(scene.register(), 200, "OK")
    scene.aim("backup.lan", route="<sip:proxy.lan;lr>", where="192.0.2.9:5060")
    scene.registrant.contact = Uri("sip", "1000", "10.0.0.8", 5100)
    sent = scene.register()
    assert sent.uri == "sip:backup.lan"
    assert sent.need("To") == "<sip:1000@backup.lan>"
    assert sent.headers.first("Contact") == "<sip:1000@10.0.0.8:5100>"
    assert sent.headers.first("Route") == "<sip:proxy.lan;lr>"
    scene.answer(sent, 200, "OK")
    assert scene.registrant.registration.registrar == "192.0.2.9:5060"


def test_redirections_are_the_owners_to_follow(scene: Scene) -> None:
    """The best first, by q (section 8.1.3.4)."""
    contacts = "Contact: <sip:b.lan>;q=0.5, <sip:a.lan;transport=tcp>\r\n"
    assert scene.answer(scene.register(), 302, "Moved Temporarily", contacts) is None
    assert [uri.host for uri in scene.registrant.redirections] == ["a.lan", "b.lan"]
    scene.answer(scene.register(), 200, "OK")
    assert scene.registrant.redirections == ()


def test_the_next_nonce_is_used_unasked(scene: Scene) -> None:
    """Authentication-Info spares the next challenge (RFC 7616 section 3.5), counted from 1 again."""
    second = scene.answer(scene.register(), 401, "", challenge("a", ', qop="auth"'))
    assert second is not None
    scene.answer(second, 200, "OK", 'Authentication-Info: qop=auth, nextnonce="b"\r\n')
    third = scene.register().need("Authorization")
    assert 'nonce="b"' in third
    assert "nc=00000001" in third


def test_several_challenges_in_one_response(scene: Scene) -> None:
    """A forking proxy's own and the registrar's: each gets its header (section 22.3)."""
    both = challenge("a") + 'Proxy-Authenticate: Digest realm="proxy", nonce="p"\r\n'
    second = scene.answer(scene.register(), 401, "Unauthorized", both)
    assert second is not None
    assert 'nonce="a"' in second.need("Authorization")
    assert 'nonce="p"' in second.need("Proxy-Authorization")


def test_challenges_in_sequence(scene: Scene) -> None:
    """The proxy's first, then the registrar's, each answered with the other's kept."""
    proxy = 'Proxy-Authenticate: Digest realm="proxy", nonce="p"\r\n'
    second = scene.answer(scene.register(), 407, "", proxy)
    assert second is not None
    third = scene.answer(second, 401, "", challenge("a"))
    assert third is not None
    assert third.headers.first("Authorization")
    assert third.headers.first("Proxy-Authorization")
    assert scene.answer(third, 401, "", challenge("b")) is None
    assert scene.registrant.registration.is_refused
