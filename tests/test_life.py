"""A worker's life, told as histories of events with numbers as time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from softagent.life import (
    FATAL_EXIT_CODES,
    Command,
    Kill,
    LifeState,
    RestartPolicy,
    Spawn,
    Terminate,
    WorkerLife,
)

POLICY = RestartPolicy()
Step = tuple[float, str, LifeState, tuple[Command, ...]]


def no_chance() -> float:
    """The longest of the random delays."""
    return 1.0


def live(events: list[tuple[float, str]]) -> WorkerLife:
    """Tell a new life `events`: (time, what happened)."""
    life = WorkerLife(POLICY, chance=no_chance)
    for now, event in events:
        happen(life, event, now)
    return life


def happen(life: WorkerLife, event: str, now: float) -> tuple[Command, ...]:
    match event.split():
        case ["exited", code]:
            return life.exited(int(code), now)
        case ["kill"]:
            return life.kill()
        case _:
            commands: tuple[Command, ...] = getattr(life, event)(now)
            return commands


HISTORIES: dict[str, list[Step]] = {
    "a day at the office": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (4.0, "beat", LifeState.STARTING, ()),
        (5.0, "running", LifeState.RUNNING, ()),
        (8.0, "beat", LifeState.RUNNING, ()),
        (9.0, "stop", LifeState.STOPPING, (Terminate(),)),
        (9.5, "exited 0", LifeState.STOPPED, ()),
    ],
    "a crash is followed by a restart after a second": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (5.0, "running", LifeState.RUNNING, ()),
        (6.0, "exited -9", LifeState.BACKOFF, ()),
        (6.9, "tick", LifeState.BACKOFF, ()),
        (7.0, "tick", LifeState.STARTING, (Spawn(),)),
    ],
    "an exit that nobody asked for is a crash, even with code 0": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (5.0, "running", LifeState.RUNNING, ()),
        (6.0, "exited 0", LifeState.BACKOFF, ()),
    ],
    "a process that never shows a sign of life is killed": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (599.9, "tick", LifeState.STARTING, ()),
        (600.0, "tick", LifeState.STARTING, (Kill(),)),
        (600.1, "tick", LifeState.STARTING, ()),
        (600.2, "exited -9", LifeState.BACKOFF, ()),
    ],
    "a process that waits for the PBX may wait as long as it beats": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (590.0, "beat", LifeState.STARTING, ()),
        (604.0, "beat", LifeState.STARTING, ()),
        (618.0, "tick", LifeState.STARTING, ()),
        (619.0, "tick", LifeState.STARTING, (Kill(),)),
    ],
    "a process that falls silent is killed once": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (5.0, "running", LifeState.RUNNING, ()),
        (19.9, "tick", LifeState.RUNNING, ()),
        (20.0, "tick", LifeState.RUNNING, (Kill(),)),
        (20.1, "beat", LifeState.RUNNING, ()),
        (60.0, "tick", LifeState.RUNNING, ()),
        (60.1, "exited -9", LifeState.BACKOFF, ()),
    ],
    "a process that does not stop is killed": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (1.0, "stop", LifeState.STOPPING, (Terminate(),)),
        (2.0, "stop", LifeState.STOPPING, ()),
        (10.9, "tick", LifeState.STOPPING, ()),
        (11.0, "tick", LifeState.STOPPING, (Kill(),)),
        (11.1, "exited -9", LifeState.STOPPED, ()),
    ],
    "an orderly stop can be cut short, once": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (1.0, "kill", LifeState.STARTING, ()),
        (1.0, "stop", LifeState.STOPPING, (Terminate(),)),
        (2.0, "kill", LifeState.STOPPING, (Kill(),)),
        (2.1, "kill", LifeState.STOPPING, ()),
        (2.2, "exited -9", LifeState.STOPPED, ()),
    ],
    "a stop during the backoff means no restart": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (1.0, "exited 70", LifeState.BACKOFF, ()),
        (1.5, "stop", LifeState.STOPPED, ()),
        (9.0, "tick", LifeState.STOPPED, ()),
    ],
    "a mistake in the file that shows while stopping is no matter": [
        (0.0, "start", LifeState.STARTING, (Spawn(),)),
        (1.0, "stop", LifeState.STOPPING, (Terminate(),)),
        (1.5, "exited 78", LifeState.STOPPED, ()),
    ],
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())
def test_history(history: list[Step]) -> None:
    life = WorkerLife(POLICY, chance=no_chance)
    for now, event, state, commands in history:
        assert happen(life, event, now) == commands, (now, event)
        assert life.state is state, (now, event)


@pytest.mark.parametrize("code", [64, 65, 66, 78])
def test_a_mistake_that_a_restart_cannot_mend_is_fatal(code: int) -> None:
    life = live([(0.0, "start"), (1.0, f"exited {code}"), (1e9, "tick")])
    assert life.state is LifeState.FATAL
    assert life.is_over
    assert life.exit_code == code
    assert life.reason == f"exit code {code}"


@pytest.mark.parametrize(
    ("code", "delay"),
    [(77, 60), (69, 60), (74, 60), (75, 1), (70, 1), (1, 1), (0, 1), (-9, 1), (-11, 1)],
)
def test_the_first_delay_depends_on_the_exit_code(code: int, delay: float) -> None:
    life = live([(0.0, "start"), (10.0, f"exited {code}")])
    assert life.state is LifeState.BACKOFF
    assert life.deadline == 10.0 + delay


def test_the_delay_doubles_with_each_crash_up_to_five_minutes() -> None:
    life = WorkerLife(POLICY, chance=no_chance)
    life.start(0.0)
    delays = []
    now = 0.0
    for _ in range(11):
        life.exited(70, now)
        assert life.deadline is not None
        delays.append(life.deadline - now)
        now = life.deadline
        life.tick(now)
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


@pytest.mark.parametrize(("ran_for", "delay"), [(59.9, 2), (60.0, 1)])
def test_a_minute_of_running_makes_the_next_crash_the_first(ran_for: float, delay: float) -> None:
    life = live([(0.0, "start"), (1.0, "exited 70"), (2.0, "tick"), (3.0, "running")])
    life.exited(70, 3.0 + ran_for)
    assert life.deadline == pytest.approx(3.0 + ran_for + delay)


def test_a_minute_of_starting_does_not() -> None:
    life = live([(0.0, "start"), (1.0, "exited 70"), (2.0, "tick"), (99.0, "exited 70")])
    assert life.deadline == 99.0 + 2.0


@pytest.mark.parametrize(
    ("code", "words"),
    [(70, "exit code 70"), (-9, "killed by SIGKILL"), (-99, "killed by signal 99")],
)
def test_the_reason_says_how_it_ended_and_what_follows(code: int, words: str) -> None:
    life = live([(0.0, "start"), (1.0, f"exited {code}")])
    assert life.reason == f"{words}, restart in 1.0 s"


@given(crashes=st.integers(1, 10_000), is_slow=st.booleans(), chance=st.floats(0.0, 1.0, width=32))
def test_half_of_the_delay_is_random(crashes: int, is_slow: bool, chance: float) -> None:
    longest = POLICY.delay_seconds(crashes, is_slow=is_slow, chance=1.0)
    delay = POLICY.delay_seconds(crashes, is_slow=is_slow, chance=chance)
    assert longest / 2 <= delay <= longest <= 300.0
    assert longest >= (60.0 if is_slow else 1.0)


class AnyLife(RuleBasedStateMachine):
    """Whatever happens, commands fit the process that there is, and a stop is final."""

    def __init__(self) -> None:
        super().__init__()
        self.life = WorkerLife(POLICY, chance=no_chance)
        self.now = 0.0
        self.has_process = False
        self.is_killed = False
        self.was_stopped = False
        self.carry_out(self.life.start(self.now))

    def carry_out(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            match command:
                case Spawn():
                    assert not self.has_process
                    assert not self.was_stopped
                    self.has_process, self.is_killed = True, False
                case Terminate():
                    assert self.has_process
                case Kill():
                    assert self.has_process
                    self.is_killed = True

    @rule(seconds=st.floats(0.0, 1000.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.carry_out(self.life.tick(self.now))

    @precondition(lambda self: self.has_process)
    @rule(code=st.sampled_from([0, 1, 64, 69, 70, 75, 77, 78, -9, -15]))
    def process_ends(self, code: int) -> None:
        self.has_process = False
        self.carry_out(self.life.exited(code, self.now))
        if code in FATAL_EXIT_CODES:
            assert self.life.is_over

    @precondition(lambda self: self.has_process)
    @rule()
    def process_reports(self) -> None:
        self.carry_out(self.life.beat(self.now))
        self.carry_out(self.life.running(self.now))

    @rule()
    def operator_stops(self) -> None:
        self.carry_out(self.life.stop(self.now))
        self.was_stopped = True

    @rule()
    def operator_insists(self) -> None:
        self.carry_out(self.life.kill())

    @invariant()
    def nothing_is_waited_for_in_vain(self) -> None:
        if self.life.is_over:
            assert not self.has_process
            assert self.life.deadline is None
        else:
            assert self.life.deadline is not None or (self.has_process and self.is_killed)

    @invariant()
    def a_stopped_worker_is_over_or_about_to_be(self) -> None:
        if self.was_stopped:
            assert self.life.is_over or self.life.state is LifeState.STOPPING


TestAnyLife = AnyLife.TestCase
