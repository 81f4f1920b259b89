"""The doorman: who gets in, what the others are told, and what is kept of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import request

from softagent.config import AccessSettings
from softagent.sip.admission import (
    MOST_SOURCES,
    MOST_TRUSTED,
    Admission,
    Reason,
    Refusal,
    shown_method,
    site_of,
)
from softagent.sip.message import Request

PBX, BRANCH_OFFICE, STRANGER = "192.0.2.10", "198.51.100.7", "203.0.113.5"
RATE = 10


def doorman(
    *,
    from_: tuple[str, ...] = (),
    callers: tuple[str, ...] = (),
    known: bool = False,
    repeated: bool = False,
) -> Admission:
    settings = AccessSettings(allow_from=from_, allow_callers=callers, requests_per_second=RATE)
    admission = Admission(settings, is_known=lambda _: known, is_repeated=lambda _: repeated)
    admission.trust([PBX])
    return admission


def knock(admission: Admission, host: str, now: float, method: str = "INVITE") -> Refusal | None:
    """What becomes of a datagram with one request."""
    return admission.before_reading(host, now) or admission.of_source(request(method), host, now)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "NOTIFY", "MESSAGE", "CANCEL", "FOO"])
def test_strangers_are_refused(method: str) -> None:
    """403 and a line in the log; the PBX is let in."""
    admission = doorman()
    assert knock(admission, PBX, 0.0, method) is None
    assert knock(admission, STRANGER, 0.0, method) == Refusal(Reason.STRANGER, 403, is_noted=True)


def test_an_ack_of_a_stranger_is_passed_over() -> None:
    """It is what follows a 403: no answer, no line."""
    refusal = knock(doorman(), STRANGER, 0.0, "ACK")
    assert refusal == Refusal(Reason.STRANGER, None, is_noted=False)


@pytest.mark.parametrize(
    ("allowed", "host", "is_allowed"),
    [
        (BRANCH_OFFICE, BRANCH_OFFICE, True),
        ("198.51.100.0/24", BRANCH_OFFICE, True),
        ("198.51.100.9/24", BRANCH_OFFICE, True),
        ("198.51.100.0/29", "198.51.100.8", False),
        ("198.51.100.0/24", f"::ffff:{BRANCH_OFFICE}", True),
        ("2001:db8::/32", "2001:db8:1::9", True),
        ("2001:db8::/32", "2001:db9::9", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("0.0.0.0/0", STRANGER, True),
        ("0.0.0.0/0", "2001:db8::1", False),
    ],
)
def test_configured_networks(allowed: str, host: str, is_allowed: bool) -> None:
    """Addresses and networks of both families, IPv4 also through a socket of IPv6."""
    assert doorman(from_=(allowed,)).is_allowed(host) is is_allowed


def test_the_pbx_may_have_many_addresses_but_not_endlessly_many() -> None:
    """The ones that its name stood for last are kept."""
    admission = doorman()
    admission.trust(f"10.0.{i // 250}.{i % 250}" for i in range(300))
    admission.trust(["::ffff:192.0.2.77"])
    assert admission.is_allowed("192.0.2.77")
    assert admission.is_allowed("10.0.1.49")
    assert not admission.is_allowed("10.0.0.0")
    assert len(admission._trusted) == MOST_TRUSTED


def test_what_belongs_to_a_call_passes() -> None:
    """Its tags say more than its address, and however many they are."""
    admission = doorman(known=True)
    for _ in range(100):
        assert admission.of_source(request("BYE"), PBX, 0.0) is None
    assert knock(admission, STRANGER, 0.0, "BYE") is None


def test_what_was_let_in_once_is_let_in_again() -> None:
    """A lost answer comes again from wherever it is asked for; of the PBX's repetitions not too many."""
    admission = doorman(repeated=True)
    assert knock(admission, STRANGER, 0.0, "BYE") is None
    assert [knock(admission, PBX, 0.0, "BYE") for _ in range(100)].count(None) == 2 * RATE


def test_a_flood_from_the_pbx_is_cut_to_the_rate() -> None:
    """Twice the rate at once, then the rate; no answer to the rest."""
    admission = doorman()
    at_once = [knock(admission, PBX, 0.0) for _ in range(100)]
    assert at_once.count(None) == 2 * RATE
    assert {(r.reason, r.status) for r in at_once if r} == {(Reason.FLOOD, None)}
    assert [knock(admission, PBX, 1.0) for _ in range(100)].count(None) == RATE


def test_a_flood_of_one_stranger_is_answered_in_small_part() -> None:
    """Two seconds' worth of a fifth of the rate; the rest isn't read."""
    admission = doorman()
    refusals = [knock(admission, STRANGER, 0.0) for _ in range(100)]
    assert sum(r.status == 403 for r in refusals if r) == 2 * RATE // 5
    assert refusals[-1] is not None
    assert refusals[-1].reason is Reason.FLOOD


def test_a_flood_from_everywhere_leaves_the_pbx_alone() -> None:
    """All strangers together get the rate, their log ten lines a second, and the memory its limit."""
    admission = doorman()
    hosts = [f"10.{i // 65536}.{i // 256 % 256}.{i % 256}" for i in range(5000)]
    refusals = [knock(admission, host, 0.0) for host in hosts]
    assert sum(r.status == 403 for r in refusals if r) == RATE
    assert sum(r.is_noted for r in refusals if r) == 50
    assert len(admission._strangers) == MOST_SOURCES
    assert knock(admission, PBX, 0.0) is None


def test_a_stranger_fills_no_log() -> None:
    """Five lines, then one a second."""
    admission = doorman()
    assert sum(r.is_noted for _ in range(99) if (r := knock(admission, STRANGER, 0.0))) == 5
    assert sum(r.is_noted for _ in range(99) if (r := knock(admission, STRANGER, 1.0))) == 1


@pytest.mark.parametrize(
    ("patterns", "status"),
    [
        ((), None),
        (("1003",), None),
        (("2*", "10??"), None),
        (("[0-9]00[3-4]",), None),
        (("100",), 403),
        (("2*",), 403),
        (("1003?",), 403),
    ],
)
def test_callers(patterns: tuple[str, ...], status: int | None) -> None:
    """Whole numbers, by patterns; the caller is 1003."""
    refusal = doorman(callers=patterns).of_caller(request("INVITE"), PBX, 0.0)
    refused = Refusal(Reason.CALLER, status, is_noted=True)
    assert refusal == (None if status is None else refused)


def test_the_number_is_the_one_that_the_pbx_vouches_for() -> None:
    """P-Asserted-Identity before From (RFC 3325)."""
    asserted = request("INVITE", headers="P-Asserted-Identity: <sip:2007@pbx>\r\n")
    assert doorman(callers=("2007",)).of_caller(asserted, PBX, 0.0) is None
    assert doorman(callers=("1003",)).of_caller(asserted, PBX, 0.0) is not None


def test_only_calls_have_callers() -> None:
    """A qualify of the PBX comes from no allowed number, a re-INVITE from a call that has begun."""
    assert doorman(callers=("7",)).of_caller(request("OPTIONS"), PBX, 0.0) is None
    assert doorman(callers=("7",), known=True).of_caller(request("INVITE"), PBX, 0.0) is None


def test_sites() -> None:
    """An IPv6 network counts once, or one stranger would be 2 to the 64."""
    assert site_of("2001:db8::1") == site_of("2001:db8::ffff:1") != site_of("2001:db8:0:1::1")
    assert site_of("::ffff:10.0.0.1") == site_of("10.0.0.1") != site_of("10.0.0.2")


def test_the_log_repeats_no_words_of_strangers() -> None:
    """A made-up method is "unknown" there."""
    assert shown_method(request("INVITE")) == "INVITE"
    assert (
        shown_method(Request("reason=stranger", "sip:a@b", request("INVITE").headers)) == "unknown"
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.0, 0.4)), max_size=200))
def test_nobody_gets_more_than_the_rate(knocks: list[tuple[int, float]]) -> None:
    """However the requests are spread: answers in any time are bounded by rate and burst."""
    admission, now = doorman(), 0.0
    answers: list[float] = []
    for who, pause in knocks:
        now += pause
        refusal = knock(admission, f"203.0.113.{who}", now)
        if refusal is not None and refusal.status is not None:
            answers.append(now)
    for first, start in enumerate(answers):
        for last in range(first, len(answers)):
            assert last - first + 1 <= RATE + RATE * (answers[last] - start) + 1e-6
