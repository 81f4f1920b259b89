"""TLS for signalling: which certificate we show, which ones we take, and for whom (RFC 3261 26.3, RFC 5922)."""

from __future__ import annotations

import ssl
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

from softagent.config import TlsSettings
from softagent.errors import ConfigError
from softagent.sip.address import Uri, numeric
from softagent.sip.errors import MessageError

_NOT_SIGNED = (2, 18, 19, 20, 21)
"""OpenSSL's codes for a chain that doesn't lead to an authority that we trust (X509_V_ERR_*)."""
_NOT_YET_VALID, _EXPIRED = 9, 10


class CertificateRefused(Exception):
    """The other side's certificate is none for the PBX; the message says what it is instead."""


class TlsPolicy:
    """What one account does with certificates."""

    def __init__(self, settings: TlsSettings, names: Collection[str], *, whose: str = "") -> None:
        """`names`: those of the PBX, one of which its certificate must carry."""
        self._settings = settings
        self._names = tuple(dict.fromkeys(name for name in names if name))
        self._whose = whose

    @cached_property
    def client(self) -> ssl.SSLContext:
        """For connections of ours; made when it is needed first, for reading the authorities takes a while."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT)

    @cached_property
    def server(self) -> ssl.SSLContext | None:
        """For connections that come in; None without a certificate of ours."""
        if self._settings.certificate_file is None:
            return None
        return self._context(ssl.PROTOCOL_TLS_SERVER)

    def load(self) -> None:
        """Read the files now. Raises ConfigError when one can't be used."""
        _ = self.client, self.server

    def server_name(self, name: str) -> str | None:
        """The name to ask for (RFC 6066): the host's own, or else the PBX's."""
        known = [candidate for candidate in (name, *self._names) if not numeric(candidate)]
        return next(iter(known), None)

    def check(self, certificate: dict[str, Any] | None, *also: str) -> None:
        """Whether a certificate that is in order is the PBX's own, or one of the hosts `also`.

        Raises CertificateRefused. Always content where nothing is verified.
        """
        if not self._settings.verify:
            return
        wanted = {name.lower() for name in (*self._names, *also) if name}
        owners = identities(certificate or {})
        if not any(_matches(owner, name) for owner in owners for name in wanted):
            raise CertificateRefused(
                f"its certificate is for {' and '.join(owners) or 'nobody'},"
                f" not for {' or '.join(sorted(wanted))}"
            )

    def explain(self, error: ssl.SSLError) -> str:
        """What went wrong in a handshake, in words."""
        if not isinstance(error, ssl.SSLCertVerificationError):
            return f"TLS failed: {error.reason or error.strerror or error}"
        if error.verify_code in _NOT_SIGNED:
            trusted = self._settings.ca_file or "an authority that this machine trusts"
            return f"its certificate isn't signed by {trusted}: set tls.ca_file to its authority's"
        if error.verify_code == _EXPIRED:
            return "its certificate has expired"
        if error.verify_code == _NOT_YET_VALID:
            return "its certificate isn't valid yet: is this machine's clock right?"
        return f"its certificate can't be verified: {error.verify_message}"

    def _context(self, protocol: int) -> ssl.SSLContext:
        settings = self._settings
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False  # `check` knows RFC 5922's rules, which allow more
        context.verify_mode = ssl.CERT_NONE
        if protocol == ssl.PROTOCOL_TLS_CLIENT and settings.verify:
            context.verify_mode = ssl.CERT_REQUIRED
            if settings.ca_file is None:
                context.load_default_certs()
            else:
                self._load("ca_file", lambda: context.load_verify_locations(settings.ca_file))
        if settings.certificate_file is not None:
            self._load(
                "certificate_file",
                lambda: context.load_cert_chain(
                    settings.certificate_file or "", settings.key_file, lambda: ""
                ),
            )
        return context

    def _load(self, option: str, load: Any) -> None:
        file = getattr(self._settings, option)
        try:
            load()
        except ssl.SSLError as error:
            raise ConfigError(
                [f'{self._whose}tls.{option} "{file}": can\'t be used: {error.reason or error}']
            ) from None
        except OSError as error:
            raise ConfigError(
                [f'{self._whose}tls.{option} "{file}": can\'t be read: {error.strerror}']
            ) from None


def identities(certificate: dict[str, Any]) -> tuple[str, ...]:
    """Whom a certificate is for (RFC 5922 section 7.1): its sip: URIs, else its DNS names and addresses.

    The subject's common name counts where there is no alternative name at all.
    """
    names = list(certificate.get("subjectAltName", ()))
    uris = tuple(host for kind, value in names if kind == "URI" and (host := _sip_host(value)))
    others = tuple(value.lower() for kind, value in names if kind in ("DNS", "IP Address"))
    if names:
        return uris or others
    return tuple(_common_names(certificate))


def _sip_host(text: str) -> str:
    """The domain of a sip: URI without a user part; "" for any other, which names no server."""
    try:
        uri = Uri.parse(text)
    except MessageError:
        return ""
    return "" if uri.user or uri.scheme == "tel" else uri.host.lower()


def _common_names(certificate: dict[str, Any]) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        for key, value in part:
            if key == "commonName":
                yield value.lower()


def _matches(owner: str, name: str) -> bool:
    """Whether the identities are the same, letter by letter: SIP knows no wildcards (RFC 5922 section 7.2)."""
    return (numeric(owner) or owner) == (numeric(name) or name)
