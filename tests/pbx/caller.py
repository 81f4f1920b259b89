"""The test's side of a scripted call: commands to the telephone, its events, what it heard."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import phone
from exchange import CALLER, password

RATE_HZ = phone.RATE_HZ
BLOCK = RATE_HZ // 50
AUDIBLE_RMS = 60.0
"""Of 32767: 55 dB below full scale. Digital silence in G.711 stays under 10."""

Sound = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Event:
    """Something the telephone told."""

    name: str
    seconds: float
    """Position in the recording; 0 before it began."""
    details: dict[str, object]


class Call:
    """One call by the scripted telephone, from dialling or waiting for it to hanging up."""

    def __init__(
        self,
        dial: str,
        *,
        pbx: str,
        recording: Path,
        user: str = CALLER,
        codecs: str = "PCMU",
        rate_hz: int = RATE_HZ,
        **options: object,
    ) -> None:
        """Call `dial`, or register and wait when that is empty. `options` are phone.py's own."""
        self._recording = recording
        self._rate_hz = rate_hz
        wanted = {
            "pbx": pbx,
            "user": user,
            "password": password(user),
            "dial": dial,
            "codecs": codecs,
            "record": recording,
            "rate": rate_hz,
            **options,
        }
        self._process = subprocess.Popen(
            [sys.executable, phone.__file__, *(f"--{k}={value}" for k, value in wanted.items())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._past: list[Event] = []
        self._reader = threading.Thread(target=self._read, name="phone-events")
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def wait(self, name: str, *, seconds: float = 20.0) -> Event:
        """The next event called `name`; fail when the call ends first or it takes longer than `seconds`."""
        while True:
            try:
                event = self._events.get(timeout=seconds)
            except queue.Empty:
                raise AssertionError(f"no {name!r} within {seconds} s: {self._past}") from None
            assert event is not None, f"the telephone is gone before {name!r}: {self._past}"
            self._past.append(event)
            if event.name == name:
                return event

    def play(self, sound: Path) -> Event:
        """Let the other side hear a WAV; return when it has begun."""
        return self._do(f"play {sound}")

    def press(self, digits: str) -> Event:
        """Press keys."""
        return self._do(f"digits {digits}")

    def press_info(self, digits: str) -> Event:
        """Press keys, told by INFO instead of in the sound."""
        return self._do(f"info-digits {digits}")

    def hold(self) -> Event:
        """Put the other side on hold, and wait until that is agreed."""
        self._do("hold")
        return self.wait("no-media")

    def resume(self) -> Event:
        """Talk again, and wait until that is agreed."""
        self._do("resume")
        return self.wait("media")

    def change_codec(self, codec: str) -> Event:
        """Offer another codec in a re-INVITE, and wait for what comes of it."""
        self._do(f"codec {codec}")
        return self.wait("media")

    def transfer(self, number: str) -> Event:
        """Send the other side to another number (REFER)."""
        return self._do(f"transfer {number}")

    def answer(self, status: int = 200) -> Event:
        """Answer the call that rings here, or refuse it."""
        return self._do(f"answer {status}")

    def hang_up(self) -> None:
        """End the call, and wait until it has ended."""
        self._do("hang-up")
        self.wait("closed")

    def heard(self, since: float = 0.0, until: float | None = None) -> Sound:
        """What was heard between two positions in the recording, once the call is over."""
        with wave.open(str(self._recording)) as recording:
            assert recording.getframerate() == self._rate_hz
            frames = recording.readframes(recording.getnframes())
        sound = np.frombuffer(frames, dtype=np.int16)
        end = len(sound) if until is None else round(until * self._rate_hz)
        return sound[round(since * self._rate_hz) : end]

    def _do(self, command: str) -> Event:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self.wait("did")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # pjsua2 greets with a few log lines of its own
                details = json.loads(line)
                self._events.put(Event(details.pop("event"), details.pop("seconds", 0.0), details))
        self._process.stdout.close()
        self._events.put(None)


def audible(sound: Sound) -> npt.NDArray[np.bool_]:
    """Whether each 20 ms block of `sound` can be heard, shape (len // 160,)."""
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64)
    levels: npt.NDArray[np.bool_] = np.sqrt((blocks**2).mean(axis=1)) > AUDIBLE_RMS
    return levels


def audible_seconds(sound: Sound) -> float:
    """How long something can be heard in `sound`, in all."""
    return float(audible(sound).sum()) * BLOCK / RATE_HZ


def audible_from(sound: Sound) -> Sound:
    """`sound` without the silence before it."""
    return sound[int(audible(sound).argmax()) * BLOCK :]


Dial = Callable[..., Call]
"""(extension, options of Call and phone.py) -> the call."""
Speak = Callable[[str], Path]
"""Text -> a WAV with somebody saying it."""
Transcribe = Callable[[Sound], str]
"""What was heard -> its words."""
