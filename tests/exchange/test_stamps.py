"""Dates in the order of some country, and clock times."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.errors import InvalidInput
from engram.exchange.stamps import CLOCK, DATE, ZONE, Order, clock, order_of, written

STAMP = re.compile(rf"{DATE} {CLOCK}{ZONE}")
FORMS: dict[Order, str] = {
    "dmy": "%d/%m/%Y %H:%M:%S",
    "mdy": "%m/%d/%Y %H:%M:%S",
    "ymd": "%Y/%m/%d %H:%M:%S",
}


def stamp(text: str) -> dict[str, str | None]:
    """The groups of one stamp."""
    found = STAMP.fullmatch(text)
    assert found is not None, text
    return found.groupdict()


@given(
    at=st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30)),
    order=st.sampled_from(sorted(FORMS)),
)
def test_what_was_written_in_an_order_is_read_in_it(at: datetime, order: Order) -> None:
    """To the second, for every day of the calendar."""
    whole = at.replace(microsecond=0, tzinfo=UTC)

    assert written(stamp(whole.strftime(FORMS[order])), order) == whole.timestamp()


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("0:00", 0),
        ("23:59:59", 86_399),
        ("24:00", 86_400),
        ("12:00 AM", 0),
        ("12:30 p.m.", 45_000),
        ("1:05 pm", 47_100),
        ("09.30", 34_200),
        ("9:30:15,123", 34_215),
    ],
)
def test_a_clock_time_is_seconds_since_midnight(time: str, seconds: int) -> None:
    """Twelve at night is zero, twelve at noon is twelve."""
    assert clock(stamp(f"1/1/2024 {time}")).total_seconds() == seconds


@pytest.mark.parametrize("time", ["25:00", "13:00 PM", "10:60", "10:10:61"])
def test_a_time_outside_the_day_is_refused(time: str) -> None:
    """And the message shows it."""
    with pytest.raises(InvalidInput, match="a time must lie in one day"):
        clock(stamp(f"1/1/2024 {time}"))


@pytest.mark.parametrize("date", ["31/04/2024", "00/01/2024", "1/13/2024", "1/1/0000"])
def test_a_day_that_does_not_exist_is_refused(date: str) -> None:
    """The message asks whether the order is another one."""
    with pytest.raises(InvalidInput, match="is the order another one"):
        written(stamp(f"{date} 10:00"), "dmy")


@pytest.mark.parametrize(("zone", "hours"), [("Z", 0), ("UTC", 0), ("+02:00", -2), ("-0530", 5.5)])
def test_an_offset_is_taken_off(zone: str, hours: float) -> None:
    """East of Greenwich the same clock time is earlier."""
    there = written(stamp(f"1/1/2024 10:00{zone}"), "dmy")
    here = written(stamp("1/1/2024 10:00"), "dmy")

    assert there - here == hours * 3600


@given(
    days=st.lists(st.integers(0, 800), min_size=1, max_size=40),
    order=st.sampled_from(sorted(FORMS)),
)
def test_a_log_is_read_in_its_own_order_or_the_guess_is_confessed(
    days: list[int], order: Order
) -> None:
    """Time runs forward in a log; where two orders explain it as well, the answer says so."""
    moments = [datetime(2023, 1, 1, 9, tzinfo=UTC).timestamp() + 86_400 * day for day in days]
    lines = [datetime.fromtimestamp(at, UTC).strftime(FORMS[order]) for at in sorted(moments)]

    found, guessed = order_of(map(stamp, lines))

    read = [written(stamp(line), found) for line in lines]
    assert guessed or read == sorted(moments)


def test_capital_am_and_pm_are_american() -> None:
    """Where nothing else tells the orders apart."""
    assert order_of([stamp("5/6/2024 9:00 AM")]) == ("mdy", True)
    assert order_of([stamp("5/6/2024 9:00 am")]) == ("dmy", True)


def test_without_any_stamp_nothing_had_to_be_guessed() -> None:
    """An empty log has no dates to get wrong, and neither has one whose readings agree."""
    assert order_of([])[1] is False
    assert order_of([stamp("5/5/2024 9:00")])[1] is False
