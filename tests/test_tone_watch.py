"""What comes of a tone: made signals in, the end of a call or a transfer out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tone_sounds import Wave, cadence, carried, frames, silence, tone

from softagent.accounts import read_office
from softagent.dialogue.deeds import DeedOutcome, DeedResult
from softagent.errors import ConfigError
from softagent.media.tones import Tone
from softagent.sip.phone import CallEnd
from softagent.tone_watch import ToneWatch
from softagent.tones import ToneSettings

RATE_HZ = 8000
FAX = cadence(1100, parts_ms=(500, 3000), seconds=7.6, rate_hz=RATE_HZ)
BUSY = cadence(425, parts_ms=(480, 480), seconds=8, rate_hz=RATE_HZ)
DIAL_TONE = tone(425, ms=3200, rate_hz=RATE_HZ)
DEFAULTS = ToneSettings()
TO_THE_FAX = ToneSettings(fax="transfer", fax_destination="fax")
IGNORED = ToneSettings(fax="ignore", busy="ignore")


class Watched:
    """A watch, and what it did."""

    def __init__(self, settings: ToneSettings = DEFAULTS) -> None:
        self.ends: list[CallEnd] = []
        self.transfers: list[str] = []
        self.tones: list[Tone] = []
        self.watch = ToneWatch(
            settings,
            rate_hz=RATE_HZ,
            end=self.ends.append,
            transfer=self.transfers.append,
            on_tone=self.tones.append,
        )

    def hear(self, wave: Wave, *, is_waiting: bool = False) -> Watched:
        padded = np.concatenate((wave, silence(1000, RATE_HZ)))
        for frame in frames(carried(padded, "PCMU"), RATE_HZ):
            self.watch.push(frame, is_waiting=is_waiting)
        return self


def test_a_fax_is_hung_up_on() -> None:
    watched = Watched().hear(FAX)
    assert set(watched.ends) == {CallEnd.FAX}
    assert watched.transfers == []


def test_a_fax_is_put_through_once_where_somebody_takes_it() -> None:
    watched = Watched(TO_THE_FAX).hear(FAX)
    assert watched.tones == [Tone.FAX_CALLING] * 2
    assert (watched.transfers, watched.ends) == (["fax"], [])


@pytest.mark.parametrize(
    ("result", "end"),
    [
        (DeedResult.DONE, CallEnd.TRANSFERRED),
        (DeedResult.BUSY, CallEnd.FAX),
        (DeedResult.FAILED, CallEnd.FAX),
    ],
)
def test_a_fax_that_nobody_takes_is_let_go_of(result: DeedResult, end: CallEnd) -> None:
    watched = Watched(TO_THE_FAX)
    watched.watch.transferred(DeedOutcome(result))
    assert watched.ends == [end]


@pytest.mark.parametrize("wave", [BUSY, DIAL_TONE])
def test_a_line_on_which_nobody_is_left_is_hung_up(wave: Wave) -> None:
    assert set(Watched().hear(wave).ends) == {CallEnd.LINE_DEAD}


def test_a_busy_tone_during_a_transfer_ends_nothing() -> None:
    watched = Watched().hear(BUSY, is_waiting=True)
    assert watched.tones
    assert watched.ends == []


@pytest.mark.parametrize("wave", [FAX, BUSY, DIAL_TONE])
def test_what_is_to_be_ignored_is_only_told(wave: Wave) -> None:
    watched = Watched(IGNORED).hear(wave)
    assert watched.tones
    assert (watched.ends, watched.transfers) == ([], [])


def test_a_call_of_ours_learns_that_it_reached_no_telephone() -> None:
    information = np.concatenate([tone(hz, ms=330, rate_hz=RATE_HZ) for hz in (950, 1400, 1800)])
    watched = Watched().hear(information)
    assert (watched.tones, watched.ends) == ([Tone.SPECIAL_INFORMATION], [])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("fax = 'transfer'", 'fax "transfer": expected fax_destination as well'),
        ("fax_destination = 'fax'", 'fax_destination: has no effect with fax = "hang-up"'),
        (
            "fax = 'transfer'\nfax_destination = 'fox'",
            'tones: fax_destination "fox": there is none: expected "fax"',
        ),
    ],
)
def test_a_fax_destination_that_is_none_is_a_problem_of_the_accounts_file(
    tmp_path: Path, options: str, problem: str
) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(
        "[[account]]\nname = 'a'\nregistrar = 'pbx'\nusername = '1'\npassword = 'secret'\n"
        f"[account.tones]\n{options}\n"
        "[[account.destination]]\nname = 'fax'\nnumber = '1009'\n"
    )
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        read_office(path)
    [found] = caught.value.problems
    assert problem in found
