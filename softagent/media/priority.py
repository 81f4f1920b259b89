"""The place of the media threads among all others: first, as far as the system allows it."""

from __future__ import annotations

import functools
import logging
import os
import resource
import threading
from typing import Protocol

REALTIME_PRIORITY = 1
"""Before every ordinary thread, behind every other real-time one."""
NICENESS = -11
NICE_LIMIT_OF_ZERO = 20
"""RLIMIT_NICE counts down from here: a limit of 31 allows -11 (getrlimit(2))."""

log = logging.getLogger(__name__)


class Scheduler(Protocol):
    """What the system is asked. Both raise OSError when they are refused."""

    def take_real_time(self, priority: int) -> None:
        """Schedule the calling thread before all ordinary ones."""
        ...

    def take_niceness(self, niceness: int) -> None:
        """Give the calling thread a larger share, the more negative the larger."""
        ...

    @property
    def least_niceness(self) -> int:
        """What RLIMIT_NICE allows an ordinary user."""
        ...


class Linux:
    """The real one; elsewhere both are refused. A thread's own, unlike in POSIX."""

    def take_real_time(self, priority: int) -> None:
        """sched_setscheduler(2); programs that the thread starts don't inherit it."""
        if not hasattr(os, "SCHED_RESET_ON_FORK"):
            raise OSError("only Linux schedules single threads")
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(priority))

    def take_niceness(self, niceness: int) -> None:
        """setpriority(2)."""
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)

    @property
    def least_niceness(self) -> int:
        """From 19 down to -20."""
        return NICE_LIMIT_OF_ZERO - resource.getrlimit(resource.RLIMIT_NICE)[0]


def raise_priority(scheduler: Scheduler | None = None) -> str:
    """Put the calling thread before all ordinary ones; returns and says what it got.

    Its work is less than 1 ms in 20. Root, CAP_SYS_NICE or RLIMIT_RTPRIO gives real-time
    scheduling, with which packets leave on time even when others keep every core busy;
    RLIMIT_NICE gives a larger share. Said once in a process, with what to do about less.
    """
    got = _ask(scheduler or Linux())
    _tell(got)
    return got


def _ask(scheduler: Scheduler) -> str:
    try:
        scheduler.take_real_time(REALTIME_PRIORITY)
        return f"real-time {REALTIME_PRIORITY}"
    except OSError:
        pass
    for niceness in (NICENESS, max(NICENESS, scheduler.least_niceness)):
        try:
            if niceness < 0:
                scheduler.take_niceness(niceness)
                return f"nice {niceness}"
        except OSError:
            continue
    return "ordinary"


@functools.cache
def _tell(got: str) -> None:
    """Once for each outcome: the threads of every call ask."""
    if got.startswith("real-time"):
        log.info("event=media-priority priority=%s", got)
    else:
        log.info(
            "event=media-priority priority=%s reason=%s advice=%s",
            got,
            "real-time scheduling refused: sound may stutter while other programs are busy",
            "allow it: LimitRTPRIO=1 in the systemd unit, or setcap cap_sys_nice+ep on the python",
        )
