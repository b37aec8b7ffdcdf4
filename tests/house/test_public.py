"""What is public is listed, documented and drawn."""

import inspect
import re
from types import ModuleType

import engram
from engram import errors
from source import ROOT, listed


def test_all_lists_what_is_public() -> None:
    """``__all__`` is sorted and holds every public name, and every name it holds exists."""
    public = {
        name
        for name, value in vars(engram).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
        if getattr(value, "__module__", "").startswith("engram")
    }
    listing = [name for name in engram.__all__ if name != "__version__"]

    assert listing == sorted(set(listing))
    assert public <= set(listing)
    assert [name for name in listing if not hasattr(engram, name)] == []


def test_public_names_and_their_methods_have_docstrings() -> None:
    """Somebody reads them in an editor before they read a page."""
    silent = [
        f"{name}.{verb}" if verb else name
        for name in engram.__all__
        if inspect.isclass(kind := getattr(engram, name)) or inspect.isroutine(kind)
        for verb in ["", *(each for each in vars(kind) if not each.startswith("_"))]
        if callable(found := getattr(kind, verb) if verb else kind) and not inspect.getdoc(found)
    ]

    assert not silent, listed(silent)


def test_public_names_stand_in_the_api_page() -> None:
    """docs/api.md shows every one of them."""
    shown = re.findall(r"^::: engram\.(\w+)$", (ROOT / "docs/api.md").read_text(), re.MULTILINE)

    assert set(engram.__all__) - {"__version__"} <= set(shown)


def test_the_errors_are_drawn_as_they_are() -> None:
    """The tree in the docstring of engram.errors is the tree of the classes."""
    drawn, path = set(), [""]
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        if found := re.match(r"    ([│├└─ ]*)(\w+)", line):
            depth = len(found[1]) // 4
            path[depth + 1 :] = [found[2]]
            drawn.add((path[depth], found[2]))
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind)]
    real = {(_parent(kind), kind.__name__) for kind in kinds}

    assert drawn == real


def _parent(kind: type) -> str:
    base = kind.__bases__[0]
    return base.__name__ if base.__module__ == errors.__name__ else ""
