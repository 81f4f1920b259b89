"""A caller of the lab in a call over real RTP, who records what it hears.

Script <- Tick <- RtpStream <- PacketTap <- agent
Script -> Playout -> RtpStream -> PacketTap -> agent
"""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from softagent.errors import EngineFailed
from softagent.lab.outgoing import CallPhase, LabCall
from softagent.lab.script import Delivery, Line, Manners, Script, is_voiced
from softagent.lab.sdpwire import MediaAnswer
from softagent.lab.sipwire import Address
from softagent.lab.tap import Arrival, PacketTap, bind_even
from softagent.media.codec import codec_named
from softagent.media.description import MediaDescription
from softagent.media.frame import FRAME_MS, Samples, Tick
from softagent.media.playout import Playout
from softagent.media.recorder import StereoRecorder
from softagent.media.stats import StreamStats
from softagent.media.stream import RtpStream

ANSWER_SECONDS = 10.0
HANG_UP_SECONDS = 2.0
SILENT_CLOCK_SECONDS = 5.0
LONGEST_CALL_SECONDS = 600
DEFAULT_MANNERS = Manners()

PlaceCall = Callable[[Address], LabCall]
"""Given where the caller's audio is taken, rings somebody."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What came of a call."""

    recording: Path
    """Stereo WAV: caller left, agent right."""
    deliveries: tuple[Delivery, ...]
    """The lines that were said, in order."""
    arrivals: tuple[Arrival, ...]
    """Every RTP packet of the agent, as the kernel received it."""
    media: MediaAnswer
    stats: StreamStats
    """Of the caller's stream."""
    seconds: float
    ended_by: CallPhase
    answer_ms: float
    """From INVITE to 200 OK."""


class Caller(ABC):
    """One caller for one call. `converse` blocks its thread until the call is over."""

    def __init__(self, recording: Path, *, host: str = "127.0.0.1") -> None:
        """`host` is our address as the agent or its PBX sees it."""
        self._recording = recording
        self._host = host
        self._ticks: queue.SimpleQueue[Tick] = queue.SimpleQueue()
        """From the media clock to the thread of `converse`."""

    @property
    @abstractmethod
    def _is_done(self) -> bool:
        """Whether it is time to hang up."""

    @property
    @abstractmethod
    def _deliveries(self) -> tuple[Delivery, ...]:
        """What was said so far."""

    @abstractmethod
    def _follow(self, tick: Tick, playout: Playout, stream: RtpStream) -> None:
        """Do what is to be done in this tick."""

    def _make_playout(self, rate_hz: int) -> Playout:
        return Playout(rate_hz)

    def _take(self, tick: Tick) -> None:
        """A tick has come; on the media clock."""
        self._ticks.put(tick)

    def converse(self, place_call: PlaceCall) -> Conversation:
        """Call, speak every line, hang up. Raises CallFailed when nobody answers."""
        tap = PacketTap(self._host)
        try:
            call = place_call(tap.outer)
            try:
                media = call.wait_answered(ANSWER_SECONDS)
                stats, seconds = self._talk(call, media, tap)
                ended_by = call.phase
            finally:
                call.hang_up()
                call.wait_ended(HANG_UP_SECONDS)
        finally:
            tap.stop()
        return Conversation(
            recording=self._recording,
            deliveries=self._deliveries,
            arrivals=tap.arrivals,
            media=media,
            stats=stats,
            seconds=seconds,
            ended_by=ended_by if ended_by is CallPhase.ENDED_BY_AGENT else call.phase,
            answer_ms=((call.answered_at or 0.0) - call.invited_at) * 1000,
        )

    def _talk(self, call: LabCall, media: MediaAnswer, tap: PacketTap) -> tuple[StreamStats, float]:
        """Open the sound both ways and follow the script; statistics and length of the call."""
        codec = codec_named(media.codec)
        playout = self._make_playout(codec.rate_hz)
        local = _free_address(self._host)
        stream = RtpStream(
            MediaDescription(
                codec=media.codec,
                payload_type=media.payload_type,
                remote_host=tap.inner[0],
                remote_port=tap.inner[1],
                local_host=local[0],
                local_port=local[1],
                event_payload_type=media.event_payload_type,
            ),
            playout=playout,
            on_tick=self._take,
            name="lab-caller",
        )
        tap.connect(agent=(media.host, media.port), caller=local)
        recorder = StereoRecorder(self._recording, codec.rate_hz)
        tap.start()
        stream.start()
        ticks = 0
        try:
            while not (self._is_done or call.is_over):
                tick = self._next_tick()
                recorder.write(tick.agent.samples, tick.caller)
                self._follow(tick, playout, stream)
                ticks = tick.index + 1
                if ticks * FRAME_MS > LONGEST_CALL_SECONDS * 1000:
                    break
        finally:
            stream.stop()
            recorder.close()
        return stream.stats(), ticks * FRAME_MS / 1000

    def _next_tick(self) -> Tick:
        try:
            return self._ticks.get(timeout=SILENT_CLOCK_SECONDS)
        except queue.Empty:
            raise EngineFailed("the scripted caller's media clock has stopped") from None


class ScriptedCaller(Caller):
    """Says one line after the other, each when the agent has answered the one before."""

    def __init__(
        self,
        lines: Sequence[Line],
        *,
        recording: Path,
        manners: Manners = DEFAULT_MANNERS,
        host: str = "127.0.0.1",
        on_line: Callable[[int], None] = lambda _line: None,
    ) -> None:
        """`on_line` is told the index of each line as it begins; it must be quick."""
        super().__init__(recording, host=host)
        self._lines = lines
        self._script = Script(lines, manners)
        self._on_line = on_line

    @property
    def _is_done(self) -> bool:
        return self._script.is_over

    @property
    def _deliveries(self) -> tuple[Delivery, ...]:
        return tuple(self._script.deliveries)

    def _follow(self, tick: Tick, playout: Playout, stream: RtpStream) -> None:
        if tick.agent.is_last:
            self._script.finish(tick.index)
        line = self._script.hear(tick.index, is_voiced=is_voiced(tick.caller))
        if line is None:
            return
        play(playout, line, self._lines[line].samples)
        self._on_line(line)


def play(playout: Playout, turn: int, samples: Samples) -> None:
    """Let `samples`, shape (n,), be heard from the next tick on."""
    playout.begin(turn)
    playout.put(turn, 0, samples)
    playout.finish(turn)
    playout.release(turn)


def _free_address(host: str) -> Address:
    with bind_even(host) as probe:
        address: Address = probe.getsockname()[:2]
        return address
