"""The text of an answer, put together from the bytes of its tokens."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

STOP_STRINGS = ("\n\n", "\nUser:", "\nCaller:", "<|im_end|>", "<|im_start|>", "<|endoftext|>")
"""A spoken answer is one paragraph, and the model doesn't speak for the caller."""


class AnswerText:
    """Bytes in, text out: whole characters only, nothing from a stop string on. Pure."""

    def __init__(self, stop_strings: Sequence[str] = STOP_STRINGS) -> None:
        self._stop_strings = stop_strings
        # A token may end inside a character: a Korean syllable is three bytes.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._held = ""
        self._has_begun = False
        self.has_ended = False
        """Whether a stop string has come: the answer is complete."""

    def push(self, token_bytes: bytes) -> str:
        """Take a token's bytes; return the text that is certain now, often empty."""
        return self._release(self._decoder.decode(token_bytes), is_final=False)

    def flush(self) -> str:
        """The model has finished: return what was held back."""
        return self._release(self._decoder.decode(b"", final=True), is_final=True)

    def _release(self, text: str, *, is_final: bool) -> str:
        if self.has_ended:
            return ""
        self._held += text
        if not self._has_begun:
            self._held = self._held.lstrip()
        ends = [at for stop in self._stop_strings if (at := self._held.find(stop)) >= 0]
        if ends:
            self.has_ended = True
            released, self._held = self._held[: min(ends)], ""
        else:
            certain = len(self._held) - (0 if is_final else self._uncertain())
            released, self._held = self._held[:certain], self._held[certain:]
        self._has_begun = self._has_begun or bool(released)
        return released

    def _uncertain(self) -> int:
        """Length of the longest end of the held text that could be the beginning of a stop string."""
        longest = max(map(len, self._stop_strings), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stop_strings):
                return length
        return 0
