"""The life of one worker process: what happened to it in, what to do about it out. Pure.

STOPPED --start--> STARTING --running--> RUNNING
                    ^    |                  |
               tick |    +------exited------+--exit code 64, 65, 66, 78--> FATAL
                    |            |
                    +--------- BACKOFF

stop: STARTING and RUNNING --> STOPPING --exited--> STOPPED; BACKOFF --> STOPPED
"""

from __future__ import annotations

import enum
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

from softagent.errors import (
    ChecksumMismatch,
    ConfigError,
    ConfigFileMissing,
    ConfigSyntaxError,
    CredentialsRefused,
    ModelMissing,
    UnknownAccount,
)

FATAL_EXIT_CODES = frozenset(
    error.exit_code for error in (UnknownAccount, ConfigSyntaxError, ConfigFileMissing, ConfigError)
)
"""A new process would read the same mistake in the same file."""

SLOW_EXIT_CODES = frozenset(
    error.exit_code for error in (CredentialsRefused, ModelMissing, ChecksumMismatch)
)
"""Somebody has to mend this elsewhere first, and a PBX bans whoever insists."""


class LifeState(enum.Enum):
    """Where a worker stands."""

    STOPPED = "stopped"
    STARTING = "starting"
    """The process exists; it loads its engines or waits for the PBX."""
    RUNNING = "running"
    """Registered: calls can come."""
    BACKOFF = "backoff"
    """Dead, to be started again at the deadline."""
    STOPPING = "stopping"
    FATAL = "fatal"
    """Dead for a reason that a restart can't change."""


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a process for the worker."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Ask the process to end its call, remove its registration and exit (SIGTERM)."""


@dataclass(frozen=True, slots=True)
class Kill:
    """End the process at once (SIGKILL)."""


Command = Spawn | Terminate | Kill


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How patient a supervisor is; all times in seconds."""

    first_delay_seconds: float = 1.0
    """Delay before the first restart; each crash in a row doubles it."""
    slow_first_delay_seconds: float = 60.0
    """The same for SLOW_EXIT_CODES."""
    longest_delay_seconds: float = 300.0
    steady_seconds: float = 60.0
    """RUNNING for this long makes the next crash the first one again."""
    load_seconds: float = 600.0
    """Longest time from the start of the process to its first sign of life: the engines of
    several workers may load at once, from a cold disk."""
    silence_seconds: float = 15.0
    """Longest time between two signs of life after that."""
    grace_seconds: float = 10.0
    """Time from Terminate to Kill."""

    def delay_seconds(self, crashes: int, *, is_slow: bool, chance: float) -> float:
        """Delay before the restart after `crashes` (1 or more) in a row; half of it is random.

        `chance` is that randomness, 0..1: workers that died together come back apart
        (the idea of RFC 5626 4.5).
        """
        first = self.slow_first_delay_seconds if is_slow else self.first_delay_seconds
        doublings = min(crashes - 1, 32)  # far beyond any longest delay, and no overflow
        delay = min(self.longest_delay_seconds, first * 2.0**doublings)
        return delay * (1.0 + chance) / 2.0


class WorkerLife:
    """Decides when one worker's process is started, asked to stop, and killed.

    Each input takes `now` on one monotonic clock, in seconds, and returns what to do at
    once; `tick` is wanted at `deadline`. One thread.
    """

    def __init__(
        self, policy: RestartPolicy, *, chance: Callable[[], float] = random.random
    ) -> None:
        self.state = LifeState.STOPPED
        self.reason = ""
        """Why the state is what it is, in words."""
        self.deadline: float | None = None
        """When `tick` has something to do; None when only an event can change anything."""
        self.exit_code: int | None = None
        """How the last process ended."""
        self._policy = policy
        self._chance = chance
        self._crashes = 0
        self._running_since = 0.0

    @property
    def is_over(self) -> bool:
        """No process exists and none will be started."""
        return self.state in (LifeState.STOPPED, LifeState.FATAL)

    def start(self, now: float) -> tuple[Command, ...]:
        """Begin, if stopped."""
        if self.state is not LifeState.STOPPED:
            return ()
        return self._spawn(now, "asked to start")

    def running(self, now: float) -> tuple[Command, ...]:
        """The process reports that it is ready for calls."""
        if self.state is LifeState.STARTING and self.deadline is not None:
            self._running_since = now
            self._enter(LifeState.RUNNING, "ready for calls", now + self._policy.silence_seconds)
        return ()

    def beat(self, now: float) -> tuple[Command, ...]:
        """The process shows a sign of life."""
        if self.state in (LifeState.STARTING, LifeState.RUNNING) and self.deadline is not None:
            self.deadline = now + self._policy.silence_seconds
        return ()

    def exited(self, code: int, now: float) -> tuple[Command, ...]:
        """The process is gone; a negative code is the signal that ended it."""
        self.exit_code = code
        was_killed_by_us = self.deadline is None
        reason = self.reason if was_killed_by_us else _describe(code)
        match self.state:
            case LifeState.STOPPING:
                self._enter(LifeState.STOPPED, reason, None)
            case LifeState.STARTING | LifeState.RUNNING if code in FATAL_EXIT_CODES:
                self._enter(LifeState.FATAL, reason, None)
            case LifeState.STARTING | LifeState.RUNNING:
                delay = self._restart_delay(now, is_slow=code in SLOW_EXIT_CODES)
                self._enter(LifeState.BACKOFF, f"{reason}, restart in {delay:.1f} s", now + delay)
        return ()

    def stop(self, now: float) -> tuple[Command, ...]:
        """End in good order; nothing more to do once that is under way."""
        match self.state:
            case LifeState.BACKOFF:
                self._enter(LifeState.STOPPED, "asked to stop", None)
            case LifeState.STARTING | LifeState.RUNNING:
                self._enter(LifeState.STOPPING, "asked to stop", now + self._policy.grace_seconds)
                return (Terminate(),)
        return ()

    def kill(self) -> tuple[Command, ...]:
        """Cut an orderly end short, if one is under way."""
        if self.state is LifeState.STOPPING and self.deadline is not None:
            return self._kill("killed: asked to stop twice")
        return ()

    def tick(self, now: float) -> tuple[Command, ...]:
        """Time has passed."""
        if self.deadline is None or now < self.deadline:
            return ()
        match self.state:
            case LifeState.BACKOFF:
                return self._spawn(now, f"restart {self._crashes}")
            case LifeState.STOPPING:
                return self._kill("killed: still there after being asked to stop")
            case _:
                return self._kill("killed: no sign of life")

    def _spawn(self, now: float, reason: str) -> tuple[Command, ...]:
        self._enter(LifeState.STARTING, reason, now + self._policy.load_seconds)
        return (Spawn(),)

    def _kill(self, reason: str) -> tuple[Command, ...]:
        """No deadline from here on: the kernel sees to the rest, and `exited` follows."""
        self._enter(self.state, reason, None)
        return (Kill(),)

    def _restart_delay(self, now: float, *, is_slow: bool) -> float:
        was_steady = (
            self.state is LifeState.RUNNING
            and now - self._running_since >= self._policy.steady_seconds
        )
        self._crashes = 1 if was_steady else self._crashes + 1
        return self._policy.delay_seconds(self._crashes, is_slow=is_slow, chance=self._chance())

    def _enter(self, state: LifeState, reason: str, deadline: float | None) -> None:
        self.state, self.reason, self.deadline = state, reason, deadline


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
