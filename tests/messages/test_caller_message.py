"""A message and what became of it survive being written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages_fakes import TAKEN_AT, entry, message

from softagent.messages.message import CallerMessage, Delivery, Entry, Line, new_id

TIMES = st.floats(0, 4e9).map(lambda seconds: round(seconds, 3))
DELIVERIES = st.builds(
    Delivery, st.integers(0, 10**6), st.none() | TIMES, TIMES, st.text(max_size=40)
)
MESSAGES = st.builds(
    CallerMessage,
    *[st.text(max_size=20)] * 7,
    TIMES,
    st.lists(st.builds(Line, st.sampled_from(["caller", "agent"]), st.text())).map(tuple),
    st.text(max_size=20),
)


@given(MESSAGES, st.booleans(), st.dictionaries(st.text(max_size=8), DELIVERIES, max_size=4))
def test_what_is_written_is_read_again(
    left: CallerMessage, is_complete: bool, deliveries: dict[str, Delivery]
) -> None:
    kept = Entry(left, is_complete, deliveries)
    read = Entry.parse(kept.serialize())
    assert abs(read.message.taken_at - left.taken_at) < 0.001
    assert read.serialize() == kept.serialize()


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["version", "deliveries", "transcript", "taken"]), inner, max_size=3),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_anything_else_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Entry.parse(content)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_not_guessed_at(version: object) -> None:
    values = json.loads(entry().serialize())
    with pytest.raises(ValueError, match="version"):
        Entry.parse(json.dumps({**values, "version": version}).encode())


def test_the_json_that_commands_and_webhooks_get() -> None:
    values = message().as_json()
    assert values.pop("taken") == message().taken.isoformat(timespec="milliseconds")
    assert values == {
        "version": 1,
        "id": "m-1",
        "account": "reception",
        "call": "call-1@pbx",
        "caller": "1001",
        "name": "Ann Miller",
        "number": "030 1234",
        "reason": "a lost key",
        "transcript": [
            {"who": "agent", "text": "Hello."},
            {"who": "caller", "text": "I have lost my key."},
        ],
        "recording": None,
    }


def test_ids_sort_by_time_and_differ() -> None:
    ids = [new_id(TAKEN_AT + second // 2) for second in range(10)]
    assert len(set(ids)) == 10
    assert [made[:16] for made in ids] == sorted(made[:16] for made in ids)
    assert ids[0].startswith("20261118T")


def test_ways_that_have_worked_are_not_repeated() -> None:
    """And one that was added since isn't this message's any more."""
    kept = entry("m-1", "folder", "email")
    assert kept.ways(("folder", "email")) == ("folder", "email")
    half = kept.delivered_by("folder", Delivery(1, 5.0), ("folder", "email"))
    assert half.waits
    assert half.ways(("folder", "command", "email")) == ("email",)
    assert not half.with_delivery("email", Delivery(1, 6.0)).waits


def test_ways_that_never_worked_may_be_replaced() -> None:
    """The office gives its mail server up for a webhook: what waited goes there, and waits no more."""
    kept = entry("m-1", "email").with_delivery("email", Delivery(9, None, 0, "no such host"))
    assert kept.ways(("webhook",)) == ("webhook",)
    assert not kept.delivered_by("webhook", Delivery(1, 5.0), ("webhook",)).waits


def test_what_is_only_kept_stays_so() -> None:
    assert entry("m-1").ways(("email",)) == ()
