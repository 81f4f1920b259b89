"""Streams on loopback for the tests, and how to wait for them by counting ticks."""

import socket
import threading
from dataclasses import dataclass, field, replace

import numpy as np

from softagent.media.codec import codec_named
from softagent.media.description import MediaDescription
from softagent.media.frame import Tick
from softagent.media.playout import Playout
from softagent.media.stream import RtpStream

HOST = "127.0.0.1"
PATIENCE_SECONDS = 10


@dataclass
class Ears:
    """Keeps the ticks of a stream and lets the test wait for so many."""

    ticks: list[Tick] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, tick):
        with self.changed:
            self.ticks.append(tick)
            self.changed.notify_all()

    def wait_until(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_SECONDS)

    def wait_for(self, count):
        self.wait_until(lambda: len(self.ticks) >= count)

    @property
    def sound(self):
        return np.concatenate([tick.caller for tick in self.ticks])


def free_ports(count):
    """Ports that nobody has; kept bound together so that they differ."""
    endpoints = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for endpoint in endpoints:
        endpoint.bind((HOST, 0))
    ports = [endpoint.getsockname()[1] for endpoint in endpoints]
    for endpoint in endpoints:
        endpoint.close()
    return ports


def media(local, remote, *, codec="PCMU", **changes):
    agreed = MediaDescription(
        codec=codec,
        payload_type=codec_named(codec).payload_type,
        remote_host=HOST,
        remote_port=remote,
        local_host=HOST,
        local_port=local,
        event_payload_type=101,
    )
    return replace(agreed, **changes)


def stream(
    local,
    remote,
    *,
    codec="PCMU",
    playout=None,
    on_tick=None,
    sender=None,
    agreed=None,
    **options,
):
    """A stream from `local` to `remote`, both ports; `agreed` are further fields of its media."""
    return RtpStream(
        media(local, remote, codec=codec, **(agreed or {})),
        playout=playout or Playout(8000),
        on_tick=on_tick or (lambda tick: None),
        name="test",
        sender=sender,
        **options,
    )
