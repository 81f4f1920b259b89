"""Fixed sentences synthesised once and kept: a greeting costs nothing when the telephone rings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np

from softagent.media.frame import Samples
from softagent.speech.sentences import ClauseSplitter


class _Synthesizer(Protocol):
    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]: ...


@runtime_checkable
class _Slowable(Protocol):
    def slower(self) -> _Synthesizer: ...


class RememberedSpeech:
    """A synthesizer in front of another one: what was remembered is played from memory."""

    def __init__(self, synthesizer: _Synthesizer) -> None:
        self._synthesizer = synthesizer
        self._kept: dict[tuple[str, int], Samples] = {}

    def remember(self, text: str, *, rate_hz: int) -> None:
        """Synthesise `text` now, clause by clause as a reply would ask for it, and keep the sound."""
        splitter = ClauseSplitter()
        for clause in (*splitter.push(text), *splitter.flush()):
            pieces = list(
                self._synthesizer.synthesize(clause, rate_hz=rate_hz, cancelled=lambda: False)
            )
            if pieces:
                self._kept[clause, rate_hz] = np.concatenate(pieces)

    def slower(self) -> _Synthesizer:
        """The synthesizer behind it, speaking more slowly if it can: what is remembered is too fast."""
        return self._synthesizer.slower() if isinstance(self._synthesizer, _Slowable) else self

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        """Yield the sound of `text`: in one piece from memory, or as the synthesizer makes it."""
        if (kept := self._kept.get((text, rate_hz))) is not None:
            yield kept
            return
        yield from self._synthesizer.synthesize(text, rate_hz=rate_hz, cancelled=cancelled)
