"""What is written in the words it is read aloud with, by language, in front of any synthesizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from softagent.media.frame import Samples


class _Synthesizer(Protocol):
    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]: ...


def wording(language: str) -> Callable[[str], str]:
    """What turns text of `language` ("en", "en-gb", "ko") into words; leaves it alone where there are no rules."""
    main, _, region = language.lower().partition("-")
    if main != "en":
        return str
    from softagent.speech.english import english

    return lambda text: english(text, is_british=region in ("gb", "uk", "ie", "au", "nz"))


class WordedSpeech:
    """A synthesizer in front of another one, which gets to read words only."""

    def __init__(self, synthesizer: _Synthesizer, words: Callable[[str], str]) -> None:
        self._synthesizer = synthesizer
        self._words = words

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        """Yield the sound of `text`, read as a person would."""
        return self._synthesizer.synthesize(self._words(text), rate_hz=rate_hz, cancelled=cancelled)
