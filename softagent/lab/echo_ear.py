"""What a call hears on a line with echo: a line, a cleaner, voice activity and endpointer, in ticks.

agent's frame, caller's frame -> EchoLine -> SoundCleaner -> Listener -> events
                                                                 '-> Utterances
"""

from __future__ import annotations

import time

from softagent.config import TurnSettings, VadSettings
from softagent.dialogue.endpointer import SpeechEvent
from softagent.dialogue.events import SpeechEnded, SpeechStarted
from softagent.dialogue.words import ENGLISH
from softagent.engines import VoiceActivity
from softagent.lab.echo_line import EchoLine
from softagent.listener import Listener
from softagent.media.clean import SoundCleaner
from softagent.media.frame import Samples


class Utterances:
    """The sound of each utterance that the listener hands over."""

    def __init__(self) -> None:
        self.sounds: list[list[Samples]] = [[]]
        """The last one is still running."""

    def accept(self, samples: Samples, *, is_voiced: bool = True) -> None:
        """Hear more of the running utterance."""
        self.sounds[-1].append(samples)

    def finish(self) -> None:
        """The utterance has ended."""
        self.sounds.append([])


class Ear:
    """One call's. Without a `cleaner` it listens to what comes."""

    def __init__(
        self,
        line: EchoLine,
        *,
        rate_hz: int,
        voice_activity: VoiceActivity,
        cleaner: SoundCleaner | None,
    ) -> None:
        self._line = line
        self._cleaner = cleaner
        self.utterances = Utterances()
        self._listener = Listener(
            voice_activity,
            self.utterances,
            TurnSettings(),
            words=ENGLISH,
            threshold=VadSettings().threshold,
            rate_hz=rate_hz,
        )
        self._tick = 0
        self.starts: list[int] = []
        """Ticks in which somebody was heard to begin."""
        self.raw: list[Samples] = []
        """What came, tick by tick."""
        self.cleaned: list[Samples] = []
        """What was listened to."""
        self.milliseconds: list[float] = []
        """What cleaning took of the processor in each tick."""

    def hear(
        self, agent: Samples, caller: Samples | None = None, *, agent_speaks: bool
    ) -> list[SpeechEvent]:
        """A tick: what is sent and what the caller says, shape (n,) each."""
        samples, is_echo = self._line.tick(agent, caller), False
        self.raw.append(samples)
        if self._cleaner is not None:
            began = time.thread_time()
            samples = self._cleaner.clean(samples, agent)
            self.milliseconds.append((time.thread_time() - began) * 1000)
            is_echo = self._cleaner.is_echo
        self.cleaned.append(samples)
        events = list(
            self._listener.listen(
                samples, tick=self._tick, agent_speaks=agent_speaks, is_echo=is_echo
            )
        )
        self._tick += 1
        for event in events:
            match event:
                case SpeechStarted():
                    self.starts.append(event.tick)
                case SpeechEnded():
                    self.utterances.finish()
        return events
