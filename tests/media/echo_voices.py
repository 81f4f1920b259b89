"""Recordings of people, one of them the agent, and the line on which its voice comes back."""

from __future__ import annotations

from pathlib import Path

from sounds import load

from softagent.lab.echo_line import NOISE_RMS, EchoLine
from softagent.lab.sound import load_channels
from softagent.lab.voices import trimmed
from softagent.media.frame import Samples
from softagent.media.resample import resample

TESTS = Path(__file__).parents[1]
SPEECH = TESTS / "data" / "speech"
UTTERANCES = TESTS.parent / "softagent" / "lab" / "utterances"
AGENT = "basic-pbx-ivr-main"
CALLERS = (
    "did-not-understand",
    "made-amiable",
    "nobody-available",
    "not-ill-disposed",
    "which-folder",
    "who-sent-this",
)
"""People who begin with a voice at once; two of them are the agent's speaker."""
REFERENCE_SECONDS = 5


def agent_voice(rate_hz: int) -> Samples:
    """25 s of an agent's speech."""
    return resample(load(SPEECH / f"{AGENT}.wav"), from_hz=8000, to_hz=rate_hz)


def caller_voice(name: str, rate_hz: int) -> Samples:
    """One caller's words, from the first sound of them on."""
    channels, from_hz = load_channels(UTTERANCES / f"{name}.wav")
    return resample(trimmed(channels[0], from_hz), from_hz=from_hz, to_hz=rate_hz)


def echo_line(
    rate_hz: int, *, level_db: float | None, delay_ms: int = 0, noise_rms: float = NOISE_RMS
) -> EchoLine:
    """A line that returns the agent's voice."""
    voice = agent_voice(rate_hz)[: REFERENCE_SECONDS * rate_hz]
    return EchoLine(rate_hz, level_db=level_db, delay_ms=delay_ms, voice=voice, noise_rms=noise_rms)
