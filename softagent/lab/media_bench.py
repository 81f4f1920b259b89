"""The media benchmark: a stream of ours in a process of its own, through a bad network, beside a load.

child process: RtpStream, as a worker has it <-> Relay <-> RtpStream: the far end, in this process
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from softagent.capture.observe import unobserved
from softagent.capture.tracer import Tracer
from softagent.errors import EngineFailed
from softagent.lab.impairment import Impairment
from softagent.lab.load import load
from softagent.lab.relay import Relay
from softagent.lab.sipwire import Address
from softagent.lab.tap import Arrival, bind_even
from softagent.media.codec import codec_named
from softagent.media.courier import Courier
from softagent.media.description import MediaDescription
from softagent.media.frame import TICKS_PER_SECOND, Samples
from softagent.media.playout import Playout
from softagent.media.priority import raise_priority
from softagent.media.stats import StreamStats
from softagent.media.stream import RtpStream

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30.0
"""For the child to begin, and to end after its time."""
SWITCH_INTERVAL_SECONDS = 0.0005
"""As in a worker."""
EVENT_PAYLOAD_TYPE = 101
TRACE_NAME = "bench"


@dataclass(frozen=True, slots=True)
class MediaConditions:
    """What the stream has to put up with."""

    codec: str
    seconds: float
    impairment: Impairment
    """In both directions."""
    load: int
    """Processes that do nothing but calculate."""
    seed: int = 1
    trace: Path | None = None
    """Where the stream under test traces itself, as a worker would; nowhere unless set."""


@dataclass(frozen=True, slots=True)
class MediaMeasurements:
    """What came of it."""

    arrivals: tuple[Arrival, ...]
    """The stream's packets, before the network did anything to them."""
    near: StreamStats
    """The stream's own statistics."""
    ticks: int
    priority: str
    """What its threads got: real-time where the system allows it."""
    sent_to_near: int
    lost_to_near: int


def measure_media(conditions: MediaConditions) -> MediaMeasurements:
    """Run for the given time. Raises ConfigError for a network that can't be, EngineFailed when the child fails."""
    both = conditions.impairment
    relay = Relay(HOST, to_near=both, to_far=both, seed=conditions.seed)
    near, far = _free_address(), _free_address()
    relay.connect(near=near, far=far)
    relay.start()
    try:
        with load(conditions.load), _far_end(conditions, _media(conditions.codec, far, relay.far)):
            media = _media(conditions.codec, near, relay.near)
            stats, ticks, priority = _run_child(media, conditions)
    finally:
        relay.stop()
    lost, passed = relay.to_near.lost, relay.to_near.passed
    return MediaMeasurements(relay.arrivals, stats, ticks, priority, lost + passed, lost)


@contextlib.contextmanager
def _far_end(conditions: MediaConditions, media: MediaDescription) -> Iterator[None]:
    """The other side of the call: it speaks for as long as the call lasts."""
    playout = Playout(codec_named(conditions.codec).rate_hz)
    stream = RtpStream(media, playout=playout, on_tick=lambda tick: None, name="bench-far")
    _speak(playout, codec_named(conditions.codec).rate_hz, conditions.seconds + PATIENCE_SECONDS)
    stream.start()
    try:
        yield
    finally:
        stream.stop()


def _run_child(
    media: MediaDescription, conditions: MediaConditions
) -> tuple[StreamStats, int, str]:
    """The stream under test."""
    seconds = conditions.seconds
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_be_near, args=(media, conditions, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds + PATIENCE_SECONDS):
            raise EngineFailed("the stream under test has not ended in time")
        stats, ticks, priority = ours.recv()
    except EOFError:
        raise EngineFailed("the stream under test has failed: see above") from None
    finally:
        child.join(1.0)
        if child.is_alive():
            child.kill()
            child.join()
        ours.close()
    assert isinstance(stats, StreamStats)
    return stats, ticks, priority


def _be_near(media: MediaDescription, conditions: MediaConditions, parent: Connection) -> None:
    """What runs in the child: a stream as it is in a call, without the engines."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who then ends us
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    seconds, rate_hz = conditions.seconds, codec_named(media.codec).rate_hz
    wanted = int(seconds * TICKS_PER_SECOND)
    is_over = threading.Event()
    ticks = 0

    def count(_tick: object) -> None:
        nonlocal ticks
        ticks += 1
        if ticks >= wanted:
            is_over.set()

    playout = Playout(rate_hz)
    _speak(playout, rate_hz, seconds)
    tracer = Tracer(TRACE_NAME, conditions.trace) if conditions.trace else None
    courier = Courier()
    courier.start()
    stream = RtpStream(
        media,
        playout=playout,
        on_tick=count,
        name="bench-near",
        observe=tracer.media("media") if tracer else unobserved,
        courier=courier,
    )
    if tracer:
        tracer.start()
    stream.start()
    is_over.wait(seconds + PATIENCE_SECONDS / 2)
    stats = stream.stats()
    stream.stop()
    courier.stop()
    if tracer:
        tracer.stop()
    parent.send((stats, ticks, _priority_here()))


def _priority_here() -> str:
    """What a media thread gets in this process."""
    got: list[str] = []
    thread = threading.Thread(target=lambda: got.append(raise_priority()))
    thread.start()
    thread.join()
    return got[0]


def _speak(playout: Playout, rate_hz: int, seconds: float) -> None:
    """Give `playout` one long turn of something like speech."""
    playout.begin(1)
    playout.put(1, 0, np.tile(_phrase(rate_hz), int(seconds / 3) + 1))
    playout.finish(1)
    playout.release(1)


def _phrase(rate_hz: int) -> Samples:
    """Three seconds: syllables of a voice-like buzz for two, then a pause; shape (n,)."""
    at = np.arange(3 * rate_hz) / rate_hz
    buzz = sum(np.sin(2 * np.pi * 120 * overtone * at) / overtone for overtone in range(1, 12))
    envelope = np.maximum(0, np.sin(2 * np.pi * 4 * at)) * (at < 2)
    return (6000 * buzz * envelope).astype(np.int16)


def _media(codec: str, local: Address, remote: Address) -> MediaDescription:
    return MediaDescription(
        codec=codec,
        payload_type=codec_named(codec).payload_type,
        remote_host=remote[0],
        remote_port=remote[1],
        local_host=local[0],
        local_port=local[1],
        event_payload_type=EVENT_PAYLOAD_TYPE,
    )


def _free_address() -> Address:
    with bind_even(HOST) as probe:
        address: Address = probe.getsockname()[:2]
        return address
