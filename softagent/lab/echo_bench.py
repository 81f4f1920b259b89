"""The echo benchmark: does the agent interrupt or transcribe itself, and does it still hear the caller?

Each line is listened to twice, with the account's cleaning and without: first the agent alone,
sentence by sentence, then callers who begin in the middle of a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from softagent.config import RecognizerSettings, SynthesizerSettings, VadSettings
from softagent.engines import Recognizer, VoiceActivity
from softagent.lab.benchmark import Json
from softagent.lab.display import table
from softagent.lab.echo_ear import Ear
from softagent.lab.echo_line import EchoLine, frames
from softagent.lab.script import Line
from softagent.lab.timing import percentile
from softagent.lab.voices import RATE_HZ, trimmed
from softagent.lab.word_errors import plain_words, word_errors
from softagent.media.clean import SoundCleaner
from softagent.media.frame import FRAME_MS, Samples, frame_samples, ticks
from softagent.models.store import ModelStore
from softagent.sound import SoundSettings

LEVELS_DB = (-6, -12, -20)
DELAYS_MS = (20, 100, 400)
SENTENCES = (
    "Thank you for calling the office of Miller and Daughters, how can I help you?",
    "We are open from Monday to Friday, from eight in the morning until five in the afternoon.",
    "You will find us at twelve Mill Lane, right behind the old town hall.",
    "I can put you through to the workshop, to the sales department or to the accounts.",
    "The delivery takes three to five days, and we call you before we come.",
    "Let me read that back to you: two new windows and one door, on Thursday at nine.",
)
PAUSE_TICKS = ticks(1500)
"""After a sentence of the agent's, and after the caller's words: an echo of 400 ms is over."""
BEGIN_TICKS = (ticks(700), ticks(1300), ticks(2100))
"""When callers begin in the agent's sentence."""
STOP_TICKS = ticks(500)
"""How long the agent talks on over the caller."""
LEAD_TICKS = ticks(300)
"""Of what came before and after, for the recognizer."""
LATER = 3
"""Attenuation is measured in so many sentences, the last ones."""
SILENCE = np.zeros(frame_samples(RATE_HZ), dtype=np.int16)

COLUMNS = {
    "interrupted": "interrupted",
    "own words": "self_transcribed_words",
    "missed": "missed",
    "noticed (ms)": "noticed_ms_p50",
    "WER %": "wer_pct",
    "talking on": "wer_talking_on_pct",
}


@dataclass(frozen=True, slots=True)
class BenchEngines:
    """What listens; one of each for a call at RATE_HZ."""

    voice_activity: Callable[[], VoiceActivity]
    recognizer: Callable[[], Recognizer]


@dataclass(frozen=True, slots=True)
class Figures:
    """One line, listened to in one way."""

    sentences: int
    interrupted: int
    """Sentences of the agent's, alone, in or after which somebody was heard to begin."""
    self_transcribed_words: int
    callers: int
    missed: int
    """Callers who weren't heard to begin within their words."""
    noticed_ms_p50: float | None
    """From a caller's first sound to the tick in which the beginning is known."""
    noticed_ms_p95: float | None
    wer_pct: float
    """Of the callers' words, where the agent stops after half a second."""
    wer_talking_on_pct: float
    """The same where it talks on."""
    attenuation_db: float
    """Of all that comes while the agent speaks alone; the line's noise is its bound."""
    milliseconds_mean: float
    """Of the processor, for a tick's cleaning."""
    milliseconds_p99: float


def load_bench_engines(store: ModelStore) -> BenchEngines:
    """Those of the default account. Raises ModelMissing."""
    from softagent.speech.silero import SileroModel
    from softagent.speech.whisper import WhisperModel

    settings = RecognizerSettings()
    silero = SileroModel(store.resolve(VadSettings().model))
    whisper = WhisperModel(store.resolve(settings.model), threads=1)
    return BenchEngines(
        partial(silero.detector, RATE_HZ),
        partial(whisper.recognizer, RATE_HZ, settings.partial_interval_ms),
    )


def agent_sentences(store: ModelStore) -> list[Samples]:
    """SENTENCES in the default account's voice. Raises ModelMissing."""
    from softagent.speech.hibari import HibariSynthesizer

    settings = SynthesizerSettings()
    voice = HibariSynthesizer(store.resolve(settings.model), settings)
    spoken = []
    for text in SENTENCES:
        pieces = voice.synthesize(text, rate_hz=RATE_HZ, cancelled=lambda: False)
        spoken.append(trimmed(np.concatenate(list(pieces)), RATE_HZ))
    return spoken


def conditions(levels_db: Sequence[int] = LEVELS_DB) -> Iterator[tuple[int | None, int]]:
    """Level in dB and delay in ms of each line's echo; the first has none."""
    yield None, 0
    for level_db in levels_db:
        for delay_ms in DELAYS_MS:
            yield level_db, delay_ms


def measure(
    engines: BenchEngines,
    sentences: Sequence[Samples],
    callers: Sequence[Line],
    *,
    level_db: float | None,
    delay_ms: int,
    settings: SoundSettings,
) -> Figures:
    """Listen to one line as `settings` want it."""

    def ear() -> Ear:
        voice = np.concatenate(sentences)
        return Ear(
            EchoLine(RATE_HZ, level_db=level_db, delay_ms=delay_ms, voice=voice),
            rate_hz=RATE_HZ,
            voice_activity=engines.voice_activity(),
            cleaner=SoundCleaner(settings, rate_hz=RATE_HZ) if settings.is_needed else None,
        )

    alone = ear()
    parts = [_speak_alone(alone, sentence) for sentence in sentences]
    own_words = (_words(sound, engines.recognizer()) for sound in alone.utterances.sounds)
    over = [
        [_be_spoken_over(ear(), sentences, number, caller, talks_on) for talks_on in (False, True)]
        for number, caller in enumerate(callers)
    ]
    noticed = [stops.noticed_ms for stops, _ in over]
    times = [ms for ms in noticed if ms is not None]
    wer_pct, wer_talking_on_pct = (
        _error_rate([both[way] for both in over], callers, engines) for way in (0, 1)
    )
    spent = alone.milliseconds or [0.0]
    return Figures(
        sentences=len(sentences),
        interrupted=sum(part.was_interrupted for part in parts),
        self_transcribed_words=sum(map(len, own_words)),
        callers=len(callers),
        missed=noticed.count(None),
        noticed_ms_p50=percentile(times, 50) if times else None,
        noticed_ms_p95=round(percentile(times, 95), 1) if times else None,
        wer_pct=wer_pct,
        wer_talking_on_pct=wer_talking_on_pct,
        attenuation_db=round(float(np.mean([part.attenuation_db for part in parts[-LATER:]])), 1),
        milliseconds_mean=round(float(np.mean(spent)), 3),
        milliseconds_p99=round(percentile(spent, 99), 3),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A sentence of the agent's, alone."""

    was_interrupted: bool
    attenuation_db: float


@dataclass(frozen=True, slots=True)
class _Over:
    """A caller over the agent."""

    sound: Sequence[Samples]
    """What was listened to, from a little before the caller began."""
    noticed_ms: float | None


def _speak_alone(ear: Ear, sentence: Samples) -> _Part:
    """The agent says `sentence`, and then nothing."""
    starts, begin = len(ear.starts), len(ear.raw)
    for sent in frames(sentence, RATE_HZ):
        ear.hear(sent, agent_speaks=True)
    raw, cleaned = (_power(sound[begin:]) for sound in (ear.raw, ear.cleaned))
    _wait(ear)
    return _Part(len(ear.starts) > starts, 10 * float(np.log10(raw / cleaned)))


def _be_spoken_over(
    ear: Ear, sentences: Sequence[Samples], number: int, caller: Line, talks_on: bool
) -> _Over:
    """The caller begins in the agent's first sentence or, if `number` is even, in the second."""
    order = [sentences[(number + more) % len(sentences)] for more in range(4)]
    if number % 2 == 0:
        _speak_alone(ear, order[0])
    agent = list(frames(np.concatenate(order[1:]), RATE_HZ))
    said = list(frames(caller.samples, RATE_HZ))
    begin = BEGIN_TICKS[number % len(BEGIN_TICKS)]
    began = len(ear.raw) + begin
    for index in range(begin + len(said)):
        is_speaking = index < len(agent) and (talks_on or index < begin + STOP_TICKS)
        words = said[index - begin] if index >= begin else None
        ear.hear(agent[index] if is_speaking else SILENCE, words, agent_speaks=is_speaking)
    _wait(ear)
    ends = began + len(said)
    start = next((tick for tick in ear.starts if began <= tick <= ends), None)
    return _Over(
        ear.cleaned[began - LEAD_TICKS : ends + LEAD_TICKS],
        None if start is None else float((start + 1 - began) * FRAME_MS),
    )


def _wait(ear: Ear) -> None:
    for _ in range(PAUSE_TICKS):
        ear.hear(SILENCE, agent_speaks=False)


def _error_rate(over: Sequence[_Over], callers: Sequence[Line], engines: BenchEngines) -> float:
    """Percent of the callers' words that are misunderstood; at most all of each caller's."""
    errors = words = 0
    for one, caller in zip(over, callers, strict=True):
        said = plain_words(caller.text)
        heard = _words(one.sound, engines.recognizer())
        errors += min(word_errors(said, heard), len(said))
        words += len(said)
    return round(100 * errors / words, 1)


def _words(sound: Sequence[Samples], recognizer: Recognizer) -> list[str]:
    for samples in sound:
        recognizer.accept(samples)
    return plain_words(recognizer.finish())


def _power(sound: Sequence[Samples]) -> float:
    return float(np.mean(np.square(np.concatenate(sound), dtype=np.float64))) + 1.0


def measured_line(
    engines: BenchEngines,
    sentences: Sequence[Samples],
    callers: Sequence[Line],
    *,
    level_db: float | None,
    delay_ms: int,
) -> Json:
    """A line with cleaning and without."""
    run = partial(measure, engines, sentences, callers, level_db=level_db, delay_ms=delay_ms)
    return {
        "level_db": level_db,
        "delay_ms": delay_ms,
        "without": asdict(run(settings=SoundSettings(echo_cancelling=False))),
        "with": asdict(run(settings=SoundSettings())),
    }


def rendered(lines: Sequence[Json]) -> list[str]:
    """The lines for people; each cell is without -> with cleaning."""
    return ["", *table(["echo", *COLUMNS, "dB", "ms a tick"], [_row(line) for line in lines]), ""]


def _row(line: Json) -> list[str]:
    before, after = line["without"], line["with"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    return [
        "none" if line["level_db"] is None else f"{line['level_db']} dB, {line['delay_ms']} ms",
        *(f"{before[name]} -> {after[name]}" for name in COLUMNS.values()),
        f"{after['attenuation_db']}",
        f"{after['milliseconds_mean']}",
    ]
