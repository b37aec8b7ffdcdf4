"""Commands on the directory of methods: list, show, verify."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, Unpack

import typer
from rich.console import RenderableType
from rich.text import Text

from engram.cli.door import METHODS, command
from engram.cli.options import note
from engram.cli.output import Output
from engram.cli.progress import progress
from engram.cli.show import facts, indented, plain, table, tell

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key of a system, as engram list shows.")]


@command(METHODS, "list")
def list_rows(
    room: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only of this room, such as plaintext.")
    ] = None,
    **shared: Unpack[Output],
) -> None:
    """Every published system that can be opened, with its source.

    Example: engram list --room plaintext
    """
    from engram.catalogue import ROWS  # grows with every method, and help needs none of it

    rooms = sorted({row.room for row in ROWS})
    if room is not None and room not in rooms:
        raise typer.BadParameter(f"rooms are {', '.join(rooms)}; got {room!r}", param_hint="--room")
    found = [row for row in ROWS if room in (None, row.room)]
    rows = [(plain(row.key, "bold"), row.room, row.source) for row in found]
    document = [
        {"key": row.key, "room": row.room, "source": row.source, "differs": row.differs}
        for row in found
    ]
    shown = table("key", "room", "source", rows=rows, wide="source")
    tell(shared, {"results": document}, shown)


@command(METHODS)
def show(key: Key, **shared: Unpack[Output]) -> None:
    """One system: where it is from, what differs here, which parts it is made of, how to use it.

    Example: engram show hybrid
    """
    from engram.catalogue import find, whole  # see ``list_rows``

    row = find(key)
    checked = [f"engram verify {key}"] if row.claim else []
    use = {
        "plaintext": [f"engram search QUERY --preset {key}", f'Memory.open(PATH, preset="{key}")'],
        "activation": [f'MemoryCache.for_model(model, preset="{key}")'],
    }.get(row.room, checked)
    if not row.parts:
        use = checked
    about = {"key": key, "room": row.room, "source": row.source, "differs": row.differs}
    about |= {"claim": f"engram verify {key}" if row.claim else ""}
    parts: list[dict[str, Any]] = [
        {"role": role, "part": path, "settings": settings, "idea": _idea(path)}
        for role, path, settings in _parts(whole(row))
    ]
    numbers = {role: value for role, value in whole(row).items() if isinstance(value, (int, float))}
    rows = [(part["role"], _part(part)) for part in parts]
    made = (table("role", "part", rows=rows, wide="part"), "") if rows else ()
    tell(
        shared,
        {**about, "parts": parts, "numbers": numbers, "use": use},
        facts({**about, **numbers}.items()),
        "",
        *made,
        *(indented(plain(way, "cyan")) for way in use),
    )


def _parts(node: Any, role: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Role, path and settings of every part of a row, in the order of the row."""
    if isinstance(node, str):
        yield role, node, {}
    elif isinstance(node, Mapping) and "use" in node:
        yield role, node["use"], {name: node[name] for name in node if name != "use"}
    elif isinstance(node, Mapping):
        for name, inner in node.items():
            yield from _parts(inner, f"{role} {name}".strip())
    elif isinstance(node, Sequence):
        weights = [str(each) for each in node if isinstance(each, float)]
        for inner in node:
            yield from _parts(inner, " × ".join([role, *weights]))


def _part(part: Mapping[str, Any]) -> Text:
    name = part["part"].rpartition(":")[2]
    given = ", ".join(f"{setting}={value!r}" for setting, value in part["settings"].items())
    named = plain(f"{name}({given})" if given else name, "bold")
    return named.append_text(plain(f" {part['part'].partition(':')[0]}\n", "dim")).append_text(
        plain(part["idea"])
    )


def _idea(path: str) -> str:
    """The first sentence of the module that holds a part."""
    module = import_module(f"engram.{path.partition(':')[0]}")
    return " ".join((inspect.getdoc(module) or "").split("\n\n")[0].split())


@command(METHODS)
def verify(key: Key, **shared: Unpack[Output]) -> None:
    """Measure what a system's paper claims. Exit code 1: it does not hold; 2: nothing to measure.

    Example: engram verify hybrid
    """
    from engram.catalogue import find  # see ``list_rows``

    row = find(key)
    if not row.claim:
        why = f"{key} has no claim to verify; engram show {key} tells its source"
        raise typer.BadParameter(why, param_hint="KEY")
    measure = claim(row.claim)
    note(shared, inspect.getdoc(measure) or row.claim)
    with progress(shared, f"measuring {key}"):
        figures = measure()
    holds = all(figure["ok"] for figure in figures)
    document = {"key": key, "source": row.source, "ok": holds, "figures": list(figures)}
    tell(shared, document, *(part for figure in figures for part in _figure(figure)))
    if not holds:
        raise typer.Exit(1)


def claim(path: str) -> Callable[[], Sequence[Mapping[str, Any]]]:
    """The function that measures a claim.

    Args:
        path: ``module:function`` below ``engram``.

    Returns:
        A function that returns one mapping for each figure: ``what``, ``published``, ``measured``
        and ``ok``.
    """
    module, _, name = path.partition(":")
    found: Callable[[], Sequence[Mapping[str, Any]]] = getattr(
        import_module(f"engram.{module}"), name
    )
    return found


def _figure(figure: Mapping[str, Any]) -> tuple[RenderableType, RenderableType]:
    """What was measured, and below it what was published beside what came out."""
    head = Text.assemble(verdict(figure), "  ", plain(str(figure["what"])))
    return head, indented(facts((name, figure[name]) for name in ("published", "measured")))


def verdict(figure: Mapping[str, Any]) -> Text:
    """Whether a measured figure bears out the published one."""
    return plain("holds", "green") if figure["ok"] else plain("fails", "bold red")
