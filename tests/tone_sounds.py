"""Made signals: tones, cadences, noise, and what a codec leaves of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from softagent.media.codec import codec_named
from softagent.media.frame import Samples, frame_samples

Wave = npt.NDArray[np.float64]


def tone(*pitches_hz: float, ms: int, rate_hz: int, peak: float = 3000.0) -> Wave:
    """Tones at once, which share `peak`."""
    time = np.arange(rate_hz * ms // 1000) / rate_hz
    waves = [np.sin(2 * np.pi * pitch * time) for pitch in pitches_hz]
    summed: Wave = np.sum(waves, axis=0) * peak / len(waves)
    return summed


def silence(ms: int, rate_hz: int) -> Wave:
    return np.zeros(rate_hz * ms // 1000)


def cadence(
    *pitches_hz: float,
    parts_ms: tuple[int, ...],
    seconds: float,
    rate_hz: int,
    peak: float = 3000.0,
) -> Wave:
    """Tone, silence, tone ... of `parts_ms`, over and over."""
    period = [
        silence(ms, rate_hz) if index % 2 else tone(*pitches_hz, ms=ms, rate_hz=rate_hz, peak=peak)
        for index, ms in enumerate(parts_ms)
    ]
    rounds = int(seconds * 1000 / sum(parts_ms)) + 1
    return np.concatenate(period * rounds)[: int(seconds * rate_hz)]


def ansam(seconds: float, rate_hz: int, peak: float = 3000.0) -> Wave:
    """V.8: 2100 Hz, swelling by 20 % 15 times a second, its phase turned round every 450 ms."""
    time = np.arange(int(rate_hz * seconds)) / rate_hz
    swell = 1 + 0.2 * np.sin(2 * np.pi * 15 * time)
    turned = np.where((time / 0.45).astype(int) % 2, -1.0, 1.0)
    return peak * swell * turned * np.sin(2 * np.pi * 2100 * time)


def noise(samples: int, level: float, seed: int = 0) -> Wave:
    return np.random.default_rng(seed).normal(0, level, samples)


def carried(wave: Wave, codec_name: str) -> Samples:
    """`wave` as it arrives through a codec."""
    sender, receiver = codec_named(codec_name), codec_named(codec_name)
    sound = np.clip(wave, -32768, 32767).astype(np.int16)
    return np.concatenate(
        [receiver.decode(sender.encode(f)) for f in frames(sound, sender.rate_hz)]
    )


def frames(sound: Samples, rate_hz: int) -> Iterator[Samples]:
    size = frame_samples(rate_hz)
    for start in range(0, len(sound) - size + 1, size):
        yield sound[start : start + size]
