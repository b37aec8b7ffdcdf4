"""Shorter forms keep to their length and to the order, and trees lose no chunk."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.shortening import hierarchical_summary, pieces, shorten
from engram.plaintext.text.tokens import estimated

TALK = (
    "The boat lost its mast in the storm. We had tea. The storm took the sail of the boat, too. "
    "A new mast for the boat costs a lot."
)

texts = st.text(max_size=300) | st.lists(
    st.sampled_from(("The boat sank.", "Tea!", "Who knows?", "茶が好き。", "word " * 30)),
    max_size=12,
).map(" ".join)


@given(texts, st.integers(2, 80))
@example("", 2)
@example("x" * 63, 2)
@example("   ", 2)
def test_a_shorter_form_is_never_over_its_length(text: str, most: int) -> None:
    """Whatever the text is, and however little room there is."""
    assert estimated(shorten(text, most)) <= most


@given(texts)
def test_what_fits_stays_as_it_is(text: str) -> None:
    """Nothing is left out without need."""
    assert shorten(text, estimated(text)) == text


def test_the_sentences_that_have_most_in_common_are_kept_in_their_order() -> None:
    """And the reader sees where something is missing."""
    short = shorten(TALK, 32)

    assert short == (
        "The boat lost its mast in the storm. … The storm took the sail of the boat, too. …"
    )


def test_where_no_sentence_fits_the_beginning_of_the_best_is_taken() -> None:
    """It ends between two words, and says that it was cut."""
    short = shorten(TALK, 6)

    assert short.endswith("…")
    assert TALK.startswith(short[:-1] + " ")


@given(texts, st.integers(3, 60))
@example("", 3)
def test_pieces_hold_every_sentence_in_its_order(text: str, most: int) -> None:
    """A piece is over its length only where a sentence alone is."""
    found = pieces(text, most)

    assert " ".join(found).split() == text.split()
    assert all(estimated(each) <= most or len(sentences(each)) <= 1 for each in found)


def first_words(text: str, most: int) -> str:
    """A summariser that takes the beginning, as some models do."""
    return text[: 2 * most]


def everything(text: str, most: int) -> str:
    """A summariser that does not do as it is told."""
    return text


@given(st.lists(st.text(max_size=400), max_size=20), st.integers(6, 30))
@example([], 6)
@example(["x" * 63], 6)
@example(["tea"] * 63, 6)
def test_a_tree_holds_every_chunk_once_and_in_its_place(chunks: list[str], most: int) -> None:
    """And no summary in it is over its length."""
    root = hierarchical_summary(chunks, first_words, group=2 * most, most=most, last=most + 5)
    inner, todo = [], [root]
    while todo:
        node = todo.pop()
        todo += node.parts
        inner += [node] if node.parts else []

    assert list(root.leaves()) == (chunks or [""])
    assert all(estimated(node.text) <= most for node in inner if node is not root)
    assert estimated(root.text) <= most + 5 or not chunks


def test_a_summariser_that_says_too_much_is_cut() -> None:
    """A model is asked for a length and gives another."""
    root = hierarchical_summary(["tea " * 400], everything, group=40, most=20, last=20)

    assert 0 < estimated(root.text) <= 20


def test_short_documents_are_not_reworded() -> None:
    """Two chunks that fit are their own summary."""
    assert hierarchical_summary(["We had tea.", "It rained."]).text == "We had tea.\nIt rained."


@pytest.mark.parametrize(("group", "most"), [(10, 6), (0, 0)])
def test_a_group_holds_two_summaries(group: int, most: int) -> None:
    """Or there would be no end to it."""
    with pytest.raises(AssertionError):
        hierarchical_summary(["a", "b"], group=group, most=most)
