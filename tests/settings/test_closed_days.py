"""A calendar file becomes closed days; what comes from outside breaks nothing."""

from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from appliance.settings.closed_days import ClosedDay, closed_days


def calendar(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\n{event}END:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n".encode()


def test_a_whole_day_is_a_closed_day_with_its_name() -> None:
    found = closed_days(calendar("DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Boże Narodzenie\\, dzień 1\r\n"))
    assert found.days == (ClosedDay(date(2026, 12, 25), "Boże Narodzenie, dzień 1", False),)


def test_an_event_of_several_days_ends_before_its_end() -> None:
    found = closed_days(calendar("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Closed\r\n"))
    assert [one.day.day for one in found.days] == [24, 25, 26]
    week = closed_days(calendar("DTSTART;VALUE=DATE:20261224\r\nDURATION:P1W\r\n"))
    assert len(week.days) == 7


def test_a_yearly_rule_repeats_and_a_moved_one_is_taken_once() -> None:
    found = closed_days(calendar(
        "DTSTART;VALUE=DATE:20201111\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Independence\r\n",
        "DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\r\nSUMMARY:Thanksgiving\r\n",
    ))  # fmt: skip
    assert [(one.name, one.yearly) for one in found.days] == [("Independence", True), ("Thanksgiving", False)]
    assert found.partly == 1


def test_cancelled_events_and_those_with_a_time_close_nothing() -> None:
    found = closed_days(calendar(
        "DTSTART;VALUE=DATE:20261225\r\nSTATUS:CANCELLED\r\n", "DTSTART:20261225T090000Z\r\nDTEND:20261225T100000Z\r\n",
        "DTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:20270101\r\n", "SUMMARY:No day\r\n",
        "DTSTART;VALUE=DATE:20261340\r\n",
    ))  # fmt: skip
    assert (found.days, found.left_out) == ((), 5)


def test_a_folded_line_is_one_and_an_alarm_inside_does_not_count() -> None:
    event = ("DTSTART;VALUE=DATE:20261\r\n 225\r\nBEGIN:VALARM\r\nSUMMARY:Alarm\r\nEND:VALARM\r\n"
             "SUMMARY:Christ\r\n\tmas\r\n")  # fmt: skip
    assert closed_days(calendar(event)).days == (ClosedDay(date(2026, 12, 25), "Christmas", False),)


def test_what_is_no_calendar_is_told() -> None:
    assert not closed_days(b"RIFF....WAVE").calendar
    assert closed_days(b"").days == ()


@given(st.binary(max_size=400))
@example(b"BEGIN:VEVENT\r\nDTSTART:20261225")
def test_no_file_breaks_it(noise: bytes) -> None:
    head = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\n"
    for one in (noise, head + noise, head + noise + b"\r\nEND:VEVENT\r\n"):
        for day in closed_days(one).days:
            assert len(day.name) <= 60
            assert day.name == day.name.strip()
