"""One caller at the desk: where the caller stands, what was pressed, what is being done."""

from __future__ import annotations

from dataclasses import replace

from softagent.dialogue.deeds import Deed, DeedOutcome, DeedResult
from softagent.dialogue.desk import MISSES_BEFORE_OFFER, Desk
from softagent.dialogue.events import DeedDone, Do
from softagent.dialogue.keypad import Keypad
from softagent.dialogue.proposal import Proposal
from softagent.dialogue.settings import ConversationSettings
from softagent.dialogue.step import OPEN, Asking, State, Step

OVERDUE = DeedOutcome(DeedResult.TIMED_OUT, "nothing was heard of it")


class Visit:
    """The desk's memory of one call. Only `settle` and what follows it change where the caller stands."""

    def __init__(self, settings: ConversationSettings) -> None:
        self._settings = settings
        self._desk = Desk(settings.desk, farewell=settings.farewell)
        self._keypad = Keypad(settings.keys_ticks)
        self._state: State = OPEN
        self._misses = 0
        self._said = ""
        self._deeds = 0
        self._deed: Deed | None = None
        self._deed_since = 0

    @property
    def is_asking(self) -> bool:
        """Whether the caller's words are for a form, and not for the model."""
        return isinstance(self._state, Asking)

    @property
    def is_secret(self) -> bool:
        """Whether what the caller answers now must not be kept or logged."""
        return self._desk.is_secret(self._state)

    def hear(self, words: str) -> Step:
        """What the words ask for, if they turn out to be all that the caller says."""
        self._keypad.clear()
        return self._desk.hear(self._state, words, said=self._said, misses=self._misses)

    def press(self, tick: int, key: str) -> Step | None:
        """Take a key; the step that it completes, if it does."""
        keys = self._keypad.press(
            tick,
            key,
            at_once=self._desk.at_once(self._state),
            length=self._desk.length(self._state),
        )
        return self._pressed(keys)

    def stop_pressing(self, tick: int) -> Step | None:
        """The step of keys after which the caller has pressed no more, if there are any."""
        return self._pressed(self._keypad.due(tick))

    def propose(self, proposal: Proposal) -> Step | None:
        """The question whether what the model proposes shall be done; None when it can't be."""
        return self._desk.propose(proposal)

    def note_said(self, text: str) -> None:
        """The caller has heard an answer, or the beginning of it."""
        if text != self._settings.phrases.say_again:
            self._said = text

    def settle(self, step: Step) -> None:
        """The caller hears the step: it counts."""
        self._state = step.state
        self._misses = self._misses + 1 if step.is_miss else 0

    def fail(self) -> Step | None:
        """The caller was not understood, or got no answer: what is said; None when it is time to give up."""
        misses = self._misses + 1
        if misses < MISSES_BEFORE_OFFER:
            return Step(self._settings.phrases.say_again, self._state, is_miss=True)
        offer = self._desk.offer_person() if misses == MISSES_BEFORE_OFFER else None
        return None if offer is None else replace(offer, is_miss=True)

    def begin_deed(self, tick: int, deed: Deed) -> Do:
        """The deed is to be done from `tick` on."""
        self._deed, self._deed_since = deed, tick
        self._deeds += 1
        return Do(self._deeds - 1, deed)

    def end_deed(self, event: DeedDone) -> Step | None:
        """What came of the deed as it is told; None when the caller is gone with it."""
        assert self._deed is not None
        deed, self._deed = self._deed, None
        return self._desk.told(deed, event.outcome)

    def is_deed(self, event: DeedDone) -> bool:
        """Whether the event is about the deed that is being done."""
        return self._deed is not None and event.id == self._deeds - 1

    def overdue(self, tick: int) -> DeedDone | None:
        """The end of a deed of which nothing has been heard for too long."""
        if self._deed is None or tick - self._deed_since < self._settings.deed_ticks:
            return None
        return DeedDone(tick, self._deeds - 1, OVERDUE)

    def _pressed(self, keys: str) -> Step | None:
        return self._desk.press(self._state, keys, misses=self._misses) if keys else None
