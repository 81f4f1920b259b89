"""softagent as a real Asterisk sees it, called with a telephone that no one here wrote."""

from __future__ import annotations

import os
import re
import signal
import wave
from pathlib import Path

import pytest
from agent import START_SECONDS, Agent
from asterisk import Asterisk, wait_for
from caller import RATE_HZ, Dial, Speak, Transcribe, audible_seconds
from exchange import (
    AGENT,
    AGENT_PCMA,
    AGENT_WITH_PCMA,
    AGENT_WITH_PCMU,
    CALLER,
    ECHO,
    SUPERVISED,
    SUPERVISED_AGENT,
)

pytestmark = pytest.mark.pbx

QUESTION = "What time do you open on Monday?"
FACT = re.compile(r"\b(10[:. ]?30|ten[ -]thirty|half past (10|ten))\b", re.IGNORECASE)
GREETING = re.compile(r"^hello\b.*\bhill street\W+dental\b.*\bhelp you today\W*$", re.IGNORECASE)
FAREWELL = re.compile(r"thank you for calling.*good ?bye\W*$", re.IGNORECASE)

SUPERVISED_RUNNING = r"account=supervised state=running .*pid=(\d+)"

NO_CHANNELS_SECONDS = 5.0
"""A call that has ended is gone from the PBX well within this time."""
EXPIRES_SECONDS = 30.0
"""What the accounts ask for: a PBX that forgot them sees them again by then."""


@pytest.mark.parametrize(("codec", "pbx_name"), [("PCMU", "ulaw"), ("PCMA", "alaw")])
def test_the_bed_carries_sound_both_ways(
    asterisk: Asterisk,
    dial: Dial,
    speak: Speak,
    transcribe: Transcribe,
    codec: str,
    pbx_name: str,
) -> None:
    """The PBX's echo can be understood, so what fails below is softagent's fault."""
    with dial(ECHO, codecs=codec) as call:
        call.wait("media")
        call.play(speak(QUESTION))
        call.wait("quiet")
        assert asterisk.channel_codecs(CALLER) == [pbx_name]
        call.hang_up()
    assert "on monday" in transcribe(call.heard()).lower()


def test_the_extension_is_registered_and_answers_qualify(asterisk: Asterisk, worker: Agent) -> None:
    wait_for(lambda: asterisk.is_reachable(AGENT), f"{AGENT} being reachable", seconds=5)


@pytest.mark.parametrize(
    ("extension", "codec", "endpoint", "pbx_name"),
    [
        (AGENT_WITH_PCMU, "PCMU", AGENT, "ulaw"),
        (AGENT_WITH_PCMA, "PCMA", AGENT_PCMA, "alaw"),
    ],
)
def test_a_spoken_question_is_answered_from_the_facts(
    asterisk: Asterisk,
    worker: Agent,
    dial: Dial,
    speak: Speak,
    transcribe: Transcribe,
    extension: str,
    codec: str,
    endpoint: str,
    pbx_name: str,
) -> None:
    with dial(extension, codecs=codec) as call:
        call.wait("sound")
        assert asterisk.channel_codecs(endpoint) == [pbx_name]
        call.wait("quiet")
        asked = call.play(speak(QUESTION))
        call.wait("sound")
        call.wait("quiet")
        call.hang_up()
    assert GREETING.search(transcribe(call.heard(until=asked.seconds))), "greeting"
    assert FACT.search(transcribe(call.heard(since=asked.seconds))), "answer"


def test_barge_in_cuts_the_agent(
    worker: Agent, dial: Dial, speak: Speak, transcribe: Transcribe
) -> None:
    """Interrupted in its first words, the agent is quiet while the caller speaks, and then answers."""
    question = speak(QUESTION)
    with dial(AGENT_WITH_PCMU) as call:
        call.wait("sound")
        asked = call.play(question)
        call.wait("quiet")
        call.wait("sound")
        call.wait("quiet")
        call.hang_up()
    during = call.heard(since=asked.seconds + 0.8, until=asked.seconds + duration_seconds(question))
    assert len(during) > RATE_HZ / 2
    assert audible_seconds(during) == 0.0
    words = transcribe(call.heard())
    assert not re.search("help you today", words, re.IGNORECASE), words
    assert FACT.search(words), words


def test_digits_arrive_in_order_and_once(worker: Agent, dial: Dial) -> None:
    start = worker.mark()
    with dial(AGENT_WITH_PCMU) as call:
        call.wait("sound")
        call.press("5905")
        call.wait("quiet")
        call.hang_up()
    worker.wait_for("event=call-ended", since=start)
    assert worker.find(r"event=digit-pressed digit=(\S+)", since=start) == ["5", "9", "0", "5"]


def test_a_caller_who_hangs_up_leaves_no_channel(
    asterisk: Asterisk, worker: Agent, dial: Dial
) -> None:
    """In the middle of the greeting, which is when people do it."""
    start = worker.mark()
    with dial(AGENT_WITH_PCMU) as call:
        call.wait("sound")
        assert asterisk.channels() == 2
        call.hang_up()
    assert "reason=caller-hung-up" in worker.wait_for("event=call-ended.*", since=start)
    assert_no_channels(asterisk)


def test_the_agent_hangs_up_after_the_farewell(
    asterisk: Asterisk, worker: Agent, dial: Dial, speak: Speak, transcribe: Transcribe
) -> None:
    start = worker.mark()
    with dial(AGENT_WITH_PCMU) as call:
        call.wait("sound")
        call.wait("quiet")
        said = call.play(speak("Thank you very much. Goodbye."))
        call.wait("closed")
    assert FAREWELL.search(transcribe(call.heard(since=said.seconds)))
    assert "reason=agent-hung-up" in worker.wait_for("event=call-ended.*", since=start)
    assert_no_channels(asterisk)


def test_the_extension_comes_back_after_the_pbx_was_restarted(
    asterisk: Asterisk, worker: Agent, dial: Dial
) -> None:
    asterisk.restart()
    assert not asterisk.is_registered(AGENT), "the PBX should have forgotten everybody"
    wait_for(
        lambda: asterisk.is_reachable(AGENT),
        f"{AGENT} being reachable again",
        seconds=EXPIRES_SECONDS + 10,
    )
    with dial(AGENT_WITH_PCMU) as call:
        call.wait("sound")
        call.hang_up()


def test_a_worker_killed_with_signal_9_comes_back_and_answers(
    asterisk: Asterisk, office: Agent, dial: Dial
) -> None:
    first = int(office.wait_for(SUPERVISED_RUNNING, seconds=START_SECONDS))
    death = office.mark()
    os.kill(first, signal.SIGKILL)
    second = int(office.wait_for(SUPERVISED_RUNNING, since=death, seconds=START_SECONDS))
    assert second != first
    wait_for(lambda: asterisk.is_reachable(SUPERVISED), "the new worker", seconds=10)
    with dial(SUPERVISED_AGENT) as call:
        call.wait("sound")
        call.hang_up()


def test_a_supervisor_killed_with_signal_9_takes_its_worker_along_in_good_order(
    asterisk: Asterisk, office: Agent, dial: Dial
) -> None:
    """The worker ends its call with BYE and removes its registration before it goes."""
    office.wait_for(SUPERVISED_RUNNING, seconds=START_SECONDS)
    worker = int(office.find(SUPERVISED_RUNNING)[-1])
    wait_for(lambda: asterisk.is_reachable(SUPERVISED), "the worker", seconds=10)
    with dial(SUPERVISED_AGENT) as call:
        call.wait("sound")
        office.kill()
        call.wait("closed")
    assert_no_channels(asterisk)
    wait_for(lambda: not asterisk.is_registered(SUPERVISED), "its unregistration", seconds=5)
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), "the worker's end", seconds=15)


def assert_no_channels(asterisk: Asterisk) -> None:
    wait_for(lambda: asterisk.channels() == 0, "the channels' end", seconds=NO_CHANNELS_SECONDS)


def duration_seconds(path: Path) -> float:
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()
