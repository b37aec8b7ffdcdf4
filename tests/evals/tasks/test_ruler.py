"""RULER: rows of thirteen tasks that a reader of the rules can answer, and others cannot."""

import re
from collections import Counter

import pytest

from engram.errors import InvalidInput
from engram.evals import lexicon
from engram.evals.prompts import Prompt, matched
from engram.evals.tasks.ruler import KINDS, Ruler

every_task = pytest.mark.parametrize("task", KINDS)


def rows(*tasks: str, length: int = 700, count: int = 3, seed: int = 0) -> list[Prompt]:
    """Rows of some tasks."""
    return list(Ruler(length=length, tasks=tasks, count=count, seed=seed).prompts())


def listed(text: str) -> list[str]:
    """The words that stand in the second line of a context."""
    return re.findall(r"[a-z]+", text.splitlines()[1])


def solved(row: Prompt) -> str:
    """The answer, read off the text alone, without the row's own answer."""
    asked = row.question
    if row.task.startswith("niah"):
        names = re.search(r"for (.+) in the text\?", asked)
        assert names is not None
        found = [
            re.findall(rf"for {name} is: ([\d-]+)\.", row.context)
            for name in re.split(r", (?:and )?", names[1])
        ]
        return " ".join(value for values in found for value in values)
    if row.task == "vt":
        value = re.findall(r"\d+", asked)[0]
        have: list[str] = []
        for name, source in re.findall(r"VAR (\w+) = (?:VAR )?(\w+)\.", row.context):
            have += [name] if source == value or source in have else []
        return " ".join(have)
    if row.task in {"cwe", "fwe"}:
        most = Counter(listed(row.context)).most_common(10 if row.task == "cwe" else 3)
        return " ".join(word for word, _ in most)
    return answered(row.context, asked)


def answered(context: str, asked: str) -> str:
    """A question about documents; a sister whose fact is asked for is looked up first."""
    sisters = dict(re.findall(r"The sister of ([\w ]+) is ([\w ]+)\.", context))
    (who,) = re.findall(r"(?:[A-Z][a-z]+ ){3}[A-Z][a-z]+", asked)
    if asked.startswith("Question: Who"):
        return sisters[who]
    if "the sister of" in asked:
        who = sisters[who]
    fact = "was born in" if "born" in asked else "works as a"
    (found,) = re.findall(rf"{who} {fact} (\w+)\.", context)
    return str(found)


@every_task
def test_rows_fill_their_length_and_never_pass_it(task: str) -> None:
    """Counted with the answer's tokens, in the vocabulary and in characters."""
    for length in (512, 3000):
        for row in rows(task, length=length):
            taken = lexicon.count(row.text) + row.max_new_tokens
            assert 0.9 * length < taken <= length
    (by_letters,) = Ruler(4000, tasks=(task,), count=1, tokens=len).prompts()
    assert 3600 < len(by_letters.text) + by_letters.max_new_tokens <= 4000


@every_task
def test_a_reader_who_follows_the_rules_gets_everything(task: str) -> None:
    """The answer stands in the text; another row's answer does not do."""
    made = rows(task, length=1200)

    assert [matched(row, solved(row)) for row in made] == [1.0] * 3
    assert matched(made[0], "") == 0.0
    assert matched(made[0], solved(made[1])) < 1.0


@every_task
def test_every_word_is_in_the_closed_vocabulary(task: str) -> None:
    """A tiny model meets no unknown word, neither in the prompt nor in the answer."""
    for row in rows(task, length=1500):
        assert lexicon.UNKNOWN not in lexicon.ids(row.text + " ".join(row.answer))


@every_task
def test_a_seed_makes_the_same_rows_again(task: str) -> None:
    """And another seed others; a row does not depend on how many are made."""
    assert rows(task) == rows(task)
    assert rows(task)[:1] == rows(task, count=1)
    assert not set(rows(task)) & set(rows(task, seed=1))


@every_task
def test_an_answer_fits_what_may_be_written(task: str) -> None:
    """Otherwise nobody could score."""
    for row in rows(task):
        assert lexicon.count(" ".join(row.answer)) <= row.max_new_tokens


def test_there_are_thirteen_tasks_in_four_groups() -> None:
    """Eight of needles, one of tracking, two of aggregation, two of questions."""
    groups = Counter(kind.group for kind in KINDS.values())

    assert groups == {"needle": 8, "tracking": 1, "aggregation": 2, "questions": 2}


def test_needles_lie_at_every_depth() -> None:
    """A cache that keeps the beginning or the end alone cannot do well."""
    made = rows("niah_single_1", count=60, length=500)

    depths = [row.context.index("One of the magic") / len(row.context) for row in made]
    assert min(depths) < 0.3
    assert max(depths) > 0.8


def test_query_aware_rows_ask_before_the_context_ends() -> None:
    """The text as a whole is the same."""
    (blind,) = Ruler(700, tasks=("vt",), count=1).prompts()
    (aware,) = Ruler(700, tasks=("vt",), count=1, query_aware=True).prompts()

    assert aware == blind.aware()
    assert blind.question not in blind.context


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"length": 100}, "length must be at least"),
        ({"length": 0}, "length must be at least"),
        ({"tasks": ("niah",)}, "tasks must be among .*'niah'"),
        ({"tasks": ()}, "at least one name"),
        ({"count": 0}, "count must be at least 1"),
    ],
)
def test_what_cannot_be_made_is_refused(settings: dict[str, object], said: str) -> None:
    """With what would do."""
    with pytest.raises(InvalidInput, match=said):
        list(Ruler(**settings).prompts())  # type: ignore[arg-type]


@every_task
def test_the_least_length_that_is_named_is_enough(task: str) -> None:
    """And one token less is not."""
    with pytest.raises(InvalidInput, match="length must be at least") as refused:
        rows(task, length=1, count=1)
    least = int(re.findall(r"at least (\d+) tokens", str(refused.value))[0])

    assert len(rows(task, length=least, count=1)) == 1
    with pytest.raises(InvalidInput, match="length must be at least"):
        rows(task, length=least - 1, count=1)
