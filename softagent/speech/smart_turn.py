"""Whether a pause ends the turn, by its sound: smart-turn v3's ONNX model, on onnxruntime alone.

The model hears the last 8 s before a pause as Whisper's log-mel spectrogram and gives the
probability that the caller has finished (github.com/pipecat-ai/smart-turn, BSD-2-Clause).
The spectrogram is faster-whisper's: the same numbers, and no code of our own to keep.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from softagent.errors import EngineFailed, ModelMissing
from softagent.media.frame import Samples
from softagent.media.resample import resample

MODEL_FILE = "smart-turn-v3.2-cpu.onnx"
RATE_HZ = 16000
SECONDS = 8
MELS = 80
FEATURES_HZ = 100
FULL_SCALE = 32768.0
VARIANCE_FLOOR = 1e-7
"""Added to the variance before the level is evened out, as in the model's training."""


class SmartTurnModel:
    """The loaded network. One per process; any thread may ask."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load `path`: the .onnx file or the folder that holds it.

        Raises ModelMissing when there is none, EngineFailed when it is something else.
        """
        from faster_whisper.feature_extractor import FeatureExtractor

        self._path = path / MODEL_FILE if path.is_dir() else path
        if not self._path.is_file():
            raise ModelMissing(
                f"end-of-turn model {self._path}: no such file; "
                "run `softagent models pull smart-turn` or leave turn.end_model out"
            )
        self._session = _open_session(self._path, threads)
        self._extractor = FeatureExtractor(
            feature_size=MELS, sampling_rate=RATE_HZ, chunk_length=SECONDS
        )

    def probability(self, sound: Samples, rate_hz: int) -> float:
        """Probability 0..1 that whoever spoke `sound`, shape (n,), up to now has finished."""
        heard = resample(sound, from_hz=rate_hz, to_hz=RATE_HZ)
        try:
            (output,) = self._session.run(None, {"input_features": self._features(heard)[None]})
        except Exception as problem:  # onnxruntime's own classes share no base but this one
            raise EngineFailed(f"end of turn: smart-turn failed: {problem}") from problem
        return float(output[0, 0])

    def warm_up(self) -> None:
        """Ask once: the first inference allocates."""
        self.probability(np.zeros(RATE_HZ, np.int16), RATE_HZ)

    def _features(self, sound: Samples) -> npt.NDArray[np.float32]:
        """Log-mel spectrogram of the last 8 s at 16 kHz, silence in front, shape (80, 800)."""
        wave = np.zeros(SECONDS * RATE_HZ, np.float32)
        last = sound[-wave.size :]
        if last.size:
            wave[-last.size :] = last / np.float32(FULL_SCALE)
        wave = (wave - wave.mean()) / np.sqrt(wave.var() + np.float32(VARIANCE_FLOOR))
        features: npt.NDArray[np.float32] = self._extractor(wave, padding=0)
        return features[:, : SECONDS * FEATURES_HZ].astype(np.float32)


def _open_session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A waiting pool that spins would burn the core that the other engines need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as problem:  # onnxruntime's own classes share no base but this one
        raise EngineFailed(f"end-of-turn model {path}: can't be loaded: {problem}") from problem
    inputs = {node.name for node in session.get_inputs()}
    if inputs != {"input_features"}:
        raise EngineFailed(
            f"end-of-turn model {path}: takes {', '.join(sorted(inputs))}; "
            "smart-turn v3 takes input_features"
        )
    return session
