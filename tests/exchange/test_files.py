"""Opening what others wrote: files, folders and archives, as text or JSON."""

import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.exchange.files import Opening, Part, each_part, glimpse, parsed
from engram.exchange.roles import Found, Incoming, Problem

JSON = re.compile(r"\.json$")
OPENING = Opening()


def part(path: Path, content: bytes, name: str = "x.json") -> Part:
    """A file of these bytes."""
    file = path / name
    file.write_bytes(content)
    return Part(file, name, len(content))


def archive(path: Path, **files: str) -> Path:
    """A zip of these files; two underscores stand for a slash, one for a point."""
    packed = path / "export.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in files.items():
            out.writestr(name.replace("__", "/").replace("_", "."), text)
    return packed


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "latin-1"]
)
def test_text_is_decoded_by_its_mark_or_by_what_is_named(tmp_path: Path, encoding: str) -> None:
    """Marks win; without one it is UTF-8 unless somebody knows better."""
    opening = Opening(encoding=encoding if encoding in {"utf-16-le", "latin-1"} else None)
    text = "Tromsø\nBodø\n"

    whole = part(tmp_path, text.encode(encoding))

    assert opening.text(whole) == text
    assert list(opening.lines(whole)) == [(1, "Tromsø"), (2, "Bodø")]


@pytest.mark.parametrize("content", [b"caf\xe9 ole", b"\xff\xfe\x00", b"a\x00b"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    """The message names the file, and says how to name another encoding."""
    odd = part(tmp_path, content)

    with pytest.raises(InvalidInput, match=r"x\.json.*(must be|pass encoding)"):
        OPENING.text(odd)
    with pytest.raises(InvalidInput, match=r"x\.json.*(must be|pass encoding)"):
        list(OPENING.lines(odd))


def test_lines_are_numbered_and_may_end_in_any_way(tmp_path: Path) -> None:
    """As Windows and as old Macs write them; the last one needs no end."""
    assert list(OPENING.lines(part(tmp_path, b"a\r\n\rb"))) == [(1, "a"), (2, ""), (3, "b")]
    assert list(OPENING.lines(part(tmp_path, b""))) == []


def test_what_is_too_large_is_refused_before_it_is_held(tmp_path: Path) -> None:
    """A file, a line of one, and what an archive would become."""
    small = Opening(limit=10)
    long = part(tmp_path, b"12345678901")
    packed = archive(tmp_path, a_json="1" * 6, b_json="1" * 6)

    with pytest.raises(InvalidInput, match="may have 10 bytes, got 11"):
        small.text(long)
    with pytest.raises(InvalidInput, match="line 1, must have fewer than 10 characters"):
        list(small.lines(long))
    with pytest.raises(InvalidInput, match="may expand to 10 bytes, got 12"):
        small.parts(packed, JSON)


def test_a_bomb_does_not_go_off(tmp_path: Path) -> None:
    """A few kilobytes that say they are gigabytes are refused by what they say."""
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a.json", b"0" * 1_000_000)

    assert packed.stat().st_size < 5_000
    with pytest.raises(InvalidInput, match="raise the limit if you trust it"):
        Opening(limit=100_000).parts(packed, JSON)


@pytest.mark.parametrize("name", ["../../evil.json", "a/../b.json", "/etc/evil.json", "C:\\e.json"])
def test_names_that_climb_out_of_an_archive_write_nothing(tmp_path: Path, name: str) -> None:
    """Nothing is extracted, so a path is only a name; one with two points is not even read."""
    room = tmp_path / "deep" / "room"
    room.mkdir(parents=True)
    packed = room / "slip.zip"
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr(name, "[1]")
        out.writestr("./fine.json", "[2]")

    read = [OPENING.json(each) for each in OPENING.parts(packed, JSON)]

    assert sorted(read) == ([[2]] if ".." in name else [[1], [2]])
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "deep", room, packed]


def test_a_damaged_archive_is_one_clear_error(tmp_path: Path) -> None:
    """Cut off, or flipped in the middle."""
    packed = archive(tmp_path, a_json=json.dumps(list(range(500))))
    whole = packed.read_bytes()

    packed.write_bytes(whole[:-30])
    with pytest.raises(InvalidInput, match=r"must be readable.*export or download it again"):
        OPENING.parts(packed, JSON)
    packed.write_bytes(whole[:60] + b"\x00\x01\x02" + whole[63:])
    with pytest.raises(InvalidInput, match="must be readable"):
        OPENING.text(OPENING.parts(packed, JSON)[0])


def test_folders_and_archives_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Without what is hidden, and without what macOS adds."""
    folder = tmp_path / "export"
    for name in ("b.json", "a/z.json", ".git/c.json", "a/.d.json", "e.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("1", encoding="utf-8")
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as out:
        for name in ("b.json", "a/z.json", ".git/c.json", "__MACOSX/b.json", "e.txt"):
            out.writestr(name, "1")

    for path in (folder, packed):
        assert [each.name for each in OPENING.parts(path, JSON)] == ["a/z.json", "b.json"]


def test_a_file_named_outright_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    """In a folder the name must fit, and an empty folder says what was wanted."""
    odd = part(tmp_path, b"[1]", "odd.dat")

    assert [each.name for each in OPENING.parts(odd.path, JSON)] == ["odd.dat"]
    with pytest.raises(InvalidInput, match=r"must hold a file that fits .*got \['odd.dat'\]"):
        OPENING.parts(tmp_path, JSON)


@pytest.mark.parametrize("name", ["missing", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    """A pipe would be waited for without end."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InvalidInput, match="must be a file or a folder"):
        OPENING.head(tmp_path / name)


def test_the_head_is_that_of_the_most_telling_file(tmp_path: Path) -> None:
    """Of an export with many files it is the one with the conversations."""
    packed = archive(tmp_path, a_json="first", z__conversations_json="telling")

    assert OPENING.head(packed) == b"telling"
    (tmp_path / "empty").mkdir()
    assert OPENING.head(tmp_path / "empty") == b""


def test_a_glimpse_never_fails() -> None:
    """It may end in the middle of a character."""
    assert glimpse("ø".encode()[:1]) == "\ufffd"
    assert glimpse("ø".encode("utf-16")) == "ø"


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nul", '"\x01"', "[" * 100_000, "1" * 5_000])
def test_json_that_cannot_be_held_is_one_clear_error(text: str) -> None:
    """Cut off, odd, nested without end, a number with thousands of digits."""
    with pytest.raises(InvalidInput, match=r"^here must be JSON"):
        parsed(text, "here")


@pytest.mark.parametrize("encoding", ["nonsense", "hex", ""])
def test_an_encoding_must_be_known(encoding: str) -> None:
    """Before anything is opened."""
    with pytest.raises(InvalidInput, match="one that Python knows"):
        Opening(encoding=encoding)


def test_a_limit_is_at_least_a_byte() -> None:
    """With less nothing can be read."""
    with pytest.raises(InvalidInput, match="at least 1 byte, got 0"):
        Opening(limit=0)


def test_a_broken_part_is_a_problem_unless_it_stands_alone(tmp_path: Path) -> None:
    """What was read of it before it broke is kept."""
    good, bad = part(tmp_path, b"1", "good.json"), part(tmp_path, b"1", "bad.json")

    def read(one: Part) -> Iterator[Found]:
        yield Incoming((), run=one.name)
        if one is bad:
            raise InvalidInput("odd")

    assert list(each_part([bad, good], read)) == [
        Incoming((), run="bad.json"),
        Problem(str(bad), "odd"),
        Incoming((), run="good.json"),
    ]
    with pytest.raises(InvalidInput, match="odd"):
        list(each_part([bad], read))
