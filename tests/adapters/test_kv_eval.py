"""Caches side by side, on a random model of two layers made here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from engram.adapters.kv_eval import Entry, compare, held_bytes
from engram.adapters.kv_reading import Reader
from engram.errors import InvalidInput
from engram.evals import lexicon
from engram.evals.prompts import Prompt, matched
from engram.evals.tasks.recall import Recall

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LAYERS, GROUPS, WIDTH, FLOAT = 2, 1, 8, 4


def encode(text: str, start: bool) -> Sequence[int]:
    """Ids of the closed vocabulary."""
    return [lexicon.START] * start + lexicon.ids(text)


@pytest.fixture(scope="module")
def reader() -> Reader:
    """A model that knows nothing, but always the same."""
    torch.manual_seed(3)
    settings = transformers.LlamaConfig(
        vocab_size=len(lexicon.WORDS),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        num_key_value_heads=GROUPS,
        head_dim=WIDTH,
    )
    return Reader(transformers.LlamaForCausalLM(settings).eval(), encode, lexicon.told)


def full(model: Any) -> Any:
    """The cache of transformers."""
    return transformers.DynamicCache()


class Last(transformers.cache_utils.DynamicSlidingWindowLayer):  # type: ignore[misc, name-defined]
    """Keeps the last sixteen tokens, and nothing behind them."""

    keys: Any
    values: Any

    def __init__(self) -> None:
        super().__init__(sliding_window=17)

    def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> Any:
        shown = super().update(key_states, value_states, *args, **kwargs)
        self.keys, self.values = self.keys.clone(), self.values.clone()
        return shown


def window(model: Any) -> Any:
    """The last sixteen tokens."""
    return transformers.Cache(layers=[Last() for _ in range(LAYERS)])


FULL, WINDOW = Entry("full", 0.0, full), Entry("window", 0.75, window)


def rows(count: int = 2, questions: int = 3, says: int = 4) -> list[Prompt]:
    """Contexts of 61 tokens with the start, and some questions about each."""
    made = Recall(64, 6, count, questions).prompts()
    return [
        Prompt(row.task, row.context, row.question, " is", row.answer, says, row.any_of)
        for row in made
    ]


def heard(reader: Reader, entry: Entry, asked: Sequence[Prompt]) -> list[str]:
    """What was written for each row; the rows share a context, unless the entry is full."""
    said: list[str] = []

    def note(row: Prompt, text: str) -> float:
        said.append(text)
        return 0.0

    others = [] if entry.preset == "full" else [Entry("full", 0.0, full)]
    compare(reader, [entry, *others], asked, note)
    if not others:
        return said
    return said[: len(asked)]


def test_full_writes_what_the_model_writes_by_itself(reader: Reader) -> None:
    """Word for word, for every question about a shared context."""
    asked = rows()

    said = heard(reader, FULL, asked)

    for row, text in zip(asked, said, strict=True):
        prompt = torch.tensor([encode(row.text, True)])
        wanted = reader.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=4, do_sample=False
        )
        assert text == lexicon.told(wanted[0, prompt.shape[1] :].tolist())


def test_questions_about_one_context_do_not_hear_each_other(reader: Reader) -> None:
    """The cache is filled once, and each question goes on from a copy of it."""
    asked = rows(count=1)
    made: list[Any] = []

    def counted(model: Any) -> Any:
        made.append(window(model))
        return made[-1]

    together = heard(reader, Entry("window", 0.75, counted), asked)

    alone = [heard(reader, WINDOW, [row])[0] for row in asked]
    assert together == alone
    assert len(made) == 1


def test_each_figure_stands_beside_that_of_full(reader: Reader) -> None:
    """Bytes by their formula, shares by division, times above nothing."""
    found = compare(reader, [WINDOW, FULL], rows(), lambda _, said: float(len(said) > 0))

    narrow, whole = found
    assert [(each.preset, each.rows, each.task) for each in found] == [
        ("window", 6, "recall"),
        ("full", 6, "recall"),
    ]
    tokens = lexicon.count(rows()[0].context) + 1
    assert whole.resident == 2 * LAYERS * GROUPS * WIDTH * FLOAT * tokens
    assert narrow.resident == pytest.approx(whole.resident * 16 / tokens, abs=64)  # and counters
    assert narrow.resident_of_full == narrow.resident / whole.resident
    assert (whole.score, whole.score_of_full, whole.resident_of_full) == (1.0, 1.0, 1.0)
    assert min(whole.first, whole.token, narrow.first, narrow.token) > 0
    assert narrow.first_of_full == pytest.approx(narrow.first / whole.first)


def test_one_token_has_no_time_for_further_ones(reader: Reader) -> None:
    """What was not measured is no number; nor is a share of nothing."""
    (whole,) = compare(reader, [FULL], rows(says=1), matched)

    assert whole.token != whole.token
    assert whole.token_of_full != whole.token_of_full
    assert whole.score == 0.0
    assert whole.score_of_full != whole.score_of_full


def test_tasks_are_told_apart(reader: Reader) -> None:
    """A line for each task and entry, in the order of the rows."""
    first, second = rows(questions=1)
    other = Prompt("other", second.context, "", "", ("tin",), 2)

    found = compare(reader, [FULL, WINDOW], [first, other], matched)

    assert [(each.task, each.preset, each.rows) for each in found] == [
        ("recall", "full", 1),
        ("recall", "window", 1),
        ("other", "full", 1),
        ("other", "window", 1),
    ]


def test_a_row_without_question_is_answered_from_the_context(reader: Reader) -> None:
    """What a query-aware row without a prefix is: the first token comes with the filling."""
    row = rows()[0]
    aware = Prompt(row.task, row.text, "", "", row.answer, 4)

    assert heard(reader, FULL, [aware]) == heard(reader, FULL, [row])


def test_writing_stops_at_an_end(reader: Reader) -> None:
    """Nothing is timed after the model has said that it is done."""
    row = rows()[0]
    ids = lexicon.ids(heard(reader, FULL, [row])[0])
    ending = Reader(reader.model, reader.encode, reader.decode, frozenset(ids[:1]))

    assert heard(ending, FULL, [row]) == [lexicon.told(ids[:1])]


def test_a_cache_that_takes_the_place_of_attention_is_attached(reader: Reader) -> None:
    """While it is filled and while it answers; and its own copy is used where it has one."""
    told: list[str] = []

    class Watched(transformers.DynamicCache):  # type: ignore[misc, name-defined]
        @contextmanager
        def attached(self, model: Any) -> Iterator[None]:
            told.append("in")
            yield
            told.append("out")

        def fork(self) -> Any:
            told.append("fork")
            copy = Watched()
            for number, layer in enumerate(self.layers):
                copy.update(layer.keys.clone(), layer.values.clone(), number)
            return copy

    said = heard(reader, Entry("full", 0.0, lambda _: Watched()), rows(1, 2))

    assert told == ["in", "out", "fork", "in", "out", "fork", "in", "out"]
    assert said == heard(reader, FULL, rows(1, 2))


def test_bytes_of_shared_storage_are_counted_once() -> None:
    """Views, tuples and slots are looked into; what is no tensor weighs nothing."""

    class Slotted:
        __slots__ = ("held", "missing")

        def __init__(self, held: object) -> None:
            self.held = held

    whole = torch.zeros(10, 4)
    other = torch.zeros(3, dtype=torch.uint8)
    cycle: list[object] = [whole[:2], {"a": (whole, "text", None)}, Slotted([other])]
    cycle.append(cycle)

    assert held_bytes(cycle) == 10 * 4 * 4 + 3
    assert held_bytes(transformers.DynamicCache()) == 0


def test_progress_is_told_after_every_context(reader: Reader) -> None:
    """Rows done and rows in all, those of every entry, and who has just run."""
    steps: list[tuple[int, int, str]] = []

    compare(reader, [FULL, WINDOW], rows(2, 3), matched, progress=lambda *step: steps.append(step))

    assert steps == [(3, 12, "full"), (6, 12, "window"), (9, 12, "full"), (12, 12, "window")]


@pytest.mark.parametrize("entries", [[], [WINDOW], [FULL, FULL], [FULL, WINDOW, WINDOW]])
def test_without_one_full_there_is_nothing_to_compare_with(
    reader: Reader, entries: list[Entry]
) -> None:
    """Nor with the same entry twice."""
    with pytest.raises(InvalidInput, match="one 'full' among them"):
        compare(reader, entries, rows(), matched)


def test_no_rows_are_refused(reader: Reader) -> None:
    """A mean of nothing is no figure."""
    empty: list[Prompt] = []

    with pytest.raises(InvalidInput, match="at least one prompt"):
        compare(reader, [FULL], empty, matched)
