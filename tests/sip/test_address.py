"""Addresses as phones and PBXs really write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.sip.address import NameAddress, Uri, natural, split, unquote
from softagent.sip.errors import MessageError


@pytest.mark.parametrize(
    ("text", "name", "user", "host", "port", "tag"),
    [
        ('"Ext 1003" <sip:1003@10.0.0.1>;tag=abc', "Ext 1003", "1003", "10.0.0.1", None, "abc"),
        ("<sip:1003@pbx.lan:5070>;tag=abc;x=1", "", "1003", "pbx.lan", 5070, "abc"),
        ("<sip:1003@pbx.lan>;x=1;tag=abc", "", "1003", "pbx.lan", None, "abc"),
        ("sip:1003@pbx.lan;tag=abc", "", "1003", "pbx.lan", None, "abc"),
        (
            '"Smith; John @ \\"home\\" <x>" <sip:j@h>',
            'Smith; John @ "home" <x>',
            "j",
            "h",
            None,
            "",
        ),
        ("Front Desk <sips:desk@pbx.lan>", "Front Desk", "desk", "pbx.lan", None, ""),
        ("<sip:pbx.lan>", "", "", "pbx.lan", None, ""),
        ("<sip:a%40b@pbx.lan;user=phone>", "", "a%40b", "pbx.lan", None, ""),
        ("<sip:u:secret@[::1]:5060;lr?X=y>;tag=1", "", "u", "::1", 5060, "1"),
        ("<tel:+4930123;phone-context=x>;tag=2", "", "+4930123", "", None, "2"),
        ("<mailto:a@b?subject=x>;tag=3", "", "a@b?subject=x", "", None, "3"),
        ("<SIP:1003@PBX>; TAG = 7", "", "1003", "PBX", None, "7"),
    ],
)
def test_parses_name_address(
    text: str, name: str, user: str, host: str, port: int | None, tag: str
) -> None:
    """Display names, quotes, parameters inside and outside the brackets."""
    address = NameAddress.parse(text)
    uri = address.uri
    assert (address.display_name, uri.user, uri.host, uri.port, address.tag) == (
        name,
        user,
        host,
        port,
        tag,
    )


@pytest.mark.parametrize(
    "text", ["", "hello", "<sip:>", "<sip:a@b", "<2x:a@b>", "<sip:a@b:99999>", "<sip:a@b:x>"]
)
def test_refuses_what_is_no_address(text: str) -> None:
    """One kind of error, whatever is wrong."""
    with pytest.raises(MessageError):
        NameAddress.parse(text)


@pytest.mark.parametrize(
    "text", ["sip:1000@10.0.0.1:5100", "sip:pbx.lan;lr", "sip:a@[2001:db8::1]:5060;x=1;lr"]
)
def test_uri_round_trip(text: str) -> None:
    """A URI that was read is written as it was."""
    assert str(Uri.parse(text)) == text


def test_same_place_has_default_port() -> None:
    """5060 is the port where none is written."""
    assert Uri.parse("sip:1@PBX").is_same(Uri.parse("sip:1@pbx:5060;x=1"))
    assert not Uri.parse("sip:1@pbx").is_same(Uri.parse("sip:1@pbx:5070"))


def test_splits_outside_quotes_and_brackets() -> None:
    """Commas in names and URIs separate nothing."""
    text = '"a, b" <sip:x@y;p=1,2>, <sip:z@y> ,, "\\"," <sip:q@y>'
    assert list(split(text, ",")) == ['"a, b" <sip:x@y;p=1,2>', "<sip:z@y>", '"\\"," <sip:q@y>']


@given(st.text())
def test_a_written_name_is_read_again(name: str) -> None:
    """Quoting and unquoting undo each other."""
    assert unquote('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"') == name


@pytest.mark.parametrize("text", ["", "-1", "1.0", "²", "70000", "9" * 5000])
def test_natural_refuses(text: str) -> None:
    """Numbers that only look like numbers are refused, giant ones without being converted."""
    with pytest.raises(MessageError, match="bad port"):
        natural(text, "port", largest=65535)
