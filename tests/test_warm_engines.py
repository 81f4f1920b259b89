"""What a worker has ready before its first call: nobody waits for what is always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from scripted_call import Buzzer, account, engines

from softagent import worker
from softagent.dialogue.phrases import ENGLISH
from softagent.media.frame import Samples


class CountingVoice(Buzzer):
    """Notes every text that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def synthesize(
        self, text: str, *, rate_hz: int, cancelled: Callable[[], bool]
    ) -> Iterator[Samples]:
        self.asked.append((text, rate_hz))
        return super().synthesize(text, rate_hz=rate_hz, cancelled=cancelled)


@pytest.mark.parametrize(("filler_ms", "is_ready"), [(1500, True), (0, False)])
def test_fillers_are_spoken_into_memory_at_every_rate_where_they_are_wanted(
    monkeypatch: pytest.MonkeyPatch, filler_ms: int, is_ready: bool
) -> None:
    voice = CountingVoice()
    made = engines(synthesizer=voice)
    monkeypatch.setattr(worker, "load_engines", lambda *_: made)
    warm = worker._warm_engines(account(filler_ms=filler_ms))
    wanted = {(text, rate_hz) for text in ENGLISH.fillers for rate_hz in (8000, 16000)}
    assert wanted.isdisjoint(voice.asked) is not is_ready
    voice.asked.clear()
    for text, rate_hz in sorted(wanted):
        assert len(list(warm.synthesizer.synthesize(text, rate_hz=rate_hz, cancelled=bool))) == 1
    assert (voice.asked == []) is is_ready
