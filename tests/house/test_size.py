"""No file, function, signature or class outgrows a glance."""

import ast

from source import Function, bases, files, length, listed, methods, public_methods

FILE, METHOD_FILE, FUNCTION, PARAMETERS, SETTINGS, METHODS = 400, 200, 40, 6, 8, 8

WIDE_CLASSES = {
    "Memory": "the front door: what it offers was asked for, verb by verb",
    "Keeping": "the other half of the front door",
    "MemoryLayer": "answers what transformers asks of a layer of a cache",
    "Async": "forwards whatever its target takes",
    "Excerpt": "some rows of a View, which shows what a View shows",
    "View": "what Snapshot shows to the roles",
    "Snapshot": "one consistent state, read by the roles (View) and by the write path",
}
"""Classes that may have more than eight public methods, and methods with more parameters."""


def test_no_file_is_longer_than_400_lines() -> None:
    """A file is read in one sitting; over the limit it is split by idea."""
    found = files("src", "tests", "tools", "bench")
    long = [file.name for file in found if len(file.text.splitlines()) > FILE]

    assert not long, listed(long)


def test_no_method_file_is_longer_than_200_lines() -> None:
    """A published method is one idea."""
    long = [file.name for file in methods() if len(file.text.splitlines()) > METHOD_FILE]

    assert not long, listed(long)


def test_no_function_is_longer_than_40_lines() -> None:
    """Docstrings do not count."""
    long = [
        f"{name} has {length(function)} lines"
        for file in files("src", "tests", "tools", "bench")
        for name, function in file.functions
        if length(function) > FUNCTION
    ]

    assert not long, listed(long)


def test_no_function_takes_more_than_six_parameters() -> None:
    """Four are enough for most; only commands, whose options are parameters, have more."""
    wide = [
        f"{name}({', '.join(_parameters(function))})"
        for file in files("src", "tools")
        for name, function in file.functions
        if not file.is_door and not _is_excused(name)
        if len(_parameters(function)) > PARAMETERS
    ]

    assert not wide, listed(wide)


def test_no_function_takes_keyword_bags() -> None:
    """``**kwargs`` says nothing; ``**ids: Unpack[Ids]`` names every keyword, and so does Async."""
    bags = [
        name
        for file in files("src", "tools")
        for name, function in file.functions
        if (bag := function.args.kwarg) is not None and not _is_excused(name)
        if bag.annotation is None or not ast.unparse(bag.annotation).startswith("Unpack[")
    ]

    assert not bags, listed(bags)


def test_switches_are_passed_by_keyword() -> None:
    """``sort(rows, True)`` cannot be read; ``sort(rows, newest=True)`` can."""
    switches = [
        f"{name}: {argument.arg}"
        for file in files("src", "tools")
        for name, function in file.functions
        for argument in [*function.args.posonlyargs, *function.args.args]
        if argument.annotation is not None and ast.unparse(argument.annotation) == "bool"
        if not file.is_door
        if len(function.args.args) > 2
    ]

    assert not switches, listed(switches)


def test_no_class_offers_more_than_eight_methods() -> None:
    """A wide class is several things in one coat."""
    wide = [
        f"{file.name}:{kind.name} has {len(public_methods(kind))}"
        for file in files("src", "tools")
        for kind in file.classes
        if len(public_methods(kind)) > METHODS and kind.name not in WIDE_CLASSES
    ]

    assert not wide, listed(wide)


def test_no_method_has_more_than_eight_settings() -> None:
    """A method with more is two methods."""
    wide = [
        f"{file.name}:{kind.name}"
        for file in methods()
        for kind in file.classes
        if not kind.name.startswith("_") and "Protocol" not in bases(kind)
        if sum(isinstance(node, ast.AnnAssign) for node in kind.body) > SETTINGS
    ]

    assert not wide, listed(wide)


def _parameters(function: Function) -> list[str]:
    args = function.args
    names = [each.arg for each in [*args.posonlyargs, *args.args, *args.kwonlyargs]]
    return [name for name in names if name not in {"self", "cls"}]


def _is_excused(name: str) -> bool:
    return name.split(":")[1].split(".")[0] in WIDE_CLASSES
