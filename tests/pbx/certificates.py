"""A certificate authority of the test's own, and the PBX's certificate that it has signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files."""

    authority: Path
    """What the telephone must trust."""
    certificate: Path
    """The PBX's, for 127.0.0.1 and localhost."""
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make all three in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "pbx.pem", folder / "pbx.key")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(made.authority)
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(made.key)
    for position, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(made.certificate, append=position > 0)
    return made
