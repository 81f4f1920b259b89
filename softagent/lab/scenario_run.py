"""Plays scenarios against a real worker at the lab's PBX, or an agent elsewhere, and judges them.

Cast -> Performer -> PBX -> agent
recording -> Witness ---> Evidence -> judge -> Result
PBX, disk --------------'
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from softagent.errors import SoftagentError
from softagent.lab.agent import LabAgent
from softagent.lab.bench_run import Target
from softagent.lab.caller import Conversation, PlaceCall
from softagent.lab.cast import Cast
from softagent.lab.demonstration import Echo
from softagent.lab.judgement import NOTHING, Evidence, Interval, judge
from softagent.lab.line import LabLine
from softagent.lab.office import EXTENSION
from softagent.lab.pbx import LabPbx
from softagent.lab.performer import Performer
from softagent.lab.play import Mark
from softagent.lab.practice import COLLEAGUES, kept, practice_account
from softagent.lab.scenario import Scenario
from softagent.lab.sound import load_channels
from softagent.lab.steps import Listen, Noise, PlayRecording, Say, Step
from softagent.lab.timing import voiced_segments
from softagent.lab.witness import Witness
from softagent.media.frame import FRAME_MS, Samples
from softagent.models.store import ModelStore

LOG = "agent.log"
READY_SECONDS = 240.0
"""A slow machine that is busy with other things loads the engines in two minutes."""
MARGIN_MS = 200
"""Of sound given to the witness around what is voiced."""
LONGEST_MS = 28_000
"""Of sound given to it at once."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a scenario."""

    scenario: Scenario
    why: str
    """What is wrong; empty when it passed."""
    recording: Path
    answers: tuple[str, ...] = ()
    """What was heard of the agent, answer by answer."""

    @property
    def has_passed(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Stage:
    """Where scenarios are played: a way to ring the agent, and what can be known besides the sound."""

    place_call: PlaceCall
    host: str
    look: Callable[[], Evidence]
    """What the PBX and the disk show since the agent was started; nothing of the sound in it."""


def play_scenarios(
    scenarios: Sequence[Scenario],
    *,
    target: Target | None,
    model: str,
    directory: Path,
    echo: Echo,
) -> list[Result]:
    """Play all of them; recordings go to `directory`."""
    store = ModelStore()
    cast, witness = Cast(store), Witness(store)
    results: list[Result] = []
    there = (
        lab_stage(model=model, directory=directory, echo=echo)
        if target is None
        else distant_stage(target)
    )
    with there as stage:
        for scenario in scenarios:
            result = play_scenario(scenario, stage, cast, witness, directory)
            results.append(result)
            show(result, echo)
    return results


@contextmanager
def lab_stage(*, model: str, directory: Path, echo: Echo) -> Iterator[Stage]:
    """A PBX of our own with an agent of our own. Raises ModelMissing, AgentFailed."""
    password = secrets.token_urlsafe(12)
    pbx = LabPbx({EXTENSION: password}, colleagues=COLLEAGUES)
    account = practice_account(pbx.address, password, model=model, directory=directory)
    store = ModelStore()
    for engine in (account.vad, account.recognizer, account.llm, account.synthesizer):
        store.resolve(engine.model)
    echo("Loading the agent's engines, then registering it at the test PBX ...", False)
    agent = LabAgent(account, log=directory / LOG, on_report=lambda _report: None)
    pbx.start()

    def look() -> Evidence:
        referred = (one.extension for one in pbx.colleagues.referrals if one.status < 300)
        return replace(
            NOTHING,
            referred=tuple(referred),
            dialled=pbx.colleagues.dialled,
            kept=kept(directory),
        )

    try:
        agent.start()
        agent.wait_ready(READY_SECONDS)
        yield Stage(lambda media: pbx.call(EXTENSION, media=media), pbx.address[0], look)
    finally:
        agent.stop()
        pbx.stop()


@contextmanager
def distant_stage(target: Target) -> Iterator[Stage]:
    """An agent that runs elsewhere: only its sound is known."""
    line = LabLine(target.pbx, user=target.user, password=target.password)
    line.start()
    try:
        yield Stage(
            lambda media: line.call(target.extension, media=media), line.host, lambda: NOTHING
        )
    finally:
        line.stop()


def play_scenario(
    scenario: Scenario, stage: Stage, cast: Cast, witness: Witness, directory: Path
) -> Result:
    """Play one scenario and judge it; a call that can't be made is one that has failed."""
    recording = directory / f"{scenario.name}.wav"
    before = stage.look()
    try:
        evidence = _perform(scenario.steps, scenario, recording, stage, cast, witness)
        if scenario.again:
            second = recording.with_name(f"{scenario.name}-2.wav")
            after = _perform(scenario.again, scenario, second, stage, cast, witness)
            evidence = replace(
                after,
                answers=(*evidence.answers, *after.answers),
                agent=evidence.agent,
                steps=evidence.steps,
            )
    except SoftagentError as error:
        return Result(scenario, str(error), recording)
    seen = stage.look()
    evidence = replace(
        evidence,
        referred=_since(before.referred, seen.referred),
        dialled=_since(before.dialled, seen.dialled),
        kept=_since(before.kept, seen.kept),
    )
    return Result(scenario, judge(evidence, scenario.judgements), recording, evidence.answers)


def show(result: Result, echo: Echo) -> None:
    """A scenario is over: its name, what came of it and what was heard."""
    scenario = result.scenario
    verdict = "passed" if result.has_passed else f"FAILED: {result.why}"
    echo(f"  {scenario.kind}  {scenario.name}  {verdict}", False)
    for answer in result.answers:
        echo(f"      {answer or '-'}", True)


def _perform(
    steps: Sequence[Step],
    scenario: Scenario,
    recording: Path,
    stage: Stage,
    cast: Cast,
    witness: Witness,
) -> Evidence:
    sounds = {
        index: cast.sound(step, scenario.voice)
        for index, step in enumerate(steps)
        if isinstance(step, Say | PlayRecording | Noise)
    }
    performer = Performer(
        steps,
        sounds,
        surroundings=scenario.surroundings,
        recording=recording,
        host=stage.host,
    )
    conversation = performer.converse(stage.place_call)
    return evidence_of(conversation, steps, performer.marks, witness)


def evidence_of(
    conversation: Conversation, steps: Sequence[Step], marks: Sequence[Mark], witness: Witness
) -> Evidence:
    """What the recording of a call shows."""
    (_, agent), rate_hz = load_channels(conversation.recording)
    per_ms = rate_hz // 1000
    answers = []
    begun = 0
    for mark in marks:
        if isinstance(steps[mark.step], Listen):
            until = mark.ended * FRAME_MS * per_ms if mark.ended > mark.began else len(agent)
            answers.append(heard(agent[begun:until], rate_hz, witness))
            begun = until
    segments = voiced_segments(agent, rate_hz)
    return replace(
        NOTHING,
        answers=tuple(answers),
        rest=heard(agent[begun:], rate_hz, witness),
        agent=tuple(Interval(one.start / per_ms, one.end / per_ms) for one in segments),
        steps=tuple(Interval(mark.began * FRAME_MS, mark.ended * FRAME_MS) for mark in marks),
        ended_by=conversation.ended_by,
    )


def heard(samples: Samples, rate_hz: int, witness: Witness) -> str:
    """The words that a witness hears in `samples`, shape (n,)."""
    segments = voiced_segments(samples, rate_hz)
    if not segments:
        return ""
    margin, longest = rate_hz * MARGIN_MS // 1000, rate_hz * LONGEST_MS // 1000
    sound = samples[max(0, segments[0].start - margin) : segments[-1].end + margin]
    pieces = (sound[at : at + longest] for at in range(0, len(sound), longest))
    return " ".join(witness.transcribe(piece, rate_hz) for piece in pieces)


def _since(before: tuple[str, ...] | None, now: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if before is None or now is None else now[len(before) :]
