"""BM25 over turns, as the book writes it, with what stands around a turn counted in part."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.indexes.lexical import Lexical
from engram.plaintext.roles import Route, View

Look = Callable[..., AbstractContextManager[View]]
Talk = Sequence[Sequence[str]]
WORDS = ("cat", "rain", "boat", "lamp", "the", "of")
GRAMMAR = {"the", "of"}  # the others are their own stems
ALONE = {0: 1.0}

said = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
texts = said | said.map("{} ?".format) | st.just("👍")
talks = st.lists(st.lists(texts, min_size=1, max_size=8), max_size=3)
numbers = st.sets(st.integers(0, 20), max_size=6)
queries = st.lists(st.sampled_from((*WORDS, "absent")), max_size=5).map(" ".join)
shares = st.dictionaries(st.sampled_from((-3, -2, -1, 1, 2, 3)), st.sampled_from((0.1, 0.5, 1.0)))
lexicals = st.builds(
    Lexical,
    k1=st.floats(0.1, 3),
    b=st.floats(0, 1),
    kernel=shares.map(lambda near: near | ALONE),
    answer=st.sampled_from((0.0, 0.5, 1.0)),
)


def search(
    look: Look, index: Lexical, query: str, talk: Talk, hidden: Collection[int] = ()
) -> list[float]:
    """What the channel gives each turn."""
    with look(*talk, hidden=hidden) as view:
        scores: list[float] = index.search(Route(query, query, 0.0), view).tolist()
        return scores


def slow(index: Lexical, query: str, talk: Talk, hidden: Collection[int]) -> list[float]:
    """The same for one turn after the other, in plain counting."""
    places = [(at, place) for at, said in enumerate(talk) for place in range(len(said))]
    heard = {each: talk[each[0]][each[1]] for n, each in enumerate(places) if n not in hidden}

    def asks(at: int, place: int) -> bool:
        return heard.get((at, place), "").endswith("?")

    def lent(counts: Mapping[tuple[int, int], float], at: int, place: int) -> float:
        return sum(
            share
            * counts.get((at, place - shift), 0)
            * (1 + index.answer * (shift == 1 and asks(at, place - 1)))
            for shift, share in index.kernel.items()
        )

    words = {each: len(text.strip(" ?").split()) for each, text in heard.items()}  # a sign is one
    mean = sum(lent(words, *each) for each in heard) / max(1, len(heard))
    total, information = dict.fromkeys(places, 0.0), 0.0
    for word in dict.fromkeys([w for w in query.split() if w not in GRAMMAR] or query.split()):
        counts = {each: text.split().count(word) for each, text in heard.items()}
        holding = sum(often > 0 for often in counts.values())
        idf = math.log(1 + (len(heard) - holding + 0.5) / (holding + 0.5))
        information += idf
        for each in heard:
            tf = lent(counts, *each)
            norm = index.k1 * (1 - index.b + index.b * lent(words, *each) / mean)
            total[each] += idf * tf * (index.k1 + 1) / (tf + norm)
    return [score / max(information, 1e-6) for score in total.values()]


@given(lexicals, queries, talks, numbers)
@example(Lexical(b=1.0, kernel=ALONE), "cat", [["cat"], ["rain"] * 63], set(range(30, 64)))
@example(Lexical(), "cat", [["rain", "cat the cat", "👍"]], {1})
@example(Lexical(), "cat", [["rain", "cat the cat", "👍"]], {0, 1, 2})
def test_the_scores_are_those_of_counting_by_hand(
    view_of: Look, index: Lexical, query: str, talk: Talk, hidden: set[int]
) -> None:
    """Term by term and turn by turn; hidden turns keep their place and lend nothing."""
    found = search(view_of, index, query, talk, hidden)

    assert found == pytest.approx(slow(index, query, talk, hidden), rel=1e-4, abs=1e-5)


def test_a_rare_word_says_more_than_a_frequent_one(view_of: Look) -> None:
    """Everybody speaks of rain; only one speaks of the boat."""
    talk = [["rain"], ["rain"], ["rain"], ["boat"], ["lamp"]]
    *rain, boat, lamp = search(view_of, Lexical(), "rain and the boat", talk)

    assert boat > rain[0] == rain[1] == rain[2] > lamp == 0


def test_a_word_that_is_said_again_counts_a_little_more(view_of: Look) -> None:
    """It saturates: twice is less than twice as much."""
    once, twice, long = search(
        view_of, Lexical(), "cat", [["cat lamp"], ["cat cat"], ["cat lamp lamp lamp lamp"]]
    )

    assert once < twice < 2 * once
    assert long < once


def test_an_answer_is_found_by_the_words_of_its_question(view_of: Look) -> None:
    """It borrows more from the turn before than from the turn after, and less than its own."""
    talk = [["lamp", "where is the boat", "by the lamp"], ["by the lamp"]]
    before, question, answer, elsewhere = search(view_of, Lexical(b=0.0), "boat", talk)

    assert question > answer > before > 0
    assert elsewhere == 0


def test_a_turn_that_asks_lends_more_to_the_next(view_of: Look) -> None:
    """It is the likelier to be answered there."""
    asked = search(view_of, Lexical(b=0.0), "boat", [["where is the boat ?", "by the lamp"]])
    told = search(view_of, Lexical(b=0.0), "boat", [["there is the boat", "by the lamp"]])

    assert asked[1] > told[1] > 0
    assert asked[0] == told[0]


def test_no_turn_borrows_from_another_conversation(view_of: Look) -> None:
    """The last turn of one is no neighbour of the first of the next."""
    *_, last, first = search(view_of, Lexical(), "boat", [["lamp", "boat"], ["lamp"]])

    assert last > 0
    assert first == 0


def test_what_is_hidden_changes_no_score(view_of: Look) -> None:
    """Not even through the statistics: how rare a word is depends on what may be recalled."""
    talk = [["cat rain", "boat"], ["cat", "rain rain"]]
    secret = [["boat boat cat"] * 5, ["boat"]]
    alone = search(view_of, Lexical(), "boat rain", talk)

    found = search(view_of, Lexical(), "boat rain", [*talk, *secret], hidden=range(4, 10))

    assert found == [*alone, 0, 0, 0, 0, 0, 0]


def test_the_scores_of_one_run_know_nothing_of_the_others(view_of: Look) -> None:
    """A scope that names a run is scored as if there were no other."""
    own = ["cat rain", "boat"]
    route = Route("boat", "boat", 0.0)
    with view_of(own) as view:
        alone = Lexical().search(route, view).tolist()

    with view_of(own, ["boat boat"] * 7, run=0) as view:
        found = Lexical().search(route, view).tolist()

    assert found == [*alone, *[0] * 7]


def test_a_turn_that_holds_the_whole_query_may_reach_one_and_pass_it(view_of: Look) -> None:
    """Scores are shares of the information that the query's words hold."""
    [half, whole] = search(
        view_of, Lexical(k1=1.0, kernel=ALONE), "cat boat", [["cat lamp"], ["cat boat"]]
    )

    assert 0 < half < whole == pytest.approx(1.0)


@pytest.mark.parametrize("query", ["", "?", "absent", "the"])
def test_a_query_without_a_word_that_was_said_finds_nothing(view_of: Look, query: str) -> None:
    """Zero everywhere, and nothing divided by nothing."""
    assert search(view_of, Lexical(), query, [["cat", "boat"]]) == [0, 0]
    assert search(view_of, Lexical(), query, []) == []


def test_mere_grammar_is_searched_when_there_is_nothing_else(view_of: Look) -> None:
    """A query of nothing else finds turns that hold it, though it says little."""
    held, other = search(view_of, Lexical(), "of the", [["cat of the rain"], ["cat"]])

    assert held > other == 0
