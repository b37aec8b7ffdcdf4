"""Frames are compared by what they look like and read by what is written on them."""

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from engram.adapters.screens import Box, Eyes, lined
from engram.errors import InvalidInput, MissingExtra
from engram.exchange.screens import Screens, similarity

LINES = [
    "The meeting room is booked until noon",
    "Ana sent the budget for the second quarter",
    "Lunch is at the harbour on Thursday",
    "The printer on the third floor is broken",
]


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    """Loaded once; without the extra its tests are left out."""
    for module in ("PIL", "imagehash", "onnxruntime", "rapidocr"):
        pytest.importorskip(module, reason="needs the extra: pip install 'engram[screens]'")
    return Eyes()


def drawn(
    lines: list[str], clock: str = "10:41", mouse: int = 60, form: str = "PNG", **how: Any
) -> bytes:
    """A screen of 800 by 500 pixels with some lines, a clock and a mouse."""
    drawing = pytest.importorskip("PIL.ImageDraw", reason="needs Pillow to draw a screen")
    fonts, images = sys.modules["PIL.ImageFont"], sys.modules["PIL.Image"]
    image = images.new("RGB", (800, 500), (245, 245, 245))
    pen = drawing.Draw(image)
    pen.rectangle((0, 0, 800, 30), fill=(40, 44, 52))
    pen.text((730, 5), clock, fill="white", font=fonts.load_default(16))
    for at, line in enumerate(lines):
        pen.text((40, 60 + 44 * at), line, fill=(20, 20, 20), font=fonts.load_default(22))
    pen.polygon([(mouse, 400), (mouse, 416), (mouse + 10, 411)], fill="black")
    kept = io.BytesIO()
    image.save(kept, form, **how)
    return kept.getvalue()


def test_what_is_written_is_read_line_by_line(eyes: Eyes, no_network: None) -> None:
    """From top to bottom, with the models of the wheel and no socket."""
    read = eyes.words(drawn(LINES))

    assert [line for line in read.splitlines() if line in LINES] == LINES


def test_a_repeated_frame_is_alike_and_a_line_more_is_not(eyes: Eyes) -> None:
    """By the threshold of the paper: saved anew it is the same frame."""
    first = eyes.imprint(drawn(LINES))

    def alike(image: bytes) -> bool:
        return similarity(first, eyes.imprint(image)) > Screens.ALIKE

    assert alike(drawn(LINES))
    assert alike(drawn(LINES, form="JPEG", quality=80))
    assert not alike(drawn([*LINES, "My flight leaves at nine from gate B12"]))
    assert not alike(drawn(LINES[:2]))


def test_an_imprint_is_256_bits(eyes: Eyes) -> None:
    """In hexadecimal, also of a blank screen."""
    assert len(eyes.imprint(drawn([], clock=""))) == 64
    assert int(eyes.imprint(drawn(LINES)), 16) >= 0


@pytest.mark.parametrize("side", [1, 3, 63])
def test_an_image_of_any_size_can_be_seen(eyes: Eyes, side: int) -> None:
    """And nothing is written on it, though it is transparent."""
    kept = io.BytesIO()
    sys.modules["PIL.Image"].new("RGBA", (side, side)).save(kept, "PNG")

    assert eyes.words(kept.getvalue()) == ""
    assert len(eyes.imprint(kept.getvalue())) == 64


@pytest.mark.parametrize("cut", [0, 3, 63, 2000])
def test_what_is_no_image_is_one_line(eyes: Eyes, cut: int) -> None:
    """Nothing, other bytes, and a file that was cut off."""
    image = drawn(LINES)[:cut]

    for look in (eyes.imprint, eyes.words):
        with pytest.raises(InvalidInput, match="an image must be one that Pillow can read"):
            look(image)


def test_words_on_one_height_are_a_line_unless_far_apart() -> None:
    """A menu beside a page is a line of its own; boxes come in any order."""
    boxes = [
        Box(200, 50, 260, 70, "page"),
        Box(0, 52, 60, 72, "menu"),
        Box(265, 51, 300, 71, "one"),
        Box(200, 10, 300, 30, "title"),
    ]

    assert lined(boxes) == "title\nmenu\npage one"
    assert lined([]) == ""


@pytest.mark.parametrize("module", ["PIL.Image", "imagehash", "onnxruntime", "rapidocr"])
def test_without_a_package_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, present: Callable[..., None]
) -> None:
    """At once, and not at the first frame."""
    present("PIL.Image", "imagehash", "onnxruntime", "rapidocr")
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(MissingExtra, match=r"engram\[screens\]"):
        Eyes()


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes modules that are not installed importable, as something empty."""

    def make(*names: str) -> None:
        for name in names:
            if name not in sys.modules:
                monkeypatch.setitem(sys.modules, name, type(sys)(name))

    return make
