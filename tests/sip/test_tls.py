"""Certificates: whom they are for, and what is said about wrong ones."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from softagent.config import TlsSettings
from softagent.errors import ConfigError
from softagent.sip.tls import CertificateRefused, TlsPolicy, identities


@pytest.mark.parametrize(
    ("certificate", "owners"),
    [
        ({"subjectAltName": (("DNS", "PBX.lan"), ("IP Address", "192.0.2.1"))}, ("pbx.lan", "192.0.2.1")),
        ({"subjectAltName": (("DNS", "pbx.lan"), ("URI", "sip:office.lan"))}, ("office.lan",)),
        ({"subjectAltName": (("DNS", "pbx.lan"), ("URI", "sip:anna@office.lan"))}, ("pbx.lan",)),
        ({"subjectAltName": (("URI", "https://office.lan"),), "subject": ((("commonName", "a"),),)}, ()),
        ({"subject": ((("countryName", "DE"),), (("commonName", "pbx.lan"),))}, ("pbx.lan",)),
        ({}, ()),
    ],
)  # fmt: skip
def test_whom_a_certificate_is_for(certificate: dict[str, object], owners: tuple[str, ...]) -> None:
    """sip: URIs first, then DNS names and addresses, the common name only without any (RFC 5922 section 7.1)."""
    assert identities(certificate) == owners


@pytest.mark.parametrize(
    ("owner", "is_ours"),
    [("pbx.lan", True), ("PBX.LAN", True), ("*.lan", False), ("x.pbx.lan", False), ("lan", False)],
)
def test_names_match_whole(owner: str, is_ours: bool) -> None:
    """Without regard to case, and never by a wildcard (RFC 5922 section 7.2)."""
    policy = TlsPolicy(TlsSettings(), ("pbx.lan", ""))
    certificate = {"subjectAltName": (("DNS", owner),)}
    if is_ours:
        policy.check(certificate)
    else:
        with pytest.raises(CertificateRefused, match=r"is for .*, not for pbx\.lan$"):
            policy.check(certificate)


def test_addresses_match_in_any_spelling() -> None:
    """OpenSSL writes IPv6 addresses in full."""
    certificate = {"subjectAltName": (("IP Address", "2001:DB8:0:0:0:0:0:1"),)}
    TlsPolicy(TlsSettings(), ()).check(certificate, "2001:db8::1")


def test_nothing_is_checked_when_told_so() -> None:
    """`verify = false` is the user's risk."""
    policy = TlsPolicy(TlsSettings(verify=False), ("pbx.lan",))
    policy.check({"subjectAltName": (("DNS", "other"),)})
    assert policy.client.verify_mode is ssl.CERT_NONE


def test_nothing_older_than_tls_1_2() -> None:
    """RFC 8996 has forbidden it."""
    assert TlsPolicy(TlsSettings(), ()).client.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_name_to_ask_for() -> None:
    """A number is no name (RFC 6066 section 3): the PBX's own stands in."""
    policy = TlsPolicy(TlsSettings(), ("192.0.2.1", "pbx.lan"))
    assert policy.server_name("192.0.2.7") == "pbx.lan"
    assert policy.server_name("proxy.lan") == "proxy.lan"
    assert TlsPolicy(TlsSettings(), ("192.0.2.1",)).server_name("192.0.2.1") is None


@pytest.mark.parametrize(
    ("option", "problem"), [("ca_file", "can't be read"), ("certificate_file", "can't be read")]
)
def test_files_that_are_missing(tmp_path: Path, option: str, problem: str) -> None:
    """The account, the option and the file are named."""
    settings = TlsSettings(**{option: tmp_path / "none.pem"})
    policy = TlsPolicy(settings, (), whose='account "a": ')
    with pytest.raises(ConfigError, match=rf'account "a": tls\.{option} ".*none\.pem": {problem}'):
        policy.load()


def test_files_that_are_no_certificates(tmp_path: Path) -> None:
    """OpenSSL's own words are added."""
    (tmp_path / "ca.pem").write_text("hello")
    with pytest.raises(ConfigError, match=r'tls\.ca_file ".*ca\.pem": can\'t be used: '):
        TlsPolicy(TlsSettings(ca_file=tmp_path / "ca.pem"), ()).load()
