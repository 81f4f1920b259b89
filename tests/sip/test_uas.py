"""Requests that need no call."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wire import OFFER, request

from softagent.sip.uas import ACCEPT, Reply, capabilities, reply_outside_dialog, standing_reply


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", None),
        ("REFER", 400),
        ("SUBSCRIBE", 405),
        ("PUBLISH", 405),
        ("REGISTER", 405),
        ("FOO", 501),
        ("INVITE", None),
        ("ACK", None),
        ("CANCEL", None),
        ("BYE", None),
        ("INFO", None),
    ],
)
def test_standing_reply(method: str, status: int | None) -> None:
    """What is refused or answered whatever else goes on."""
    reply = standing_reply(request(method))
    assert (reply.status if reply else None) == status


def test_options_say_what_we_can() -> None:
    """Allow, Accept and Supported (RFC 3261 section 11.2)."""
    headers = dict(capabilities("de"))
    assert "PRACK" in headers["Allow"]
    assert headers["Accept"] == "application/sdp"
    assert headers["Accept-Language"] == "de"
    assert headers["Supported"] == "100rel, timer, replaces"
    assert "message-summary" in headers["Allow-Events"]


def test_refer_is_declined() -> None:
    """603, but one that names no target, or two, can't be read (RFC 3515 section 2.4.2)."""
    one = "Refer-To: <sip:200@pbx>\r\n"
    for headers, status in (("", 400), (one, 603), (2 * one, 400)):
        assert standing_reply(request("REFER", headers=headers)) == Reply(status)


@pytest.mark.parametrize(("method", "status"), [("INVITE", 420), ("BYE", 420), ("CANCEL", None)])
def test_required_extension(method: str, status: int | None) -> None:
    """420 names what we don't know (section 8.2.2.3); ACK and CANCEL are exempt."""
    asked = request(method, headers="Require: 100rel, x-first, TIMER, x-second\r\n")
    reply = standing_reply(asked)
    assert (reply.status if reply else None) == status
    if reply is not None:
        assert reply.headers == (("Unsupported", "x-first, x-second"),)


@pytest.mark.parametrize(
    ("uri", "status"), [("sips:1000@host", None), ("tel:+49301", None), ("soap.beep://host", 416)]
)
def test_scheme(uri: str, status: int | None) -> None:
    """416 for what a telephone can't be called by (section 8.2.2.1)."""
    reply = standing_reply(replace(request("INVITE"), uri=uri))
    assert (reply.status if reply else None) == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("", None),
        ("Content-Type: Application / SDP ;charset=utf-8\r\n", None),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Encoding: gzip\r\n", 415),
        ("Content-Encoding: identity\r\n", None),
        ("Accept: text/plain\r\n", 406),
        ("Accept: text/plain, application/sdp;level=1\r\n", None),
        ("Accept: application/*\r\n", None),
        ("Accept: */*\r\n", None),
        ("Accept:\r\n", None),
    ],
)
def test_content_of_an_invite(headers: str, status: int | None) -> None:
    """SDP in, SDP out, in plain (sections 8.2.3 and 20.1)."""
    invite = request("INVITE", headers=headers, body=OFFER)
    reply = standing_reply(invite)
    assert (reply.status if reply else None) == status
    if status is not None:
        assert ACCEPT in (reply.headers if reply else ())


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("BYE", 481),
        ("UPDATE", 481),
        ("NOTIFY", 200),
        ("MESSAGE", 200),
        ("INFO", 200),
        ("ACK", None),
    ],
)
def test_reply_outside_dialog(method: str, status: int | None) -> None:
    """What has lost its call, and what never needed one."""
    reply = reply_outside_dialog(request(method))
    assert (reply.status if reply else None) == status
