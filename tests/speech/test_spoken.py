"""From a synthesizer's sound to the call's: ends, level, 16 bits, rate."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.errors import ModelMissing
from softagent.speech.spoken import (
    AUDIBLE,
    LEADING_MS,
    SPEECH_LEVEL_DB,
    TRAILING_MS,
    CallVoice,
    SpokenSound,
    Wave,
    check_voice_file,
    speech_gain,
)

RATE_HZ = 16000


def tone(milliseconds: int, amplitude: float = 0.1) -> Wave:
    """A 500 Hz tone at 16 kHz."""
    time = np.arange(RATE_HZ * milliseconds // 1000) / RATE_HZ
    return (amplitude * np.cos(2 * np.pi * 500 * time)).astype(np.float32)


def silence(milliseconds: int) -> Wave:
    """Nothing, at 16 kHz."""
    return np.zeros(RATE_HZ * milliseconds // 1000, np.float32)


def shaped(*pieces: Wave, gain: float = 1.0) -> np.ndarray:
    """An utterance in these pieces, at its own rate."""
    sound = SpokenSound(from_hz=RATE_HZ, to_hz=RATE_HZ, gain=gain)
    return np.concatenate([*(sound.push(piece) for piece in pieces), sound.finish()])


def test_silence_around_the_words_is_cut() -> None:
    """30 ms before, 60 ms after, and the pause inside stays."""
    samples = shaped(silence(300), tone(200), silence(150), tone(100), silence(500))

    assert len(samples) / RATE_HZ * 1000 == pytest.approx(
        LEADING_MS + 200 + 150 + 100 + TRAILING_MS, abs=2
    )


def test_silence_alone_is_nothing() -> None:
    """No word, no sound."""
    assert len(shaped(silence(300), silence(20))) == 0
    assert len(shaped()) == 0


def test_first_words_come_before_the_last() -> None:
    """What can be heard is handed out at once."""
    sound = SpokenSound(from_hz=RATE_HZ, to_hz=RATE_HZ, gain=1.0)

    assert len(sound.push(silence(100))) == 0
    assert len(sound.push(tone(100))) > 0


@given(cuts=st.lists(st.integers(0, RATE_HZ), max_size=12))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    """However the sound is cut, the utterance is the same."""
    wave = np.concatenate([silence(100), tone(300), silence(200), tone(200), silence(200)])

    pieces = np.split(wave, sorted(min(cut, len(wave)) for cut in cuts))

    assert np.array_equal(shaped(*pieces), shaped(wave))


def test_peaks_are_rounded_off() -> None:
    """Sound beyond full scale neither wraps nor reaches the limit; quiet sound is untouched."""
    loud = shaped(tone(100, amplitude=1.5))
    quiet = shaped(tone(100, amplitude=0.5))

    assert 0.9 * 32767 < np.abs(loud.astype(int)).max() <= 32767
    assert np.abs(quiet[: RATE_HZ // 10] / 32767 - tone(100, amplitude=0.5)).max() < 1e-4


def test_rate_is_the_calls() -> None:
    """Half the rate, half the samples."""
    sound = SpokenSound(from_hz=RATE_HZ, to_hz=8000, gain=1.0)

    samples = np.concatenate([sound.push(tone(500)), sound.finish()])

    assert samples.dtype == np.int16
    assert abs(len(samples) - 4000) < 10


def test_gain_looks_at_the_speech_only() -> None:
    """Pauses don't make a voice seem quieter."""
    wave = np.concatenate([silence(1000), tone(200, amplitude=0.02), silence(1000)])

    amplified = tone(200, amplitude=0.02) * speech_gain(wave, RATE_HZ)

    assert 20 * np.log10(np.sqrt(np.mean(amplified**2))) == pytest.approx(SPEECH_LEVEL_DB, abs=0.1)
    assert speech_gain(silence(100), RATE_HZ) == 1.0


class ScriptedVoice:
    """Says every sentence as three pieces of a tone, and counts the pieces made."""

    def __init__(self) -> None:
        self.made = 0

    def say(self, text: str) -> Iterator[Iterable[Wave]]:
        for _ in filter(None, text.split(".")):
            yield self._pieces()

    def _pieces(self) -> Iterator[Wave]:
        for _ in range(3):
            self.made += 1
            yield tone(100)


def test_sentences_are_kept_apart() -> None:
    """A pause between two sentences of one text, none before the first."""
    voice = CallVoice(ScriptedVoice().say, rate_hz=RATE_HZ)

    one = np.concatenate([*voice.speak("One.", rate_hz=8000, cancelled=lambda: False)])
    two = np.concatenate([*voice.speak("One. Two.", rate_hz=8000, cancelled=lambda: False)])

    assert np.abs(one[:80]).max() > AUDIBLE * 32767
    assert len(two) > 2 * len(one) + 8000 // 10


def test_cancel_is_asked_before_each_piece() -> None:
    """Nothing more is made once the reply isn't wanted."""
    script = ScriptedVoice()
    voice = CallVoice(script.say, rate_hz=RATE_HZ)
    script.made = 0

    pieces = list(voice.speak("One. Two.", rate_hz=RATE_HZ, cancelled=lambda: script.made == 2))

    assert script.made == 2
    assert len(pieces) == 2


def test_text_without_words_is_nothing() -> None:
    """The engine isn't even asked."""
    script = ScriptedVoice()
    voice = CallVoice(script.say, rate_hz=RATE_HZ)
    script.made = 0

    assert list(voice.speak("?! …", rate_hz=8000, cancelled=lambda: False)) == []
    assert script.made == 0


def test_missing_voice_is_named(tmp_path: Path) -> None:
    """The message says which file and what to do."""
    with pytest.raises(ModelMissing, match=r"joe\.onnx.*models pull"):
        check_voice_file(tmp_path / "joe.onnx")
