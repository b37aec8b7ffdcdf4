"""Writes the generated pages of docs/: the catalogue, its systems, the command line, the API.

python tools/docs.py           write them
python tools/docs.py --check   exit with 1 when a page is not what it would write
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import engram
import engram.errors
import rows
from commands import Command, commands
from engram.catalogue import ROWS, Row, whole
from engram.config import VARIABLES
from source import ROOT

DOCS = ROOT / "docs"
NOTICE = "<!-- Written by tools/docs.py; change the code and run `make pages`. -->\n"


def table(head: list[str], body: list[list[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *body]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def bullets(pairs: list[list[str]]) -> str:
    """One line for each name and what is said about it."""
    return "\n".join(f"- **{name}:** {said}" for name, said in pairs) + "\n"


def api() -> str:
    """One entry for every public name; mkdocstrings fills it when the site is built."""
    names = [name for name in engram.__all__ if name != "__version__"]
    errors = [name for name in names if hasattr(engram.errors, name)]
    values = [name for name in names if name not in errors and name != "Memory"]
    tree = "::: engram.errors\n    options:\n      members: false\n      show_root_heading: false\n"
    return "\n".join(
        [
            "# API\n",
            *_entries(["Memory"]),
            "## Values\n",
            *_entries(values),
            "## Ports\n",
            "What engram asks of the outside; pass your own.\n",
            *(f"::: engram.ports.{name}\n" for name in ("Embedder", "LanguageModel", "Clock")),
            "## Errors\n",
            tree,
            *_entries(errors),
        ]
    )


def _entries(names: list[str]) -> list[str]:
    return [f"::: engram.{name}\n" for name in names]


def catalogue() -> str:
    """The table of all rows, by room."""
    parts = [
        "# Catalogue\n",
        "Every system that `engram list` shows, by room. A system is a row of data in "
        "`src/engram/catalogue/`: it names the methods that it is made of, and each method is "
        "one file.\n",
    ]
    for room in sorted({row.room for row in ROWS}):
        found = [row for row in ROWS if row.room == room]
        body = [[f"[{row.key}](systems/{row.key}.md)", row.source, row.differs] for row in found]
        parts += [f"## {room}\n", table(["system", "source", "what differs"], body)]
    return "\n".join(parts)


def system(row: Row) -> str:
    """The page of one row: its idea, where it is from, what was measured, what it is made of."""
    about = [["Room", row.room], ["Source", row.source], ["Differs", row.differs]]
    if row.claim:
        claim = f"{rows.promise(row.claim)} Measured by `engram verify {row.key}`."
        about.append(["Claim", claim])
    parts = [f"# {row.key}\n"]
    parts += [f"{rows.story(row.claim)}\n"] if row.claim else []
    parts += [bullets(about), *_measured(row.key)]
    parts += ["## Parts\n"] if whole(row) else []
    for part in rows.parts(row):
        module = ["Module", f"`{part.kind.__module__}`"]
        parts += [f"### {part.place}: {part.kind.__name__}\n", f"{rows.idea(part.kind)}\n"]
        parts += [bullets([*rows.origins(part.kind), module])]
        if settings := rows.settings(part):
            parts += [table(["setting", "value"], settings)]
    return "\n".join(parts)


def _measured(key: str) -> list[str]:
    """What ``engram verify`` said when it was last run for these pages."""
    figures = json.loads((DOCS / "measured.json").read_text(encoding="utf-8")).get(key)
    if figures is None:
        return []
    body = [[each["what"], each["published"], str(each["measured"])] for each in figures]
    told = f"`engram verify {key}` measures these anew; it takes seconds.\n"
    return ["## Measured\n", told, table(["", "published", "measured here"], body)]


def command_line() -> str:
    """Every command with its arguments and options, and the environment."""
    parts = ["# Command line\n", "`engram COMMAND --help` says the same, one command at a time.\n"]
    found = commands()
    parts += [table(["command", ""], [[f"`{each.name}`", each.summary] for each in found])]
    for each in found:
        parts += [f"## {each.name}\n", f"```text\n{each.usage}\n```\n", f"{each.help}\n"]
        parts += [_options(each)] if each.parameters else []
    body = [[f"`{name}`", meaning] for name, meaning in VARIABLES.items()]
    return "\n".join([*parts, "## Environment\n", table(["variable", "meaning"], body)])


def _options(command: Command) -> str:
    body = [[f"`{each.name}`", each.help, each.default] for each in command.parameters]
    return table(["", "meaning", "default"], body)


def pages() -> Iterator[tuple[str, str]]:
    """Path below docs/ and content of every generated page."""
    yield "api.md", api()
    yield "catalogue.md", catalogue()
    yield "cli.md", command_line()
    for row in ROWS:
        yield f"systems/{row.key}.md", system(row)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> int:
    """Write or check; 1 when the check fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, compare")
    check = parser.parse_args().check
    fresh = {DOCS / name: f"{NOTICE}\n{content.rstrip()}\n" for name, content in pages()}
    orphans = set((DOCS / "systems").glob("*.md")) - fresh.keys()
    stale = [path for path, content in fresh.items() if _read(path) != content]
    if check:
        for path in sorted([*stale, *orphans]):
            print(f"{path.relative_to(ROOT)} is stale: run 'make pages'", file=sys.stderr)
        return int(bool(stale or orphans))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fresh[path], encoding="utf-8")
    for path in orphans:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
