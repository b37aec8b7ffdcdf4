"""Reading benchmark files: compression, choice of files, times, faults."""

import gzip
import lzma
from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.evals.files import only, pick, read_json, read_lines, stamp


def test_the_suffix_says_how_a_file_is_packed(tmp_path: Path) -> None:
    """Plain, gzip and xz give the same lines; blank ones are skipped."""
    text = '{"a": 1}\n\n{"a": 2}\n'
    (tmp_path / "x.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "x.jsonl.xz").write_bytes(lzma.compress(text.encode()))

    for path in tmp_path.iterdir():
        assert [line["a"] for line in read_lines(path)] == [1, 2]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", b"{"),
        ("x.json", b"\xff\xfe"),
        ("x.json.gz", b"not gzip"),
        ("x.json.gz", gzip.compress(b"[1, 2]", mtime=0)[:-9]),
        ("x.json.xz", b"not xz"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_the_file(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """Damaged, cut off, or not JSON at all."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidInput, match="must be readable JSON"):
        read_json(tmp_path / name)
    with pytest.raises(InvalidInput, match="must be readable JSON"):
        list(read_lines(tmp_path / name))


def test_a_file_is_taken_as_it_is_and_a_folder_is_searched(tmp_path: Path) -> None:
    """Sorted, each once; an empty folder says what was wanted."""
    for name in ("b.json", "a.json", "c.txt"):
        (tmp_path / name).touch()

    assert pick(tmp_path / "c.txt", "*.json") == [tmp_path / "c.txt"]
    assert [path.name for path in pick(tmp_path, "*.json", "a*")] == ["a.json", "b.json"]
    with pytest.raises(InvalidInput, match=r"\*\.xz"):
        pick(tmp_path, "*.xz")


def test_editions_of_one_benchmark_are_never_mixed(tmp_path: Path) -> None:
    """A folder with the small and the large file must be told which."""
    (tmp_path / "locomo10.json").touch()
    assert only(tmp_path, "locomo*.json") == tmp_path / "locomo10.json"

    (tmp_path / "locomo_old.json").touch()
    with pytest.raises(InvalidInput, match=r"'locomo10\.json', 'locomo_old\.json'"):
        only(tmp_path, "locomo*.json")


def test_a_time_without_a_zone_is_utc() -> None:
    """And one in another form is refused, with the form that is wanted."""
    assert stamp(" 1970-01-02 ", "%Y-%m-%d") == 86_400.0
    with pytest.raises(InvalidInput, match="%Y-%m-%d"):
        stamp("tomorrow", "%Y-%m-%d")
