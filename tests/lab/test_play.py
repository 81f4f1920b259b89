"""When the caller of a scenario takes which step, in exact ticks."""

from __future__ import annotations

from softagent.lab.play import Play
from softagent.lab.steps import HangUp, Hear, Listen, Pause, Press, Say, Step

LISTEN = Listen(quiet_ms=200, brief_quiet_ms=200, patience_ms=2000)
GREETING = "." * 5 + "#" * 10 + "." * 12
"""Heard out at tick 24: ten silent ticks after the last voiced one."""


def run(play: Play, agent: str, *, line_ticks: int = 5) -> list[tuple[int, int]]:
    """Feed one tick a letter ("#" voiced); each sound takes `line_ticks`. Returns (tick, step)."""
    begun: list[tuple[int, int]] = []
    ends_at: int | None = None
    for tick, letter in enumerate(agent):
        if tick == ends_at:
            play.finish(tick)
        step = play.hear(tick, is_voiced=letter == "#")
        if step is not None:
            begun.append((tick, step))
            ends_at = tick + line_ticks
    return begun


def steps(*those: Step) -> Play:
    return Play(those)


def test_the_caller_listens_before_it_speaks() -> None:
    """The first words come when the greeting has been over for 200 ms."""
    assert run(steps(LISTEN, Say("x")), GREETING) == [(24, 1)]


def test_a_pause_between_two_parts_of_a_sentence_is_exact() -> None:
    """The second part begins 10 ticks after the end of the first, whatever the agent does."""
    play = steps(LISTEN, Say("x"), Pause(200), Say("y"))
    assert run(play, GREETING + "#" * 20) == [(24, 1), (24 + 5 + 10, 3)]


def test_an_agent_is_spoken_over_while_it_speaks() -> None:
    """In the fifth voiced tick after two that don't count yet."""
    play = steps(LISTEN, Say("x"), Hear(100), Say("y"))
    assert run(play, GREETING + "." * 3 + "#" * 30) == [(24, 1), (36, 3)]


def test_an_agent_that_has_only_said_a_word_is_not_spoken_over() -> None:
    """ "One moment." is waited out: the answer is what shall be interrupted."""
    play = steps(LISTEN, Say("x"), Hear(200), Say("y"))
    agent = GREETING + "." * 3 + "#" * 8 + "." * 40 + "#" * 30
    assert run(play, agent) == [(24, 1), (len(agent) - 30 + 3, 3)]


def test_an_answer_that_goes_on_after_a_word_of_the_callers_is_one_answer() -> None:
    """After "uh-huh" the rest of the answer is waited for; only then the play is over."""
    play = steps(LISTEN, Say("x"), Hear(100), Say("y"), LISTEN)
    agent = GREETING + "." * 3 + "#" * 30 + "." * 9
    run(play, agent)
    assert not play.is_over
    play.hear(len(agent), is_voiced=False)
    assert play.is_over


def test_an_agent_that_says_nothing_is_waited_for_and_given_up() -> None:
    """Listening without an answer ends after 100 ticks, and leaves a mark that says so."""
    play = steps(LISTEN, LISTEN, Say("x"))
    assert run(play, GREETING + "." * 110) == [(24 + 100, 2)]
    assert [(mark.began, mark.ended) for mark in play.marks[:2]] == [(0, 24), (24, 124)]


def test_two_answers_in_a_row_are_two() -> None:
    """What was heard in one Listen doesn't count for the next."""
    play = steps(LISTEN, LISTEN, HangUp())
    run(play, GREETING + "." * 20)
    assert not play.is_over
    run_on = "#" * 5 + "." * 10
    for tick, letter in enumerate(run_on, start=len(GREETING) + 20):
        play.hear(tick, is_voiced=letter == "#")
    assert play.is_over


def test_hanging_up_is_at_once() -> None:
    """In the tick after the last sound."""
    play = steps(LISTEN, Say("x"), HangUp(), Say("never"))
    begun = run(play, GREETING + "." * 10)
    assert begun == [(24, 1)]
    assert play.is_over
    assert play.marks[-1].began == 24 + 5


def test_keys_are_a_step_like_words() -> None:
    """They begin when it is their turn, and last until they are let go."""
    play = steps(LISTEN, Press("0"), LISTEN)
    assert run(play, GREETING) == [(24, 1)]


def test_a_brief_word_is_waited_out() -> None:
    """After "One moment." the answer is still to come; after a second of speech it is over sooner."""
    play = steps(Listen(quiet_ms=200, brief_quiet_ms=400, patience_ms=2000), Say("x"))
    assert run(play, "#" * 10 + "." * 19 + "#" * 10 + "." * 25) == [(58, 1)]
    play = steps(Listen(quiet_ms=200, brief_quiet_ms=400, patience_ms=2000), Say("x"))
    assert run(play, "#" * 60 + "." * 15) == [(69, 1)]
