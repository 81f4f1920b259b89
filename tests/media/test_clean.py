"""What is listened to: without the agent's echo; without noise and louder only where that is asked for."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from echo_voices import agent_voice, caller_voice, echo_line

from softagent.errors import EngineFailed
from softagent.lab.echo_line import frames
from softagent.media.clean import SoundCleaner
from softagent.media.frame import Samples
from softagent.sound import SoundSettings

RATES_HZ = [8000, 16000]
SILENCE = np.zeros(160, dtype=np.int16)


def level_db(sound: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=float)) + 1e-3))


def cleaned(cleaner: SoundCleaner, caller: Samples, rate_hz: int) -> Samples:
    """What is listened to while the agent is silent."""
    silence = np.zeros(rate_hz // 50, dtype=np.int16)
    return np.concatenate([cleaner.clean(words, silence) for words in frames(caller, rate_hz)])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_proven_echo_falls_by_20_db(rate_hz: int) -> None:
    cleaner, line = SoundCleaner(SoundSettings(), rate_hz=rate_hz), echo_line(rate_hz, level_db=-6)
    heard, listened = [], []
    for sent in frames(agent_voice(rate_hz)[: 4 * rate_hz], rate_hz):
        heard.append(line.tick(sent))
        listened.append(cleaner.clean(heard[-1], sent))
    late = slice(100, None)
    before, after = np.concatenate(heard[late]), np.concatenate(listened[late])
    assert level_db(before) - level_db(after) > 20


def test_with_nothing_asked_for_every_sample_passes() -> None:
    cleaner = SoundCleaner(SoundSettings(echo_cancelling=False), rate_hz=8000)
    for sent in frames(agent_voice(8000)[:16000], 8000):
        assert cleaner.clean(sent, sent) is sent
        assert not cleaner.is_echo


def test_after_a_new_beginning_nothing_is_known_of_the_line() -> None:
    """What was an echo before a hold may be somebody's voice after it."""
    cleaner = SoundCleaner(SoundSettings(), rate_hz=8000)
    for sent in frames(agent_voice(8000)[:16000], 8000):
        cleaner.clean(sent, sent)
    assert level_db(cleaner.clean(sent, sent)) < level_db(sent) - 10
    cleaner.begin_anew()
    assert (cleaner.clean(sent, SILENCE) == sent).all()


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_soft_callers_are_made_louder_when_asked_for(rate_hz: int) -> None:
    caller = np.tile(caller_voice("which-folder", rate_hz), 2) // 30
    settings = SoundSettings(echo_cancelling=False, gain_control=True)
    louder = cleaned(SoundCleaner(settings, rate_hz=rate_hz), caller, rate_hz)
    assert level_db(louder[rate_hz:]) > level_db(caller[rate_hz:]) + 3


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_steady_noise_is_lowered_when_asked_for(rate_hz: int) -> None:
    noise = np.random.default_rng(1).normal(0, 300, 4 * rate_hz).astype(np.int16)
    settings = SoundSettings(echo_cancelling=False, noise_suppression=True)
    quieter = cleaned(SoundCleaner(settings, rate_hz=rate_hz), noise, rate_hz)
    assert level_db(quieter[2 * rate_hz :]) < level_db(noise) - 10


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    with pytest.raises(EngineFailed, match=r"pip install 'softagent\[webrtc\]'"):
        SoundCleaner(SoundSettings(gain_control=True), rate_hz=8000)


def test_without_noise_suppression_and_gain_the_extra_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    SoundCleaner(SoundSettings(), rate_hz=8000).clean(SILENCE, SILENCE)
