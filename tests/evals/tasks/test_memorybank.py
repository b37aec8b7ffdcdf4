"""MemoryBank's probing questions: a day that is named is the day that must come back."""

import json
from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.evals.tasks.memorybank import MemoryBank

ASKED = [
    ("Ana", "On May 2nd, what did I cook?", ("2023-05-02",)),
    ("Ana", '"What dish did I make on April 30th?"', ("2023-04-30",)),
    ("Ana", "What kind of music do I like?", ()),
    ("Ana", "May 2 was my birthday, right?", ()),
    ("Ana", "What did I do on May 3rd?", ()),
    ("Ana", "What did I do on May 9th?", ()),
    ("Ana", "What did I do on April 30th and on May 2nd?", ("2023-04-30", "2023-05-02")),
    ("王峰", "我在4月30号做了什么？", ("2023-04-30",)),
    ("王峰", "5月2日的天气怎么样？", ("2023-05-02",)),
    ("王峰", "5月2号不是我的生日，对吗？", ()),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user in each language, whose names stand between blanks, and one who is never asked."""
    said = [{"query": "I cooked soup.", "response": "Well done."}]
    history = {"2023-05-02": said, "2023-04-30": said, "2023-05-03": []}
    for language, name in (("en", "Ana"), ("cn", "王峰")):
        bank = {f" {name} ": {"history": history}, "Ben": {"history": history}}
        questions = [{"user": who, "question": text} for who, text, _ in ASKED if who == name]
        (tmp_path / f"memory_bank_{language}.json").write_text(json.dumps(bank))
        lines = "\n".join(map(json.dumps, questions))
        (tmp_path / f"probing_questions_{language}_half.jsonl").write_text(lines)
    return tmp_path


def test_a_day_that_is_named_is_the_evidence(folder: Path) -> None:
    """In both languages; not where nothing was said, nor where only an opinion is asked for."""
    episodes = list(MemoryBank(folder).episodes())
    found = [probe.evidence_sessions for each in episodes for probe in each.questions]

    assert [episode.id for episode in episodes] == ["en:Ana", "cn:王峰"]
    assert found == [days for _, _, days in ASKED]
    assert not any(probe.evidence or probe.answer for e in episodes for probe in e.questions)
    assert episodes[0].questions[0].category == "en, names a day"
    assert episodes[0].questions[2].category == "en, names no day"


def test_days_come_in_order_and_both_sides_are_heard(folder: Path) -> None:
    """A day on which nothing was said is no session."""
    episode = next(MemoryBank(folder).episodes())

    assert [session.id for session in episode.conversation] == ["2023-04-30", "2023-05-02"]
    assert [turn.role for turn in episode.conversation[0].turns] == ["user", "assistant"]
    assert episode.questions[0].at == (episode.conversation[-1].at or 0.0) + 86_400


def test_one_language_alone_will_do(folder: Path) -> None:
    """The other one's files may be missing."""
    (folder / "memory_bank_en.json").unlink()

    assert [episode.id for episode in MemoryBank(folder).episodes()] == ["cn:王峰"]


@pytest.mark.parametrize("content", ["[]", '{"Ana": 3}', '{"Ana": {"history": []}}', "null"])
def test_a_file_of_another_form_is_refused(content: str, folder: Path) -> None:
    """With its name and what was wanted."""
    (folder / "memory_bank_en.json").write_text(content)

    with pytest.raises(InvalidInput, match="must be users with a 'history' by day"):
        list(MemoryBank(folder).episodes())


def test_missing_files_and_strangers_are_named(folder: Path, tmp_path: Path) -> None:
    """A folder without them, a file, questions about somebody else."""
    for data in (tmp_path / "empty", folder / "memory_bank_en.json"):
        with pytest.raises(InvalidInput, match="data must be a folder with memory_bank_en"):
            list(MemoryBank(data).episodes())
    asked = folder / "probing_questions_en_half.jsonl"
    asked.write_text('{"user": "Zoe", "question": "?"}')
    with pytest.raises(InvalidInput, match=r"about a user of .*\['Zoe'\]"):
        list(MemoryBank(folder).episodes())
    asked.unlink()
    with pytest.raises(InvalidInput, match="probing_questions_en"):
        list(MemoryBank(folder).episodes())
