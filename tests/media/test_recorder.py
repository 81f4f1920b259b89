"""A recording is a playable file at any time."""

import os
import stat
import wave

import numpy as np
import pytest

from softagent.errors import DiskFull
from softagent.media.recorder import StereoRecorder


def frame(value):
    return np.full(160, value, dtype=np.int16)


def read(path):
    with wave.open(str(path)) as recording:
        assert (recording.getnchannels(), recording.getsampwidth()) == (2, 2)
        assert recording.getframerate() == 8000
        data = recording.readframes(recording.getnframes())
        assert len(data) == 4 * recording.getnframes()
    return np.frombuffer(data, dtype="<i2").reshape(-1, 2)


def test_the_caller_is_left_and_the_agent_right(tmp_path):
    path = tmp_path / "calls" / "one.wav"
    recorder = StereoRecorder(path, 8000)
    recorder.write(frame(1), frame(-2))
    recorder.write(frame(3), frame(-4))
    recorder.close()
    recorder.close()
    assert read(path).tolist() == [[1, -2]] * 160 + [[3, -4]] * 160


def test_only_the_owner_may_listen(tmp_path):
    path = tmp_path / "one.wav"
    StereoRecorder(path, 8000).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_recording_that_was_never_closed_plays_up_to_the_last_second(tmp_path):
    path = tmp_path / "killed.wav"
    recorder = StereoRecorder(path, 8000)
    assert len(read(path)) == 0
    for _ in range(120):
        recorder.write(frame(5), frame(6))
    assert len(read(path)) == 2 * 8000
    recorder.close()
    assert len(read(path)) == 120 * 160


def test_a_full_disk_is_told(tmp_path):
    """/dev/full is a disk without room."""
    path = tmp_path / "full.wav"
    path.symlink_to("/dev/full")
    with pytest.raises(DiskFull, match=r"full.wav: no room left"):
        StereoRecorder(path, 8000)


def test_a_disk_that_fills_up_ends_the_recording_once(tmp_path):
    """The descriptor is turned to /dev/full under the open file, as a disk fills up."""
    recorder = StereoRecorder(tmp_path / "one.wav", 8000)
    with open("/dev/full", "wb") as full:
        os.dup2(full.fileno(), recorder._file.fileno())
    for _ in range(49):
        recorder.write(frame(1), frame(2))
    with pytest.raises(DiskFull):
        recorder.write(frame(1), frame(2))
    recorder.write(frame(1), frame(2))
    recorder.close()
