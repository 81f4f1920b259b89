"""Where the turns of the pause benchmark come from: Debian's recordings and synthetic callers."""

from __future__ import annotations

import gzip
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from softagent.errors import ConfigFileMissing
from softagent.lab.pause_sources import (
    PROMPT_TEXTS,
    PROMPTS,
    READINGS,
    SYNTHETIC_HZ,
    corpus,
    prompt_texts,
    readings,
    recorded_prompts,
    synthetic,
)
from softagent.media.frame import Samples

SENTENCE = "please try this number again later."


def tone(ms: int, rate_hz: int) -> Samples:
    at = np.arange(ms * rate_hz // 1000) / rate_hz
    return (9000 * np.sin(2 * np.pi * 300 * at)).astype(np.int16)


def write(path: Path, samples: Samples, rate_hz: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """What the Debian packages unpack to, in small: prompts with a gap in the middle, a tone, a novel."""
    gap = np.zeros(8 * 100, np.int16)
    lines = ["; a comment", "beep: [a tone]"]
    for number in range(24):
        sound = np.concatenate((tone(700, 8000), gap, tone(600, 8000)))
        write(tmp_path / PROMPTS / f"prompt-{number}.wav", sound, 8000)
        lines.append(f"prompt-{number}: {SENTENCE if number else 'One. Two, and three.'}")
    write(tmp_path / PROMPTS / "beep.wav", tone(300, 8000), 8000)
    texts = tmp_path / PROMPT_TEXTS
    texts.parent.mkdir(parents=True)
    texts.write_bytes(gzip.compress("\n".join(lines).encode()))
    for name in ("novel-0870", "novel-0880"):
        write(tmp_path / READINGS / f"{name}.wav", tone(1500, 16000), 16000)
    return tmp_path


class Commas:
    """A synthesizer that is silent for `gap_ms` after each comma; a letter takes 20 ms."""

    def __init__(self, gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self.asked: list[str] = []

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        self.asked.append(text)
        for part in text.split(","):
            yield tone(20 * len(part) or 20, rate_hz)
            yield np.zeros(rate_hz * self._gap_ms // 1000, np.int16)


def test_prompts_are_known_by_their_words_and_tones_are_left_out(recordings: Path) -> None:
    texts = prompt_texts(recordings)
    assert texts["prompt-1"] == SENTENCE
    assert len(texts) == 24


def test_a_recorded_caller_says_single_sentences_some_with_a_pause_inside(recordings: Path) -> None:
    said = list(recorded_prompts(recordings, prompt_texts(recordings)))
    assert "prompt prompt-0" not in {saying.key for saying in said}
    assert {saying.kind: len(saying.parts) for saying in said} == {
        "recorded": 1,
        "recorded-pause": 2,
    }


def test_a_sentence_that_the_book_goes_on_with_is_no_turn(recordings: Path) -> None:
    assert [saying.key for saying in readings(recordings)] == ["reading novel-0870"]


def test_a_turn_with_a_pause_is_spoken_in_one_go_and_cut_at_its_comma() -> None:
    """So the voice before the pause is that of a sentence which goes on."""
    voice = Commas(gap_ms=200)
    said = {saying.key: saying for saying in synthetic({"voice": voice})}
    saying = said["If I order today, when would it get here?"]
    assert [round(part.size / SYNTHETIC_HZ, 2) for part in saying.parts] == [0.32, 0.48]
    assert "If I order today, when would it get here?" in voice.asked
    assert "If I order today," not in voice.asked


def test_a_voice_that_leaves_no_gap_at_commas_speaks_the_parts_one_by_one() -> None:
    voice = Commas(gap_ms=0)
    said = {saying.key: saying for saying in synthetic({"voice": voice})}
    assert len(said["If I order today, when would it get here?"].parts) == 2
    assert "If I order today," in voice.asked


def test_the_corpus_holds_every_kind_in_both_halves_on_both_lines(recordings: Path) -> None:
    turns = corpus(recordings, {"voice": Commas(gap_ms=200)})
    kinds = {"whole", "clause", "disfluent", "digits", "short", "sentences"}
    for half in ("tune", "test"):
        assert {turn.kind for turn in turns if turn.half == half} >= kinds
    assert {turn.line.rate_hz for turn in turns} == {8000, 16000}
    keys = [{t.name.split(" | ")[0] for t in turns if t.half == half} for half in ("tune", "test")]
    assert not keys[0] & keys[1]


def test_missing_recordings_are_named_with_their_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileMissing, match="apt-get install asterisk-core-sounds-en-wav"):
        corpus(tmp_path, {})
