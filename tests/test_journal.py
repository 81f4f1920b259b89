"""What is written down of a call."""

import json
import logging

import numpy as np
import pytest
from scripted_call import ScriptedCall

from softagent.journal import Journal
from softagent.log import JsonFormatter, LineFormatter
from softagent.media.frame import Played
from softagent.media.quality import Quality
from softagent.media.stats import StreamStats
from softagent.report import CallEnded, CallSound
from softagent.sip.phone import CallEnd

MEDIA = StreamStats(
    packets_sent=2060,
    packets_received=2050,
    lost=10,
    jitter_ms=1.26,
    buffer_mean_ms=31.25,
    listening=Quality(85.55, 4.235),
    talking=Quality(70.0, 3.6),
    round_trip_ms=12.34,
    far_lost=3,
    far_loss_percent=0.146,
    far_jitter_ms=2.0,
    replayed=4,
    unauthenticated=5,
    interval_p50_ms=20.0,
    interval_p99_ms=20.4,
    interval_max_ms=23.9,
)


@pytest.fixture
def reports():
    return []


@pytest.fixture
def journal(reports, caplog):
    caplog.set_level(logging.INFO)
    return Journal("reception", ScriptedCall(), reports.append)


def end(journal, media):
    journal.ended(
        CallEnd.CALLER_HUNG_UP,
        ticks=2060,
        interruptions=1,
        resumptions=2,
        media=media,
        dropped_ticks=0,
    )


def test_the_end_of_a_call_is_one_line_with_all_that_is_known(journal, caplog):
    end(journal, MEDIA)
    (record,) = caplog.records
    line = LineFormatter("reception").format(record)
    assert "\n" not in line
    assert line.split("INFO ")[1] == (
        "account=reception call=call-1 event=call-ended reason=caller-hung-up seconds=41.2 turns=0"
        " interruptions=1 resumptions=2 sent=2060 received=2050 lost=10 late=0 concealed=0 foreign=0 malformed=0"
        " replayed=4 unauthenticated=5 far_lost=3 send_late_p99_ms=0.0 send_late_max_ms=0.0"
        " jitter_ms=1.3 buffer_ms=31.2 rtt_ms=12.3 r_listening=85.5 mos_listening=4.24"
        " r_talking=70.0 mos_talking=3.60 far_loss_percent=0.15 far_jitter_ms=2.0"
        " send_interval_p50_ms=20.0 send_interval_p99_ms=20.4 send_interval_max_ms=23.9"
        " underruns=0 dropped_ticks=0"
    )


def test_what_nobody_told_is_a_dash(journal, caplog):
    end(journal, StreamStats())
    found = json.loads(JsonFormatter("reception").format(caplog.records[0]))
    unknown = {name for name, value in found.items() if value == "-"}
    assert unknown == {
        "rtt_ms",
        "r_listening",
        "mos_listening",
        "r_talking",
        "mos_talking",
        "far_lost",
        "far_loss_percent",
        "far_jitter_ms",
    }


def test_the_parent_is_told_the_same(journal, reports):
    end(journal, MEDIA)
    (ended,) = reports
    assert isinstance(ended, CallEnded)
    assert ended.sound == CallSound(
        listening_r=85.55,
        listening_mos=4.235,
        talking_r=70.0,
        talking_mos=3.6,
        round_trip_ms=12.34,
        lost=10,
        jitter_ms=1.26,
        buffer_ms=31.25,
        far_loss_percent=0.146,
        far_jitter_ms=2.0,
        foreign=0,
        replayed=4,
        unauthenticated=5,
        interval_p50_ms=20.0,
        interval_p99_ms=20.4,
        interval_max_ms=23.9,
    )


def test_a_turn_after_a_hold_is_as_long_as_it_was(journal, reports, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(journal.stopwatch, "_clock", lambda: now[0])
    journal.stopwatch.start()
    journal.held()
    journal.resumed(3000)
    journal.stopwatch.open(1, last_voiced=99)
    now[0] += 62.5
    journal.played(Played(np.zeros(160, np.int16), turn=1, clause=0, is_first=True))
    (measured,) = reports
    assert measured.marks == {"heard": 500.0}


def test_a_filler_is_marked_and_the_answer_counts(journal, reports, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(journal.stopwatch, "_clock", lambda: now[0])
    journal.stopwatch.start()
    journal.stopwatch.open(1, last_voiced=-1)
    now[0] += 2.0
    journal.played(Played(np.zeros(160, np.int16), filler_of=1))
    assert reports == []
    now[0] += 1.0
    journal.played(Played(np.zeros(160, np.int16), turn=1, clause=0, is_first=True))
    (measured,) = reports
    assert measured.marks == {"filler": 2000.0, "heard": 3000.0}
