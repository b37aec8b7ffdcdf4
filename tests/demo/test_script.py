"""The conversation that ships with engram, and the questions that are asked of it."""

import re
from collections import Counter

import pytest

from engram.demo.questions import QUESTIONS, Question
from engram.demo.script import Calendar, Line, conversation, moment
from engram.demo.trust import INJECTED, SECRET

SCRIPT = conversation()
ANSWERABLE = [question for question in QUESTIONS if question.answerable]


def said(pattern: str, by: str = "") -> list[Line]:
    """The lines that hold this, by anybody or by somebody."""
    found = [line for line in SCRIPT if re.search(pattern, line.content)]
    return [line for line in found if by in ("", line.name)]


def test_it_is_several_hundred_turns_over_months() -> None:
    """Each later than the one before, and each chat in one piece."""
    times = [line.at for line in SCRIPT]
    runs = [line.run_id for line in SCRIPT]

    assert len(SCRIPT) > 300
    assert times == sorted(set(times))
    assert (times[-1] - times[0]) / 86_400 > 240
    assert len({line.time[:7] for line in SCRIPT}) >= 10
    assert runs == sorted(runs)


def test_two_people_talk_and_an_assistant_and_a_tool_are_there() -> None:
    """The two say most of it, in about equal parts."""
    count = Counter(line.name for line in SCRIPT if line.role == "user")
    roles = {line.role for line in SCRIPT}

    assert set(count) == {"Ana", "Ben"}
    assert min(count.values()) > 120
    assert roles == {"user", "assistant", "tool", "system"}


@pytest.mark.parametrize(
    ("earlier", "later", "by"),
    [
        ("I live in Bergen", "I moved to Oslo in May", "Ana"),
        ("I work at Tidewater Press", "I started at Northlight Maps", "Ben"),
        ("the wedding is on the 12th", "Actually the wedding is on the 14th, not the 12th", "Ben"),
        ("I have two cats", "I have three cats now", "Ana"),
        ("My favourite coffee is the cortado", "My favourite coffee is cold brew now", "Ana"),
        ("I'm vegetarian, I bake", "I'm pescatarian now", "Ben"),
    ],
)
def test_lives_change_and_dates_are_corrected(earlier: str, later: str, by: str) -> None:
    """A move, a job, a date, a pet, a taste, a principle: what was said first does not stay so."""
    (first,), (second,) = said(earlier, by), said(later, by)

    assert first.at < second.at


def test_there_is_a_joke_that_is_no_fact_and_a_confusion_that_is_cleared() -> None:
    """A memory that believes all it hears would move Ben to Mars and let Ana eat walnuts."""
    assert said("moving to Mars", "Ben")
    assert said("You're allergic to hazelnuts, aren't you", "Ben")
    assert said("It's walnuts! Hazelnuts are fine", "Ana")


def test_a_secret_is_told_once_and_later_to_be_forgotten() -> None:
    """The word of it stands nowhere else, so that its bytes can be counted."""
    (secret,) = said(f"(?i){SECRET}")
    (asked,) = said("please forget the old pass phrase", "Ana")

    assert secret.at < asked.at


def test_an_order_comes_in_by_a_tool() -> None:
    """In the middle of something useful, and nobody asked for it."""
    (page,) = said(re.escape(INJECTED))

    assert page.role == "tool"
    assert not page.content.startswith(INJECTED)


def test_it_is_told_in_several_languages() -> None:
    """In scripts with and without spaces."""
    assert said("[\u3040-\u30ff]")
    assert said("谢谢")
    assert said("Jeg har time")


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question.text[:30])
def test_a_question_names_the_line_that_answers_it(question: Question) -> None:
    """Word for word, in that chat, at that time."""
    (line,) = [line for line in SCRIPT if line.time == question.time]

    assert question.fragment in line.content
    assert line.run_id == question.run_id


def test_some_questions_have_no_answer() -> None:
    """And nothing in the conversation comes near one."""
    without = [question for question in QUESTIONS if not question.answerable]

    assert len(without) >= 2
    assert not said("(?i)blood type|football")
    assert len({question.text for question in QUESTIONS}) == len(QUESTIONS)


def test_the_clock_shows_what_the_play_needs() -> None:
    """Seconds since 1970, of a time with a zone."""
    calendar = Calendar(SCRIPT[0].at)

    calendar.now += 60

    assert calendar() == moment("2026-01-04T17:32:00Z").timestamp()
