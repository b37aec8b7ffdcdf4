"""Language models by name."""

from pathlib import Path

import pytest

from engram.adapters.models import MODELS, model
from engram.errors import InvalidInput, UnknownMethod


@pytest.mark.parametrize("spec", [None, "none"])
def test_no_model_is_needed(spec: str | None) -> None:
    """Every method can do without."""
    assert model(spec) is None


@pytest.mark.parametrize("kind", ["openai", "ollama", "anthropic"])
def test_a_name_is_kind_and_model(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model may hold colons of its own. Nothing is sent: nothing listens there."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")

    made = model(f"{kind}:llama3.2:3b")

    assert made is not None
    assert made.name.startswith(f"{kind}:llama3.2:3b@127.0.0.1:9")


@pytest.mark.parametrize("spec", ["ollma:x", "ollama3", "gpt-5", "", ":x", "OpenAI:x"])
def test_an_unknown_kind_is_refused_with_what_is_known(spec: str) -> None:
    """The nearest one, or all."""
    with pytest.raises(UnknownMethod, match=r"no language model is called .*; (nearest|known): "):
        model(spec)


@pytest.mark.parametrize("kind", MODELS)
def test_a_kind_without_a_model_is_refused(kind: str) -> None:
    """Each provider has many."""
    with pytest.raises(InvalidInput, match=f"written '{kind}:MODEL'"):
        model(kind)
    with pytest.raises(InvalidInput, match=f"written '{kind}:MODEL'"):
        model(f"{kind}:")


def test_an_object_of_another_kind_is_refused_without_showing_it() -> None:
    """Its repr may hold a key."""

    class Client:
        name = "client"

        def __repr__(self) -> str:
            return "Client(key='k-123')"

    with pytest.raises(InvalidInput, match="name and complete, got Client") as caught:
        model(Client())  # type: ignore[arg-type]
    assert "k-123" not in str(caught.value)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    """Before anything heavy is loaded; nothing is ever downloaded."""
    with pytest.raises(InvalidInput, match="needs the folder of a model"):
        model(f"hf:{tmp_path / 'nowhere'}")
