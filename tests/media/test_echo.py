"""Raw sound where there is no echo, silence while it is suspected, cancelled once it is proven."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from echo_voices import CALLERS, agent_voice, caller_voice, echo_line

from softagent.lab.echo_line import EchoLine, frames
from softagent.media.echo import EchoGuard
from softagent.media.frame import Samples

SECOND = 50


@dataclass
class Talk:
    """A line, a guard, and what came of them, tick by tick."""

    rate_hz: int
    line: EchoLine
    guard: EchoGuard
    heard: list[Samples] = field(default_factory=list)
    cleaned: list[Samples] = field(default_factory=list)
    is_echo: list[bool] = field(default_factory=list)
    proven_at: int | None = None

    def tick(self, agent: Samples, caller: Samples | None = None) -> None:
        self.heard.append(self.line.tick(agent, caller))
        self.cleaned.append(self.guard.clean(caller=self.heard[-1], agent=agent))
        self.is_echo.append(self.guard.is_echo)
        if self.guard.has_echo and self.proven_at is None:
            self.proven_at = len(self.heard) - 1


def talk(rate_hz: int, *, level_db: float | None, delay_ms: int = 0) -> Talk:
    line = echo_line(rate_hz, level_db=level_db, delay_ms=delay_ms)
    return Talk(rate_hz, line, EchoGuard(rate_hz=rate_hz))


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("level_db", [-6, -20])
@pytest.mark.parametrize("delay_ms", [20, 150, 400])
def test_an_echo_is_proven_within_its_first_half_second(
    rate_hz: int, level_db: float, delay_ms: int
) -> None:
    call = talk(rate_hz, level_db=level_db, delay_ms=delay_ms)
    for sent in frames(agent_voice(rate_hz)[: 2 * rate_hz], rate_hz):
        call.tick(sent)
    begun = next(i for i, sound in enumerate(call.heard) if np.abs(sound.astype(int)).max() > 400)
    assert call.proven_at is not None
    assert call.proven_at - begun <= SECOND // 2


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("name", CALLERS)
def test_two_people_who_speak_at_once_prove_no_echo(rate_hz: int, name: str) -> None:
    call = talk(rate_hz, level_db=None)
    voice = caller_voice(name, rate_hz)
    for start in range(4):  # over four parts of what the agent says
        agent = agent_voice(rate_hz)[start * 5 * rate_hz :]
        for sent, words in zip(frames(agent, rate_hz), frames(voice, rate_hz), strict=False):
            call.tick(sent, words)
    assert not call.guard.has_echo


def test_on_a_line_that_has_shown_no_echo_every_sample_passes() -> None:
    """Whatever the caller says over the agent: suspicion has no say any more."""
    call = talk(8000, level_db=None)
    agent = agent_voice(8000)
    for sent in frames(agent[: 6 * 8000], 8000):
        call.tick(sent)
    callers = np.concatenate([caller_voice(name, 8000) for name in CALLERS])
    for sent, words in zip(frames(agent[6 * 8000 :], 8000), frames(callers, 8000), strict=False):
        call.tick(sent, words)
    assert (np.concatenate(call.cleaned) == np.concatenate(call.heard)).all()


def test_between_suspicion_and_proof_an_echo_is_called_one_and_silenced() -> None:
    call = talk(8000, level_db=-6, delay_ms=60)
    for sent in frames(agent_voice(8000)[: 2 * 8000], 8000):
        call.tick(sent)
    assert call.proven_at is not None
    first = call.is_echo.index(True)
    assert first < call.proven_at
    assert not any(call.is_echo[call.proven_at :])
    for index in range(first, call.proven_at):
        assert call.is_echo[index]
        assert not call.cleaned[index].any()


def test_an_echo_whose_delay_changes_is_taken_out_again() -> None:
    call = talk(8000, level_db=-6, delay_ms=60)
    agent = list(frames(agent_voice(8000), 8000))
    for sent in agent[: 4 * SECOND]:
        call.tick(sent)
    call.line = echo_line(8000, level_db=-6, delay_ms=180)
    for sent in agent[4 * SECOND : 10 * SECOND]:
        call.tick(sent)
    late = slice(6 * SECOND, None)
    heard, cleaned = (np.concatenate(x[late]).astype(float) for x in (call.heard, call.cleaned))
    assert np.mean(cleaned**2) < np.mean(heard**2) / 30


def test_an_echo_that_has_gone_is_forgotten() -> None:
    """On hold and off again, or transferred: nothing is done to the next caller."""
    call = talk(8000, level_db=-6, delay_ms=60)
    agent = agent_voice(8000)
    for sent in frames(agent[: 3 * 8000], 8000):
        call.tick(sent)
    assert call.guard.has_echo
    call.line = echo_line(8000, level_db=None)
    callers = np.concatenate([caller_voice(name, 8000) for name in CALLERS])
    for sent, words in zip(frames(agent, 8000), frames(callers, 8000), strict=False):
        call.tick(sent, words)
    assert not call.guard.has_echo
