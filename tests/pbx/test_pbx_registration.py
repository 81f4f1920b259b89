"""The registration with a real Asterisk: kept as granted, and there again when the PBX is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from asterisk import Asterisk, every_pbx, wait_for
from certificates import make_certificates
from exchange import PLAIN, password
from extension import Extension

from softagent.config import TlsSettings
from softagent.sip.phone import RegistrationState

pytestmark = pytest.mark.pbx

Station = Callable[..., Extension]
BACK_SECONDS = 10.0
RESTARTS = 3
REST_SECONDS = 2.7
"""Puts each restart at another place between two of the telephone's REGISTERs, which are 8 s apart."""


def test_back_within_10_s_of_each_return_of_the_pbx(pbx: Asterisk, station: Station) -> None:
    with station(PLAIN) as extension:
        for _ in range(RESTARTS):
            time.sleep(REST_SECONDS)
            pbx.restart()
            assert not pbx.is_registered(PLAIN), "the PBX should have forgotten everybody"
            wait_for(lambda: pbx.is_registered(PLAIN), "the telephone", seconds=BACK_SECONDS)
            extension.wait_registered()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_back_within_10_s_by_a_new_connection(
    pbx: Asterisk, station: Station, transport: str
) -> None:
    assert pbx.certificates is not None
    options = {
        "transport": transport,
        "port": pbx.tls_port if transport == "tls" else pbx.sip_port,
        "tls": TlsSettings(ca_file=pbx.certificates.authority),
    }
    with station(PLAIN, **options):
        pbx.restart()
        wait_for(lambda: pbx.is_reachable(PLAIN), "the telephone", seconds=BACK_SECONDS)


def test_a_certificate_by_somebody_unknown_is_refused(pbx: Asterisk, tmp_path: Path) -> None:
    """Nothing is sent to a PBX that can't prove who it is, and the reason is told."""
    stranger = make_certificates(tmp_path / "stranger")
    with Extension(
        PLAIN,
        password(PLAIN),
        port=pbx.tls_port,
        transport="tls",
        tls=TlsSettings(ca_file=stranger.authority),
    ) as extension:
        registration = extension.wait_registration(RegistrationState.FAILED)
    assert "certificate" in registration.reason
    assert not pbx.is_registered(PLAIN)


@every_pbx
def test_qualified_from_the_first_second_on_and_gone_after_the_end(
    pbx: Asterisk, station: Station
) -> None:
    with station(PLAIN):
        wait_for(lambda: pbx.is_reachable(PLAIN), "the answer to OPTIONS", seconds=4)
    wait_for(lambda: not pbx.is_registered(PLAIN), "the unregistration", seconds=2)


def test_refused_credentials_are_told(pbx: Asterisk) -> None:
    with Extension(PLAIN, "wrong", port=pbx.sip_port) as extension:
        registration = extension.wait_registration(RegistrationState.FAILED)
    assert registration.is_refused
    assert "401" in registration.reason or "403" in registration.reason
