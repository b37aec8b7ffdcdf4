"""The default embedding against WordLlama's own code, and how it is loaded."""

import importlib
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engram.adapters.wordllama import FINGERPRINT, WordLlama
from engram.errors import EmbedderFailed
from engram.ports import Vectors

WORDS = [
    *"I you Ana Oslo moved lives in the a of May 2024, and likes running; doesn't (really)".split(),
    *"supercalifragilistic 3.14 http://example.org/a?b=c #tag naïve Čeština 東京 привет 🙂".split(),
    *["", "", "\n", "\t", "---"],
]


@pytest.fixture(scope="module")
def model() -> WordLlama:
    """Loaded once for all tests."""
    return WordLlama()


def theirs(texts: list[str]) -> Vectors:
    """What WordLlama itself gives; its package stands in for its download cache."""
    own: Any = importlib.import_module("wordllama")
    folder = Path(own.__file__).parent
    found: Vectors = own.WordLlama.load(cache_dir=folder, disable_download=True).embed(
        texts, norm=True
    )
    return found


def texts(count: int) -> list[str]:
    """Varied texts of 1 to 120 words."""
    draw = random.Random(7)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, 120))) for _ in range(count)]


def test_vectors_equal_those_of_wordllama_itself(model: WordLlama, no_network: None) -> None:
    """Two hundred texts of several scripts, lengths and habits of spacing."""
    varied = [text for text in texts(220) if text.strip()][:200]

    assert len(varied) == 200
    assert np.abs(model.embed(varied) - theirs(varied)).max() < 1e-5


@pytest.mark.parametrize(
    "text",
    [
        "  two  blanks   and \n\n two lines ",
        "▁ a letter that the tokenizer uses for blanks ▁▁",
        "ends in a blank ",
        "word " * 3000,
        "x" * 5000,
    ],
)
def test_odd_spacing_and_length_change_nothing(model: WordLlama, text: str) -> None:
    """Words are tokenized apart, which must not show; long texts count in full."""
    assert np.abs(model.embed([text]) - theirs([text])).max() < 1e-5


def test_the_tail_of_a_long_text_counts(model: WordLlama) -> None:
    """Nothing is cut off."""
    start = "Ana likes the sea. " * 2000

    plain, changed = model.embed([start, start + "volcano " * 2000])

    assert float(plain @ changed) < 0.99


def test_related_texts_are_nearer_than_others(model: WordLlama) -> None:
    """The claim of an embedding."""
    ask, near, far = model.embed(["a pet dog", "my puppy barks", "quarterly tax report"])

    assert ask @ near > ask @ far


def test_the_name_is_that_of_the_installed_files(model: WordLlama) -> None:
    """Every byte of both: change the pin of wordllama, and these change with it."""
    found = find_spec("wordllama")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent
    files = ["tokenizers/l2_supercat_tokenizer_config.json", "weights/l2_supercat_256.safetensors"]

    digests = [sha256((folder / name).read_bytes()).hexdigest()[:8] for name in files]

    assert digests == ["93248f2a", "64b47a2d"]
    assert model.name == f"wordllama:l2_supercat_256@{FINGERPRINT}"


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """Neither libraries at construction, nor WordLlama's own code or a network client ever."""
    code = """if True:
        import sys
        from engram.adapters.wordllama import WordLlama
        model = WordLlama()
        early = {"tokenizers", "safetensors"} & set(sys.modules)
        model.embed(["a"])
        late = {"wordllama", "requests", "http.client", "huggingface_hub"} & set(sys.modules)
        sys.exit(str(early | late) if early | late else 0)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_threads_share_one_model() -> None:
    """Eight ask at once before it is loaded; all get the same."""
    model = WordLlama()
    varied = texts(40)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(model.embed, [varied] * 8))

    assert all((each == found[0]).all() for each in found)


def test_a_damaged_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without weights it cannot work, and says what to do."""
    (tmp_path / "wordllama").mkdir()
    (tmp_path / "wordllama" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "wordllama", raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(EmbedderFailed, match=r"must be whole.*reinstall"):
        WordLlama().embed(["a"])
