"""The closed vocabulary, and the language that means nothing."""

import random
from itertools import pairwise

from engram.evals import lexicon
from engram.evals.filler import fill


def test_ids_and_words_are_the_same_thing() -> None:
    """Every word goes to its id and back, and no word is there twice."""
    everything = list(range(len(lexicon.WORDS)))

    assert len(set(lexicon.WORDS)) == len(lexicon.WORDS)
    assert lexicon.ids(lexicon.told(everything)) == everything
    assert [lexicon.number(word) for word in lexicon.WORDS] == everything


def test_digits_and_marks_are_tokens_of_their_own() -> None:
    """A number of any length is in the vocabulary."""
    assert lexicon.pieces("VAR Amber = 4071.") == "var amber = 4 0 7 1 .".split()
    assert lexicon.count("VAR Amber = 4071.") == 8
    assert lexicon.count("") == 0


def test_a_word_from_elsewhere_is_unknown() -> None:
    """It still counts as one token."""
    assert lexicon.ids("amber zeppelin [START]") == [
        lexicon.number("amber"),
        lexicon.UNKNOWN,
        lexicon.START,
    ]


def test_keys_values_and_filler_have_no_word_in_common() -> None:
    """What is asked for never lies in the noise."""
    groups = (lexicon.KEYS, lexicon.VALUES, lexicon.FILLER, lexicon.DIGITS)

    assert len(set().union(*groups)) == sum(map(len, groups))


def test_filler_has_a_grammar() -> None:
    """Few words may follow each word, so that there is something to learn."""
    words = fill(random.Random(1), 20_000)

    after = {word: {b for a, b in pairwise(words) if a == word} for word in set(words)}
    assert {len(found) for found in after.values()} == {4}
    assert fill(random.Random(1), 0) == []
