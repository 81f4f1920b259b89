"""Performer: the caller of a scenario, who takes its steps over real RTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from softagent.errors import EngineFailed
from softagent.lab.caller import Caller, play
from softagent.lab.play import Mark, Play
from softagent.lab.script import Delivery, is_voiced
from softagent.lab.steps import Press, Step
from softagent.lab.surroundings import Room, Surroundings
from softagent.media.frame import Samples, Tick
from softagent.media.playout import Playout
from softagent.media.stream import RtpStream


class Performer(Caller):
    """One call of a scenario. Its marks say when each step was taken."""

    def __init__(
        self,
        steps: Sequence[Step],
        sounds: Mapping[int, Samples],
        *,
        surroundings: Surroundings,
        recording: Path,
        host: str = "127.0.0.1",
    ) -> None:
        """`sounds`: what is heard of each step that makes a sound, by its index; shapes (n,)."""
        super().__init__(recording, host=host)
        self._steps = steps
        self._sounds = sounds
        self._surroundings = surroundings
        self._room: Room | None = None
        self._play = Play(steps)
        self._is_pressing = False

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(self._play.marks)

    @property
    def _is_done(self) -> bool:
        return self._play.is_over

    @property
    def _deliveries(self) -> tuple[Delivery, ...]:
        return ()

    def _make_playout(self, rate_hz: int) -> Playout:
        self._room = Room(rate_hz, self._surroundings)
        return self._room

    def _take(self, tick: Tick) -> None:
        if self._room is not None:
            self._room.hear(tick.caller)
        super()._take(tick)

    def _follow(self, tick: Tick, playout: Playout, stream: RtpStream) -> None:
        if tick.agent.is_last:
            self._play.finish(tick.index)
        elif self._is_pressing and not stream.is_sending_digits:
            self._is_pressing = False
            self._play.finish(tick.index)
        begun = self._play.hear(tick.index, is_voiced=is_voiced(tick.caller))
        if begun is None:
            return
        step = self._steps[begun]
        if isinstance(step, Press):
            if not stream.send_digits(step.digits):
                raise EngineFailed("the agent takes no keys: its SDP has no telephone-event")
            self._is_pressing = True
        else:
            play(playout, begun, self._sounds[begun])
