"""A folder of screenshots through the command line."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

WORDS = "The flight to Oslo leaves at nine from gate B12"


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """One screen twice, then a blank one."""
    drawing = pytest.importorskip("PIL.ImageDraw", reason="needs Pillow to draw a screen")
    fonts, images = sys.modules["PIL.ImageFont"], sys.modules["PIL.Image"]
    folder = tmp_path / "shots"
    folder.mkdir()
    for minute, words in enumerate([WORDS, WORDS, ""]):
        image = images.new("RGB", (800, 300), "white")
        drawing.Draw(image).text((40, 60), words, fill="black", font=fonts.load_default(22))
        image.save(folder / f"Screenshot 2026-01-05 at 9.4{minute}.00 AM.png")
    return folder


def test_screenshots_are_recognised_read_and_found(run: Any, shots: Path, tmp_path: Path) -> None:
    """What became of every frame is told; a second import adds nothing."""
    for module in ("imagehash", "onnxruntime", "rapidocr"):
        pytest.importorskip(module, reason="needs the extra: pip install 'engram[screens]'")
    where = ["--path", str(tmp_path / "a.db"), "--json"]

    first = json.loads(run("import", shots, *where).stdout)
    second = json.loads(run("import", shots, *where, "--format", "screens").stdout)
    best = json.loads(run("search", "which gate to Oslo", *where).stdout)["results"][0]

    assert first["format"] == "screens"
    assert first["frames"] == {"seen": 3, "repeated": 1, "wordless": 1}
    assert (first["events"], second["events"]) == ({"ADD": 1}, {"NOOP": 1})
    assert best["memory"] == WORDS
    assert best["metadata"]["path"].endswith("9.40.00 AM.png")


def test_without_the_extra_it_is_named_and_no_store_is_begun(
    run: Any, shots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, with what to install."""
    monkeypatch.setitem(sys.modules, "imagehash", None)

    done = run("import", shots, "--path", tmp_path / "a.db", code=1)

    assert done.stderr.startswith("error: reading screenshots needs the package 'imagehash'")
    assert "pip install 'engram[screens]'" in done.stderr
    assert not (tmp_path / "a.db").exists()
