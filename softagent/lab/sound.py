"""WAV files in and out of arrays: what the lab plays and what it measures."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from softagent.errors import ConfigFileMissing
from softagent.media.frame import Samples


def load_channels(path: Path) -> tuple[list[Samples], int]:
    """The channels of a 16-bit WAV file, each of shape (n,), and its rate in Hz.

    Raises ConfigFileMissing when it isn't there or isn't 16-bit PCM.
    """
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise ConfigFileMissing(f"{path} is not a 16-bit WAV file: convert it first")
            interleaved = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            channels, rate_hz = file.getnchannels(), file.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        raise ConfigFileMissing(f"{path} cannot be read as a WAV file: {error}") from error
    return [interleaved[channel::channels].astype(np.int16) for channel in range(channels)], rate_hz
