"""A model and its tokenizer, as passed or out of a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs engram[hf]")
transformers = pytest.importorskip("transformers", reason="needs engram[hf]")

from engram.adapters.pretrained import pretrained  # noqa: E402
from engram.errors import InvalidInput  # noqa: E402

Make = Callable[..., Any]


@pytest.fixture
def folder(tiny: Make, tmp_path: Path) -> Path:
    """A folder with a model and a tokenizer of bytes."""
    tiny().save_pretrained(tmp_path / "tiny")
    transformers.ByT5Tokenizer().save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_a_model_with_its_tokenizer(kind: Any, folder: Path) -> None:
    """As text or as a path; it does not train."""
    found = pretrained(kind(folder))

    assert not found.model.training
    assert found.tokenizer("a")["input_ids"] == [100, 1]


def test_what_is_passed_is_taken_as_it_is(tiny: Make, folder: Path) -> None:
    """The model itself; a tokenizer may come from elsewhere."""
    words = transformers.ByT5Tokenizer()

    assert pretrained(tiny(), words).model is tiny()
    assert pretrained(tiny(), words).tokenizer is words
    assert pretrained(tiny(), folder).tokenizer("a")["input_ids"] == [100, 1]


@pytest.mark.parametrize(
    ("model", "tokenizer", "says"),
    [
        ("nowhere", None, "needs the folder of a model, got 'nowhere'"),
        ("empty", None, "check the folder"),
        (None, None, "a model needs its tokenizer"),
        (5, print, "must be those of transformers, got 'int'"),
    ],
)
def test_what_is_no_model_is_refused(
    model: Any, tokenizer: Any, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that says what to do."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidInput, match=says) as caught:
        pretrained(model, tokenizer)

    assert "\n" not in str(caught.value)
