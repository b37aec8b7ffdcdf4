"""A folder as a model that reads through caches."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram.adapters.kv_folder import plain_bytes, reader
from engram.errors import InvalidInput

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture
def folder(tiny: Any, tmp_path: Path) -> Path:
    """A tiny model with a tokenizer of 61 words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = Tokenizer(models.WordLevel({f"w{at}": at for at in range(61)}, unk_token="w0"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(single="w1 $A", special_tokens=[("w1", 1)])
    tiny().save_pretrained(tmp_path)
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="w1", eos_token="w2"
    )
    made.save_pretrained(tmp_path)
    return tmp_path


def test_a_folder_reads_and_spells(folder: Path, capfd: Any) -> None:
    """With the token that begins a text where it is asked for, and without a word of its own."""
    model = reader(str(folder))

    assert model.encode("w7 w8", True) == [1, 7, 8]
    assert model.encode("w7 w8", False) == [7, 8]
    assert model.decode([7, 8, 2]) == "w7 w8"
    assert (model.ends, model.window) == (frozenset({2}), 256)
    assert not model.model.training
    assert capfd.readouterr() == ("", "")


def test_ends_are_those_of_the_model_and_of_its_tokenizer(folder: Path) -> None:
    """A model may name several."""
    path = folder / "generation_config.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "eos_token_id": [5, 9]}))

    assert reader(str(folder)).ends == {2, 5, 9}


def test_transformers_may_speak_again_afterwards(folder: Path) -> None:
    """Its settings are those it had."""
    talk = transformers.utils.logging
    before = talk.get_verbosity(), talk.is_progress_bar_enabled()

    reader(str(folder))

    assert (talk.get_verbosity(), talk.is_progress_bar_enabled()) == before


def test_code_of_a_folder_is_never_run(folder: Path) -> None:
    """A model that brings its own is refused."""
    path = folder / "config.json"
    told = json.loads(path.read_text())
    told |= {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Model"}}
    path.write_text(json.dumps(told))
    (folder / "own.py").write_text("raise SystemExit('was run')")

    with pytest.raises(InvalidInput, match="MODEL must be a folder"):
        reader(str(folder))


@pytest.mark.parametrize("kind", ["llama", "gemma2", "neox"])
@pytest.mark.parametrize("tokens", [1, 3, 30])
def test_bytes_of_transformers_own_cache_are_known(
    kind: str, tokens: int, tiny: Any, prompt: Any
) -> None:
    """Also where some layers look at a window."""
    model = tiny(kind)
    cache = transformers.DynamicCache(config=model.config)
    for token in prompt(tokens)[0]:
        model(token.view(1, 1), past_key_values=cache)

    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)

    assert plain_bytes(model, tokens) == held
