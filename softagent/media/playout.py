"""What the caller is about to hear: one reply at a time, by turn id.

reply thread -> put, finish -.
                              Playout -> pop -> media clock -> encode, send
call thread  -> begin, interject, release, pause, resume, stop
"""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from softagent.media.frame import Played, Samples, frame_samples

FADE_MS = 5
"""How long a reply that is cut off takes to fall silent: too short to hear, too long to click."""


class Playout:
    """The reply that is being heard, or waits to be. Any thread may call any method."""

    def __init__(self, rate_hz: int) -> None:
        self._frame_samples = frame_samples(rate_hz)
        self._silence = np.zeros(self._frame_samples, dtype=np.int16)
        self._silence.flags.writeable = False
        self._piece_samples = rate_hz
        """A second: more is put in pieces, so that the media clock never waits for long."""
        fade_samples = rate_hz * FADE_MS // 1000
        self._rise_gain = np.ones(self._frame_samples, dtype=np.float32)
        self._fade_gain = np.zeros(self._frame_samples, dtype=np.float32)
        self._fade_gain[:fade_samples] = np.linspace(1, 0, fade_samples, endpoint=False)
        self._rise_gain[:fade_samples] = np.linspace(0, 1, fade_samples, endpoint=False)

        self._lock = threading.Lock()
        """Guards everything below: reply thread (put, finish), call thread (begin, interject,
        release, stop), media clock (pop). Held for microseconds, never across a call into other
        code."""
        self._turn: int | None = None
        self._filler: deque[Samples] = deque()
        """What is heard before the reply, to bridge the wait for it."""
        self._frames: deque[tuple[Samples, int]] = deque()
        self._rest = self._silence[:0]
        """What was put and doesn't fill a frame yet."""
        self._clause: int | None = None
        """The clause that `_rest` belongs to, or the last one put."""
        self._is_released = False
        self._is_paused = False
        self._is_finished = False
        self._is_begun = False
        """Whether a frame of the reply has been heard."""
        self._has_filled = False
        """Whether a frame of the filler has been."""
        self._last_heard: Samples | None = None
        """The frame heard in the last tick if it was a reply's: what a cut must fade from."""
        self._fade_out: Samples | None = None
        """The frame that ends a reply which was cut off."""
        self._underruns = 0

    @property
    def underruns(self) -> int:
        """Ticks of silence inside a reply because its sound came too late."""
        return self._underruns

    def begin(self, turn: int) -> None:
        """Make `turn` the only one whose sound is accepted; it stays unheard until `release`.

        Drops what there is of any other turn. Does nothing when `turn` is current already.
        """
        with self._lock:
            if turn != self._turn:
                self._drop()
                self._turn = turn

    def put(self, turn: int, clause: int, samples: Samples) -> bool:
        """Add sound of any length, shape (n,), to `turn`; False when it is not wanted (any more).

        A frame belongs to the clause of its first sample.
        """
        for start in range(0, max(len(samples), 1), self._piece_samples):
            with self._lock:
                if turn != self._turn or self._is_finished:
                    return False
                self._cut(samples[start : start + self._piece_samples], clause)
        return True

    def finish(self, turn: int) -> bool:
        """Say that no more sound comes; False when `turn` is not current.

        The last frame is filled up with silence. A reply without any sound, or one that has
        been heard up to here, ends with a frame of silence, so that its end is always seen.
        """
        with self._lock:
            if turn != self._turn or self._is_finished:
                return False
            if len(self._rest) and self._clause is not None:
                padded = np.concatenate((self._rest, self._silence[len(self._rest) :]))
                self._frames.append((padded, self._clause))
                self._rest = self._silence[:0]
            self._is_finished = True
            return True

    def release(self, turn: int) -> bool:
        """Let `turn` be heard from the next tick on; False when it is not current."""
        with self._lock:
            if turn != self._turn:
                return False
            self._is_released = True
            return True

    def interject(self, turn: int, samples: Samples) -> bool:
        """Have a short filler, shape (n,), heard while the reply of `turn` is still to come.

        The reply follows it without a gap, and nothing counts it as a part of the reply. False
        when `turn` is not current, not released, has had one, or has sound of its own already.
        """
        with self._lock:
            is_wanted = turn == self._turn and self._is_released and not self._is_finished
            if not is_wanted or self._is_begun or self._frames or self._has_filled or self._filler:
                return False
            size = self._frame_samples
            padded = np.pad(samples, (0, -len(samples) % size))
            self._filler.extend(padded[i : i + size] for i in range(0, len(padded), size))
            return True

    def pause(self, turn: int) -> None:
        """Keep `turn` for later: it fades out within 5 ms, and sound of it is still accepted.

        Does nothing when it is not current.
        """
        with self._lock:
            if turn == self._turn and not self._is_paused:
                self._is_paused = True
                self._fade()

    def resume(self, turn: int) -> None:
        """Go on with `turn` at the frame at which it was paused, fading in."""
        with self._lock:
            if turn == self._turn and self._is_paused:
                self._is_paused = False
                if self._has_filled and self._filler:
                    self._filler[0] = (self._filler[0] * self._rise_gain).astype(np.int16)
                elif self._is_begun and self._frames:
                    samples, clause = self._frames[0]
                    self._frames[0] = (samples * self._rise_gain).astype(np.int16), clause

    def stop(self, turn: int) -> None:
        """Drop `turn`: the next frame fades out within 5 ms, then there is silence.

        Later sound of it is refused. Does nothing when it is not current.
        """
        with self._lock:
            if turn == self._turn:
                self._drop()

    def pending_frames(self, turn: int) -> int:
        """Frames of `turn` that wait to be heard, a started one included."""
        with self._lock:
            return len(self._frames) + bool(len(self._rest)) if turn == self._turn else 0

    def pop(self) -> Played:
        """Take the frame for this tick; silence when there is nothing to say."""
        with self._lock:
            if self._fade_out is not None:
                fade_out, self._fade_out = self._fade_out, None
                self._last_heard = None
                return Played(fade_out)
            if self._turn is not None and self._is_released and not self._is_paused:
                if self._filler:
                    self._has_filled = True
                    self._last_heard = self._filler.popleft()
                    return Played(self._last_heard, filler_of=self._turn)
                if self._frames:
                    samples, clause = self._frames.popleft()
                    return self._heard(samples, clause)
                if self._is_finished:
                    return self._heard(self._silence, self._clause)
                self._underruns += self._is_begun
            self._last_heard = None
            return Played(self._silence)

    def _heard(self, samples: Samples, clause: int | None) -> Played:
        played = Played(
            samples,
            turn=self._turn,
            clause=clause,
            is_first=not self._is_begun,
            is_last=self._is_finished and not self._frames,
        )
        self._is_begun = True
        self._last_heard = samples
        if played.is_last:
            self._forget()
        return played

    def _cut(self, samples: Samples, clause: int) -> None:
        """Append whole frames; keep what is left over."""
        size = self._frame_samples
        start = 0
        if len(self._rest) and self._clause is not None:
            start = min(size - len(self._rest), len(samples))
            self._rest = np.concatenate((self._rest, samples[:start]))
            if len(self._rest) < size:
                return
            self._frames.append((self._rest, self._clause))
        sound = samples[start:].copy()
        whole = len(sound) - len(sound) % size
        self._frames.extend((sound[i : i + size], clause) for i in range(0, whole, size))
        self._rest = sound[whole:]
        self._clause = clause

    def _drop(self) -> None:
        """Forget the turn; if it was being heard, leave a frame that fades from where it was."""
        self._fade()
        self._forget()

    def _fade(self) -> None:
        if self._last_heard is None or not (self._is_begun or self._has_filled):
            return
        if self._filler:
            tail = self._filler[0]
        else:
            tail = self._frames[0][0] if self._frames else self._extended_rest()
        self._fade_out = (tail * self._fade_gain).astype(np.int16)

    def _extended_rest(self) -> Samples:
        """The sound that follows the last frame heard, its last sample held to the end."""
        assert self._last_heard is not None
        held = self._rest[-1] if len(self._rest) else self._last_heard[-1]
        extended = np.full(self._frame_samples, held, dtype=np.int16)
        extended[: len(self._rest)] = self._rest
        return extended

    def _forget(self) -> None:
        self._turn = None
        self._filler.clear()
        self._has_filled = False
        self._frames.clear()
        self._rest = self._silence[:0]
        self._clause = None
        self._is_released = False
        self._is_paused = False
        self._is_finished = False
        self._is_begun = False
