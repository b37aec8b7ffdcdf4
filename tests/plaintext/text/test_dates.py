"""Dates in talk mean the days that a listener would understand."""

from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.text.dates import find_dates, question_period, question_periods, time_text

SAID = datetime(2023, 6, 9, 13, 30, tzinfo=UTC).timestamp()  # a Friday


def meant(text: str, said_at: float | None = SAID) -> list[str]:
    """What the dates of a text mean, written for people."""
    return [time_text(when.begin, when.until) for when in find_dates(text, said_at)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 2023-05-07 we met", "7 May 2023"),
        ("at 2023-05-07T10:00:00Z", "7 May 2023, 10:00"),
        ("at 2023-05-07T10:30+02:00", "7 May 2023, 08:30"),
        ("on 7 May 2023", "7 May 2023"),
        ("the 7th of May, 2023", "7 May 2023"),
        ("May 7th, 2023", "7 May 2023"),
        ("Sept. 3, 2021 was", "3 September 2021"),
        ("25/12/2022", "25 December 2022"),
        ("7.5.2023", "7 May 2023"),
        ("2023/05/07", "7 May 2023"),
        ("2023年5月7日に会った", "7 May 2023"),
        ("born 29 February 1992", "29 February 1992"),
        ("May 2023", "May 2023"),
        ("in 2019 I left", "2019"),
        ("since 2016", "2016"),
        ("in the 1990s", "1990 to 1999"),
        ("summer 2022", "June to August 2022"),
        ("the winter of 2021", "December 2021 to February 2022"),
        ("the week before 9 June 2023", "2 to 8 June 2023"),
        ("the weekend of 3 June 2023", "3 to 4 June 2023"),
        ("the Friday before 15 July 2023", "14 July 2023"),
        ("two days after May 7, 2023", "9 May 2023"),
    ],
)
def test_absolute_dates_need_no_moment(text: str, expected: str) -> None:
    """They mean the same whenever they were said."""
    assert meant(text, None) == meant(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I moved in May", "May 2023"),
        ("I moved in July", "July 2022"),
        ("I'll move in May", "May 2024"),
        ("We are going to move in August", "August 2023"),
        ("I was going to move in April", "April 2023"),
        ("last May", "May 2023"),
        ("last June", "June 2022"),
        ("next June", "June 2024"),
        ("last Friday", "2 June 2023"),
        ("next Friday", "16 June 2023"),
        ("I met her on Friday", "2 June 2023"),
        ("I'm hosting a party on Friday", "16 June 2023"),
        ("next month", "July 2023"),
        ("this month", "June 2023"),
        ("last year", "2022"),
        ("last week", "29 May to 4 June 2023"),
        ("the week before last", "22 to 28 May 2023"),
        ("the Friday before last", "26 May 2023"),
        ("two weeks ago", "23 to 29 May 2023"),
        ("a few days ago", "4 to 7 June 2023"),
        ("three years ago", "2020"),
        ("a couple of months ago", "April 2023"),
        ("two weekends ago", "27 to 28 May 2023"),
        ("yesterday", "8 June 2023"),
        ("3 pm yesterday", "8 June 2023, 15:00"),
        ("yesterday at 15:30", "8 June 2023, 15:30"),
        ("tomorrow at 9am", "10 June 2023, 09:00"),
        ("the day before yesterday", "7 June 2023"),
        ("tonight", "9 June 2023"),
        ("last night", "8 June 2023"),
        ("the other day", "2 to 8 June 2023"),
        ("over the weekend", "3 to 4 June 2023"),
        ("this past weekend", "3 to 4 June 2023"),
        ("last weekend", "3 to 4 June 2023"),
        ("last summer", "June to August 2022"),
        ("in the past week", "2 to 9 June 2023"),
        ("I'll see you in two weeks", "20 to 26 June 2023"),
        ("5 years from now", "2028"),
        ("I left on July 4", "4 July 2022"),
        ("on 3 June", "3 June 2023"),
        ("it was on 29 February", "29 February 2020"),
    ],
)
def test_relative_dates_count_from_when_it_was_said(text: str, expected: str) -> None:
    """The past is the last such time, the future the next; without a moment there is no date."""
    assert meant(text) == [expected]
    assert meant(text, None) == []


@pytest.mark.parametrize(
    "text",
    [
        "I may go", "may I go?", "march on!", "one second", "They march 5 miles", "I have 3 cats",
        "Cyberpunk 2077 is fun", "I learned it in two weeks", "05/07/2023", "31 February 2023",
        "every Friday", "on Friday nights", "April and June are sisters", "August is a fine name",
        "these days", "the sun sat low", "version 2.10.3", "call 2023-5555", "2000 people came",
        "fall in love", "spring into action", "the last of us", "", "明天见",
    ],
)  # fmt: skip
def test_what_is_no_date_is_left_alone(text: str) -> None:
    """Verbs, names, habits, lengths of time and dates that two countries read differently."""
    assert meant(text) == []


def test_the_span_is_the_words_of_the_date() -> None:
    """So that a reader can be shown them, whatever the capitals around."""
    text = "İstanbul: I moved there in MAY 2023, I think."
    found = find_dates(text, SAID)[0]

    assert text[found.start : found.end] == found.text == "MAY 2023"
    assert (found.begin, found.until) == (
        datetime(2023, 5, 1, tzinfo=UTC).timestamp(),
        datetime(2023, 6, 1, tzinfo=UTC).timestamp(),
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("What did she do in May 2023?", "May 2023"),
        ("What happened between May and July 2022?", "May to July 2022"),
        ("What did he finish last Friday on 23 January, 2022?", "23 January 2022"),
        ("What was it last weekend before April 10, 2023?", "8 to 9 April 2023"),
        ("What happened before 2020?", "before 1 January 2020"),
        ("What happened since March 2021?", "since 1 March 2021"),
        ("What happened after 2020?", "since 1 January 2021"),
        ("What did I do yesterday?", "8 June 2023"),
    ],
)
def test_a_question_is_about_a_period(query: str, expected: str) -> None:
    """The fixed date beats the relative one; sides are open."""
    period = question_period(query, SAID)

    assert period is not None
    assert time_text(*period) == expected


def test_a_question_without_a_date_is_about_no_period() -> None:
    """Asking when asks for a time and gives none."""
    assert question_period("When did she go?", SAID) is None
    assert question_periods("When did she go?", SAID) == []


def test_a_month_without_a_year_may_be_of_five_years() -> None:
    """The last comes first."""
    found = question_periods("What did she paint in July?", SAID)

    assert [time_text(*period) for period in found] == [
        f"July {year}" for year in (2022, 2021, 2020, 2019, 2018)
    ]


def test_a_period_is_written_for_people() -> None:
    """Parts that both ends share are named once."""
    day = 86_400.0

    assert time_text(0, day) == "1 January 1970"
    assert time_text(0, 3 * day) == "1 to 3 January 1970"
    assert time_text(30 * day, 33 * day) == "31 January to 2 February 1970"
    assert time_text(-day, day) == "31 December 1969 to 1 January 1970"
    assert time_text(float("-inf"), float("inf")) == "any time"


@pytest.mark.parametrize("said_at", [float("inf"), float("nan"), -1e18, 1e18])
def test_an_impossible_moment_is_an_unknown_one(said_at: float) -> None:
    """Relative dates are then left out; nothing is raised."""
    assert meant("yesterday and on 7 May 2023", said_at) == ["7 May 2023"]


@given(st.text(max_size=80), st.floats(allow_nan=True))
def test_any_text_is_safe(text: str, said_at: float) -> None:
    """Spans lie in the text and periods run forward."""
    for found in find_dates(text + " in 3 weeks, last May or 31.12.9999", said_at):
        assert found.begin < found.until


@pytest.mark.parametrize(
    "piece",
    ["1", "the ", "1 ", "may ", "last ", "in 2019 ", "the two ", "2023-", "yesterday ", "年", "in ",
     "a few ", " ", "May 7, ", "the week before "],
)  # fmt: skip
def test_hostile_text_is_quick(piece: str) -> None:
    """Two hundred thousand characters; some pieces are twenty thousand true dates."""
    text = (piece * 200_000)[:200_000]
    start = process_time()

    find_dates(text, SAID)

    assert process_time() - start < 1
