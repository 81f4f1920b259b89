"""Comfort noise: as loud as told, never louder than a quiet room, and no loss."""

import numpy as np
import pytest
from rtp_source import FRAME, Source

from softagent.media.codec import codec_named
from softagent.media.comfort import ComfortNoise
from softagent.media.jitter import JitterBuffer


def level_dbov(sound):
    return 20 * np.log10(np.sqrt(np.mean(sound.astype(float) ** 2)) / 32768)


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize(("told", "played"), [(60, 60), (70, 70), (50, 50), (10, 50), (0, 50)])
def test_noise_has_the_level_that_was_told_up_to_a_limit(rate_hz, told, played):
    comfort = ComfortNoise(rate_hz)
    comfort.tell(bytes([told, 127, 3]))
    sound = np.concatenate([comfort.noise(rate_hz // 50) for _ in range(100)])
    assert level_dbov(sound) == pytest.approx(-played, abs=1)
    assert sound.dtype == np.int16


def test_it_is_silent_before_it_is_told_and_after_it_is_stopped():
    comfort = ComfortNoise(8000)
    assert not comfort.noise(1000).any()
    comfort.tell(b"\x37")
    assert comfort.noise(1000).any()
    comfort.stop()
    assert not comfort.noise(1000).any()


@pytest.mark.parametrize("payload", [b"", b"\x7f", b"\xff\x01"])
def test_the_quietest_level_and_no_level_are_silence(payload):
    comfort = ComfortNoise(8000)
    comfort.tell(payload)
    assert not comfort.noise(1000).any()


class Line:
    """A sender that speaks, sends comfort noise and pauses, against the tick."""

    def __init__(self):
        self.source = Source(sequence_number=65533, timestamp=2**32 - 7 * FRAME)
        self.buffer = JitterBuffer(codec_named("PCMU"))

    def speak(self, count):
        return [self._tick(self.source.packet()) for _ in range(count)]

    def fall_silent(self, ticks, *, noise=b"\x3c", every=None):
        """`ticks` without sound; a packet of noise at the beginning, and again `every` so many."""
        frames = []
        for tick in range(ticks):
            if noise and (tick == 0 or (every and tick % every == 0)):
                packet = self.source.packet(payload=noise)
                packet.payload_type = 13
                self.source.count -= 1
                self.buffer.push_noise(packet)
            else:
                self.source.timestamp += FRAME
            frames.append(self._tick(None))
        return frames

    def _tick(self, packet):
        if packet is not None:
            self.buffer.push(packet)
        return self.buffer.pop()


def values(frames):
    """What each frame sounds like: the number of the packet, or None."""
    names = {Source.value(number): number for number in range(100)}
    return [names.get(int(f[0])) if (f == f[0]).all() and f[0] else None for f in frames]


@pytest.mark.parametrize("every", [None, 10])
def test_noise_is_neither_loss_nor_sound_and_what_follows_is_heard_at_once(every):
    line = Line()
    assert values(line.speak(4)) == [None, 0, 1, 2]
    silent = line.fall_silent(100, every=every)
    assert values(silent[:1]) == [3], "what was said before is heard to its end"
    for frame in silent[1:]:
        assert level_dbov(frame) == pytest.approx(-60, abs=2)
    assert values(line.speak(3)) == [None, 4, 5]
    counters = line.buffer.counters
    assert (counters.concealed, counters.late, counters.resyncs) == (0, 0, 0)


@pytest.mark.parametrize("ticks", [1, 2, 3])
def test_a_pause_shorter_than_the_delay_keeps_its_length(ticks):
    line = Line()
    line.speak(4)
    frames = line.fall_silent(ticks) + line.speak(4)
    numbers = values(frames)
    assert numbers[0] == 3
    assert numbers.index(4) == 1 + ticks
    assert line.buffer.counters.concealed == 0
    assert line.buffer.depth_ms == 20


def test_a_pause_that_no_noise_announces_is_not_made_up_when_nothing_is_missing():
    """The sequence number goes on by one: the gap in the timestamp was meant (RFC 3551 section 4.1)."""
    line = Line()
    line.speak(4)
    frames = line.fall_silent(1, noise=None)
    frames += line.speak(4)
    assert values(frames) == [3, None, 4, 5, 6]
    assert not frames[1].any()
    assert line.buffer.counters.concealed == 0


def test_silence_without_noise_packets_ends_in_silence_and_what_follows_is_heard_at_once():
    line = Line()
    line.speak(4)
    silent = line.fall_silent(100, noise=None)
    assert line.buffer.counters.concealed <= 6
    assert not np.concatenate(silent[7:]).any()
    assert values(line.speak(3)) == [None, 4, 5]


def test_noise_of_another_source_or_from_before_changes_nothing():
    line = Line()
    line.speak(4)
    for changes in ({"ssrc": 77}, {"sequence_number": 65530}):
        packet = line.source.packet(payload=b"\x20")
        line.source.sequence_number -= 1
        line.source.timestamp -= FRAME
        line.source.count -= 1
        for name, value in changes.items():
            setattr(packet, name, value)
        line.buffer.push_noise(packet)
    assert values(line.speak(3)) == [3, 4, 5]


def test_noise_before_any_sound_is_silence():
    line = Line()
    assert not np.concatenate(line.fall_silent(5)).any()
    assert values(line.speak(3)) == [None, 0, 1]


def test_a_loss_after_a_pause_is_made_up_again():
    line = Line()
    line.speak(4)
    line.fall_silent(1)
    line.speak(3)
    line.source.packet()
    line.speak(3)
    assert line.buffer.counters.concealed == 1
