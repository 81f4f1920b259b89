"""Voice activity by Silero VAD's ONNX model, on onnxruntime alone.

The model hears 32 ms windows at 8 or 16 kHz, each with the end of the window
before it in front, and carries a recurrent state from window to window
(github.com/snakers4/silero-vad, MIT).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from softagent.errors import EngineFailed, ModelMissing
from softagent.media.frame import Samples

MODEL_FILE = "silero_vad.onnx"
WINDOW_MS = 32
CONTEXT_MS = 4
RATES_HZ = (8000, 16000)
"""What the model was trained for; nothing is resampled."""
FULL_SCALE = 32768.0


class SileroModel:
    """The loaded network. One per process; its detectors may run in different threads."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load `path`: silero_vad.onnx or the folder that holds it.

        Raises ModelMissing when there is none, EngineFailed when it is something else.
        """
        self._path = path / MODEL_FILE if path.is_dir() else path
        if not self._path.is_file():
            raise ModelMissing(
                f"voice activity model {self._path}: no such file; "
                "run `softagent models pull silero-vad` or set vad.model to its path"
            )
        self._session = _open_session(self._path, threads)

    def detector(self, rate_hz: int) -> SileroVoiceActivity:
        """Make a fresh detector for one call at `rate_hz`."""
        if rate_hz not in RATES_HZ:
            raise EngineFailed(
                f"voice activity at {rate_hz} Hz: Silero hears only 8000 or 16000 Hz"
            )
        return SileroVoiceActivity(self._session, rate_hz)

    def warm_up(self) -> None:
        """Run both rates once: the first inference of each allocates."""
        for rate_hz in RATES_HZ:
            detector = self.detector(rate_hz)
            try:
                detector.probability(np.zeros(detector.window_samples, np.int16))
            except EngineFailed as problem:
                raise EngineFailed(f"{self._path}: not Silero VAD 5 or 6: {problem}") from problem


class SileroVoiceActivity:
    """VoiceActivity for one call; one thread."""

    def __init__(self, session: Any, rate_hz: int) -> None:
        self.window_samples = rate_hz * WINDOW_MS // 1000
        self._context_samples = rate_hz * CONTEXT_MS // 1000
        self._session = session
        self._rate = np.array(rate_hz, np.int64)
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next window begins a new call."""
        self._input = np.zeros((1, self._context_samples + self.window_samples), np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)

    def probability(self, window: Samples) -> float:
        """Probability 0..1 that `window`, shape (window_samples,), holds speech."""
        if window.shape != (self.window_samples,):
            raise EngineFailed(
                f"voice activity: a window of shape {window.shape}: expected ({self.window_samples},)"
            )
        context = self._context_samples
        self._input[:, :context] = self._input[:, -context:]
        self._input[:, context:] = window / np.float32(FULL_SCALE)
        feed = {"input": self._input, "state": self._state, "sr": self._rate}
        try:
            output, self._state = self._session.run(None, feed)
        except Exception as problem:  # onnxruntime's own classes share no base but this one
            raise EngineFailed(f"voice activity: Silero failed: {problem}") from problem
        return float(output[0, 0])


def _open_session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A waiting pool that spins would burn the core that the other engines need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as problem:  # onnxruntime's own classes share no base but this one
        raise EngineFailed(f"voice activity model {path}: can't be loaded: {problem}") from problem
    inputs = {node.name for node in session.get_inputs()}
    if inputs != {"input", "state", "sr"}:
        raise EngineFailed(
            f"voice activity model {path}: takes {', '.join(sorted(inputs))}; "
            "Silero VAD 5 or 6 takes input, sr, state"
        )
    return session
