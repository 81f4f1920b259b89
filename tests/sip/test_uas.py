"""Requests that need no call."""

from __future__ import annotations

import pytest
from wire import request

from softagent.sip.uas import reply_outside_dialog, standing_reply


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200),
        ("REFER", 603),
        ("SUBSCRIBE", 405),
        ("FOO", 405),
        ("INVITE", None),
        ("ACK", None),
        ("CANCEL", None),
        ("BYE", None),
        ("INFO", None),
    ],
)
def test_standing_reply(method: str, status: int | None) -> None:
    """What is refused or answered whatever else goes on."""
    reply = standing_reply(request(method), language="en")
    assert (reply.status if reply else None) == status


def test_options_say_what_we_can() -> None:
    """Allow, Accept and Supported (RFC 3261 section 11.2)."""
    reply = standing_reply(request("OPTIONS"), language="de")
    assert reply is not None
    headers = dict(reply.headers)
    assert "INVITE" in headers["Allow"]
    assert headers["Accept"] == "application/sdp"
    assert headers["Accept-Language"] == "de"
    assert "Supported" in headers


@pytest.mark.parametrize(("method", "status"), [("INVITE", 420), ("BYE", 420), ("CANCEL", None)])
def test_required_extension(method: str, status: int | None) -> None:
    """420 names what we don't know (section 8.2.2.3); ACK and CANCEL are exempt."""
    asked = request(method, headers="Require: 100rel, timer\r\n")
    reply = standing_reply(asked, language="en")
    assert (reply.status if reply else None) == status
    if reply is not None:
        assert reply.headers == (("Unsupported", "100rel, timer"),)


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
