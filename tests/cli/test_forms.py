"""Commands on forms: promote, demote, forms, and what check says of them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engram import Memory
from engram.plaintext.store import parts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a tiny model and a tokenizer of bytes."""
    torch = pytest.importorskip("torch", reason="needs engram[hf]")
    transformers = pytest.importorskip("transformers", reason="needs engram[hf]")
    where = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=384, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=1, max_position_embeddings=4096,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(where)
    transformers.ByT5Tokenizer().save_pretrained(where)
    return where


@pytest.fixture
def ana(run: Any, store: Path) -> list[str]:
    """Ids of what Ana said."""
    with Memory.open(store, embedder="none") as memory:
        found = memory.get_all(user_id="ana", filters={"kind": "raw"})["results"]
    return [str(each["id"]) for each in found]


def test_memories_become_a_form_and_text_again(
    run: Any, store: Path, folder: Path, ana: list[str]
) -> None:
    """Promoted, listed, demoted; each says what a person wants to know."""
    made = run("promote", *ana, "--model", folder, "--path", store, "--user", "ana").stdout
    (form,) = [line.split()[1] for line in made.splitlines() if line.startswith("form ")]
    listed = run("forms", "--path", store).stdout
    gone = run("demote", form, "--path", store).stdout

    assert "memories  3" in made
    assert "state     fresh" in made
    assert form in listed
    assert "fresh" in listed
    assert gone.startswith("3 memories are text again; ")
    assert run("forms", "--path", store).stdout == "There are no forms.\n"
    assert parts.listed(store) == {}


def test_a_program_gets_one_document(run: Any, store: Path, folder: Path, ana: list[str]) -> None:
    """Of each command; a packed form takes fewer bytes; an edit makes both stale."""
    where = ["--path", store, "--json"]
    whole, packed = (
        json.loads(run("promote", *ana, "--model", folder, "--preset", key, *where).stdout)
        for key in ("full", "kivi")
    )
    of_one = json.loads(run("forms", "--of", ana[0], *where).stdout)["results"]
    run("update", ana[0], "I live in Narvik.", "--path", store)
    after = json.loads(run("forms", *where).stdout)["results"]
    gone = json.loads(run("demote", whole["id"], *where).stdout)

    assert (whole["preset"], packed["preset"]) == ("full", "kivi")
    assert packed["bytes"] < whole["bytes"]
    assert {form["id"] for form in of_one} == {whole["id"], packed["id"]}
    assert [form["state"] for form in after] == ["stale", "stale"]
    assert gone == {
        "id": whole["id"], "records": whole["records"], "bytes": 0, "destroyed": True,
    }  # fmt: skip


def test_check_looks_at_the_forms(run: Any, store: Path, folder: Path, ana: list[str]) -> None:
    """Exit code 1 for a damaged file; repair ends its form."""
    run("promote", ana[0], "--model", folder, "--path", store)
    assert run("check", "--path", store).stdout.startswith("store         sound")
    (file,) = parts.listed(store).values()
    file.write_bytes(file.read_bytes()[1:])

    found = json.loads(run("check", "--path", store, "--json", code=1).stdout)
    run("check", "--repair", "--path", store)

    (problem,) = found["problems"]
    assert problem.endswith("has a file that is damaged")
    assert json.loads(run("forms", "--path", store, "--json").stdout)["results"][0]["bytes"] == 0


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        (["promote", "x"], 2, "Missing option '--model'"),
        (["promote", "x", "--model", "nowhere"], 1, "no memory has the id 'x'"),
        (["demote", "x"], 1, "no form has the id 'x'"),
        (["promote", "--model", "y"], 2, "Missing argument 'ID...'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    given: list[str], code: int, says: str, run: Any, store: Path
) -> None:
    """With what to do about it."""
    said = run(*given, "--path", store, code=code).stderr

    assert says in said


def test_a_folder_without_a_model_is_one_clear_error(
    run: Any, store: Path, folder: Path, ana: list[str], tmp_path: Path
) -> None:
    """An empty one, and none at all."""
    empty = tmp_path / "empty"
    empty.mkdir()

    for where, says in ((empty, "check the folder"), (tmp_path / "no", "needs the folder of")):
        said = run("promote", ana[0], "--model", where, "--path", store, code=1).stderr
        assert says in said
        assert said.splitlines()[-1].startswith("error: ")


def test_without_torch_the_extra_is_named(
    store: Path, tmp_path: Path, process: Callable[..., Any]
) -> None:
    """One line that can be pasted; listing forms needs nothing."""
    blocked = """if True:
        import sys
        class Blocked:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in ("torch", "transformers"):
                    raise ModuleNotFoundError(f"{name} is blocked", name=name)
        sys.meta_path.insert(0, Blocked())
        from engram import Memory
        with Memory.open(sys.argv[1], embedder="none") as memory:
            record = memory.get_all(user_id="ana")["results"][0]["id"]
            print(memory.forms())
            try:
                memory.promote([record], model="x")
            except ImportError as error:
                print(type(error).__name__, error)
    """

    done = subprocess.run(
        [sys.executable, "-c", blocked, str(store)], capture_output=True, text=True, check=True
    )

    first, second = done.stdout.splitlines()
    assert first == "[]"
    assert second.startswith("MissingExtra a form of memories needs the package 'torch'")
    assert second.endswith("pip install 'engram[hf]'")
