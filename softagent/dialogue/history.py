"""What was said in a call, as the language model is told it: only what the caller really heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from softagent.chat import Message

BYTES_PER_TOKEN = 3
"""On the safe side: English takes about 4 bytes a token, Korean about 3 (one syllable)."""
MESSAGE_TOKENS = 6
"""What a chat template puts around each message."""
NEXT_EXCHANGE_TOKENS = 120
"""A long question and its answer."""
FRAMES_PER_CHARACTER = 3.5
"""Speaking rate assumed for a clause whose length is not known yet: 14 characters a second."""

LookUp = Callable[[str, str], Sequence[str]]
"""A question and the one before it -> the passages about it, the best first."""
KNOWN_ABOUT = "What the office's notes say about the next question:"


def estimated_tokens(messages: Sequence[Message]) -> int:
    """Tokens that `messages` take at most, without asking a tokenizer."""
    return sum(
        len(message["content"].encode()) // BYTES_PER_TOKEN + MESSAGE_TOKENS for message in messages
    )


@dataclass(slots=True)
class Clause:
    """A piece of an answer: its words, its length, and how much of it was played."""

    text: str
    frames: int | None = None
    """None until all of it has been synthesised."""
    heard_frames: int = 0

    def heard_words(self) -> str:
        """The words played so far, cut at a word, in proportion to the frames played."""
        if self.heard_frames == 0:
            return ""
        total = self.frames or max(self.heard_frames, round(len(self.text) * FRAMES_PER_CHARACTER))
        words = self.text.split()
        return " ".join(words[: len(words) * self.heard_frames // total])


@dataclass(slots=True)
class Answer:
    """What the agent says in one turn, clause by clause, and how much of it was heard."""

    clauses: dict[int, Clause] = field(default_factory=dict)
    is_heard_out: bool = False
    """Whether its last frame was played."""

    def write(self, number: int, text: str) -> None:
        """The words of a clause are there."""
        self.clauses[number] = Clause(text)

    def measure(self, number: int, frames: int) -> None:
        """A clause has been synthesised whole."""
        if (clause := self.clauses.get(number)) is not None:
            clause.frames = frames

    def hear(self, number: int | None, *, is_last: bool) -> None:
        """A frame of a clause was played; of none of them, where the sound had run out."""
        if number is not None and (clause := self.clauses.get(number)) is not None:
            clause.heard_frames += 1
        self.is_heard_out |= is_last

    def text(self) -> str:
        """Every word that was written."""
        return " ".join(clause.text for _, clause in sorted(self.clauses.items()))

    def heard(self) -> str:
        """The words that were played."""
        parts = (
            clause.text if self._is_heard_out(number) else clause.heard_words()
            for number, clause in sorted(self.clauses.items())
        )
        return " ".join(part for part in parts if part)

    def begun(self) -> str:
        """The clauses that the caller has heard the beginning of, each whole."""
        begun = (clause for _, clause in sorted(self.clauses.items()) if clause.heard_frames)
        return " ".join(clause.text for clause in begun)

    def _is_heard_out(self, number: int) -> bool:
        """Whether something after the clause was played.

        Frames alone don't tell: one that two clauses share counts for the first of them,
        so that the second is a frame short even when all of it was played.
        """
        begun = (later for later, clause in self.clauses.items() if clause.heard_frames)
        return self.is_heard_out or number < max(begun, default=0)


class History:
    """The primed prefix, the exchanges so far, and what is left when they outgrow the context.

    The prefix stays word for word the same, so that the model's cache of it holds. When
    the exchanges exceed the budget, the older ones go in one step, down to half of it:
    trimming a little every turn would make the model read everything again every turn.
    """

    def __init__(
        self,
        prefix: Sequence[Message],
        *,
        budget_tokens: int,
        look_up: LookUp | None = None,
    ) -> None:
        """`look_up` finds what is known about a question, where that isn't part of the prefix."""
        self._look_up = look_up
        self._prefix = tuple(prefix)
        self._budget = budget_tokens - estimated_tokens(self._prefix)
        self._exchanges: list[Message] = []

    def prompt(self, words: str) -> tuple[Message, ...]:
        """The messages that ask for an answer to the caller's `words`.

        What was looked up stands in front of them, and in no later prompt.
        """
        asked = (*self._known_about(words), Message(role="user", content=words))
        self._trim(estimated_tokens(asked))
        return (*self._prefix, *self._exchanges, *asked)

    def _known_about(self, words: str) -> tuple[Message, ...]:
        if self._look_up is None:
            return ()
        heard = (m["content"] for m in reversed(self._exchanges) if m["role"] == "user")
        found = self._look_up(words, next(heard, ""))
        if not found:
            return ()
        return (Message(role="system", content="\n".join((KNOWN_ABOUT, *found))),)

    def make_room(self) -> bool:
        """Trim now what the next exchange would have trimmed; whether anything was.

        For when the model has nothing to do: what it has to read again then delays no answer.
        """
        before = len(self._exchanges)
        self._trim(min(NEXT_EXCHANGE_TOKENS, self._budget // 4))
        return len(self._exchanges) < before

    def add_caller(self, words: str) -> None:
        """The caller said `words` and is being answered."""
        self._add("user", words)

    def add_agent(self, words: str) -> None:
        """The caller has heard `words`."""
        if words:
            self._add("assistant", words)

    @property
    def last_said(self) -> str:
        """What the caller has heard the agent say last; empty before the first word."""
        said = (m["content"] for m in reversed(self._exchanges) if m["role"] == "assistant")
        return next(said, "")

    @property
    def messages(self) -> tuple[Message, ...]:
        """All that the next prompt will begin with."""
        return (*self._prefix, *self._exchanges)

    def _add(self, role: str, words: str) -> None:
        last = self._exchanges[-1] if self._exchanges else None
        if last is not None and last["role"] == role:
            last = self._exchanges.pop()
            words = f"{last['content']} {words}"
        if role == "user":
            self._exchanges.append(Message(role="user", content=words))
        else:
            self._exchanges.append(Message(role="assistant", content=words))

    def _trim(self, needed: int) -> None:
        if estimated_tokens(self._exchanges) + needed <= self._budget:
            return
        while self._exchanges and (
            estimated_tokens(self._exchanges) + needed > self._budget // 2
            or self._exchanges[0]["role"] == "assistant"
        ):
            del self._exchanges[0]
