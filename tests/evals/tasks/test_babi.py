"""bAbI: published lines become stories that are asked at their end."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.evals.deducing import exactly
from engram.evals.tasks.babi import Babi

FIRST = (
    "1 Ruth went to the attic.\n2 Where is Ruth? \tattic\t1\n3 Max got the axe.\n"
    "4 Ruth moved to the cellar.\n5 Where is Ruth? \tcellar\t4\n6 Where is Max? \tattic\t3 9\n"
    "1 Max is in the hall.\n2 Where is Max?\thall\t1\n"
)
TENTH = "1 Ruth is in the attic.\n2 Is Ruth in the hall? \tno\t1\n3 Max left.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two kinds, and files that are none."""
    (tmp_path / "qa1_one-fact_test.txt").write_text(FIRST, encoding="utf-8")
    (tmp_path / "qa10_yes-or-no_test.txt").write_text(TENTH, encoding="utf-8")
    (tmp_path / "qa1_one-fact_train.txt").write_text("nonsense", encoding="utf-8")
    (tmp_path / "LICENSE.txt").write_text("nonsense", encoding="utf-8")
    return tmp_path


def test_kinds_take_turns_and_are_asked_after_the_last_sentence(folder: Path) -> None:
    """What a later sentence could change is not asked; evidence that is no sentence is dropped."""
    episodes = list(Babi(folder).episodes())

    assert [episode.id for episode in episodes] == ["qa1:0", "qa10:0", "qa1:1"]
    first, tenth, last = episodes
    assert [turn.text for turn in first.conversation[0].turns] == [
        "Ruth went to the attic.",
        "Max got the axe.",
        "Ruth moved to the cellar.",
    ]
    assert [probe.question for probe in first.questions] == ["Where is Ruth?", "Where is Max?"]
    assert [probe.evidence for probe in first.questions] == [("4",), ("3",)]
    assert first.questions[0].category == "01 one fact"
    assert tenth.questions == ()
    assert last.questions[0].answer == "hall"
    times = [turn.at or 0.0 for turn in first.conversation[0].turns]
    assert times == sorted(times)
    assert (first.questions[0].at or 0.0) > times[-1]


def test_an_archive_is_read_as_its_folder(folder: Path, tmp_path: Path) -> None:
    """Compressed, in a folder of its own."""
    target = tmp_path / "babi.tar.xz"
    with tarfile.open(target, "w:xz") as packed:
        for path in folder.glob("*.txt"):
            content = path.read_bytes()
            member = tarfile.TarInfo(f"en/{path.name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))

    assert list(Babi(target).episodes()) == list(Babi(folder).episodes())


@pytest.mark.parametrize("text", ["Ruth went.\n", "1\n", "1 Where?\tattic\n", "1 a\tb\tc\td\n"])
def test_lines_of_another_form_are_refused_with_the_line(text: str, tmp_path: Path) -> None:
    """They would become stories that say nothing."""
    (tmp_path / "qa3_x_test.txt").write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInput, match=r"a line of bAbI must be .*in qa3"):
        list(Babi(tmp_path).episodes())


def test_data_without_stories_says_what_was_wanted(tmp_path: Path) -> None:
    """An empty folder, a file that is no archive, nothing at all."""
    (tmp_path / "x.tar").write_bytes(b"no archive")

    with pytest.raises(InvalidInput, match=r"with qa1_\*_test\.txt"):
        list(Babi(tmp_path).episodes())
    for data in (tmp_path / "x.tar", tmp_path / "nothing.tar"):
        with pytest.raises(InvalidInput, match="data must be texts in UTF-8"):
            list(Babi(data).episodes())


def test_rules_answer_nearly_all_of_the_published_questions(shared: Callable[[str], Path]) -> None:
    """All of nineteen kinds; of induction, where several colours fit, nearly all."""
    data = shared("data/babi/babi_en_1k.tar.xz")
    wrong: dict[str, int] = {}
    asked = 0
    for episode in Babi(data).episodes():
        for probe in episode.questions:
            asked += 1
            if not exactly(probe, episode.conversation[0].turns):
                wrong[probe.category] = wrong.get(probe.category, 0) + 1

    assert asked == 8686
    assert wrong.keys() <= {"16 basic induction"}
    assert sum(wrong.values()) < 10
