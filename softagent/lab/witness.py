"""A second witness of what the agent said: its sound, recognised, rather than its own word for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from softagent.media.frame import Samples
from softagent.models.store import ModelStore

WITNESS_MODEL = "whisper-tiny.en"
PARTIAL_INTERVAL_MS = 400


class Witness:
    """Whisper, listening to recordings. One thread."""

    def __init__(self, store: ModelStore) -> None:
        """Raises ModelMissing."""
        from softagent.speech.whisper import WhisperModel

        self._model = WhisperModel(store.resolve(WITNESS_MODEL), threads=1, language="en")

    def transcribe(self, samples: Samples, rate_hz: int) -> str:
        """The words in `samples`, shape (n,)."""
        if not len(samples):
            return ""
        recognizer = self._model.recognizer(rate_hz, PARTIAL_INTERVAL_MS)
        recognizer.accept(samples)
        return recognizer.finish()


def mentions(text: str, expected: Sequence[str]) -> bool:
    """Whether one of `expected` is in `text` as a word of its own, in upper or lower case."""
    words = re.findall(r"[a-z]+|[0-9]+", text.lower())
    return any(word in words for word in expected)
