"""The pause benchmark: policies over the test half of the corpus, as data and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from softagent.config import RecognizerSettings, TurnSettings, VadSettings
from softagent.dialogue.pause import UNFINISHED
from softagent.lab.benchmark import Json
from softagent.lab.display import table
from softagent.lab.machine import describe_machine
from softagent.lab.pause_corpus import SpokenTurn
from softagent.lab.pause_curve import curve_svg
from softagent.lab.pause_replay import (
    Decide,
    Point,
    by_sound,
    by_words,
    latency_at,
    point,
    replay,
    silence,
)
from softagent.lab.pause_trace import RECOGNITION_TICKS, Trace, TraceEngines, kept_trace
from softagent.listener import endpointer_settings, pause_lengths
from softagent.media.frame import FRAME_MS, ticks
from softagent.models.store import ModelStore
from softagent.speech.silero import WINDOW_MS

TARGET_PCT = 5.0
SILENCES_MS = (200, 300, 400, 550, 700, 850, 1000, 1150, 1300, 1450, 1600, 1800)
DIAL_MS = (
    (200, 450, 1200),
    (200, 450, 1400),
    (200, 700, 1500),
    (200, 850, 1500),
    (300, 1050, 1500),
    (300, 1300, 1500),
    (400, 1500, 1500),
)
"""turn.shortest_pause_ms, pause_ms and longest_pause_ms: on the tune half, and by words alone, those that
keep callers waiting least at 20, 15, 10, 8, 5 and 2 % false cut-offs, and one beyond."""
SOUND_PAUSES_MS = ((300, 900), (400, 1200), (600, 1400), (800, 1500), (1000, 1600))
SOUND_THRESHOLDS = (0.5, 0.8, 0.95)
Traced = Sequence[tuple[SpokenTurn, Trace]]


def load_trace_engines(store: ModelStore) -> TraceEngines:
    """The engines of the default account, and smart-turn. Raises ModelMissing."""
    from softagent.speech.silero import SileroModel
    from softagent.speech.smart_turn import SmartTurnModel
    from softagent.speech.whisper import WhisperModel

    recognizer = RecognizerSettings()
    silero = SileroModel(store.resolve(VadSettings().model))
    whisper = WhisperModel(store.resolve(recognizer.model), threads=1)
    judge = SmartTurnModel(store.resolve("smart-turn"))
    return TraceEngines(
        silero.detector,
        lambda rate_hz: whisper.recognizer(rate_hz, recognizer.partial_interval_ms),
        judge.probability,
    )


def traced(
    turns: Sequence[SpokenTurn],
    engines: TraceEngines,
    folder: Path,
    show: Callable[[int], None],
) -> list[tuple[SpokenTurn, Trace]]:
    """Every turn with its trace; `show` is told how many are done."""
    result = []
    for count, turn in enumerate(turns):
        show(count)
        result.append((turn, kept_trace(turn, engines, folder)))
    return result


def policies() -> Iterator[tuple[str, Decide]]:
    """Each policy with each of its settings."""
    for pause_ms in SILENCES_MS:
        yield "silence", silence(ticks(pause_ms))
    for short_ms, long_ms in SOUND_PAUSES_MS:
        for threshold in SOUND_THRESHOLDS:
            yield "smart-turn", by_sound(ticks(short_ms), ticks(long_ms), threshold)
    for pauses_ms in DIAL_MS:
        lengths = pause_lengths(_settings(pauses_ms))
        yield "words", by_words(lengths)
        yield "words and smart-turn", by_words(lengths, UNFINISHED)
    yield "words, as shipped", by_words(pause_lengths(TurnSettings()))


def _settings(pauses_ms: tuple[int, int, int]) -> TurnSettings:
    shortest, usual, longest = pauses_ms
    return TurnSettings(shortest_pause_ms=shortest, pause_ms=usual, longest_pause_ms=longest)


def summary(half: Traced) -> Json:
    """The benchmark's JSON over one half; times in ms."""
    settings = endpointer_settings(
        TurnSettings(), threshold=VadSettings().threshold, window_ms=WINDOW_MS
    )

    def measured(name: str, decide: Decide, among: Traced) -> Point:
        endings = [replay(turn, trace, settings, decide) for turn, trace in among]
        return point(name, endings, with_pause=sum(bool(turn.pauses_ms) for turn, _ in among))

    curve = [measured(name, decide, half) for name, decide in policies()]
    short = [one for one in half if one[0].kind == "short"]
    at_target = {
        name: latency_at([one for one in curve if one.policy == name], TARGET_PCT)
        for name in dict.fromkeys(one.policy for one in curve)
    }
    alone = at_target["silence"]
    return {
        "curve": [{key: _rounded(value) for key, value in asdict(one).items()} for one in curve],
        "at_5_pct": {name: value and round(value) for name, value in at_target.items()},
        "ratio_to_silence": {
            name: alone and value and round(value / alone, 2) for name, value in at_target.items()
        },
        "short_answers": {
            "turns": len(short),
            "missed_pct": round(
                measured("", by_words(pause_lengths(TurnSettings())), short).missed_pct, 1
            )
            if short
            else None,
        },
        "turns": len(half),
        "turns_with_pauses": sum(bool(turn.pauses_ms) for turn, _ in half),
        "recognition_ms": RECOGNITION_TICKS * FRAME_MS,
        "machine": describe_machine(),
    }


def rendered(result: Json) -> list[str]:
    """The benchmark for people."""
    curve, machine, at_target, ratios, short = (
        result[name]
        for name in ("curve", "machine", "at_5_pct", "ratio_to_silence", "short_answers")
    )
    assert isinstance(curve, list)
    assert isinstance(machine, dict)
    assert isinstance(at_target, dict)
    assert isinstance(ratios, dict)
    assert isinstance(short, dict)
    columns = (
        "false_cutoff_pct",
        "cut_pauses_pct",
        "latency_ms",
        "p50_ms",
        "p90_ms",
        "missed_pct",
    )
    rows = [[one["policy"], *(f"{one[name]:.1f}" for name in columns)] for one in curve]
    return [
        "",
        *table(["policy", "cut off %", "of pauses", "mean ms", "p50", "p90", "missed %"], rows),
        "",
        f"At {TARGET_PCT:g} % false cut-offs (mean ms, ratio to silence alone):",
        *(
            f"  {name}: not reached" if value is None else f"  {name}: {value} ({ratios[name]})"
            for name, value in at_target.items()
        ),
        f"Short answers missed: {short['missed_pct']} % of {short['turns']}",
        f"{result['turns']} turns of the {result['half']} half, {result['turns_with_pauses']} with a pause inside; "
        f"recognition taken as {result['recognition_ms']} ms",
        "Machine: " + ", ".join(f"{name} {value}" for name, value in machine.items()),
        "",
    ]


def drawn(result: Json) -> str:
    """The benchmark's curve as SVG."""
    curve = result["curve"]
    assert isinstance(curve, list)
    caption = (
        f"False cut-offs against latency, {result['turns']} turns of the {result['half']} half"
    )
    return curve_svg([Point(**one) for one in curve], target_pct=TARGET_PCT, caption=caption)


def _rounded(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value
