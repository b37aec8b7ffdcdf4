"""The twins of MemoryAgentBench: their answers are right, and a memory must know them."""

import re

import pytest

from engram.evals import competencies as bench


def last_said(told: tuple[str, ...], pattern: str) -> str:
    """What the last sentence of that shape ends with."""
    found = [match[1] for text in told if (match := re.fullmatch(pattern, text))]
    return str(found[-1])


def test_the_larger_number_is_the_truth() -> None:
    """Every answer is what the last sentence about it says."""
    case = bench.consolidation(12, 60, seed=3)

    assert len(case.questions) == 36
    assert len(case.told) == 96
    for asked in case.questions:
        who = re.search(r"[A-Z]\w+ [A-Z]\w+", asked.text[3:])
        assert who is not None
        verb = {"live?": "lives in", "work?": "works at", "to?": "is married to"}
        said = verb[asked.text.split()[-1]]
        assert last_said(case.told, rf"{who[0]} {said} (.*)\.") == asked.answer


def test_two_hops_go_through_the_partner_who_is_true_last() -> None:
    """The answer is the partner's fact, not one's own."""
    case = bench.consolidation(12, 60, seed=3, hops=2)
    asked = next(each for each in case.questions if each.text.startswith("Where does the partner"))
    who = asked.text.split(" of ")[1].rsplit(" ", 1)[0]
    partner = last_said(case.told, rf"{who} is married to (.*)\.")
    verb = "lives in" if asked.text.endswith("live?") else "works at"

    assert last_said(case.told, rf"{partner} {verb} (.*)\.") == asked.answer


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: bench.consolidation(9, 9, seed),
        lambda seed: bench.needles(5, 20, seed),
        lambda seed: bench.labels(3, 4, seed),
        lambda seed: bench.events(6, seed),
    ],
)
def test_the_same_seed_makes_the_same_case(make: object) -> None:
    """And another seed another."""
    assert make(1) == make(1)  # type: ignore[operator]
    assert make(1) != make(2)  # type: ignore[operator]


def test_a_memory_that_was_told_nothing_is_never_right() -> None:
    """The agents read the memory and guess nothing."""
    for case, answers in (
        (bench.consolidation(9, 9, 1), bench.look_up),
        (bench.needles(5, 20, 1), bench.read_off),
        (bench.labels(3, 4, 1), bench.vote),
    ):
        assert bench.accuracy(bench.Case((), case.questions), answers) == 0


def test_the_latest_of_many_changes_is_known() -> None:
    """Three people who move and change their work fifty times each are where they went last."""
    case = bench.consolidation(3, 400, seed=5)

    assert bench.accuracy(case, bench.look_up) == 1.0
