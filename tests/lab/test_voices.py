"""The callers' voices: those that come along, and folders that users bring."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from softagent.errors import ConfigFileMissing
from softagent.lab.office import BENCH_UTTERANCES
from softagent.lab.timing import voiced_segments
from softagent.lab.voices import RATE_HZ, human_lines, recorded_lines, synthetic_lines, trimmed
from softagent.models.store import ModelStore


def write_wav(path: Path, *, seconds: float, channels: int = 1, rate_hz: int = 8000) -> None:
    """Half a second of silence, a tone, half a second of silence."""
    time = np.arange(int(seconds * rate_hz)) / rate_hz
    silence = np.zeros(rate_hz // 2)
    sound = np.concatenate((silence, 9000 * np.sin(2 * np.pi * 300 * time), silence))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(sound.astype("<i2"), channels).tobytes())


def test_real_people_come_along() -> None:
    """At least four human utterances of 1-6 s, each with its words."""
    lines = human_lines()
    assert len(lines) >= 4
    assert all(line.text for line in lines)
    assert all(1 <= len(line.samples) / RATE_HZ <= 6 for line in lines)


def test_there_are_enough_different_utterances() -> None:
    """Twelve or more in all, no two alike."""
    texts = [*(line.text for line in human_lines()), *BENCH_UTTERANCES]
    assert len(set(texts)) == len(texts) >= 12


def test_silence_around_the_speech_is_cut_off(tmp_path: Path) -> None:
    """What is left ends where the speech ends, so the caller's end is known."""
    write_wav(tmp_path / "a.wav", seconds=1.5)
    (tmp_path / "a.txt").write_text("A tone.\n")
    (line,) = recorded_lines(tmp_path)
    assert line.text == "A tone."
    assert len(line.samples) / RATE_HZ == pytest.approx(1.5, abs=0.02)


def test_other_rates_are_converted(tmp_path: Path) -> None:
    """16 kHz becomes 8 kHz of the same length."""
    write_wav(tmp_path / "a.wav", seconds=2.0, rate_hz=16000)
    (tmp_path / "a.txt").write_text("A tone.")
    assert len(recorded_lines(tmp_path)[0].samples) / RATE_HZ == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize(
    ("seconds", "channels", "words", "message"),
    [
        (2.0, 1, None, r"a\.txt is missing"),
        (2.0, 2, "Words.", "2 channels"),
        (0.5, 1, "Words.", r"0\.5 s of speech"),
        (7.0, 1, "Words.", r"7\.0 s of speech"),
    ],
)
def test_unusable_recordings_are_named(
    tmp_path: Path, seconds: float, channels: int, words: str | None, message: str
) -> None:
    """No words, stereo, too short, too long: the file and what to do."""
    write_wav(tmp_path / "a.wav", seconds=seconds, channels=channels)
    if words:
        (tmp_path / "a.txt").write_text(words)
    with pytest.raises(ConfigFileMissing, match=message):
        recorded_lines(tmp_path)


def test_what_is_not_a_wav_file_is_named(tmp_path: Path) -> None:
    """Text called .wav, and a folder without any."""
    with pytest.raises(ConfigFileMissing, match=r"no \.wav files"):
        recorded_lines(tmp_path)
    (tmp_path / "a.wav").write_text("no sound")
    (tmp_path / "a.txt").write_text("Words.")
    with pytest.raises(ConfigFileMissing, match=r"a\.wav cannot be read"):
        recorded_lines(tmp_path)


def test_silence_trims_to_nothing() -> None:
    """Nobody speaks."""
    assert len(trimmed(np.zeros(8000, np.int16), RATE_HZ)) == 0


@pytest.mark.engine
def test_the_callers_voice_speaks_every_question_in_1_to_6_seconds() -> None:
    """Joe says them all, and in a recording of a call his last voiced sample is his last."""
    silence = np.zeros(4 * RATE_HZ, np.int16)
    for line in synthetic_lines(BENCH_UTTERANCES, ModelStore()):
        assert 1 <= len(line.samples) / RATE_HZ <= 6, line.text
        recording = np.concatenate((silence, line.samples, silence))
        last_voiced = voiced_segments(recording, RATE_HZ)[-1].end - len(silence)
        assert len(line.samples) - last_voiced < 20 * RATE_HZ // 1000, line.text
