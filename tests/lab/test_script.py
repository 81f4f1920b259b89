"""When a scripted caller speaks, in exact ticks."""

from __future__ import annotations

import numpy as np

from softagent.lab.script import Line, Manners, Script, is_voiced
from softagent.media.frame import Samples

MANNERS = Manners(quiet_ms=200, patience_ms=2000)


def lines(count: int, *, interrupts_after_ms: int | None = None) -> list[Line]:
    sound: Samples = np.zeros(160, np.int16)
    return [
        Line(f"line {number}", sound, interrupts_after_ms if number else None)
        for number in range(count)
    ]


def run(script: Script, agent: str, *, line_ticks: int = 5) -> list[tuple[int, int]]:
    """Feed one tick a letter ("#" voiced); each line takes `line_ticks`. Returns (tick, line)."""
    begun: list[tuple[int, int]] = []
    ends_at: int | None = None
    for tick, letter in enumerate(agent):
        if tick == ends_at:
            script.finish(tick)
        line = script.hear(tick, is_voiced=letter == "#")
        if line is not None:
            begun.append((tick, line))
            ends_at = tick + line_ticks
    return begun


def test_the_caller_waits_for_the_end_of_the_greeting() -> None:
    """Ten ticks of silence (200 ms) after the agent's last voiced one, not before."""
    greeting = "." * 20 + "#" * 30
    script = Script(lines(1), MANNERS)
    assert run(script, greeting + "." * 12) == [(59, 0)]


def test_a_pause_in_the_greeting_is_not_its_end() -> None:
    """Nine silent ticks are still the agent's turn."""
    script = Script(lines(1), MANNERS)
    assert run(script, "#" * 10 + "." * 9 + "#" * 10 + "." * 9) == []


def test_a_click_is_not_an_answer() -> None:
    """Two voiced ticks (40 ms) are not speech; three are."""
    assert run(Script(lines(1), MANNERS), "##" + "." * 30) == []
    assert run(Script(lines(1), MANNERS), "###" + "." * 30) == [(12, 0)]


def test_lines_alternate_with_answers_until_the_script_is_over() -> None:
    """Every line waits for an answer; after the last answer the script is over."""
    script = Script(lines(2), MANNERS)
    begun = run(script, ("#" * 5 + "." * 20) * 3)
    assert [line for _, line in begun] == [0, 1]
    assert script.is_over
    assert [delivery.is_answered for delivery in script.deliveries] == [True, True]


def test_a_silent_agent_is_given_up_after_the_callers_patience() -> None:
    """Without an answer the caller goes on after 2000 ms, and the line counts as unanswered."""
    script = Script(lines(2), MANNERS)
    begun = run(script, "#" * 5 + "." * 300)
    assert begun == [(14, 0), (14 + 5 + 100, 1)]
    assert script.is_over
    assert [delivery.is_answered for delivery in script.deliveries] == [False, False]


def test_an_interruption_comes_while_the_agent_speaks() -> None:
    """400 ms after the agent was noticed speaking, whether it has finished or not."""
    script = Script(lines(2, interrupts_after_ms=400), MANNERS)
    answer_at = 40
    begun = run(script, "#" * 5 + "." * (answer_at - 5) + "#" * 60)
    assert begun == [(14, 0), (answer_at + 2 + 20, 1)]


def test_voice_is_told_from_noise_by_level() -> None:
    """-40 dBFS is voice, -50 dBFS is not."""
    assert is_voiced(np.full(160, 328, np.int16))
    assert not is_voiced(np.full(160, 103, np.int16))
