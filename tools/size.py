"""How big the house is, room by room, and against the last commit on main.

    python tools/size.py

Lines are non-blank. Exits with 1 when the package has more than ``BUDGET`` lines: delete something,
or raise the number in the commit that needs it and say there what it buys.
"""

import io
import subprocess
import sys
import tarfile
from collections import defaultdict

from source import ROOT, SRC, File, files, length, public_methods

BUDGET = 48_000


def lines(text: str) -> int:
    """Lines that are not blank."""
    return sum(1 for line in text.splitlines() if line.strip())


def room_of(path: str) -> str:
    """The room that ``src/engram/<path>`` stands in: a folder, or the hall for single modules."""
    parts = path.removeprefix("src/engram/").split("/")
    return parts[0] if len(parts) > 1 else "(hall)"


def before() -> dict[str, int] | None:
    """Lines by room on the branch main; None without git or without such a branch."""
    command = ["git", "-C", str(ROOT), "archive", "main", "src/engram"]
    try:
        packed = subprocess.run(command, capture_output=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    rooms: dict[str, int] = defaultdict(int)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.name.endswith(".py") else None
            if content is not None:
                rooms[room_of(member.name)] += lines(content.read().decode())
    return rooms


def row(room: str, found: list[File], old: dict[str, int] | None) -> str:
    """One line of the table."""
    total = sum(lines(file.text) for file in found)
    change = "" if old is None else f"{total - old.get(room, 0):+,}"
    functions = [length(function) for file in found for _, function in file.functions]
    classes = [len(public_methods(kind)) for file in found for kind in file.classes]
    longest = max(lines(file.text) for file in found)
    return (
        f"{room:<12} {len(found):>5} {total:>7,} {change:>8} {longest:>8}"
        f" {max(functions, default=0):>8} {max(classes, default=0):>8}"
    )


def main() -> int:
    """Print the table; 1 when over the budget."""
    rooms: dict[str, list[File]] = defaultdict(list)
    for file in files("src"):
        rooms[room_of(file.name)].append(file)
    old = before()
    print("room         files   lines  vs main  longest  longest     most")
    print("                                        file function  methods")
    for room, found in sorted(rooms.items()):
        print(row(room, found, old))
    total = sum(lines(file.text) for file in files("src"))
    print(f"{total:,} of {BUDGET:,} lines in {SRC.relative_to(ROOT)}")
    return int(total > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
