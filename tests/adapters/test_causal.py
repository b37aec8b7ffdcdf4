"""A causal model of two layers, made here: random weights, and words it knows."""

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from engram.adapters.causal import Causal
from engram.adapters.models import model
from engram.errors import MissingExtra, ModelFailed

WORDS = ["[UNK]", "[END]", *"system user assistant : where is oslo norway in the snow cat".split()]
READS = 64  # tokens
ASK = [{"role": "system", "content": "in snow"}, {"role": "user", "content": "where is oslo"}]
TEMPLATE = "{% for m in messages %}{{ m.content }} {% endfor %}assistant"


def folder_of(path: Path, template: str | None = None) -> Path:
    """A model folder as transformers saves it."""
    for package in ("torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs the package {package!r}, which is not installed here")
    tokenizers: Any = importlib.import_module("tokenizers")
    torch: Any = importlib.import_module("torch")
    library: Any = importlib.import_module("transformers")
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    made = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    plan = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "model": made,
    }
    tokenizer = library.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(json.dumps(plan)),
        unk_token="[UNK]",
        eos_token="[END]",
        chat_template=template,
    )
    torch.manual_seed(5)
    settings = library.GPT2Config(
        vocab_size=len(WORDS), n_positions=READS, n_embd=16, n_layer=2, n_head=2, eos_token_id=1
    )
    library.GPT2LMHeadModel(settings).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.mark.parametrize(("template", "tokens"), [(None, 11), (TEMPLATE, 6)])
def test_a_model_writes_the_likeliest_words(
    tmp_path: Path, template: str | None, tokens: int
) -> None:
    """The same each time, spoken to as its template says, or plainly; it counts by itself."""
    made = Causal(str(folder_of(tmp_path, template)))

    said = [made.complete(ASK, max_tokens=6) for _ in range(2)]

    assert said[0] == said[1]
    assert said[0].tokens_in == tokens
    assert said[0].tokens_out in range(1, 7)
    assert set(said[0].text.split()) <= set(WORDS)


def test_a_prompt_that_does_not_fit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A model that reads 64 tokens cannot read 60 and write 6."""
    made = Causal(str(folder_of(tmp_path)))
    long = [{"role": "user", "content": "oslo " * 56}]

    with pytest.raises(ModelFailed, match="reads 64 tokens") as caught:
        made.complete(long, max_tokens=6)
    assert not caught.value.taken


def test_a_folder_without_a_model_fails_when_it_is_asked(tmp_path: Path) -> None:
    """Loading takes seconds, so nothing is loaded before the first question."""
    path = folder_of(tmp_path)
    (path / "config.json").write_text("{}")
    made = Causal(str(path))

    with pytest.raises(ModelFailed, match="check the folder"):
        made.complete(ASK)


def test_the_name_changes_with_the_weights_and_not_with_the_path(tmp_path: Path) -> None:
    """It stands for the exact model."""
    first, second = (folder_of(tmp_path / place / "tiny") for place in ("a", "b"))
    third = folder_of(tmp_path / "c" / "tiny", TEMPLATE)

    names = [Causal(str(path)).name for path in (first, second, third)]

    assert names[0] == names[1] != names[2]
    assert names[0].startswith("hf:tiny@")


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """At once, and not at the first question."""
    if importlib.util.find_spec("torch") is not None:
        pytest.skip("torch is installed here")

    with pytest.raises(MissingExtra, match=r"engram\[hf\]"):
        model(f"hf:{tmp_path}")
