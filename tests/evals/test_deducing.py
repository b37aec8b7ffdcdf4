"""The reader of bAbI: it answers each of the twenty kinds, and nothing that it was not told."""

import pytest

from engram.evals.deducing import deduced, exactly
from engram.evals.roles import Probe, Turn
from engram.evals.tasks.stories import Stories

CASES = [
    ("Where is Ruth?", "cellar", "Ruth went to the attic. Ruth moved to the cellar."),
    ("Where is the lamp?", "attic", "Ruth is in the attic. Ruth took the lamp there."),
    (
        "Where was the lamp before the attic?",
        "cellar",
        "Ruth went to the cellar. Ruth got the lamp. Ruth went to the attic.",
    ),
    ("What is west of the attic?", "cellar", "The cellar is west of the attic."),
    ("What is the attic east of?", "cellar", "The cellar is west of the attic."),
    ("What did Ruth give to Max?", "lamp", "Ruth gave the lamp to Max."),
    ("Who gave the lamp to Max?", "Ruth", "Ruth handed the lamp to Max."),
    ("Who received the lamp?", "Max", "Ruth passed the lamp to Max."),
    ("Who did Ruth give the lamp to?", "Max", "Ruth gave the lamp to Max."),
    ("Is Ruth in the attic?", "no", "Ruth went to the cellar."),
    ("Is Ruth in the attic?", "no", "Ruth is no longer in the attic."),
    ("Is Ruth in the attic?", "maybe", "Ruth is either in the attic or the cellar."),
    ("How many objects is Ruth carrying?", "two", "Ruth got the lamp. Ruth got the axe."),
    ("What is Ruth carrying?", "nothing", "Ruth took the lamp. Ruth dropped the lamp."),
    ("Where is Ruth?", "cellar", "Ruth went to the attic. After that she moved to the cellar."),
    ("Where is Max?", "attic", "Ruth and Max went to the cellar. Then they went to the attic."),
    (
        "Where was Ruth before the attic?",
        "cellar",
        "This morning Ruth went to the attic. Yesterday Ruth went to the cellar.",
    ),
    ("What is ruth afraid of?", "wolf", "Mice are afraid of wolves. Ruth is a mouse."),
    ("What color is Ruth?", "gray", "Max is a swan. Max is gray. Ruth is a swan."),
    (
        "Is the box above the ball?",
        "yes",
        "The box is above the cone. The cone is above the ball.",
    ),
    (
        "Does the ball fit in the chest?",
        "yes",
        "The ball fits inside the box. The chest is bigger than the box.",
    ),
    ("Is the ball bigger than the box?", "no", "The ball fits inside the box."),
    (
        "How do you go from the attic to the hall?",
        "s,w",
        "The cellar is south of the attic. The hall is west of the cellar.",
    ),
    ("Where will ruth go?", "kitchen", "Ruth is thirsty."),
    ("Why did ruth go to the kitchen?", "hungry", "Ruth is hungry."),
]


def told(text: str) -> list[str]:
    """Its sentences."""
    return [f"{sentence.strip()}." for sentence in text.split(".") if sentence.strip()]


@pytest.mark.parametrize(("question", "answer", "text"), CASES)
def test_each_kind_of_question_is_answered(question: str, answer: str, text: str) -> None:
    """In the words of the published data; what changes later in the text counts."""
    assert deduced(question, told(text)) == answer


@pytest.mark.parametrize("question", [question for question, _, _ in CASES])
def test_nothing_told_is_nothing_known(question: str) -> None:
    """Empty hands are known without being told; all else is not."""
    known = {"none", "nothing"} if "carrying" in question else {""}

    assert deduced(question, []) in known


def test_the_order_of_time_decides_and_not_the_rank() -> None:
    """A memory brings back the newest last, or first: the answer is the same."""
    turns = [
        Turn("1", "Ruth went to the attic.", at=1.0),
        Turn("2", "Ruth went to the cellar.", at=2.0),
    ]
    probe = Probe("q", "Where is Ruth?", "cellar", "01")

    assert exactly(probe, turns) == exactly(probe, turns[::-1]) == 1.0
    assert exactly(probe, turns[:1]) == 0.0


def test_lists_may_stand_in_any_order_and_ways_may_not() -> None:
    """Both are written with commas."""
    carried = [
        Turn("1", "Ruth took the lamp.", at=1.0),
        Turn("2", "Ruth took the axe.", at=2.0),
    ]
    way = [
        Turn("1", "The cellar is south of the attic.", at=1.0),
        Turn("2", "The hall is west of the cellar.", at=2.0),
    ]

    assert exactly(Probe("q", "What is Ruth carrying?", "axe,lamp", "08"), carried) == 1.0
    asked = "How do you go from the attic to the hall?"
    assert exactly(Probe("q", asked, "s,w", "19"), way) == 1.0
    assert exactly(Probe("q", asked, "w,s", "19"), way) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_with_everything_told_every_question_of_the_twin_is_answered(seed: int) -> None:
    """The twin is made by other code: each checks the other."""
    for episode in Stories(seed=seed, count=3).episodes():
        (session,) = episode.conversation
        for probe in episode.questions:
            assert exactly(probe, session.turns) == 1.0, probe


def test_with_its_evidence_alone_a_question_of_the_twin_is_answered() -> None:
    """What is named as evidence is enough, but for counting what others hold."""
    for episode in Stories(seed=9, count=6).episodes():
        (session,) = episode.conversation
        for probe in episode.questions:
            kept = [turn for turn in session.turns if turn.id in probe.evidence]
            if not probe.category.startswith(("07", "08")):
                assert exactly(probe, kept) == 1.0, probe


@pytest.mark.parametrize("question", ["", "?", "Who are you?", "Where is", "Is the in the ?"])
def test_a_question_of_no_kind_is_answered_with_nothing(question: str) -> None:
    """And never with a fault."""
    assert deduced(question, ["Ruth went to the attic."]) == ""
