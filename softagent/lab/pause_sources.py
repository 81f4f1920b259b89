"""Where the pause benchmark's voices come from: two synthetic callers, and recordings from Debian."""

from __future__ import annotations

import gzip
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from softagent.config import SynthesizerSettings
from softagent.engines import Synthesizer
from softagent.errors import ConfigFileMissing
from softagent.lab.pause_corpus import (
    RATES_HZ,
    Saying,
    SpokenTurn,
    babble_of,
    number_of,
    split_at_gaps,
    spoken_turns,
    without_silence,
)
from softagent.lab.sound import load_channels
from softagent.media.frame import Samples
from softagent.models.store import ModelStore

SYNTHETIC_HZ = 16000
PROMPTS = Path("share/asterisk/sounds/en_US_f_Allison")
PROMPT_TEXTS = Path("share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
READINGS = Path("share/pocketsphinx/test/data/librivox")
UNFINISHED_READINGS = ("-0880",)
"""The book goes on in the middle of these sentences, and so does the reader's voice."""
FEWEST_WORDS = 4
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 8.0
MOST_PROMPTS = 120
BABBLE_PROMPTS = 40
SEED = 1
COMMA_SHARE = 0.15
"""How far from where it stands in the text, as a share of the turn, a comma is looked for."""
OPENING = "How can I help you?"
_PROMPT = re.compile(r"^([\w-]+):\s*([^\[\]]+)$")


def corpus(recordings: Path, callers: Mapping[str, Synthesizer]) -> list[SpokenTurn]:
    """All turns of both halves; `callers` are the synthetic ones by name.

    `recordings` is where the Debian packages lie, such as /usr; raises ConfigFileMissing
    when they don't.
    """
    prompts = prompt_texts(recordings)
    others = [name for name in prompts if not _is_caller(name)][:BABBLE_PROMPTS]
    babble = babble_of([_prompt(recordings, name) for name in others], 8000)
    turns = [
        turn
        for saying in (*recorded_prompts(recordings, prompts), *readings(recordings))
        for turn in spoken_turns(saying, babble)
    ]
    for number, voice in enumerate(callers):
        for saying in synthetic({voice: callers[voice]}):
            turns += spoken_turns(saying, babble, [_rate_hz(saying, number)])
    return turns


def synthetic_callers(store: ModelStore) -> dict[str, Synthesizer]:
    """The voices that speak pause_texts.toml. Raises ModelMissing."""
    import onnxruntime

    from softagent.speech.hibari import HibariSynthesizer
    from softagent.speech.piper import PiperSynthesizer

    piper, hibari = SynthesizerSettings(engine="piper", model="piper-joe"), SynthesizerSettings()
    onnxruntime.set_seed(SEED)  # of what Piper's network draws: so the same text is the same sound
    return {
        "joe": PiperSynthesizer(store.resolve(piper.model), piper),
        "heart": HibariSynthesizer(store.resolve(hibari.model), hibari),
    }


def prompt_texts(recordings: Path) -> dict[str, str]:
    """The words of every Asterisk prompt by name; tones aren't among them."""
    path = recordings / PROMPT_TEXTS
    if not path.is_file() or not (recordings / PROMPTS).is_dir():
        raise ConfigFileMissing(
            f"{recordings} holds no Asterisk prompts: apt-get install asterisk-core-sounds-en-wav "
            "pocketsphinx-testdata, or name with --recordings where they are unpacked"
        )
    lines = gzip.decompress(path.read_bytes()).decode("utf-8", "replace").splitlines()
    found = [match for line in lines if (match := _PROMPT.match(line))]
    folder = recordings / PROMPTS
    return {one[1]: one[2].strip() for one in found if (folder / f"{one[1]}.wav").is_file()}


def recorded_prompts(recordings: Path, texts: Mapping[str, str]) -> Iterator[Saying]:
    """Single sentences of the prompts' speaker, half of them with a pause between two words."""
    usable = [name for name, text in texts.items() if _is_caller(name) and _is_sentence(text)]
    for name in sorted(usable, key=number_of)[:MOST_PROMPTS]:
        sound = _prompt(recordings, name)
        if SHORTEST_SECONDS <= sound.size / 8000 <= LONGEST_SECONDS:
            yield _recorded(f"prompt {name}", "allison", sound, 8000)


def readings(recordings: Path) -> Iterator[Saying]:
    """Sentences that a reader of a novel ends."""
    for path in sorted((recordings / READINGS).glob("*.wav")):
        channels, rate_hz = load_channels(path)
        sound = without_silence(channels[0], rate_hz)
        if not path.stem.endswith(UNFINISHED_READINGS) and sound.size <= LONGEST_SECONDS * rate_hz:
            yield _recorded(f"reading {path.stem}", "reader", sound, rate_hz)


def synthetic(callers: Mapping[str, Synthesizer]) -> Iterator[Saying]:
    """Every turn of pause_texts.toml, by every caller."""
    tables = tomllib.loads(files(__package__).joinpath("pause_texts.toml").read_text("utf-8"))
    groups = [(kind, group) for kind, groups in tables.items() for group in groups]
    for voice, synthesizer in callers.items():
        for kind, group in groups:
            for texts in group["turns"]:
                parts = _parts(synthesizer, texts)
                if all(part.size for part in parts):
                    yield Saying(" ".join(texts), voice, kind, group["asked"], parts, SYNTHETIC_HZ)


def _rate_hz(saying: Saying, voice: int) -> int:
    """The callers' lines: of two who say the same, one is heard at each rate."""
    return RATES_HZ[(number_of(f"rate {saying.key}") + voice) % len(RATES_HZ)]


def _parts(synthesizer: Synthesizer, texts: Sequence[str]) -> tuple[Samples, ...]:
    """The turn spoken in one go and cut near its commas: before a pause the voice doesn't fall.

    Where it leaves no gap there, the parts are spoken one by one.
    """
    whole = " ".join(texts)
    ends = [len(" ".join(texts[:count])) / len(whole) for count in range(1, len(texts))]
    spans = [(max(0.0, end - COMMA_SHARE), min(1.0, end + COMMA_SHARE)) for end in ends]
    parts = split_at_gaps(_say(synthesizer, whole), SYNTHETIC_HZ, spans)
    if len(parts) == len(texts):
        return parts
    return tuple(_say(synthesizer, text) for text in texts)


def _say(synthesizer: Synthesizer, text: str) -> Samples:
    pieces = list(synthesizer.synthesize(text, rate_hz=SYNTHETIC_HZ, cancelled=lambda: False))
    return without_silence(np.concatenate(pieces), SYNTHETIC_HZ)


def _recorded(key: str, voice: str, sound: Samples, rate_hz: int) -> Saying:
    is_cut = number_of(f"cut {key}") % 2 == 0
    parts = split_at_gaps(sound, rate_hz) if is_cut else (sound,)
    kind = "recorded-pause" if len(parts) > 1 else "recorded"
    return Saying(key, voice, kind, OPENING, parts, rate_hz)


def _prompt(recordings: Path, name: str) -> Samples:
    channels, rate_hz = load_channels(recordings / PROMPTS / f"{name}.wav")
    return without_silence(channels[0], rate_hz)


def _is_caller(name: str) -> bool:
    """Three in four prompts are callers, the others babble in the background."""
    return number_of(name) % 4 > 0


def _is_sentence(text: str) -> bool:
    is_one = not re.search(r"[.?!;:]\s", text) and text.endswith((".", "!", "?"))
    return is_one and "..." not in text and len(text.split()) >= FEWEST_WORDS
