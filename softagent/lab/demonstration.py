"""The demonstration: a scripted caller rings a real worker and asks it three questions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from softagent.config import Account
from softagent.errors import SoftagentError
from softagent.lab.agent import LabAgent
from softagent.lab.caller import Conversation, ScriptedCaller
from softagent.lab.display import STAGE_NAMES, Display, table
from softagent.lab.office import DEMO_GOODBYE, DEMO_QUESTIONS, EXTENSION, Question, lab_account
from softagent.lab.outcome import Outcome, outcomes
from softagent.lab.pbx import LabPbx
from softagent.lab.voices import synthetic_lines
from softagent.lab.witness import Witness, mentions
from softagent.models.store import ModelStore
from softagent.report import Report

READY_SECONDS = 90.0
RECORDING = "demo.wav"
LOG = "agent.log"

Echo = Callable[[str, bool], None]
"""Takes a line of output, and whether it is of less importance."""


class DemoFailed(SoftagentError):
    """The agent left a question without the fact that answers it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question."""

    question: Question
    outcome: Outcome
    said: str
    """The agent's own words for it."""
    witnessed: str
    """The words that Whisper hears in the recording."""

    @property
    def is_right(self) -> bool:
        """Whether the fact was said, and can be heard."""
        return all(mentions(text, self.question.expected) for text in (self.said, self.witnessed))

    @property
    def failure(self) -> str:
        """The question with what came of it, for a message."""
        return (
            f'"{self.question.text}" ({self.outcome.verdict.value}; said "{self.said}",'
            f' heard as "{self.witnessed}")'
        )


@contextmanager
def staffed_office(
    *, model: str, log: Path, on_report: Callable[[Report], None]
) -> Iterator[tuple[LabPbx, LabAgent, Account]]:
    """A PBX with the lab's agent registered at it, engines warm. Raises ModelMissing, AgentFailed."""
    password = secrets.token_urlsafe(12)
    pbx = LabPbx({EXTENSION: password})
    account = lab_account(pbx.address, password, model=model)
    _check_models(account)
    agent = LabAgent(account, log=log, on_report=on_report)
    pbx.start()
    try:
        agent.start()
        agent.wait_ready(READY_SECONDS)
        yield pbx, agent, account
    finally:
        agent.stop()
        pbx.stop()


def run_demo(*, model: str, directory: Path, echo: Echo) -> None:
    """Hold the conversation and show it. Raises DemoFailed when an answer lacks its fact."""
    store = ModelStore()
    questions = DEMO_QUESTIONS
    texts = [*(question.text for question in questions), DEMO_GOODBYE]
    echo("Preparing the caller's voice ...", False)
    lines = synthetic_lines(texts, store)
    echo("Loading the agent's engines, then registering it at the test PBX ...", False)
    display = Display(echo)
    recording = directory / RECORDING
    with staffed_office(model=model, log=directory / LOG, on_report=display.report) as office:
        pbx, _, account = office
        echo(f"Calling extension {EXTENSION} at {pbx.address[0]}:{pbx.address[1]}.", False)
        echo("", False)
        caller = ScriptedCaller(
            lines,
            recording=recording,
            on_line=lambda line: display.caller_speaks(line, lines[line].text),
        )
        conversation = caller.converse(lambda media: pbx.call(EXTENSION, media=media))
    answers = _judge(questions, conversation, display, Witness(store))
    _show_result(answers, conversation, display, account, echo)
    failures = [answer.failure for answer in answers if not answer.is_right]
    failures += [f'"{question.text}" (not reached)' for question in questions[len(answers) :]]
    if failures:
        raise DemoFailed(f"not answered with the expected fact: {'; '.join(failures)}")


def _check_models(account: Account) -> None:
    """Miss a model here, with a message of its own, rather than in the worker's log."""
    store = ModelStore()
    for engine in (account.vad, account.recognizer, account.llm, account.synthesizer):
        store.resolve(engine.model)


def _judge(
    questions: Sequence[Question], conversation: Conversation, display: Display, witness: Witness
) -> list[Answer]:
    found, rate_hz = outcomes(conversation)
    return [
        Answer(
            question,
            outcome,
            said=display.said(outcome.line),
            witnessed=witness.transcribe(outcome.answer, rate_hz),
        )
        for question, outcome in zip(questions, found, strict=False)
    ]


def _show_result(
    answers: Sequence[Answer],
    conversation: Conversation,
    display: Display,
    account: Account,
    echo: Echo,
) -> None:
    heads = ["", *(f"turn {number}" for number in range(1, len(answers) + 1))]
    marks = [display.marks(answer.outcome.line) for answer in answers]
    rows = [["response, measured on the recording", *map(_response, answers)]]
    for name, words in STAGE_NAMES.items():
        rows.append([f"  {words}", *(_cell(turn.get(name)) for turn in marks)])
    rows.append(["fact said", *(_yes(a.said, a.question) for a in answers)])
    rows.append(["fact heard by Whisper", *(_yes(a.witnessed, a.question) for a in answers)])
    echo("", False)
    echo("Milliseconds after the caller's last voiced sample:", False)
    for line in table(heads, rows):
        echo(f"  {line}", False)
    echo("", False)
    echo(
        f"  {account.llm.model}, {account.recognizer.model}, {account.synthesizer.model};"
        f" answered {conversation.answer_ms:.0f} ms after the INVITE;"
        f" {conversation.seconds:.0f} s; {conversation.ended_by.value}",
        True,
    )
    echo(f"  Recording (left caller, right agent): {conversation.recording}", False)


def _response(answer: Answer) -> str:
    if answer.outcome.response_ms is None:
        return answer.outcome.verdict.value
    return f"{answer.outcome.response_ms:.0f}"


def _cell(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f}"


def _yes(text: str, question: Question) -> str:
    return "yes" if mentions(text, question.expected) else "NO"
