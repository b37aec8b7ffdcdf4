"""bAbI: twenty kinds of short stories in a simulated world, each with the sentences that answer.

Source: Weston et al. 2015, Towards AI-Complete Question Answering (bAbI), arXiv:1502.05698.
Differs: of each story only the questions after its last sentence are asked, so that nothing which
    is told later can change the answer; stories of the twenty kinds take turns.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TypeAlias

from engram.errors import InvalidInput
from engram.evals.files import read_texts
from engram.evals.roles import Episode, Probe, Session, Turn

_FILE = re.compile(r"(?:^|/)qa(\d+)_([\w-]+)_test\.txt$")
_LINE = re.compile(r"(\d+) ([^\t]+?) ?(?:\t([^\t]+)\t([\d ]+))?")
_START, _MINUTE = 1_700_000_000.0, 60.0  # seconds

Lines: TypeAlias = list[re.Match[str]]


@dataclass(frozen=True, slots=True)
class Babi:
    """The test files of a tar archive or a folder. One episode a story."""

    data: Path
    name: str = "babi"

    def episodes(self) -> Iterator[Episode]:
        """Yield the first story of every kind, then the second of every kind, and so on."""
        files = dict(sorted(_files(self.data).items()))
        if not files:
            raise InvalidInput(
                f"data must be a tar archive or a folder with qa1_*_test.txt to qa20_*_test.txt, "
                f"got {str(self.data)!r}; see docs/evaluations.md for where to get it"
            )
        told = [[(kind, story) for story in _stories(kind, text)] for kind, text in files.items()]
        for number, turn in enumerate(zip_longest(*told)):
            for kind, story in filter(None, turn):
                yield _episode(kind, number, story)


def _files(data: Path) -> Mapping[tuple[int, str], str]:
    """Number and name of each kind -> its text."""
    named = ((_FILE.search(path), text) for path, text in read_texts(data))
    return {(int(found[1]), found[2]): text for found, text in named if found}


def _stories(kind: tuple[int, str], text: str) -> Iterator[Lines]:
    """Numbering restarts at 1 with each story."""
    story: Lines = []
    for line in filter(str.strip, text.splitlines()):
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise InvalidInput(
                f"a line of bAbI must be a number and a sentence, or a question with its answer "
                f"and the numbers of its sentences, got {line!r} in qa{kind[0]}; "
                "pass the published files"
            )
        if found[1] == "1" and story:
            yield story
            story = []
        story.append(found)
    if story:
        yield story


def _episode(kind: tuple[int, str], number: int, story: Lines) -> Episode:
    last = max((at for at, line in enumerate(story) if not line[3]), default=-1)
    label = f"qa{kind[0]}:{number}"
    turns = tuple(
        Turn(line[1], line[2], at=_START + _MINUTE * int(line[1])) for line in story if not line[3]
    )
    known = {turn.id for turn in turns}
    probes = tuple(
        Probe(
            id=f"{label}:{line[1]}",
            question=line[2],
            answer=line[3],
            category=f"{kind[0]:02d} {kind[1].replace('-', ' ')}",
            evidence=tuple(each for each in dict.fromkeys(line[4].split()) if each in known),
            evidence_sessions=("S1",),
            at=_START + _MINUTE * (len(story) + 1),
        )
        for line in story[last + 1 :]
    )
    return Episode(label, (Session("S1", turns, _START),), probes)
