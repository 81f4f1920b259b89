"""What became of each line, read off recordings whose truth is known."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from softagent.lab.caller import Conversation
from softagent.lab.outcome import Outcome, Verdict, outcomes
from softagent.lab.outgoing import CallPhase
from softagent.lab.script import Delivery
from softagent.lab.sdpwire import MediaAnswer
from softagent.media.stats import StreamStats

RATE_HZ = 8000


def judged(
    path: Path,
    caller_ms: list[tuple[int, int]],
    agent_ms: list[tuple[int, int]],
    *,
    answered: bool = True,
) -> list[Outcome]:
    """Outcomes of a 10 s call in which each of `caller_ms` is one line."""
    channels = np.zeros((10 * RATE_HZ, 2), np.int16)
    for column, spans in enumerate((caller_ms, agent_ms)):
        for start, end in spans:
            channels[start * 8 : end * 8, column] = np.resize([8000, -8000], (end - start) * 8)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(channels.astype("<i2").tobytes())
    conversation = Conversation(
        recording=path,
        deliveries=tuple(
            Delivery(line, started=start // 20, ended=end // 20 - 1, is_answered=answered)
            for line, (start, end) in enumerate(caller_ms)
        ),
        arrivals=(),
        media=MediaAnswer("127.0.0.1", 26000, "PCMU", 0, None),
        stats=StreamStats(),
        seconds=10.0,
        ended_by=CallPhase.ENDED_BY_CALLER,
        answer_ms=5.0,
    )
    found, rate_hz = outcomes(conversation)
    assert rate_hz == RATE_HZ
    return found


def test_each_line_has_its_response_time_and_answer(tmp_path: Path) -> None:
    """Two lines, answered after 600 and 900 ms; the answer's sound is the line's own."""
    found = judged(
        tmp_path / "a.wav",
        [(2000, 3000), (5600, 6400)],
        [(0, 1000), (3600, 4600), (7300, 8300)],
    )
    assert [one.verdict for one in found] == [Verdict.ANSWERED, Verdict.ANSWERED]
    assert [one.response_ms for one in found] == pytest.approx([600, 900], abs=10)
    assert np.count_nonzero(found[0].answer) == pytest.approx(1000 * 8, abs=200)


def test_an_answer_before_the_lines_end_is_early(tmp_path: Path) -> None:
    """The agent took a pause of 600 ms for the end: no response time."""
    path = tmp_path / "a.wav"
    early = judged(path, [(2000, 4000)], [(3500, 5000)])
    assert [(one.verdict, one.response_ms) for one in early] == [(Verdict.EARLY, None)]


def test_a_pause_inside_a_line_is_not_its_end(tmp_path: Path) -> None:
    """An answer given, and finished, in the middle of a line is early, too."""
    (path, line) = tmp_path / "a.wav", (2000, 6000)
    found = judged(path, [line], [(3500, 4000)])
    assert found[0].verdict is Verdict.EARLY


def test_no_answer_is_unanswered(tmp_path: Path) -> None:
    """Silence after the line."""
    found = judged(tmp_path / "a.wav", [(2000, 3000)], [(0, 1000)], answered=False)
    assert [one.verdict for one in found] == [Verdict.UNANSWERED]
