"""Whether the office is open, and what the model and the caller are told about it. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from softagent.hours import MINUTES_A_DAY, WEEKDAYS, Holiday, Span

DAYS_AHEAD = 14
"""How far ahead a next opening, or a holiday, is looked for."""
MORNING, AFTERNOON, EVENING = 0, 1, 2


def daypart(now: datetime) -> int:
    """Morning from 5:00, afternoon from 12:00, evening from 18:00, as people greet."""
    if 5 <= now.hour < 12:
        return MORNING
    return AFTERNOON if 12 <= now.hour < 18 else EVENING


@dataclass(frozen=True, slots=True)
class Standing:
    """How the office stands at one moment."""

    is_open: bool
    is_holiday: bool
    """Whether the day is one of the holidays, open or not."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """A week of opening hours and the days that are different, all in local time.

    A time is looked at as a clock on the office's wall shows it: on the days when clocks
    are changed the office opens by the clock.
    """

    week: tuple[tuple[Span, ...], ...]
    """The spans of each day, Monday first."""
    holidays: tuple[Holiday, ...] = ()
    zone: tzinfo | None = None
    """None for the machine's own."""
    public_holidays: Container[date] = ()
    """Closed days besides, unless `holidays` have the day too."""

    def local(self, now: datetime) -> datetime:
        """What the office's clock shows at `now`, a time with a zone."""
        return now.astimezone(self.zone)

    def standing(self, now: datetime) -> Standing:
        """Open or closed at `now`, a time with a zone."""
        local = self.local(now)
        is_open = self._closing(local) is not None
        return Standing(is_open, self._holiday(local.date()) is not None)

    def spans(self, day: date) -> tuple[Span, ...]:
        """The opening hours that begin on `day`."""
        holiday = self._holiday(day)
        return self.week[day.weekday()] if holiday is None else holiday.spans

    def note(self, now: datetime) -> str:
        """For the model: date and time, whether it is open, today's hours, holidays that are near."""
        local = self.local(now)
        today = local.date()
        closing = self._closing(local)
        lines = [f"It is {_day(today)} {today.year}, {_clock(local.hour * 60 + local.minute)}."]
        if closing is not None:
            lines.append(f"The office is open now, until {_clock(closing)}.")
        else:
            lines.append(f"The office is closed now. {self._next_opening(local)}".rstrip())
        why = " (a holiday)" if self._holiday(today) else ""
        lines.append(f"Today's opening hours{why}: {_spoken(self.spans(today))}.")
        for ahead in range(1, DAYS_AHEAD + 1):
            day = today + timedelta(ahead)
            if self._holiday(day) is not None:
                lines.append(f"{_day(day)} is a holiday: {_spoken(self.spans(day))}.")
        return " ".join(lines)

    def week_text(self) -> str:
        """For the model: the hours of each day, days that are alike together."""
        lines: list[str] = []
        first = 0
        for number in range(1, 8):
            if number < 7 and self.week[number] == self.week[first]:
                continue
            days = WEEKDAYS[first].capitalize()
            if number - first > 1:
                days += f"{' and' if number - first == 2 else ' to'} {WEEKDAYS[number - 1].capitalize()}"
            if self.week[first]:
                lines.append(f"We are open on {days}, {_spoken(self.week[first])}.")
            else:
                lines.append(f"We are closed on {days}.")
            first = number
        return " ".join(lines)

    def _holiday(self, day: date) -> Holiday | None:
        """The entry for `day`; one of this year counts before one of every year."""
        found = [holiday for holiday in self.holidays if holiday.is_on(day)]
        if not found and day in self.public_holidays:
            return Holiday(day.year, day.month, day.day)
        return min(found, key=lambda holiday: holiday.year is None, default=None)

    def _closing(self, local: datetime) -> int | None:
        """Minute of the day at which it will close; None when it is closed."""
        minute = local.hour * 60 + local.minute
        for spans, at in (
            (self.spans(local.date()), minute),
            (self.spans(local.date() - timedelta(1)), minute + MINUTES_A_DAY),
        ):
            for first, last in spans:
                if first <= at < last:
                    return last % MINUTES_A_DAY or MINUTES_A_DAY
        return None

    def _next_opening(self, local: datetime) -> str:
        minute = local.hour * 60 + local.minute
        for ahead in range(DAYS_AHEAD + 1):
            day = local.date() + timedelta(ahead)
            for first, _ in self.spans(day):
                if ahead or first > minute:
                    when = ("today", "tomorrow")[ahead] if ahead < 2 else f"on {_day(day)}"
                    return f"It opens {when} at {_clock(first)}."
        return ""


def _spoken(spans: Sequence[Span]) -> str:
    """The spans in words: "9:00 to 12:30 and 13:30 to 17:00"."""
    times = [
        f"{_clock(first)} to {_clock(last % MINUTES_A_DAY or MINUTES_A_DAY)}"
        for first, last in spans
    ]
    return " and ".join(times) or "closed"


def _clock(minute: int) -> str:
    """As a receptionist says it: "9:30 am", "noon", "midnight"."""
    if minute % MINUTES_A_DAY == 0:
        return "midnight"
    if minute == MINUTES_A_DAY // 2:
        return "noon"
    hour, part = divmod(minute, 60)
    return f"{(hour - 1) % 12 + 1}:{part:02} {'am' if hour < 12 else 'pm'}"


def _day(day: date) -> str:
    months = (
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    )  # strftime would follow the machine's language
    return f"{WEEKDAYS[day.weekday()].capitalize()}, {day.day} {months[day.month - 1]}"
