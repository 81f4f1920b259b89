"""Asking a caller for values one by one, reading them back, and putting them right: a pure state machine.

    ASKING --value--> CHECKING --yes--> ASKING (the next) ... --> CONFIRMING --yes--> filled
      ^                  | no             ^                          | no
      '------------------'                '------ CHOOSING <---------'

A Filling never changes; each answer gives a Reply with the next one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from softagent.dialogue.desk_phrases import DeskPhrases
from softagent.dialogue.desk_settings import Slot
from softagent.dialogue.requests import Requests
from softagent.dialogue.values import (
    LONGEST_NUMBER,
    LONGEST_TEXT,
    value_keyed,
    value_read,
    value_said,
)
from softagent.dialogue.words import plain_words

WHOLE_NUMBER_DIGITS = 7
"""With fewer, more figures are the rest of a telephone number and not another one."""


class Phase(enum.Enum):
    """What the caller has been asked."""

    ASKING = "asking"
    CHECKING = "checking"
    """Whether one value is right."""
    CONFIRMING = "confirming"
    """Whether all of them are."""
    CHOOSING = "choosing"
    """Which of them is wrong."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked for."""

    slots: tuple[Slot, ...]
    checks_each: bool = False
    """Whether each value is read back on its own."""
    checks_all: bool = True
    """Whether all of them are, at the end."""


@dataclass(frozen=True, slots=True)
class Filling:
    """How far a form has come."""

    form: Form
    values: tuple[str, ...] = ()
    """In the order of the slots, as far as they are known; empty for one that is asked again."""
    at: int = 0
    phase: Phase = Phase.ASKING

    @property
    def slot(self) -> Slot:
        """What is being asked or checked."""
        return self.form.slots[self.at]

    @property
    def is_filled(self) -> bool:
        """Whether nothing is left to ask."""
        return self.at >= len(self.form.slots)

    @property
    def awaits_figures(self) -> bool:
        """Whether keys are digits of a value."""
        return self.phase is Phase.ASKING and self.slot.kind in ("phone", "digits", "number")

    def with_value(self, value: str) -> Filling:
        """The same with the value of the current slot."""
        values = (*self.values[: self.at], value, *self.values[self.at + 1 :])
        return replace(self, values=values)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said about an answer, and where the form has come to."""

    filling: Filling
    say: str = ""
    """Empty once all is filled and confirmed."""
    is_miss: bool = False
    """Whether the answer was not understood."""

    @property
    def is_done(self) -> bool:
        """Whether the form is filled and confirmed."""
        return not self.say


class Clerk:
    """Asks for what a form needs, in one language."""

    def __init__(self, phrases: DeskPhrases, requests: Requests) -> None:
        self._phrases = phrases
        self._requests = requests

    def begin(self, form: Form) -> Reply:
        """The first question."""
        filling = Filling(form)
        return Reply(filling, "" if filling.is_filled else self._question(filling.slot))

    def hear(self, filling: Filling, text: str) -> Reply:
        """The caller answered in words."""
        plain = self._requests.plain(text)
        match filling.phase:
            case Phase.ASKING:
                return self._take(filling, value_said(filling.slot, text, self._requests))
            case Phase.CHECKING | Phase.CONFIRMING:
                return self._judge(filling, text, self._requests.agrees(plain))
            case Phase.CHOOSING:
                return self._choose(filling, plain)

    def press(self, filling: Filling, digits: str) -> Reply:
        """The caller answered with keys; 1 is yes and 2 is no."""
        match filling.phase:
            case Phase.ASKING:
                return self._take(filling, value_keyed(filling.slot, digits, self._requests))
            case Phase.CHECKING | Phase.CONFIRMING:
                return self._judge(filling, "", {"1": True, "2": False}.get(digits))
            case Phase.CHOOSING:
                return self._ask_again(filling)

    def question(self, filling: Filling) -> str:
        """What has been asked last."""
        match filling.phase:
            case Phase.ASKING:
                return self._question(filling.slot)
            case Phase.CHECKING:
                return self._check(filling)
            case Phase.CONFIRMING:
                return self._check_all(filling)
            case Phase.CHOOSING:
                labels = [slot.label for slot in filling.form.slots]
                return self._phrases.which_slot.format(slots=self._phrases.either(labels))

    def _take(self, filling: Filling, value: str) -> Reply:
        if not value:
            return self._ask_again(filling)
        filled = filling.with_value(value)
        if filling.form.checks_each and not filling.slot.is_secret:
            checked = replace(filled, phase=Phase.CHECKING)
            return Reply(checked, self.question(checked))
        return self._go_on(filled)

    def _judge(self, filling: Filling, text: str, agrees: bool | None) -> Reply:
        is_one = filling.phase is Phase.CHECKING
        if agrees:
            return self._go_on(filling) if is_one else Reply(filling)
        if is_one:
            if instead := self._instead(filling, text, is_no=agrees is False):
                corrected = filling.with_value(instead)
                return Reply(corrected, self.question(corrected))
            if agrees is None:
                return self._ask_again(filling)
            return self._ask(filling)
        if agrees is None:
            return self._ask_again(filling)
        if len(filling.form.slots) == 1:
            return self._ask(replace(filling, at=0))
        chosen = self._choose(filling, self._requests.plain(text))
        if not chosen.is_miss:
            return chosen
        choosing = replace(filling, phase=Phase.CHOOSING)
        return Reply(choosing, self.question(choosing))

    def _instead(self, filling: Filling, text: str, *, is_no: bool) -> str:
        """The value given in place of one that was read back; empty when there is none."""
        slot = filling.slot
        words = self._without_thanks(text)
        plain = " ".join(plain_words(" ".join(words)))
        rest = self._requests.correction.sub("", plain + " ", count=1).split()
        is_free = slot.kind in ("text", "name")
        if not rest or (is_free and not is_no):
            return ""
        value = value_said(slot, " ".join(words[-len(rest) :]), self._requests)
        known = filling.values[filling.at]
        is_rest = slot.kind == "phone" and not is_no and len(known) < WHOLE_NUMBER_DIGITS
        if is_rest and value and len(known) + len(value) <= LONGEST_NUMBER:
            return known + value
        return value

    def _without_thanks(self, text: str) -> list[str]:
        words = text[:LONGEST_TEXT].split()
        while words and self._requests.thanks.fullmatch("".join(plain_words(words[-1]))):
            words.pop()
        return words

    def _choose(self, filling: Filling, plain: str) -> Reply:
        """The slot that is wrong, by its name."""
        named = [
            at
            for at, slot in enumerate(filling.form.slots)
            if self._requests.names(plain, slot.label)
        ]
        if len(named) != 1:
            return self._ask_again(filling)
        return self._ask(replace(filling, at=named[0]))

    def _go_on(self, filling: Filling) -> Reply:
        """The current value stands: the next one that is missing, or the end."""
        slots = filling.form.slots
        missing = [at for at in range(len(slots)) if not "".join(filling.values[at : at + 1])]
        if missing:
            return self._ask(replace(filling, at=missing[0]))
        if not filling.form.checks_all:
            return Reply(filling)
        confirming = replace(filling, phase=Phase.CONFIRMING)
        return Reply(confirming, self.question(confirming))

    def _ask(self, filling: Filling) -> Reply:
        asking = replace(filling, phase=Phase.ASKING)
        return Reply(asking, self.question(asking))

    def _ask_again(self, filling: Filling) -> Reply:
        again = f"{self._phrases.not_understood} {self.question(filling)}"
        return Reply(filling, again, is_miss=True)

    def _question(self, slot: Slot) -> str:
        if slot.ask:
            return slot.ask
        if slot.kind == "choice":
            choices = self._phrases.either(slot.choices)
            return self._phrases.ask_choice.format(slot=slot.label, choices=choices)
        if slot.kind == "yes-no":
            return self._phrases.ask_yes_no.format(slot=slot.label.capitalize())
        return self._phrases.ask_slot.format(slot=slot.label)

    def _check(self, filling: Filling) -> str:
        value = value_read(filling.slot, filling.values[filling.at], self._phrases)
        return self._phrases.check.format(value=value[:1].upper() + value[1:])

    def _check_all(self, filling: Filling) -> str:
        read = [
            self._phrases.kept_secret.format(slot=slot.label)
            if slot.is_secret
            else f"{slot.label} {value_read(slot, value, self._phrases)}"
            for slot, value in zip(filling.form.slots, filling.values, strict=True)
        ]
        return self._phrases.check_all.format(values="; ".join(read))
