"""Files that are written whole or not at all."""

import os
import threading
from pathlib import Path

import pytest

from engram.errors import StoreReadOnly
from engram.exchange.atomic import atomic_text


class Interrupted(Exception):
    """Something that ends the block early."""


def cut_short(target: Path) -> None:
    """Write half of a file."""
    with atomic_text(target) as out:
        out.write("new")
        raise Interrupted


def test_a_file_takes_its_place_when_all_is_written(tmp_path: Path) -> None:
    """Nothing is seen of it before, and nothing is left beside it after."""
    target = tmp_path / "out.txt"

    with atomic_text(target) as out:
        out.write("ø\n")
        assert not target.exists()

    assert target.read_bytes() == "ø\n".encode()
    assert list(tmp_path.iterdir()) == [target]


def test_a_block_that_ends_early_leaves_the_old_file(tmp_path: Path) -> None:
    """Half an archive is worse than yesterday's."""
    target = tmp_path / "out.txt"
    target.write_text("old", encoding="utf-8")

    with pytest.raises(Interrupted):
        cut_short(target)

    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_permissions_of_the_old_file_stay(tmp_path: Path) -> None:
    """What only its owner could read is not opened to others by a second export."""
    target = tmp_path / "out.txt"
    target.touch(mode=0o600)

    with atomic_text(target) as out:
        out.write("new")

    assert target.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    target, link = tmp_path / "real.txt", tmp_path / "link.txt"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)

    with atomic_text(link) as out:
        out.write("new")

    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """So is any device: an export to /dev/null must not put a file in its place."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()

    with atomic_text(pipe) as out:
        out.write("through")
    reader.join()

    assert read == ["through"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["", "no/such/folder.txt", "file/below.txt", "x" * 256, "/"])
def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path, name: str) -> None:
    """A folder, a folder that is missing, a file in place of one, a name that is too long."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreReadOnly, match="choose another path"), atomic_text(tmp_path / name):
        pass

    assert sorted(tmp_path.iterdir()) == [tmp_path / "file"]
