"""Which model a folder holds."""

from pathlib import Path

import pytest

from engram.adapters.folders import fingerprint, model_folder
from engram.errors import InvalidInput


def model(folder: Path) -> Path:
    """Settings, weights of 200,000 bytes, and prose."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "1_Pooling" / "config.json").write_text('{"mean": true}')
    (folder / "model.safetensors").write_bytes(bytes(200_000))
    (folder / "README.md").write_text("a model")
    return folder


def test_a_copy_has_the_same_fingerprint(tmp_path: Path) -> None:
    """Wherever it lies, and whatever its prose and caches say."""
    one, two = model(tmp_path / "one"), model(tmp_path / "two")
    (two / "README.md").write_text("the model")
    (two / ".cache").mkdir()
    (two / ".cache" / "lock").touch()

    assert fingerprint(one) == fingerprint(two)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"[]"),
        ("1_Pooling/config.json", b'{"mean": fals}'),
        ("model.safetensors", bytes(199_999) + b"x"),
        ("model.safetensors", b"x" + bytes(199_999)),
        ("model.safetensors", bytes(200_001)),
        ("extra.json", b""),
    ],
)
def test_another_model_has_another_fingerprint(tmp_path: Path, name: str, content: bytes) -> None:
    """Settings, the ends of the weights, their size, one more file."""
    folder = model(tmp_path / "model")
    before = fingerprint(folder)

    (folder / name).write_bytes(content)

    assert fingerprint(folder) != before


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    """With the way to get one."""
    with pytest.raises(InvalidInput, match=r"needs the folder of a model.*hf download"):
        model_folder(str(tmp_path / "absent"), "model2vec")
