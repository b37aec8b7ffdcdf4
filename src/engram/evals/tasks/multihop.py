"""HotpotQA, MuSiQue and 2WikiMultihopQA: passages of all questions pooled, two to four wanted.

Source: Yang et al. 2018, arXiv:1809.09600; Trivedi et al. 2022, arXiv:2108.00573; Ho et al. 2020,
arXiv:2011.01060.
Differs: passages come one a session and without a time, as nobody said them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from engram.evals.files import pick, read_json, read_lines
from engram.evals.roles import Episode, Probe, Session, Turn

Passage: TypeAlias = tuple[str, str]  # title and text


@dataclass(frozen=True, slots=True)
class MultiHop:
    """One file, or every ``*.jsonl.gz`` and ``*.json.gz`` of a folder. One episode a file."""

    data: Path
    name: str = "multihop"

    def episodes(self) -> Iterator[Episode]:
        """Yield one episode a file."""
        for path in pick(self.data, "*.jsonl.gz", "*.json.gz"):
            records = read_lines(path) if ".jsonl" in path.name else iter(read_json(path))
            yield _episode(path.name.partition(".")[0], list(records))


def _episode(label: str, records: list[Mapping[str, Any]]) -> Episode:
    usable = [record for record in records if "context" in record or "paragraphs" in record]
    pooled: dict[Passage, str] = {}
    for record in usable:
        for passage, _ in _passages(record):
            pooled.setdefault(passage, f"P{len(pooled)}")
    sessions = tuple(
        Session(number, (Turn(f"{number}:0", f"{title}\n{text}"),))
        for (title, text), number in pooled.items()
    )
    probes = tuple(
        _probe(f"{label}:{index}", record, pooled) for index, record in enumerate(usable)
    )
    lost = len(records) - len(usable)
    return Episode(label, sessions, probes, (f"{lost} questions without passages",) if lost else ())


def _passages(record: Mapping[str, Any]) -> list[tuple[Passage, bool]]:
    """The passages of one question, and whether each supports the answer."""
    if "paragraphs" in record:
        paragraphs = record["paragraphs"]
        return [((p["title"], p["paragraph_text"]), p["is_supporting"]) for p in paragraphs]
    wanted = {title for title, _ in record["supporting_facts"]}
    return [
        ((title, " ".join(map(str.strip, sentences))), title in wanted)
        for title, sentences in record["context"]
    ]


def _probe(probe_id: str, record: Mapping[str, Any], pooled: Mapping[Passage, str]) -> Probe:
    wanted = dict.fromkeys(pooled[passage] for passage, gold in _passages(record) if gold)
    return Probe(
        id=probe_id,
        question=record["question"],
        answer=str(record["answer"]),
        category=f"{len(wanted)} passages",
        evidence=tuple(f"{passage}:0" for passage in wanted),
        evidence_sessions=tuple(wanted),
    )
