"""What the media threads get, from systems that allow this or that, and from the real one."""

import logging
import os
import threading

import pytest

from softagent.media import priority
from softagent.media.priority import raise_priority


class FakeScheduler:
    """Allows what it was told, and keeps what was taken."""

    def __init__(self, *, real_time=False, privileged_nice=False, least_niceness=20):
        self.real_time = real_time
        self.privileged_nice = privileged_nice
        self.least_niceness = least_niceness
        self.taken = None

    def take_real_time(self, priority):
        if not self.real_time:
            raise PermissionError
        self.taken = ("real-time", priority)

    def take_niceness(self, niceness):
        if not self.privileged_nice and niceness < self.least_niceness:
            raise PermissionError
        self.taken = ("nice", niceness)


@pytest.fixture(autouse=True)
def _nothing_said_yet():
    priority._tell.cache_clear()


def test_real_time_is_taken_where_it_is_allowed():
    """Root, CAP_SYS_NICE, or LimitRTPRIO=1."""
    scheduler = FakeScheduler(real_time=True)
    assert raise_priority(scheduler) == "real-time 1"
    assert scheduler.taken == ("real-time", 1)


@pytest.mark.parametrize(
    ("scheduler", "niceness"),
    [
        (FakeScheduler(privileged_nice=True), -11),
        (FakeScheduler(least_niceness=-20), -11),
        (FakeScheduler(least_niceness=-11), -11),
        (FakeScheduler(least_niceness=-5), -5),
    ],
    ids=["privileged", "limit 40", "limit 31", "limit 25"],
)
def test_else_the_best_niceness_that_is_allowed(scheduler, niceness):
    assert raise_priority(scheduler) == f"nice {niceness}"
    assert scheduler.taken == ("nice", niceness)


@pytest.mark.parametrize("least_niceness", [0, 20])
def test_else_none(least_niceness):
    scheduler = FakeScheduler(least_niceness=least_niceness)
    assert raise_priority(scheduler) == "ordinary"
    assert scheduler.taken is None


def test_a_refusal_is_said_once_with_what_to_do(caplog):
    caplog.set_level(logging.INFO)
    for _ in range(4):
        raise_priority(FakeScheduler())
    (record,) = caplog.records
    assert "event=media-priority priority=ordinary" in record.message
    assert "LimitRTPRIO=1" in record.message
    assert "setcap cap_sys_nice+ep" in record.message


def test_success_is_said_once_without_advice(caplog):
    caplog.set_level(logging.INFO)
    for _ in range(4):
        raise_priority(FakeScheduler(real_time=True))
    assert [record.message for record in caplog.records] == [
        "event=media-priority priority=real-time 1"
    ]


def test_the_real_system_gives_what_it_is_said_to_give_to_this_thread_only():
    """As root, as an ordinary user with limits, or as one without: what it says is so."""
    facts = []

    def ask():
        got = raise_priority()
        is_real_time = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR
        niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        facts.append((got, is_real_time, niceness))

    before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    ((got, is_real_time, niceness),) = facts
    assert is_real_time == (got == "real-time 1")
    if got.startswith("nice"):
        assert got == f"nice {niceness}"
    after = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert after == before
