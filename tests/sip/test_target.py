"""Numbers and addresses as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softagent.sip.errors import MessageError
from softagent.sip.target import target_uri


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("1003", "sip:1003@pbx.example"),
        (" 1003 ", "sip:1003@pbx.example"),
        ("+49 (30) 12-34.56", "sip:+49301234 56@pbx.example".replace(" ", "")),
        ("tel:+49-30-1234", "sip:+49301234@pbx.example"),
        ("*97", "sip:*97@pbx.example"),
        ("#31#1003", "sip:%2331%231003@pbx.example"),
        ("anna.b", "sip:anna.b@pbx.example"),
        ("anna@example.org", "sip:anna@example.org"),
        ("sip:anna@192.0.2.4:5070;transport=tcp", "sip:anna@192.0.2.4:5070;transport=tcp"),
        ("SIPS:anna@example.org", "sips:anna@example.org"),
    ],
)
def test_target(written: str, uri: str) -> None:
    """A bare number or name is one of the PBX's; what may not stand in a URI is escaped."""
    assert str(target_uri(written, "pbx.example")) == uri


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  ",
        "two words",
        "<sip:1003@x>",
        "http://x",
        "sip:",
        "10\r\nVia: x",
        "sip:a@b\nX: y",
        "é",
    ],
)
def test_nonsense_is_refused(written: str) -> None:
    """Nor can a target smuggle a header in."""
    with pytest.raises(MessageError):
        target_uri(written, "pbx.example")


@settings(deadline=None)
@given(written=st.text(max_size=40))
def test_any_text_is_a_uri_on_one_line_or_an_error(written: str) -> None:
    """A model may make up any target."""
    try:
        uri = str(target_uri(written, "pbx.example"))
    except MessageError:
        return
    assert uri.isascii()
    assert uri.isprintable()
    assert not set(uri) & set(' <>"')
