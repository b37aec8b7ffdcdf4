"""Book-SORT: passages of a book, put in order by the times of what is brought back."""

from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.evals.marking import marked
from engram.evals.roles import Episode, Probe, Turn
from engram.evals.run import run
from engram.evals.subjects.recent import FullContext, LastTurns
from engram.evals.summary import summarise
from engram.evals.tasks.booksort import BookSort, MadeBooks, in_order

TEXT = " ".join(
    f"On day {at} she wrote {at * at} words about her {at % 7} cats." for at in range(300)
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """With what surrounds a book of Project Gutenberg, and a mark at the start of the file."""
    path = tmp_path / "cats.txt"
    around = (
        "*** START OF THE PROJECT GUTENBERG EBOOK 1 ***\n{}\n*** END OF THE PROJECT ***\nLicence."
    )
    path.write_text("\ufeffProduced by nobody.\n" + around.format(TEXT), encoding="utf-8")
    return path


def said(episode: Episode) -> list[str]:
    """The sentences of its one session."""
    return [turn.text for turn in episode.conversation[0].turns]


def test_an_excerpt_is_drawn_from_the_body_alone(book: Path) -> None:
    """In the order of the book, about as long as asked for; the same seed draws the same."""
    (episode,) = BookSort(book, words=500, segment=20, count=8).episodes()

    assert episode == next(BookSort(book, words=500, segment=20, count=8).episodes())
    assert episode != next(BookSort(book, words=500, segment=20, count=8, seed=1).episodes())
    assert " ".join(said(episode)) in TEXT
    assert 500 <= len(" ".join(said(episode)).split()) < 520
    assert len(episode.questions) == 8


def test_a_book_that_is_shorter_than_the_excerpt_is_told_whole(book: Path) -> None:
    """From its first sentence to its last."""
    (episode,) = BookSort(book, words=100_000).episodes()

    assert " ".join(said(episode)) == TEXT


def test_the_evidence_is_what_the_passages_are_cut_from(book: Path) -> None:
    """Every word of both passages stands in it, and both answers are wanted as often."""
    (episode,) = BookSort(book, segment=20, count=12).episodes()
    texts = {turn.id: turn.text for turn in episode.conversation[0].turns}

    for probe in episode.questions:
        shown = " ".join(texts[turn] for turn in probe.evidence)
        for passage in probe.question.split("\n\n"):
            assert passage in shown
    answers = [probe.answer for probe in episode.questions]
    assert answers.count("first") == answers.count("second") == 6


def test_passages_are_put_in_order_by_time_and_halved_where_one_is_missing() -> None:
    """Whatever the rank; a repeated time decides nothing."""
    turns = [Turn("1", "the red cat sat down", at=1.0), Turn("2", "a blue dog ran home", at=2.0)]
    probe = Probe("q", "a blue dog ran\n\nred cat sat", "second", "near")

    assert in_order(probe, turns) == in_order(probe, turns[::-1]) == 1.0
    assert in_order(Probe("q", probe.question, "first", "near"), turns) == 0.0
    assert in_order(probe, turns[:1]) == in_order(probe, []) == 0.5
    alike = [Turn("1", turns[0].text, at=1.0), Turn("2", turns[1].text, at=1.0)]
    assert in_order(probe, alike) == 0.5
    unknown = [Turn("1", turns[0].text), Turn("2", turns[1].text, at=1.0)]
    assert in_order(probe, unknown) == 0.5


def test_who_has_read_everything_is_right_and_who_has_read_the_end_guesses() -> None:
    """On made books, as in the paper: 100 % and one half."""
    task = MadeBooks()
    report = marked(run(task, [LastTurns, FullContext], ks=(10,)), task, in_order)
    last, everything = (summarise(trial, report.ks, seed=0) for trial in report.trials)

    assert everything.depths[0].right == 1.0
    assert abs(last.depths[0].right - 0.5) < 0.05
    assert list(MadeBooks(seed=2).episodes()) == list(MadeBooks(seed=2).episodes())
    assert list(MadeBooks(seed=2).episodes()) != list(MadeBooks(seed=3).episodes())


def test_what_is_no_book_is_refused(tmp_path: Path) -> None:
    """Nothing, no text, too little text."""
    with pytest.raises(InvalidInput, match=r"tar archive with \.txt files, got"):
        list(BookSort(tmp_path).episodes())
    (tmp_path / "short.txt").write_text("Once. Upon. A time.", encoding="utf-8")
    with pytest.raises(InvalidInput, match="passages of 50 words far apart, got 4 words"):
        list(BookSort(tmp_path).episodes())
    (tmp_path / "short.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="must be texts in UTF-8"):
        list(BookSort(tmp_path / "short.txt").episodes())
