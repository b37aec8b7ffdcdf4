"""One trial in figures: means, intervals and costs.

Retrieval is scored over the questions that can be answered and whose evidence is known; the
others are counted, and only their abstentions are scored.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from engram.evals.metrics import (
    auroc,
    bootstrap,
    ndcg,
    recall,
    recall_all,
    recall_any,
    reciprocal_rank,
)
from engram.evals.run import Outcome, Trial


@dataclass(frozen=True, slots=True)
class Depth:
    """Means over questions at one k.

    ``recall`` is the mean share of evidence found and ``low`` to ``high`` its 95 % interval;
    ``tokens`` is the mean cost of the first k turns. NaN where no question could be scored, and
    for ``ndcg`` of a subject that does not rank. ``right`` is the mean mark of a reader who follows
    rules, with its interval; NaN where nobody marks.
    """

    k: int
    recall: float
    low: float
    high: float
    any: float
    all: float
    ndcg: float
    sessions: float
    sessions_any: float
    sessions_all: float
    tokens: float
    right: float
    right_low: float
    right_high: float


@dataclass(frozen=True, slots=True)
class Abstention:
    """Saying no.

    ``refused`` is the share declined of the questions without an answer, ``wrongly`` of those
    with one. ``auroc`` says how well confidence tells the two apart; None without confidence.
    """

    unanswerable: int
    refused: float
    wrongly: float
    auroc: float | None


ByCategory: TypeAlias = Mapping[str, tuple[int, tuple[float, ...]]]
"""Name of a category -> its questions, and their mean at each k."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of one trial.

    Attributes:
        unit: what the depths and categories count: ``turn``, or ``session`` where the data names
            the evidence by session only.
        scored, sessions_scored: questions behind the figures of units, and of sessions.
        categories: name -> (questions, recall at each k), with the misleading evidence of
            questions that have no answer.
        rights: name -> (questions, mean mark at each k); empty where nobody marks.
        p50, p95, ingest: seconds a query, and seconds for all sessions of all episodes.
    """

    subject: str
    embedder: str
    unit: str
    scored: int
    sessions_scored: int
    depths: tuple[Depth, ...]
    mrr: float
    categories: ByCategory
    rights: ByCategory
    abstention: Abstention | None
    p50: float
    p95: float
    ingest: float
    items: int
    bytes: int
    calls: int


Pair: TypeAlias = tuple[Sequence[str], Sequence[str]]
"""A ranking and the gold ids that it should hold."""

Pairing: TypeAlias = Callable[[Outcome], Pair]

_EVERYTHING = 1_000_000_000  # more turns than any conversation has


def summarise(trial: Trial, ks: Sequence[int], seed: int) -> Summary:
    """Average a trial. ``seed`` draws the confidence intervals."""
    scored = [outcome for outcome in trial.outcomes if outcome.probe.answerable]
    by_turn = any(outcome.probe.evidence for outcome in trial.outcomes)
    unit: Pairing = _turns if by_turn else _sessions
    units = [outcome for outcome in scored if unit(outcome)[1]]
    sessions = [_sessions(outcome) for outcome in scored if outcome.probe.evidence_sessions]
    cuts = [k if trial.ranked else _EVERYTHING for k in ks]
    marked = [outcome for outcome in trial.outcomes if outcome.marks]
    p50, p95 = np.quantile([outcome.seconds for outcome in trial.outcomes], [0.5, 0.95])
    return Summary(
        subject=trial.subject,
        embedder=trial.embedder,
        unit="turn" if by_turn else "session",
        scored=len(units),
        sessions_scored=len(sessions),
        depths=tuple(
            Depth(
                k=k,
                **_of_units([unit(outcome) for outcome in units], cut, seed),
                **_of_sessions(sessions, cut),
                tokens=_mean([float(sum(outcome.costs[:cut])) for outcome in units]),
                **_of_marks([outcome.marks[at] for outcome in marked], seed),
            )
            for at, (k, cut) in enumerate(zip(ks, cuts, strict=True))
        ),
        mrr=_mean([reciprocal_rank(*unit(o)) for o in units if trial.ranked]),
        categories=_categories(trial.outcomes, unit, cuts),
        rights=_rights(marked),
        abstention=_abstention(trial.outcomes),
        p50=float(p50),
        p95=float(p95),
        ingest=trial.ingest,
        items=trial.items,
        bytes=trial.bytes,
        calls=trial.calls,
    )


def _turns(outcome: Outcome) -> Pair:
    return outcome.turns, outcome.probe.evidence


def _sessions(outcome: Outcome) -> Pair:
    return outcome.sessions, outcome.probe.evidence_sessions


def _of_units(pairs: Sequence[Pair], cut: int, seed: int) -> dict[str, float]:
    found = [recall(*pair, cut) for pair in pairs]
    low, high = bootstrap(found, seed=seed) if found else (float("nan"), float("nan"))
    return {
        "recall": _mean(found),
        "low": low,
        "high": high,
        "any": _mean([recall_any(*pair, cut) for pair in pairs]),
        "all": _mean([recall_all(*pair, cut) for pair in pairs]),
        "ndcg": _mean([ndcg(*pair, cut) for pair in pairs if cut < _EVERYTHING]),
    }


def _of_sessions(pairs: Sequence[Pair], cut: int) -> dict[str, float]:
    return {
        "sessions": _mean([recall(*pair, cut) for pair in pairs]),
        "sessions_any": _mean([recall_any(*pair, cut) for pair in pairs]),
        "sessions_all": _mean([recall_all(*pair, cut) for pair in pairs]),
    }


def _of_marks(marks: Sequence[float], seed: int) -> dict[str, float]:
    low, high = bootstrap(marks, seed=seed) if marks else (float("nan"), float("nan"))
    return {"right": _mean(marks), "right_low": low, "right_high": high}


def _rights(marked: Sequence[Outcome]) -> ByCategory:
    grouped: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for outcome in marked:
        grouped[outcome.probe.category].append(outcome.marks)
    return {
        name: (len(marks), tuple(_mean(column) for column in zip(*marks, strict=True)))
        for name, marks in sorted(grouped.items())
    }


def _categories(outcomes: Sequence[Outcome], unit: Pairing, cuts: Sequence[int]) -> ByCategory:
    grouped: dict[str, list[Pair]] = defaultdict(list)
    for outcome in outcomes:
        pair = unit(outcome)
        if pair[1]:
            grouped[outcome.probe.category].append(pair)
    return {
        name: (len(pairs), tuple(_mean([recall(*p, cut) for p in pairs]) for cut in cuts))
        for name, pairs in sorted(grouped.items())
    }


def _abstention(outcomes: Sequence[Outcome]) -> Abstention | None:
    told = [outcome for outcome in outcomes if outcome.abstain is not None]
    without = [outcome for outcome in told if not outcome.probe.answerable]
    if not without:
        return None
    answerable = [outcome for outcome in told if outcome.probe.answerable]
    sure = [o.confidence for o in answerable if o.confidence is not None]
    unsure = [o.confidence for o in without if o.confidence is not None]
    return Abstention(
        unanswerable=len(without),
        refused=_mean([float(bool(outcome.abstain)) for outcome in without]),
        wrongly=_mean([float(bool(outcome.abstain)) for outcome in answerable]),
        auroc=auroc(sure, unsure) if sure and unsure else None,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
