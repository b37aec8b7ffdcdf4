"""The play with a conversation of the LoCoMo benchmark."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.demo.locomo import ASKED, Asked, Sample, chosen, read
from engram.errors import InvalidInput

TURN = {"speaker": "Mel", "dia_id": "D1:1", "text": "I went to Oslo\x1b[31m yesterday."}
SAMPLE = {
    "sample_id": "conv-1",
    "conversation": {
        "speaker_a": "Mel",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [TURN, {**TURN, "dia_id": "D1:2", "blip_caption": "a fjord"}],
        "session_2_date_time": "9:00 am on 9 May, 2023",
        "session_2": [{**TURN, "dia_id": "D2:1"}],
    },
    "qa": [
        {"question": "Where did Mel go?", "answer": 7, "evidence": ["D1:1"]},
        {"question": "Why?", "adversarial_answer": "no"},
    ],
}


def written(path: Path, document: Any) -> Path:
    """A file of the benchmark."""
    file = path / "locomo.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def test_sessions_become_chats_and_turns_become_lines(tmp_path: Path) -> None:
    """Dated, in order, with the id that the evidence names."""
    sample = read(written(tmp_path, [SAMPLE]))

    assert [line.time for line in sample.script] == [
        "2023-05-08T13:56:00Z",
        "2023-05-08T13:56:20Z",
        "2023-05-09T09:00:00Z",
    ]
    assert [line.run_id for line in sample.script] == ["session 1", "session 1", "session 2"]
    assert sample.script[1].content.endswith("[a picture: a fjord]")
    assert [line.metadata["turn"] for line in sample.script] == ["D1:1", "D1:2", "D2:1"]
    assert sample.questions[0] == Asked("Where did Mel go?", "7", ("D1:1",))


def test_control_characters_of_the_file_are_not_shown(tmp_path: Path) -> None:
    """Anybody may have written it, and its lines go to a terminal."""
    sample = read(written(tmp_path, [SAMPLE]))

    assert sample.script[0].content == "I went to Oslo [31m yesterday."


def test_five_questions_with_an_answer_are_chosen_over_the_whole_file() -> None:
    """Fewer where there are fewer."""
    fit = [Asked(str(at), "yes", ("D1:1",)) for at in range(100)]
    unfit = [Asked("x", "", ("D1:1",)), Asked("x", "yes", ())]

    assert [asked.text for asked in chosen([*unfit, *fit])] == ["0", "20", "40", "60", "80"]
    assert chosen(fit[:2]) == fit[:2]
    assert chosen(unfit) == []
    assert len(chosen(fit)) == ASKED


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        [{}],
        [[]],
        [{**SAMPLE, "qa": []}],
        [{**SAMPLE, "conversation": {}}],
        [{**SAMPLE, "qa": [{}]}],
        [{**SAMPLE, "conversation": {"session_1": [], "session_1_date_time": "noon"}}],
    ],
)
def test_a_file_of_another_kind_is_one_clear_error(document: Any, tmp_path: Path) -> None:
    """Which says what would do."""
    with pytest.raises(InvalidInput, match=r"must be a LoCoMo file.*pass the published"):
        read(written(tmp_path, document))


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[" * 99_999])
def test_a_broken_file_is_one_clear_error(content: bytes, tmp_path: Path) -> None:
    """So is one that is missing, and a folder."""
    file = tmp_path / "x.json"
    file.write_bytes(content)

    for path in (file, tmp_path / "missing", tmp_path):
        with pytest.raises(InvalidInput, match="must be a LoCoMo file"):
            read(path)


ODD = st.recursive(
    st.none() | st.integers() | st.sampled_from(["D1:1", "1:56 pm on 8 May, 2023", "Hi"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*SAMPLE, *SAMPLE["conversation"], *TURN, "question", "evidence"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that many examples share."""
    return tmp_path_factory.mktemp("locomo")


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(SAMPLE, ODD)), max_size=2) | ODD)
def test_any_json_is_read_or_refused(room: Path, document: Any) -> None:
    """Never a crash."""
    try:
        sample = read(written(room, document))
    except InvalidInput:
        return

    assert isinstance(sample, Sample)
    assert sample.script
    assert sample.questions
