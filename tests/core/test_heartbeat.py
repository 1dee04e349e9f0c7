"""When a heartbeat is due, and when its absence is told."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.core.heartbeat import Beat, arrived, due, is_lost, mailed, text_of, token_in

WARSAW = ZoneInfo("Europe/Warsaw")
AT = time(7, 30)
FRIDAY = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def test_a_heartbeat_is_sent_once_a_day_at_its_time() -> None:
    early, late = datetime(2026, 11, 27, 7, 29, tzinfo=WARSAW), datetime(2026, 11, 27, 7, 30, tzinfo=WARSAW)
    yesterday = datetime(2026, 11, 26, 7, 30, tzinfo=WARSAW)
    assert not due("daily", AT, yesterday, early, WARSAW)
    assert due("daily", AT, yesterday, late, WARSAW)
    assert not due("daily", AT, late, late + timedelta(hours=5), WARSAW)
    assert due("daily", AT, None, FRIDAY, WARSAW)
    assert not due("off", AT, None, FRIDAY, WARSAW)


def test_a_weekly_one_is_sent_on_monday_and_made_up_for_later() -> None:
    monday = datetime(2026, 11, 23, 7, 30, tzinfo=WARSAW)
    assert due("weekly", AT, monday - timedelta(days=7), monday, WARSAW)
    assert due("weekly", AT, monday - timedelta(days=7), FRIDAY, WARSAW)
    assert not due("weekly", AT, monday, FRIDAY, WARSAW)
    assert not due("weekly", AT, monday, monday + timedelta(days=7, minutes=-1), WARSAW)


def test_a_clock_that_was_set_back_does_not_stop_it() -> None:
    assert due("daily", AT, FRIDAY + timedelta(days=300), FRIDAY, WARSAW)


def test_only_the_whole_marked_text_is_a_heartbeat() -> None:
    assert token_in(text_of("0123456789abcdef")) == "0123456789abcdef"
    assert token_in("Hello " + text_of("0123456789abcdef")) == ""
    assert token_in("Centralka heartbeat x") == ""


def test_an_absent_heartbeat_is_told_once_and_may_still_come() -> None:
    beat = Beat(token="0123456789abcdef", sent="2026-11-27T12:00:00.000Z")
    assert not is_lost(beat, FRIDAY, FRIDAY + timedelta(minutes=29))
    assert is_lost(beat, FRIDAY, FRIDAY + timedelta(minutes=30))
    told = Beat.of({**beat.record(), "lost": True})
    assert not is_lost(told, FRIDAY, FRIDAY + timedelta(hours=3))
    late = mailed(arrived(told, "a"), "m", 7200.04)
    assert (late.arrived, late.mailed, late.seconds, late.lost) == ("a", "m", 7200.0, False)
    assert not is_lost(mailed(beat, "m", 3), FRIDAY, FRIDAY + timedelta(hours=1))


def test_a_damaged_fact_is_no_beat() -> None:
    assert Beat.of(None) == Beat()
    assert Beat.of({"token": 3, "seconds": "x"}).seconds == 0.0
