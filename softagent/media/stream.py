"""One call's sound on the network: the socket, the receive thread and the media clock.

caller's packets -> receive thread -> SrtpChannel -> RtpReceiver -.
caller's reports ->      "         ->     "       -> Reports      |
                                                                  media clock -> on_tick(Tick)
our packets      <- SrtpChannel <- RtpSpeaker <- Playout ---------'
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
from aiortp import is_rtcp

from softagent.capture.observe import Observe, unobserved
from softagent.media.codec import codec_named
from softagent.media.courier import Courier
from softagent.media.description import MediaDescription
from softagent.media.frame import TICKS_PER_SECOND, Played, Tick, frame_samples
from softagent.media.pace import Pace
from softagent.media.packetizer import SLOTS_PER_TICK
from softagent.media.playout import Playout
from softagent.media.port import Arrival, MediaPort, is_closed
from softagent.media.priority import raise_priority
from softagent.media.receiver import RtpReceiver
from softagent.media.reports import ReportExchange, ReportSchedule
from softagent.media.sender import RtpSender
from softagent.media.speaker import RtpSpeaker
from softagent.media.srtp import SrtpChannel
from softagent.media.stats import Histogram, StreamStats
from softagent.media.summary import ClockCounts, summarize

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
        schedule: ReportSchedule | None = None,
        open_port: Callable[..., MediaPort] = MediaPort,
        courier: Courier | None = None,
    ) -> None:
        """`observe` sees every datagram as it is on the wire, for a trace.

        With a `courier` packets leave on time though this process is busy, and 20 ms later.
        """
        codec = codec_named(media.codec)
        self._media = media
        """Replaced as a whole by `change`; whoever needs it reads it once."""
        self._local = media.local_host, media.local_port
        self._playout = playout
        self._on_tick = on_tick
        self._name = name
        self._observe = observe
        self._lock = threading.Lock()
        """Guards `_receiver`, `_speaker`, `_channel` and `_reports`: receive thread (push), media
        clock (put, pop, report), anyone (stats, change, keys)."""
        self._speaker = RtpSpeaker(media, rate_hz=codec.rate_hz, sender=sender)
        self._sender = self._speaker.sender
        self._receiver = RtpReceiver(media, rate_hz=codec.rate_hz)
        self._channel = SrtpChannel(media.srtp)
        self._reports = ReportExchange(self._sender, codec.clock_hz)
        self._schedule = schedule or ReportSchedule()
        self._open_port = open_port
        self._courier = courier
        self._port: MediaPort | None = None
        self._has_ended = False
        self._begins = True
        """Whether nothing was sent just before the next packet."""
        self._threads: list[threading.Thread] = []
        self._is_stopping = threading.Event()
        self._silence = Played(np.zeros(frame_samples(codec.rate_hz), dtype=np.int16))
        self._index = 0
        self._counts = ClockCounts()

    def start(self) -> None:
        """Bind the port and begin to send and hear; PortInUse when the port is taken."""
        self._port = port = self._open_port(
            self._local, name=self._name, observe=self._observe, courier=self._courier
        )
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
        if self._port is not None and not self._has_ended:
            self._has_ended = True
            with self._guard():
                self._report(self._port, is_last=True)
            self._port.close()

    def change(self, media: MediaDescription) -> None:
        """Go on as a new SDP agreed: at its address, with its keys, held or no longer held."""
        with self._lock:
            before, self._media = self._media, media
            if self._channel.change(media.srtp) and self._sender.has_wrapped:
                self._sender.renew()
            self._reports.change(before, media)
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
        sent = (0, Histogram()) if self._port is None else self._port.sent
        with self._lock:
            return summarize(
                self._media.codec,
                sender=self._sender,
                receiver=self._receiver,
                reports=self._reports,
                channel=self._channel,
                clock=self._counts,
                sent=sent,
                underruns=self._playout.underruns,
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
            except Exception as error:
                self._fail(error)
                self._is_stopping.wait(RECEIVE_TIMEOUT_SECONDS)
                continue
            for arrival in arrivals:
                with self._guard():
                    self._hear(arrival)

    def _hear(self, arrival: Arrival) -> None:
        is_report = arrival.is_at_report_port or is_rtcp(arrival.datagram)
        with self._lock:
            unprotect = self._channel.unprotect_report if is_report else self._channel.unprotect
            datagram = unprotect(arrival.datagram)
            if datagram is None:
                return
            if not is_report:
                self._receiver.push(
                    datagram, source=arrival.source, arrival_seconds=arrival.seconds
                )
                return
            self._reports.push(
                datagram,
                source=arrival.source,
                is_known=self._receiver.knows(arrival.source),
                arrival_seconds=arrival.seconds,
                is_at_report_port=arrival.is_at_report_port,
            )

    def _keep_time(self, port: MediaPort) -> None:
        """The media clock."""
        raise_priority()
        pace = Pace(time.monotonic())
        while not self._is_stopping.is_set():
            now_seconds = time.monotonic()
            late_seconds = pace.late_seconds(now_seconds)
            if late_seconds < 0:
                time.sleep(-late_seconds)
                continue
            self._counts.lateness.add(late_seconds * 1000)
            is_half_tick = pace.is_half_tick
            slots = 1 if is_half_tick or self._speaker.needs_half_ticks else SLOTS_PER_TICK
            slept = pace.take(now_seconds, slots=slots)
            due_seconds = now_seconds if slept else now_seconds - late_seconds
            self._counts.skipped += slept
            with self._guard():
                self._speaker.skip(slept)
                if is_half_tick:
                    self._send_due(port, slots, due_seconds)
                else:
                    self._tick(port, slots, due_seconds)
                    if self._schedule.tick():
                        self._report(port)

    def _tick(self, port: MediaPort, slots: int, due_seconds: float) -> None:
        media = self._media
        agent = self._silence if media.is_held else self._playout.pop()
        with self._lock:
            self._speaker.put(agent.samples, is_silent=agent.turn is None)
        self._send_due(port, slots, due_seconds)
        with self._lock:
            buffer_ms = self._receiver.jitter_buffer.depth_ms
            caller, digits = self._receiver.pop()
        if buffer_ms:
            self._counts.buffer_ms.add(buffer_ms)
        self._on_tick(Tick(self._index, caller, agent, digits, is_held=media.is_held))
        self._index += not media.is_held

    def _send_due(self, port: MediaPort, slots: int, due_seconds: float) -> None:
        """Send what leaves now; the next chance is `slots` times 10 ms away."""
        with self._lock:
            packets = [self._channel.protect(packet) for packet in self._speaker.pop(slots=slots)]
            peer, is_held = self._receiver.peer, self._media.is_held
        due_seconds += port.lead_seconds
        for packet in packets:
            port.send(packet, peer, due_seconds=due_seconds, begins=self._begins)
            self._begins = False
        self._begins |= is_held and not packets

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        """Let no defect end a thread: it costs a packet or a tick, and only the first is logged."""
        try:
            yield
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._counts.failures:
            log.error("media failed name=%s", self._name, exc_info=error)
        self._counts.failures += 1

    def _report(self, port: MediaPort, *, is_last: bool = False) -> None:
        """Send an RTCP report, if there is a port for it and it is known where to."""
        with self._lock:
            media, peer = self._media, self._receiver.peer
            if not peer[1] or not (media.rtcp_mux or port.has_report_port):
                return
            make = self._reports.last_report if is_last else self._reports.report
            report = make(self._receiver.report(), unix_seconds=time.time())
            protected = self._channel.protect_report(report)
            destination = self._reports.destination(media, peer)
        is_sent = port.send_report(protected, destination, is_muxed=media.rtcp_mux)
        self._counts.unsent_reports += not is_sent
