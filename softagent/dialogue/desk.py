"""What the agent deals with itself, by rules: transfers, messages, actions, keys. The model does the rest.

    state, the caller's words or keys -> Desk -> Step (what to say, the deed after it, the next state)

The desk keeps nothing: a step that is dropped has left no trace.
"""

from __future__ import annotations

from softagent.dialogue.deeds import (
    Deed,
    DeedOutcome,
    DeedResult,
    LeaveMessage,
    RunAction,
    SendDigits,
    Transfer,
)
from softagent.dialogue.desk_settings import DeskSettings, MenuEntry, Place, Service, Slot
from softagent.dialogue.directory import Directory, Wanted, Whom
from softagent.dialogue.form import Clerk, Form, Phase, Reply
from softagent.dialogue.proposal import Proposal
from softagent.dialogue.step import (
    Asking,
    Choosing,
    Offered,
    PutThrough,
    Serve,
    State,
    Step,
    TakeMessage,
    Wish,
)

MISSES_BEFORE_OFFER = 3
"""Failures in a row after which a person is offered."""


class Desk:
    """One account's desk. Pure: every method gives what follows from its arguments."""

    def __init__(self, settings: DeskSettings, *, farewell: str) -> None:
        self._settings = settings
        self._farewell = farewell
        self._phrases = settings.phrases
        self._requests = settings.requests
        self._directory = Directory(settings.places, settings.requests)
        self._clerk = Clerk(settings.phrases, settings.requests)

    # What the caller says

    def hear(self, state: State, words: str, *, said: str, misses: int = 0) -> Step:
        """The caller said `words`, after the agent said `said` and failed `misses` times in a row."""
        plain = self._requests.plain(words)
        if said and self._requests.repeat.fullmatch(plain):
            return Step(said, state)
        if self._requests.slower.fullmatch(plain):
            return Step(self._phrases.slower, state, is_slower=True)
        if self._requests.hang_up.fullmatch(plain):
            return Step(self._farewell, is_farewell=True)
        step: Step | None
        match state:
            case Asking():
                step = self._fill(state, words, plain)
            case Offered(wish):
                step = self._answered(wish, plain) or self._asked_for(plain)
            case Choosing():
                step = self._chosen(plain) or self._asked_for(plain)
            case _:
                step = self._asked_for(plain) or self._took_up(plain, said)
        return self._or_person(step or Step(), misses)

    def press(self, state: State, keys: str, *, misses: int = 0) -> Step:
        """The caller pressed `keys`."""
        if keys == "0" and self._settings.person is not None and not self._on_menu("0", state):
            return self._begin(PutThrough(self._settings.person))
        match state:
            case Asking(wish, filling):
                return self._or_person(
                    self._filled(wish, self._clerk.press(filling, keys), filling.slot), misses
                )
            case Offered(wish) if keys in ("1", "2"):
                return self._begin(wish) if keys == "1" else self._declined()
            case _:
                entry = self._on_menu(keys, state)
                spelled = " ".join(keys)
                return (
                    self._from_menu(entry) if entry else Step(ask=f"The caller pressed {spelled}.")
                )

    def at_once(self, state: State) -> str:
        """The keys that are complete by themselves, when nothing was pressed before."""
        match state:
            case Asking(filling=filling) if filling.awaits_figures:
                return ""
            case Asking() | Offered():
                return "0123456789"
            case _:
                person = "0" if self._settings.person is not None else ""
                return person + "".join(entry.key for entry in self._settings.menu)

    def length(self, state: State) -> int:
        """How many keys are awaited; 0 for any number."""
        match state:
            case Asking(filling=filling) if filling.awaits_figures:
                return filling.slot.length
            case _:
                return 0

    def is_secret(self, state: State) -> bool:
        """Whether what the caller answers is nobody's business."""
        match state:
            case Asking(filling=filling):
                return filling.phase is Phase.ASKING and filling.slot.is_secret
            case _:
                return False

    # What comes of it

    def told(self, deed: Deed, outcome: DeedOutcome) -> Step | None:
        """How the outcome of a deed is told; None when the caller is gone with it."""
        match deed, outcome.result:
            case Transfer(), DeedResult.DONE:
                return None
            case Transfer(), result:
                return self._instead_of_transfer(self._why_not_put_through(result))
            case LeaveMessage(), DeedResult.DONE:
                return self._and_more(outcome.text or self._phrases.took_message)
            case LeaveMessage(), _:
                return self._and_person(outcome.text or self._phrases.lost_message)
            case RunAction() | SendDigits(), DeedResult.DONE:
                return self._and_more(outcome.text or self._phrases.done)
            case RunAction() | SendDigits(), _:
                return self._instead_of_transfer(outcome.text or self._phrases.not_done)
        raise AssertionError(deed)

    def offer_person(self) -> Step | None:
        """Ask whether a person shall take over; None when none is configured."""
        if (person := self._settings.person) is None:
            return None
        text = self._phrases.offer_person.format(place=person.name)
        return Step(text, Offered(PutThrough(person)))

    def propose(self, proposal: Proposal) -> Step | None:
        """Ask the caller whether what the model proposes shall be done; None when it can't be."""
        match proposal.kind:
            case "transfer":
                named = self._directory.named(proposal.name) if proposal.name else ()
                place = named[0] if len(named) == 1 else None
                if place is None and proposal.name in ("", "person", "human"):
                    place = self._settings.person
                return None if place is None else self._offer(PutThrough(place))
            case "message":
                return self._offer(TakeMessage()) if self._settings.takes_messages else None
            case "action":
                service = self._service(proposal.name)
                return None if service is None else self._offer(Serve(service))

    # Requests

    def _asked_for(self, plain: str) -> Step | None:
        """The caller asks for something that the desk does."""
        wanted = self._directory.wanted(plain)
        if wanted is not None and self._settings.places:
            return self._transfer(wanted)
        if self._requests.message.search(plain):
            return self._message()
        for service in self._settings.services:
            found = [words for words in service.words if self._requests.names(plain, words)]
            if found and not self._requests.negation.search(plain.split(found[0])[0]):
                return self._begin(Serve(service))
        return None

    def _transfer(self, wanted: Wanted) -> Step:
        """Somebody is wanted: put through, or ask which."""
        places = self._settings.places
        person = self._settings.person
        match wanted.whom, wanted.places:
            case Whom.NAMED, (place,):
                return self._begin(PutThrough(place))
            case Whom.ASKED_FOR, (place,):
                return self._offer(PutThrough(place))
            case Whom.PERSON, _ if person is not None:
                return self._begin(PutThrough(person))
            case Whom.UNKNOWN, _ if len(places) == 1:
                text = self._phrases.only_place.format(place=places[0].name)
                return Step(text, Offered(PutThrough(places[0])))
            case Whom.UNKNOWN, _:
                return self._which(self._phrases.unknown_place, places)
            case _, several:
                return self._which(self._phrases.which_place, several or places)

    def _which(self, phrase: str, places: tuple[Place, ...]) -> Step:
        names = self._phrases.either([place.name for place in places])
        return Step(phrase.format(places=names), Choosing())

    def _chosen(self, plain: str) -> Step | None:
        """The caller answers which place."""
        named = self._directory.named(plain)
        if len(named) == 1:
            return self._begin(PutThrough(named[0]))
        if named:
            return self._which(self._phrases.which_place, named)
        refuses = self._requests.agrees(plain) is False or self._requests.cancel.fullmatch(plain)
        return self._declined() if refuses else None

    def _answered(self, wish: Wish, plain: str) -> Step | None:
        """The caller answers whether something shall be done."""
        match self._requests.agrees(plain):
            case True:
                return self._begin(wish)
            case False:
                others = self._asked_for(self._requests.correction.sub("", plain + " ", 1).strip())
                return others or self._declined()
            case None:
                return self._declined() if self._requests.cancel.fullmatch(plain) else None

    def _took_up(self, plain: str, said: str) -> Step | None:
        """The caller answers a question of the model's own that offers what the desk does."""
        if not said.rstrip().endswith("?"):
            return None
        question = self._requests.plain(said.rstrip("? ").split(". ")[-1])
        agrees = self._requests.agrees(plain)
        if self._requests.offers_more.search(question):
            is_no = agrees is False or self._requests.nothing.fullmatch(plain)
            return Step(self._farewell, is_farewell=True) if is_no else None
        if not agrees:
            return None
        if self._requests.offers_message.search(question):
            return self._message()
        named = self._directory.named(question)
        if self._requests.offers_place.search(question) and len(named) == 1:
            return self._begin(PutThrough(named[0]))
        return None

    def _message(self) -> Step:
        """Take a message, or say that none can be taken: the model would only pretend to."""
        if self._settings.takes_messages:
            return self._begin(TakeMessage())
        return self._and_person(self._phrases.no_messages)

    def _begin(self, wish: Wish) -> Step:
        match wish:
            case PutThrough(place):
                text = self._phrases.putting_through.format(place=place.name)
                return Step(text, deed=Transfer(place.name))
            case TakeMessage():
                return self._begin_form(wish, self._message_form(), self._phrases.take_message)
            case Serve(service):
                form = Form(service.slots, checks_all=service.is_confirmed)
                return self._begin_form(wish, form, "")

    def _offer(self, wish: Wish) -> Step:
        match wish:
            case PutThrough(place):
                text = self._phrases.offer_place.format(place=place.name)
            case TakeMessage():
                text = self._phrases.offer_message
            case Serve(service):
                text = self._phrases.offer_service.format(service=service.label)
        return Step(text, Offered(wish))

    def _declined(self) -> Step:
        return self._and_more(self._phrases.declined)

    def _and_more(self, text: str) -> Step:
        return Step(f"{text} {self._phrases.anything_else}")

    def _and_person(self, text: str) -> Step:
        """Something failed: a person may help."""
        if (person := self._settings.person) is None:
            return self._and_more(text)
        offer = self._offer(PutThrough(person))
        return Step(f"{text} {offer.say}", offer.state)

    def _instead_of_transfer(self, text: str) -> Step:
        """Something failed: a message may help."""
        if not self._settings.takes_messages:
            return self._and_more(text)
        offer = self._offer(TakeMessage())
        return Step(f"{text} {offer.say}", offer.state)

    def _why_not_put_through(self, result: DeedResult) -> str:
        match result:
            case DeedResult.BUSY:
                return self._phrases.busy
            case DeedResult.NO_ANSWER:
                return self._phrases.no_answer
            case DeedResult.REFUSED:
                return self._phrases.not_taken
            case _:
                return self._phrases.not_put_through

    def _or_person(self, step: Step, misses: int) -> Step:
        """The step, unless the caller is not understood for the third time and a person could help."""
        if not step.is_miss or misses + 1 < MISSES_BEFORE_OFFER:
            return step
        return self.offer_person() or self._and_more(self._phrases.cancelled)

    # Forms

    def _message_form(self) -> Form:
        slots = (
            Slot("name", "name", self._phrases.ask_name),
            Slot("number", "phone", self._phrases.ask_number),
            Slot("reason", "text", self._phrases.ask_reason),
        )
        return Form(slots, checks_each=True, checks_all=False)

    def _begin_form(self, wish: Wish, form: Form, text: str) -> Step:
        reply = self._clerk.begin(form)
        if reply.is_done:
            return self._finished(wish, reply)
        return Step(f"{text} {reply.say}".strip(), Asking(wish, reply.filling))

    def _fill(self, state: Asking, words: str, plain: str) -> Step:
        if self._requests.cancel.fullmatch(plain):
            return self._and_more(self._phrases.cancelled)
        is_free = state.filling.slot.kind in ("text", "name")
        wanted = self._directory.wanted(plain, is_strict=is_free)
        if self._settings.places and wanted is not None and wanted.whom is not Whom.UNKNOWN:
            return self._transfer(wanted)
        return self._filled(state.wish, self._clerk.hear(state.filling, words), state.filling.slot)

    def _filled(self, wish: Wish, reply: Reply, answered: Slot) -> Step:
        if reply.is_done:
            return self._finished(wish, reply)
        return Step(
            reply.say,
            Asking(wish, reply.filling),
            is_miss=reply.is_miss,
            is_secret=answered.is_secret and not reply.is_miss,
        )

    def _finished(self, wish: Wish, reply: Reply) -> Step:
        """All is known: the deed."""
        slots = reply.filling.form.slots
        values = dict(zip((slot.name for slot in slots), reply.filling.values, strict=True))
        match wish:
            case TakeMessage():
                deed: Deed = LeaveMessage(values["name"], values["number"], values["reason"])
            case Serve(service):
                deed = RunAction(service.name, values)
            case PutThrough(place):
                deed = Transfer(place.name)
        return Step(self._phrases.moment, deed=deed)

    # Keys

    def _on_menu(self, keys: str, state: State) -> MenuEntry | None:
        if isinstance(state, Asking | Offered):
            return None
        found = [entry for entry in self._settings.menu if entry.key == keys]
        return found[0] if found else None

    def _from_menu(self, entry: MenuEntry) -> Step:
        match entry.kind:
            case "say":
                return Step(entry.target)
            case "ask":
                return Step(ask=entry.target)
            case "message":
                return self._message()
            case "transfer":
                places = [place for place in self._settings.places if place.name == entry.target]
                return self._begin(PutThrough(places[0]))
            case "action":
                service = self._service(entry.target)
                assert service is not None, entry
                return self._begin(Serve(service))

    def _service(self, name: str) -> Service | None:
        found = [service for service in self._settings.services if service.name == name]
        return found[0] if found else None
