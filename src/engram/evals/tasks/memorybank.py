"""MemoryBank's probing questions: ten days of small talk of a user, in English and in Chinese.

Source: Zhong et al. 2023, MemoryBank, arXiv:2305.10250, section 4 and its evaluation data.
Differs: there are neither gold answers nor evidence, people judged the replies. What can be known
    without them: a question that names a day is about what was said on that day.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from engram.errors import InvalidInput
from engram.evals.files import pick, read_json, read_lines, stamp
from engram.evals.roles import Episode, Probe, Session, Turn

_MONTHS = {f"{datetime(2000, month, 1):%B}": month for month in range(1, 13)}
_DAY = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}})|(\d{{1,2}})月(\d{{1,2}})[日号]")
_OPINION = re.compile(r"(?:right|对吗)\W*$")  # asks whether something holds, wherever it was said
_SECONDS = 86_400.0  # a day
_LANGUAGES = ("en", "cn")

Exchange: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MemoryBank:
    """A folder with ``memory_bank_en.json`` and ``probing_questions_en*.jsonl``, or the same of cn.

    One episode a user of each language that is there; a session a day.
    """

    data: Path
    name: str = "memorybank-probes"

    def episodes(self) -> Iterator[Episode]:
        """Yield the users that are asked something, in the order of the file."""
        there = [one for one in _LANGUAGES if (self.data / f"memory_bank_{one}.json").is_file()]
        if not there:
            raise InvalidInput(
                "data must be a folder with memory_bank_en.json or memory_bank_cn.json and their "
                f"probing_questions_*.jsonl, got {str(self.data)!r}; see docs/evaluations.md for "
                "where to get it"
            )
        for language in there:
            yield from _users(self.data, language)


def _users(data: Path, language: str) -> Iterator[Episode]:
    path = data / f"memory_bank_{language}.json"
    banks = read_json(path)
    if not isinstance(banks, dict) or not all(_is_bank(bank) for bank in banks.values()):
        raise InvalidInput(
            f"a file of MemoryBank must be users with a 'history' by day, {str(path)!r} is not; "
            "pass the published memory_bank_en.json or memory_bank_cn.json"
        )
    asked = [
        question
        for file in pick(data, f"probing_questions_{language}*.jsonl")
        for question in read_lines(file)
    ]
    named = {user.strip(): bank["history"] for user, bank in banks.items()}
    if strangers := {each["user"].strip() for each in asked} - named.keys():
        raise InvalidInput(
            f"a question must be about a user of {str(path)!r}, got {sorted(strangers)!r}; "
            "pass the questions of the same language"
        )
    for user, history in named.items():
        if own := [each["question"] for each in asked if each["user"].strip() == user]:
            yield _episode(language, user, history, own)


def _is_bank(bank: Any) -> bool:
    return isinstance(bank, dict) and isinstance(bank.get("history"), dict)


def _episode(
    language: str, user: str, history: Mapping[str, list[Exchange]], asked: list[str]
) -> Episode:
    sessions = tuple(_session(day, history[day]) for day in sorted(history) if history[day])
    told = [session.id for session in sessions]
    now = max((session.at or 0.0 for session in sessions), default=0.0) + _SECONDS
    probes = []
    for at, question in enumerate(asked):
        days = _days(question, told)
        kind = "names a day" if days else "names no day"
        probes.append(
            Probe(
                id=f"{language}:{user}:{at}",
                question=question.strip('" '),
                answer="",
                category=f"{language}, {kind}",
                evidence_sessions=days,
                at=now,
            )
        )
    return Episode(f"{language}:{user}", sessions, tuple(probes))


def _session(day: str, exchanges: list[Exchange]) -> Session:
    at = stamp(day, "%Y-%m-%d")
    turns = tuple(
        Turn(f"{day}:{number}:{role}", exchange[field], role, at=at + 60.0 * number + later)
        for number, exchange in enumerate(exchanges)
        for role, field, later in (("user", "query", 0), ("assistant", "response", 30))
    )
    return Session(day, turns, at)


def _days(question: str, known: Collection[str]) -> tuple[str, ...]:
    """Which of the days on which something was said a question names, if it asks for a thing.

    Years are never named: the history covers a few days of one.
    """
    if _OPINION.search(question):
        return ()
    named = [
        (_MONTHS[found[1]], int(found[2])) if found[1] else (int(found[3]), int(found[4]))
        for found in _DAY.finditer(question)
    ]
    return tuple(day for day in known if tuple(map(int, day.split("-")[1:])) in named)
