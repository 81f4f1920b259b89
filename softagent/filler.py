"""Plays the filler that is due, from memory: the reply thread is busy with the answer just then.

Conversation.unanswered -> FillerPolicy -> Playout.interject
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from softagent.dialogue.filler import FillerPolicy
from softagent.engines import Synthesizer
from softagent.media.frame import Samples, ticks
from softagent.media.playout import Playout
from softagent.speech.sentences import pause_ms


class FillerPlayer:
    """One call's. Call thread only."""

    def __init__(
        self,
        phrases: Sequence[str],
        synthesizer: Synthesizer,
        playout: Playout,
        *,
        wait_ms: int,
        rate_hz: int,
    ) -> None:
        """Fetch the sound of `phrases` at once: a synthesizer that remembers them has it ready."""
        self._policy = FillerPolicy(phrases, wait_ticks=ticks(wait_ms))
        self._playout = playout
        wanted = phrases if wait_ms else ()
        self._sounds = {text: _sound(text, synthesizer, rate_hz) for text in wanted}

    def push(self, turn: int | None) -> None:
        """Take a tick in which `turn` is over and unanswered; None when no turn is."""
        due = self._policy.push(turn)
        if (
            due is not None
            and turn is not None
            and self._playout.interject(turn, self._sounds[due])
        ):
            self._policy.note_said()


def _sound(text: str, synthesizer: Synthesizer, rate_hz: int) -> Samples:
    """`text`, and the silence that belongs between it and the answer."""
    pieces = synthesizer.synthesize(text, rate_hz=rate_hz, cancelled=lambda: False)
    silence = np.zeros(rate_hz * pause_ms(text) // 1000, np.int16)
    return np.concatenate((*pieces, silence))
