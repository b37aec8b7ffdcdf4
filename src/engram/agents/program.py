"""A program: the task, its instructions, the files, and what fails. One file holds all of it.

The file is replaced whole after each step, so that whoever is killed goes on where the last
step ended.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from engram.agents.files import FileStore
from engram.agents.registry import InstructionRegistry
from engram.errors import NotFound, StoreCorrupt, StoreReadOnly, StoreTooNew, brief
from engram.exchange.atomic import atomic_text

FILE = "checkpoint.json"
VERSION = 1


@dataclass(slots=True)
class Program:
    """What a control unit works on.

    Attributes:
        task: what all of it is for.
        registry: the instructions, and how far they are carried out.
        store: the files.
        failing: tests that failed after the last step.
    """

    task: str
    registry: InstructionRegistry
    store: FileStore = field(default_factory=FileStore)
    failing: frozenset[str] = frozenset()

    def dump(self, folder: Path) -> Path:
        """Write the checkpoint of a folder, which is made if need be; the file.

        Raises:
            StoreReadOnly: it cannot be written; an older checkpoint is as it was.
        """
        told = {
            "engram_agent": VERSION,
            "task": self.task,
            "registry": self.registry.dump(),
            "files": {path: list(self.store.files[path]) for path in self.store.paths()},
            "failing": sorted(self.failing),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreReadOnly(
                f"{folder} cannot be made ({error}); choose another folder"
            ) from error
        with atomic_text(folder / FILE) as out:
            json.dump(told, out, indent=1)
        return folder / FILE

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The program of a checkpoint.

        Raises:
            NotFound: the folder has none.
            StoreTooNew: a later version of engram wrote it.
            StoreCorrupt: it is damaged, or something else.
        """
        path = folder / FILE
        if not path.exists():
            raise NotFound(f"{folder} holds no {FILE}; a run with this folder begins one")
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            version = told["engram_agent"]
            if version != VERSION and isinstance(version, int):
                raise StoreTooNew(f"{path}: version {version!r} is not {VERSION}; update engram")
            return cls._read(told)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StoreCorrupt(
                f"{path} must be a checkpoint of an agent, it is not ({brief(error)}); "
                "take it away to begin anew"
            ) from error

    @classmethod
    def _read(cls, told: Any) -> Self:
        files = told["files"].items()
        summaries = told["registry"]["summaries"]
        for lines in [told["failing"], summaries, *(lines for _, lines in files)]:
            if not all(isinstance(line, str) for line in lines):
                raise TypeError("lines must be text")
        if not isinstance(told["task"], str):
            raise TypeError("a task must be text")
        store = FileStore(dict(files))
        registry = InstructionRegistry.load(told["registry"])
        return cls(told["task"], registry, store, frozenset(told["failing"]))
