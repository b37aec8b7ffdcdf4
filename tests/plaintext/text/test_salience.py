"""Key words and central sentences, by plain counting."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import pytest

from engram.plaintext.roles import View
from engram.plaintext.text.salience import DAMPING, FEW, central, keywords, rarity_in
from engram.plaintext.text.words import terms

Look = Callable[..., AbstractContextManager[View]]


def words(text: str, most: int = 5, without: tuple[str, ...] = ()) -> list[str]:
    """Key words where longer terms are rarer."""
    return [each.word for each in keywords(text, lambda term: float(len(term)), most, without)]


def slow_central(texts: list[str], most: int) -> list[int]:
    """TextRank with loops, as its paper writes it, with a walk that begins at any sentence."""
    sets = [set(terms(text).content) for text in texts]

    def alike(a: int, b: int) -> float:
        if a == b or min(len(sets[a]), len(sets[b])) < 2:
            return 0.0
        return len(sets[a] & sets[b]) / (math.log(len(sets[a])) + math.log(len(sets[b])))

    count = len(texts)
    share = [1 / count] * count
    for _ in range(300):
        after = [(1 - DAMPING) / count] * count
        for a in range(count):
            total = sum(alike(a, b) for b in range(count))
            for b in range(count):
                lent = alike(a, b) / total if total else 1 / count
                after[b] += DAMPING * share[a] * lent
        share = after
    best = sorted(range(count), key=lambda at: (-round(share[at], 6), at))[:most]
    return sorted(best)


SENTENCES = [
    "The lighthouse keeper repaired the old lamp.",
    "Rain fell all night.",
    "The lamp of the lighthouse shines again.",
    "The keeper and the lighthouse were in the newspaper.",
    "Bread was sold out.",
]


def test_the_rarest_words_come_first() -> None:
    """As they stand in the text, without grammar and without 's."""
    assert words("their uncle's telescope is on the balcony", 2) == ["telescope", "balcony"]
    assert words("their uncle's telescope is on the balcony")[2:] == ["uncle"]


def test_names_come_before_longer_words() -> None:
    """They tell a message from others best, even where few have been seen."""
    assert words("The telescope is from Quentin", 1) == ["Quentin"]


def test_a_word_that_is_said_again_weighs_more() -> None:
    """By the logarithm of how often."""
    assert words("boats and lights, boats and boats", 1) == ["boats"]


@pytest.mark.parametrize(
    "nothing", ["", "?!", "🙂", "Thanks, that sounds great!", "See you on Monday at 7", "63"]
)
def test_politeness_times_and_numbers_are_no_keywords(nothing: str) -> None:
    """They tell no message from another."""
    assert words(nothing) == []


def test_words_that_are_to_be_left_out_are() -> None:
    """By their terms, so in any form."""
    assert words("Ana's boats", without=tuple(terms("Ana").stems)) == ["boats"]


def test_words_without_spaces_are_found_by_pairs() -> None:
    """A script without spaces has pairs for words."""
    assert words("音楽") == ["音楽"]


def test_rows_of_one_text_count_once(view_of: Look) -> None:
    """What a whole conversation speaks of is as rare as one word of it."""
    with view_of(["cat", "cat", "cat"], ["boat"]) as view:
        rarity = rarity_in(view, view.live, view.columns.run.astype(np.int64))

        assert rarity("cat") == rarity("boat") == pytest.approx(math.log((2 + FEW) / 1.5))


def test_a_term_is_worth_more_the_fewer_rows_have_it(view_of: Look) -> None:
    """Counted among the rows that are asked about, hidden ones left out."""
    with view_of(["cat rain", "cat", "cat boat", "boat boat"], hidden=[3]) as view:
        rarity = rarity_in(view, view.live)

        assert (
            rarity("rain")
            == pytest.approx(rarity("boat"))
            == pytest.approx(math.log((3 + FEW) / 1.5))
        )
        assert rarity("cat") == pytest.approx(math.log((3 + FEW) / 3.5))
        assert rarity("absent") > rarity("rain")


@pytest.mark.parametrize("most", [0, 1, 3, 63])
def test_central_sentences_are_those_of_textrank(most: int) -> None:
    """In the order of the text, however many are wanted."""
    assert central(SENTENCES, most) == slow_central(SENTENCES, most)


def test_a_sentence_about_what_the_others_are_about_is_central() -> None:
    """Bread and rain are mentioned once."""
    assert central(SENTENCES, 3) == [0, 2, 3]


def test_of_sentences_with_nothing_in_common_the_first_are_taken() -> None:
    """The lead of a text is its summary where nothing else is."""
    assert central(["Rain fell.", "Bread rises.", "Boats sail."], 2) == [0, 1]
    assert central([], 3) == []


def test_a_long_text_is_cut_and_not_waited_for() -> None:
    """Sentences beyond the limit are not chosen."""
    many = [f"sentence {number} of many words" for number in range(1_000)]

    assert np.max(central(many, 3)) < 400
