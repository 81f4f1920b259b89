"""A real DNS server on a loopback port, with a zone in a table."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset


class NameServer:
    """Answers from `zone`: (name, type) -> (time to live, records as in a zone file)."""

    def __init__(self, zone: Mapping[tuple[str, str], tuple[int, list[str]]]) -> None:
        self.zone = dict(zone)
        self.questions: list[tuple[str, str]] = []
        self.is_silent = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join(3.0)
        self._socket.close()

    def resolver(self) -> dns.resolver.Resolver:
        """A resolver that asks this server only."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self._socket.getsockname()[1]
        return resolver

    def _serve(self) -> None:
        while True:
            data, asker = self._socket.recvfrom(4096)
            if not data:
                return
            query = dns.message.from_wire(data)
            question = query.question[0]
            name = question.name.to_text(omit_final_dot=True)
            kind = dns.rdatatype.to_text(question.rdtype)
            self.questions.append((name, kind))
            if self.is_silent:
                continue
            response = dns.message.make_response(query)
            response.flags |= dns.flags.RA
            if not any(known == name for known, _ in self.zone):
                response.set_rcode(dns.rcode.NXDOMAIN)
            if (name, kind) in self.zone:
                ttl, records = self.zone[name, kind]
                response.answer.append(
                    dns.rrset.from_text(question.name, ttl, "IN", kind, *records)
                )
            self._socket.sendto(response.to_wire(), asker)
