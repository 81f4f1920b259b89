"""How an account receives a call at a given time: its greeting, and what the model is told first."""

from __future__ import annotations

from datetime import datetime

from softagent.chat import Message
from softagent.config import Account
from softagent.dialogue.office_hours import OfficeHours, daypart
from softagent.dialogue.phrases import phrases
from softagent.hours import parse_holiday

ASKED = "What day and time is it, and when are you open today?"


def wall_clock() -> datetime:
    """The time, with this machine's zone."""
    return datetime.now().astimezone()


def office_hours(account: Account) -> OfficeHours | None:
    """The account's opening hours; None where it has none."""
    hours = account.hours
    if not hours.is_given:
        return None
    own = tuple(map(parse_holiday, hours.holidays))
    return OfficeHours(hours.week, own, hours.zone, hours.public_holidays)


def greeting(account: Account, now: datetime) -> str:
    """What a caller is greeted with at `now`, a time with a zone."""
    text = account.greeting
    hours = office_hours(account)
    if hours is not None and not (standing := hours.standing(now)).is_open:
        text = account.greeting_closed or text
        if standing.is_holiday:
            text = account.greeting_holiday or text
    part = daypart(now.astimezone(account.hours.zone))
    return text.replace("{daypart}", phrases(account.language).dayparts[part])


def greetings(account: Account) -> tuple[str, ...]:
    """Every greeting that there may be, each once."""
    texts = filter(None, (account.greeting, account.greeting_closed, account.greeting_holiday))
    parts = phrases(account.language).dayparts
    return tuple(dict.fromkeys(text.replace("{daypart}", part) for text in texts for part in parts))


def standing_facts(account: Account) -> str:
    """What the agent knows at any time, opening hours included."""
    hours = office_hours(account)
    return account.facts if hours is None else f"{account.facts}\n{hours.week_text()}"


def note(account: Account, now: datetime) -> tuple[Message, ...]:
    """What follows the prefix in a call that began at `now`: the time, and whether the office is open.

    After the prefix, whose evaluation is kept from call to call, and the same for all of
    the call, so that it is read once, while the greeting is heard. In English it has the
    form of an example: told it as a rule, Qwen2.5 1.5B says that it doesn't know.
    """
    hours = office_hours(account)
    if hours is None:
        return ()
    told = hours.note(now)
    if not account.language.lower().startswith("en"):
        return (Message(role="system", content=told),)
    is_open = hours.standing(now).is_open
    return (
        Message(role="user", content=ASKED),
        Message(role="assistant", content=told),
        Message(role="user", content="Are you open right now?"),
        Message(
            role="assistant",
            content="Yes, we are open now." if is_open else "No, we are closed now.",
        ),
    )


def tellable(account: Account, now: datetime) -> str:
    """All that callers may be told word for word, though the model is told it as instructions are."""
    return "\n".join((standing_facts(account), *(told["content"] for told in note(account, now))))
