"""The smaller loaders, each on the file it was written for: known counts, no leak."""

from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.evals.roles import Episode, Probe
from engram.evals.tasks.babi import Babi
from engram.evals.tasks.beam import Beam
from engram.evals.tasks.booksort import BookSort
from engram.evals.tasks.lihua import LiHua
from engram.evals.tasks.madial import Madial
from engram.evals.tasks.memdaily import MemDaily
from engram.evals.tasks.memorybank import MemoryBank
from engram.evals.tasks.msc import Msc
from engram.evals.tasks.multihop import MultiHop

DATA = Path(__file__).parents[4] / "shared" / "data"


def folder(name: str) -> Path:
    """The folder of a benchmark, or skip."""
    if not (DATA / name).exists():
        pytest.skip(f"needs the benchmark files in {DATA / name}")
    return DATA / name


def counts(episodes: list[Episode]) -> tuple[int, int, int, int]:
    """Episodes, sessions, turns, questions; checks on the way that every id resolves."""
    for episode in episodes:
        turns = {turn.id for session in episode.conversation for turn in session.turns}
        sessions = {session.id for session in episode.conversation}
        assert len(turns) == sum(len(session.turns) for session in episode.conversation)
        assert len(sessions) == len(episode.conversation)
        for probe in episode.questions:
            assert turns >= set(probe.evidence)
            assert sessions >= set(probe.evidence_sessions)
    return (
        len(episodes),
        sum(len(episode.conversation) for episode in episodes),
        sum(len(s.turns) for episode in episodes for s in episode.conversation),
        sum(len(episode.questions) for episode in episodes),
    )


def probes(episodes: list[Episode]) -> list[Probe]:
    """Every question."""
    return [probe for episode in episodes for probe in episode.questions]


def test_beam_has_its_messages_and_no_plan_markers() -> None:
    """Ten short chats: 2,432 messages, 200 questions, a tenth of them without an answer."""
    task = Beam(folder("beam") / "beam_100K_chats01-10.jsonl.xz")
    episodes = list(task.episodes())

    assert counts(episodes) == (10, 40, 2432, 200)
    assert all("->->" not in t.text for e in episodes for s in e.conversation for t in s.turns)
    assert all(s.at is not None for episode in episodes for s in episode.conversation)
    assert sum(not probe.answerable for probe in probes(episodes)) == 20
    assert sum(bool(probe.evidence) for probe in probes(episodes)) == 179


def test_lihua_is_scored_by_file() -> None:
    """442 chats, 637 questions, 65 without an answer; one names no file that exists."""
    task = LiHua(folder("lihua-world"))
    (episode,) = task.episodes()
    scored = [probe for probe in episode.questions if probe.evidence_sessions]

    assert counts([episode]) == (1, 442, 5487, 637)
    assert sum(not probe.answerable for probe in episode.questions) == 65
    assert len(scored) == 571
    assert not any(probe.evidence for probe in episode.questions)


def test_memdaily_has_its_diaries() -> None:
    """Three thousand diaries with a question each, all with evidence."""
    task = MemDaily(folder("memdaily"))
    episodes = list(task.episodes())

    assert counts(episodes)[::2] == (3000, 26531)
    assert all(probe.evidence for probe in probes(episodes))


@pytest.mark.parametrize(("language", "memories"), [("en", 160), ("zh", 171)])
def test_madial_asks_with_the_dialogue_before_the_memory_is_brought_up(
    language: str, memories: int
) -> None:
    """The reply that holds the memory is not part of the question."""
    task = Madial(folder("madial-bench"), language)  # type: ignore[arg-type]
    (episode,) = task.episodes()

    assert counts([episode]) == (1, memories, memories, 160)
    assert all(probe.evidence for probe in episode.questions)
    if language == "en":
        assert "Christmas" not in episode.questions[0].question


def test_multihop_pools_the_passages_of_all_questions() -> None:
    """The sizes of the pools are the published ones."""
    hotpot = MultiHop(folder("multihop") / "hotpotqa_train_100.json.gz")
    musique = MultiHop(folder("multihop") / "musique_train_100.json.gz")

    assert counts(list(hotpot.episodes())) == (1, 994, 994, 100)
    assert counts(list(musique.episodes())) == (1, 1890, 1890, 100)


def test_beam_can_be_told_by_its_users_alone() -> None:
    """Half of the messages; seven questions more are left without evidence."""
    task = Beam(folder("beam") / "beam_100K_chats01-10.jsonl.xz", assistant_turns=False)
    episodes = list(task.episodes())

    assert counts(episodes) == (10, 40, 1216, 200)
    assert {t.role for e in episodes for s in e.conversation for t in s.turns} == {"user"}
    assert sum(bool(probe.evidence) for probe in probes(episodes)) == 172


def test_babi_has_a_story_for_every_number() -> None:
    """Of the test files of all twenty kinds."""
    episodes = list(Babi(folder("babi") / "babi_en_1k.tar.xz").episodes())

    assert counts(episodes) == (6267, 6267, 66440, 8686)
    assert all(probe.evidence for probe in probes(episodes))
    assert len({probe.category for probe in probes(episodes)}) == 20


def test_memorybank_has_its_users_and_the_days_that_are_named() -> None:
    """Fifteen users in each of two languages; 26 of 89 questions name a day that was talked on."""
    episodes = list(MemoryBank(folder("memorybank")).episodes())

    assert counts(episodes) == (30, 299, 2264, 89)
    assert sum(bool(probe.evidence_sessions) for probe in probes(episodes)) == 26


def test_msc_has_facts_of_turns_and_of_sessions() -> None:
    """501 chats each, fifty a memory."""
    turns = list(Msc(folder("msc")).episodes())
    data = folder("msc") / "msc_dialogue_session3_test.jsonl.xz"
    sessions = list(Msc(data).episodes())

    assert counts(turns) == (11, 501, 5940, 3989)
    assert all(probe.evidence for probe in probes(turns))
    assert counts(sessions) == (11, 1503, 18435, 8244)
    assert not any(probe.evidence for probe in probes(sessions))


def test_book_sort_asks_forty_pairs_of_each_book() -> None:
    """Of an excerpt of about ten thousand words, with no word of the licence."""
    data = folder("book-sort") / "gutenberg_9books.tar.xz"
    episodes = list(BookSort(data).episodes())
    shown = [turn.text for e in episodes for s in e.conversation for turn in s.turns]

    assert counts(episodes)[::3] == (9, 360)
    assert not any("Project Gutenberg" in text for text in shown)


def test_missing_data_is_named_in_the_error(tmp_path: Path) -> None:
    """Every loader says what it looked for."""
    for task in (
        Babi(tmp_path),
        Beam(tmp_path),
        BookSort(tmp_path),
        LiHua(tmp_path),
        Madial(tmp_path),
        MemDaily(tmp_path),
        MemoryBank(tmp_path),
        Msc(tmp_path),
    ):
        with pytest.raises(InvalidInput, match=r"must be (a|texts)"):
            list(task.episodes())


def test_a_damaged_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    """Cut off in the middle of the compressed stream."""
    (tmp_path / "beam_x.jsonl.xz").write_bytes(b"\xfd7zXZ\x00broken")

    with pytest.raises(InvalidInput, match=r"beam_x\.jsonl\.xz"):
        list(Beam(tmp_path).episodes())
