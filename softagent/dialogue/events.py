"""What happens in a call (events, past tense) and what the conversation wants done (commands, imperative).

All times are tick indices. Turn ids count from 0, which is the greeting; a turn is one
caller utterance together with the answer to it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from softagent.chat import Message
from softagent.dialogue.deeds import Deed, DeedOutcome
from softagent.dialogue.proposal import Proposal


class AgentState(enum.Enum):
    """Whose turn it is, seen from the agent."""

    LISTENING = "listening"
    FINALIZING = "finalizing"
    """The caller has stopped; the words are being made final."""
    THINKING = "thinking"
    """The words are there; nothing of the answer has been heard yet."""
    SPEAKING = "speaking"
    INTERRUPTED = "interrupted"
    """Somebody speaks over the agent; whether that is meant to interrupt it is not known yet."""
    ACTING = "acting"
    """A deed is being done; what came of it is told before anything else."""
    CLOSED = "closed"


# Events ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The first tick of the call."""

    tick: int


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak."""

    tick: int
    """When it was noticed."""
    onset: int
    """The first voiced tick."""


@dataclass(frozen=True, slots=True)
class SpeechConfirmed:
    """Speech that began over the agent has gone on for so long that it is meant."""

    tick: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The caller has been quiet long enough to prepare an answer, not long enough to give it."""

    tick: int
    last_voiced: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The caller went on after a pause."""

    tick: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The caller's utterance is over. Always after SpeechPaused."""

    tick: int
    last_voiced: int


@dataclass(frozen=True, slots=True)
class TranscriptChanged:
    """A partial transcript of the running utterance."""

    tick: int
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptFinished:
    """The words of the utterance up to the pause at which turn `turn` was prepared."""

    tick: int
    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class PauseJudged:
    """What the pause at which turn `turn` was prepared sounds like."""

    tick: int
    turn: int
    probability: float
    """0..1, that the caller has finished."""


@dataclass(frozen=True, slots=True)
class ClauseWritten:
    """The words of a clause of a reply are there; its sound follows."""

    tick: int
    turn: int
    clause: int
    text: str


@dataclass(frozen=True, slots=True)
class ClauseSpoken:
    """A clause of a reply has been synthesised whole."""

    tick: int
    turn: int
    clause: int
    frames: int
    """Its length."""


@dataclass(frozen=True, slots=True)
class DeedProposed:
    """The model's answer proposes a deed; before ReplyWritten, or alone if it says nothing else."""

    tick: int
    turn: int
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class ReplyWritten:
    """The last word of a reply has been generated and synthesised (not yet heard)."""

    tick: int
    turn: int


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """A reply could not be made; `reason` is for the log."""

    tick: int
    turn: int
    reason: str


@dataclass(frozen=True, slots=True)
class ReplyHeard:
    """A frame of a reply was played to the caller."""

    tick: int
    turn: int
    clause: int | None
    """None for the silence that ends a reply whose sound had run out."""
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed a key."""

    tick: int
    digit: str


@dataclass(frozen=True, slots=True)
class DeedDone:
    """The deed of the command Do with the same `id` is over; what came of it."""

    tick: int
    id: int
    outcome: DeedOutcome


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Once a second of media: drives limits and re-prompts."""

    tick: int


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The far end is gone."""

    tick: int


Event = (
    CallAnswered
    | SpeechStarted
    | SpeechConfirmed
    | SpeechPaused
    | SpeechResumed
    | SpeechEnded
    | TranscriptChanged
    | TranscriptFinished
    | PauseJudged
    | ClauseWritten
    | ClauseSpoken
    | DeedProposed
    | ReplyWritten
    | ReplyFailed
    | ReplyHeard
    | DigitPressed
    | DeedDone
    | TimePassed
    | CallerHungUp
)

# Commands -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FinishTranscript:
    """Make the words up to now final and report them for `turn`."""

    turn: int


@dataclass(frozen=True, slots=True)
class ForgetUtterance:
    """What was said has been dealt with: the next speech is a new utterance."""


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """Let the model read what the next question will probably begin with, if it has nothing to do."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class PrepareReply:
    """Generate and synthesise an answer to `messages`; play it only after ReleaseReply."""

    turn: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class PrepareSpeech:
    """Synthesise a fixed text as the reply of `turn`; play it only after ReleaseReply."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """Let the reply of `turn` be heard as soon as it is there."""

    turn: int


@dataclass(frozen=True, slots=True)
class PauseReply:
    """Fall silent at once, in the middle of the reply of `turn`; it may go on."""

    turn: int


@dataclass(frozen=True, slots=True)
class ResumeReply:
    """Go on with the reply of `turn` where it was paused."""

    turn: int


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Drop the reply of `turn`: stop making it and stop playing it, at once."""

    turn: int


@dataclass(frozen=True, slots=True)
class Do:
    """Do `deed`, and report what came of it as DeedDone with the same `id`."""

    id: int
    """Counts from 0 in each call."""
    deed: Deed


@dataclass(frozen=True, slots=True)
class SpeakSlower:
    """Say everything from here on more slowly."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call now."""


Command = (
    FinishTranscript
    | ForgetUtterance
    | ReadAhead
    | PrepareReply
    | PrepareSpeech
    | ReleaseReply
    | PauseReply
    | ResumeReply
    | CancelReply
    | Do
    | SpeakSlower
    | HangUp
)
