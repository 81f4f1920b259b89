"""One call's sound on the network: the socket, the receive thread and the media clock.

caller's packets -> receive thread -> RtpReceiver -.
                                                    media clock -> on_tick(Tick)
our packets      <- RtpSpeaker <- Playout ---------'
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from softagent.capture.observe import Observe, unobserved
from softagent.media.codec import codec_named
from softagent.media.description import MediaDescription
from softagent.media.frame import TICKS_PER_SECOND, Played, Tick, frame_samples
from softagent.media.pace import Pace
from softagent.media.packetizer import SLOTS_PER_TICK
from softagent.media.playout import Playout
from softagent.media.port import Arrival, MediaPort, is_closed
from softagent.media.priority import raise_priority
from softagent.media.receiver import RtpReceiver
from softagent.media.sender import RtpSender
from softagent.media.speaker import RtpSpeaker
from softagent.media.stats import Lateness, StreamStats

REPORT_TICKS = 5 * TICKS_PER_SECOND
"""RTCP sender reports every 5 s (RFC 3550 section 6.2)."""
RECEIVE_TIMEOUT_SECONDS = 0.1
"""How soon the receive thread sees that it should end."""
JOIN_TIMEOUT_SECONDS = 1.0

log = logging.getLogger(__name__)


class RtpStream:
    """Sends a packet every 20 ms from `start` to `stop` and hears the caller in between.

    Any thread may call the methods. `on_tick` is called by the media clock after each
    packet: it must be quick, and whatever it raises costs that tick only.
    """

    def __init__(
        self,
        media: MediaDescription,
        *,
        playout: Playout,
        on_tick: Callable[[Tick], None],
        name: str = "",
        sender: RtpSender | None = None,
        observe: Observe = unobserved,
    ) -> None:
        """`observe` sees every datagram as it is on the wire, for a trace."""
        codec = codec_named(media.codec)
        self._media = media
        """Replaced as a whole by `change`; whoever needs it reads it once."""
        self._local = media.local_host, media.local_port
        self._playout = playout
        self._on_tick = on_tick
        self._name = name
        self._observe = observe
        self._lock = threading.Lock()
        """Guards `_receiver` and `_speaker`: receive thread (push), media clock (put, pop),
        anyone (stats, change, keys)."""
        self._speaker = RtpSpeaker(media, rate_hz=codec.rate_hz, sender=sender)
        self._sender = self._speaker.sender
        self._receiver = RtpReceiver(media, rate_hz=codec.rate_hz)
        self._port: MediaPort | None = None
        self._threads: list[threading.Thread] = []
        self._is_stopping = threading.Event()
        self._silence = Played(np.zeros(frame_samples(codec.rate_hz), dtype=np.int16))
        self._index = 0
        self._lateness = Lateness()
        self._skipped = 0
        self._unsent = 0
        self._failures = 0

    def start(self) -> None:
        """Bind the port and begin to send and hear; PortInUse when the port is taken."""
        self._port = port = MediaPort(self._local, name=self._name, observe=self._observe)
        for role, run in (("receive", self._receive), ("clock", self._keep_time)):
            thread = threading.Thread(
                target=run, args=(port,), name=f"rtp-{role}-{self._name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End both threads and close the port. May be called again, and by `on_tick`."""
        self._is_stopping.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(JOIN_TIMEOUT_SECONDS)
                if thread.is_alive():
                    log.error("thread still running thread=%s", thread.name)
        if self._port is not None:
            self._port.close()

    def change(self, media: MediaDescription) -> None:
        """Go on as a new SDP agreed: at its address, held or no longer held."""
        self._media = media
        with self._lock:
            self._receiver.change(media)
            self._speaker.change(media)

    def send_digits(self, digits: str) -> bool:
        """Press keys after one another; False when the other side takes none as events (RFC 4733).

        ValueError when one is none of 0-9, *, #, A-D.
        """
        with self._lock:
            return self._speaker.press(digits)

    @property
    def is_sending_digits(self) -> bool:
        """Whether keys are being pressed, or wait to be."""
        return self._speaker.is_pressing

    @property
    def unheard_seconds(self) -> float:
        """How long nothing has come from the caller, not even a packet of silence."""
        return self._receiver.unheard_ticks / TICKS_PER_SECOND

    def stats(self) -> StreamStats:
        """What has happened up to now."""
        with self._lock:
            receiver, jitter_buffer = self._receiver, self._receiver.jitter_buffer
            counters = jitter_buffer.counters
            return StreamStats(
                packets_sent=self._sender.packets,
                bytes_sent=self._sender.payload_bytes,
                packets_received=receiver.packets,
                bytes_received=receiver.payload_bytes,
                lost=receiver.reception.lost,
                late=counters.late,
                concealed=counters.concealed,
                dropped=counters.dropped,
                resyncs=counters.resyncs,
                jitter_ms=receiver.reception.jitter_ms,
                delay_ms=jitter_buffer.depth_ms,
                malformed=receiver.malformed,
                foreign=receiver.foreign,
                unknown_type=receiver.unknown_type,
                unsent=self._unsent,
                late_p50_ms=self._lateness.percentile_ms(50),
                late_p99_ms=self._lateness.percentile_ms(99),
                late_max_ms=self._lateness.max_ms,
                skipped=self._skipped,
                underruns=self._playout.underruns,
                failures=self._failures,
            )

    def _receive(self, port: MediaPort) -> None:
        """The receive thread."""
        raise_priority()
        while not self._is_stopping.is_set():
            try:
                arrivals = port.receive(RECEIVE_TIMEOUT_SECONDS)
            except OSError as error:
                if is_closed(error):
                    return
                self._is_stopping.wait(RECEIVE_TIMEOUT_SECONDS)  # the network is down: try again
                continue
            for arrival in arrivals:
                with self._guard():
                    self._hear(arrival)

    def _hear(self, arrival: Arrival) -> None:
        if arrival.is_at_report_port:
            return
        with self._lock:
            self._receiver.push(
                arrival.datagram, source=arrival.source, arrival_seconds=arrival.seconds
            )

    def _keep_time(self, port: MediaPort) -> None:
        """The media clock."""
        raise_priority()
        pace = Pace(time.monotonic())
        reports_in = REPORT_TICKS
        while not self._is_stopping.is_set():
            now_seconds = time.monotonic()
            late_seconds = pace.late_seconds(now_seconds)
            if late_seconds < 0:
                time.sleep(-late_seconds)
                continue
            self._lateness.add(late_seconds * 1000)
            is_half_tick = pace.is_half_tick
            slots = 1 if is_half_tick or self._speaker.needs_half_ticks else SLOTS_PER_TICK
            slept = pace.take(now_seconds, slots=slots)
            self._speaker.skip(slept)
            self._skipped += slept
            with self._guard():
                if is_half_tick:
                    self._send_due(port, slots)
                else:
                    self._tick(port, slots)
                    reports_in -= 1
                if not reports_in:
                    reports_in = REPORT_TICKS
                    self._report(port)

    def _tick(self, port: MediaPort, slots: int) -> None:
        media = self._media
        agent = self._silence if media.is_held else self._playout.pop()
        with self._lock:
            self._speaker.put(agent.samples, is_silent=agent.turn is None)
        self._send_due(port, slots)
        with self._lock:
            caller, digits = self._receiver.pop()
        self._on_tick(Tick(self._index, caller, agent, digits, is_held=media.is_held))
        self._index += not media.is_held

    def _send_due(self, port: MediaPort, slots: int) -> None:
        """Send what leaves now; the next chance is `slots` times 10 ms away."""
        with self._lock:
            packets, peer = self._speaker.pop(slots=slots), self._receiver.peer
        for packet in packets:
            self._unsent += not port.send(packet, peer)

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        """Let no defect end a thread: it costs a packet or a tick, and only the first is logged."""
        try:
            yield
        except Exception:
            if not self._failures:
                log.exception("media failed name=%s", self._name)
            self._failures += 1

    def _report(self, port: MediaPort) -> None:
        with self._lock:
            reception = self._receiver.report()
        report = self._sender.report(unix_seconds=time.time(), reception=reception)
        host, number = self._receiver.peer
        if port.has_report_port:
            self._unsent += not port.send_report(report, (host, number + 1))
