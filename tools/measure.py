"""Runs every claim of the catalogue and writes what was measured to docs/measured.json.

python tools/measure.py          all of them, some minutes
python tools/measure.py a-mem    only these
"""

import json
import sys
from importlib import import_module
from typing import Any

from engram.catalogue import ROWS
from source import ROOT

TARGET = ROOT / "docs" / "measured.json"


def main(keys: list[str]) -> int:
    """Measure; 1 when a claim does not hold."""
    told: dict[str, Any] = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    failed = False
    for row in ROWS:
        if not row.claim or (keys and row.key not in keys):
            continue
        module, _, name = row.claim.partition(":")
        figures = getattr(import_module(f"engram.{module}"), name)()
        told[row.key] = figures
        failed |= not all(figure["ok"] for figure in figures)
        print(row.key, "holds" if all(figure["ok"] for figure in figures) else "FAILS")
    known = {row.key for row in ROWS}
    kept = {key: told[key] for key in sorted(told) if key in known}
    TARGET.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
