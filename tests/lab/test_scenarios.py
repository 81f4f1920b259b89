"""The table of scenarios, and the numbers made of its results."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from softagent.lab.cast import noise, recording
from softagent.lab.conversation_bench import KINDS, chosen, rendered, summary
from softagent.lab.practice import COLLEAGUES, practice_account
from softagent.lab.scenario import Scenario
from softagent.lab.scenario_run import Result
from softagent.lab.scenarios import SCENARIOS
from softagent.lab.steps import Hear, Listen
from softagent.lab.surroundings import Echo, Room, Surroundings

FRAME = 160


def test_there_are_thirty_of_them_and_more_with_names_of_their_own() -> None:
    """A name is a file's name, too."""
    names = Counter(scenario.name for scenario in SCENARIOS)
    assert len(SCENARIOS) >= 30
    assert set(names.values()) == {1}
    assert all(name.replace("-", "").isalnum() for name in names)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_listens_first_and_judges_something(scenario: Scenario) -> None:
    """Every call begins with the greeting."""
    assert isinstance(scenario.steps[0], Listen | Hear)
    assert scenario.kind in KINDS
    assert scenario.judgements


def test_scenarios_are_chosen_by_kind_or_name() -> None:
    """And all of them without a choice."""
    assert chosen(()) == SCENARIOS
    assert {one.kind for one in chosen(("echo",))} == {"echo"}
    assert [one.name for one in chosen(("bus",))] == ["bus"]


def test_the_json_counts_what_has_passed() -> None:
    """The keys that readers rely on."""
    first, second, *_ = chosen(("facts",))
    third = chosen(("noise",))[0]
    results = [
        Result(first, "", Path("a.wav"), ("Hello.",)),
        Result(second, "wrong", Path("b.wav")),
        Result(third, "", Path("c.wav")),
    ]
    result = summary(results)
    assert (result["passed"], result["total"]) == (2, 3)
    assert result["by_kind"] == {
        "facts": {"passed": 1, "total": 2},
        "noise": {"passed": 1, "total": 1},
    }
    scenarios = result["scenarios"]
    assert isinstance(scenarios, list)
    assert scenarios[1] == {
        "name": second.name,
        "kind": "facts",
        "passed": False,
        "why": "wrong",
        "recording": "b.wav",
        "heard": [],
    }
    assert any(line.split() == ["all", "2", "3"] for line in rendered(results))


@pytest.mark.parametrize("kind", ["hiss", "babble", "clatter"])
def test_noise_has_the_level_asked_for(kind: str) -> None:
    """Within half a decibel, and the same every time."""
    sound = noise(kind, 2000, -40.0)  # type: ignore[arg-type]
    level = 20 * np.log10(np.sqrt(np.mean(np.square(sound / 32768))))
    assert len(sound) == 16000
    assert level == pytest.approx(-40, abs=0.5)
    assert np.array_equal(sound, noise(kind, 2000, -40.0))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["spanish", "french"])
def test_recordings_hold_speech(name: str) -> None:
    """A second of it at least."""
    assert len(recording(name)) > 8000


def test_the_agents_voice_comes_back_later_and_softer() -> None:
    """What arrives in one tick is sent two ticks later (40 ms), at half its height (-6 dB)."""
    room = Room(8000, Surroundings(echo=Echo(db=-6.02, delay_ms=40)))
    sent = []
    for tick in range(5):
        sent.append(room.pop().samples)
        room.hear(np.full(FRAME, 1000 * (tick + 1), np.int16))
    assert [int(frame[0]) for frame in sent[:2]] == [0, 0]
    assert [int(frame[0]) for frame in sent[2:]] == pytest.approx([500, 1000, 1500], abs=2)


def test_a_quiet_room_adds_nothing() -> None:
    """Not even a copy of the silence."""
    room = Room(8000, Surroundings())
    room.hear(np.full(FRAME, 1000, np.int16))
    assert not room.pop().samples.any()


def test_the_practice_is_an_office_like_any_other(tmp_path: Path) -> None:
    """Its accounts file is read without a mistake, and everybody in it has a telephone at the PBX."""
    account = practice_account(("127.0.0.1", 5062), "secret", model="", directory=tmp_path)
    assert {one.number for one in account.destinations} == set(COLLEAGUES)
    assert "ninety pounds" in account.facts
