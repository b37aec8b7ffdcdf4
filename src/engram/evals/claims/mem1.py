"""MEM1: an agent that sees the task, its last output and the last observation, and no more.

Each output begins with a state: whatever is worth keeping, written anew every turn. Then comes one
query to the outside, or the answer. All that is older leaves the context, which therefore does not
grow with the number of turns. For training, the turns of a task are laid out as one sequence with a
mask that lets each turn see what it saw then.

What differs: what leaves the context is kept in a memory, and `recall` searches it, for without
training most models forget. The peak counts every task and not only those that were answered. One
copy of each token, as in the paper, cannot give what the rollout gave: from the third turn on the
copy of an output has looked at the turn before it, which the rollout had dropped. The default gives
each turn a copy of its own of what it saw, and is exact. Without a model, rules keep the best
sentence for each objective; they match words, so that a question which says it otherwise than the
page (`live`, where the page has `lives`, which is stemmed as `life`) gets no exact answer. The task
and the state hold every objective, and these do grow with their number. Nothing is trained here:
the figures of the paper's policy are not repeated.

```python
from engram.agents.constant import ConstantMemoryAgent

page = ["Ana works in Bergen. She likes boats.", "Ben moved to Oslo. Ben has a dog."]
agent = ConstantMemoryAgent(policy=None, env=lambda query: page)
done = agent.run("Where does Ana work?; Where did Ben move?")
print(done.answers, len(done.turns))
```

```text
['Bergen', 'Oslo'] 3
```
"""

import random
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engram.agents.constant import ConstantMemoryAgent, Trajectory, Turn, em_multi, run_of
from engram.agents.extractive import Extractive
from engram.agents.packing import Mode, Packed, pack, predictors
from engram.evals.claims.figures import Figure
from engram.evals.claims.worlds import Namer
from engram.memory import Memory
from engram.plaintext.text.tokens import estimated

Numbers = NDArray[np.float64]

_SEED, _MOST, _ROOMS = 1, 16, (1, 2, 4, 8, 16)
_LETTERS, _WIDTH, _LAYERS = 128, 32, 3
_MODES: tuple[Mode, ...] = ("exact", "per_turn", "paper")
_VISIT = re.compile(r"rooms (\d+)")
_STATE = re.compile(r"<think>(\d+) rooms, sum (\d+)</think>")
_SEEN = re.compile(r"<information>This room holds (\d+)")


def claim() -> list[Figure]:
    """A context that does not grow over 16 objectives; a packed sequence equal to the rollout."""
    return [*_sizes(), *_rules(), *_packing()]


def _sizes() -> list[Figure]:
    """What grows with the objectives, and what does not."""
    walked = [_walked(rooms) for rooms in _ROOMS]
    peaks, sums = [each.peak_tokens for each in walked], [each.answers for each in walked]
    grown = _everything(walked[-1]) / _everything(walked[0])
    right = sums == [[str(sum(_held(rooms)))] for rooms in _ROOMS]
    return [
        _figure(
            f"peak tokens of {', '.join(map(str, _ROOMS))} objectives, all of them right",
            "constant",
            ", ".join(map(str, peaks)),
            ok=max(peaks) <= 1.03 * min(peaks) and right,
        ),
        _figure(
            f"growth from 1 to {_MOST} of a context that keeps everything",
            "linear",
            f"{grown:.1f}",
            ok=grown > _MOST / 2,
        ),
    ]


def _rules() -> list[Figure]:
    """Rules as the policy, in a world in which every answer is known."""
    questions, texts, right = _world()
    found, peak, narrow, kept = _asked(questions, texts, right)
    alone = _asked(questions[:1], texts, right[:1])[1][0]
    return [
        _figure(
            f"of {_MOST} questions answered exactly by rules, in a made world",
            "1.97 by the trained model, on the web",
            found,
            ok=found >= _MOST - 1,
        ),
        _figure(
            "peak tokens of it, and of a context that keeps everything",
            "1040 against 3840",
            f"{peak[0]} against {peak[1]}",
            ok=4 * peak[0] < peak[1],
        ),
        _figure(
            f"growth of its peak from 1 to {_MOST} questions, which task and state hold",
            "1.6 from 2 to 16",
            f"{peak[0] / alone:.1f}",
            ok=peak[0] < 3 * alone,
        ),
        _figure(
            "answered with room for one sentence in the state",
            "1 (nothing is published)",
            narrow,
            ok=0 < narrow <= 2,
        ),
        _figure(
            f"of {_MOST} answers, found again in what had left the context",
            "none in the paper",
            kept,
            ok=kept == _MOST,
        ),
    ]


def _packing() -> list[Figure]:
    """Log-probabilities of a packed sequence, against those of each turn alone."""
    exact, alone, paper = (_deviations(mode) for mode in _MODES)
    return [
        _figure(
            "log-probabilities packed against turn by turn, largest difference: exact, per_turn",
            "0",
            f"{max(exact):.0e}, {max(alone):.0e}",
            ok=max(*exact, *alone) < 1e-10,
        ),
        _figure(
            "the same with one copy of each token, for turns 1 to 5",
            "0, 0, then above 0.1",
            ", ".join(f"{each:.2g}" if each > 1e-10 else "0" for each in paper),
            ok=max(paper[:2]) < 1e-10 and min(paper[2:]) > 0.1,
        ),
    ]


def _figure(what: str, published: str, measured: float | str, *, ok: bool) -> Figure:
    return {"what": what, "published": published, "measured": measured, "ok": ok}


# One task whose state is two numbers, so that nothing but the turns can make a context grow.


def _walked(rooms: int) -> Trajectory:
    """The sum over rooms, one room a turn."""
    texts = [f"This room holds {each}. " + "Its walls are bare. " * 40 for each in _held(rooms)]
    with Memory.open(":memory:", embedder="none", model="none", durability="off") as memory:
        agent = ConstantMemoryAgent(
            _walk, lambda query: texts[int(query) - 1], rooms + 1, 1, memory
        )
        return agent.run(f"Visit rooms {rooms}, and say the sum of what they hold.")


def _held(rooms: int) -> list[int]:
    return [10 + 7 * at % 80 for at in range(rooms)]


def _walk(context: str) -> str:
    """A policy: the rooms that are done and their sum are all that it keeps."""
    state, seen, rooms = _STATE.search(context), _SEEN.search(context), _VISIT.search(context)
    assert rooms is not None
    done, total = (int(state[1]), int(state[2])) if state else (0, 0)
    if seen:
        done, total = done + 1, total + int(seen[1])
    then = f"<answer>{total}</answer>" if done == int(rooms[1]) else f"<search>{done + 1}</search>"
    return f"<think>{done} rooms, sum {total}</think>{then}"


def _everything(done: Trajectory) -> int:
    """Tokens of a context that drops nothing."""
    passed = "".join(turn.output + turn.observation for turn in done.turns)
    return estimated(done.prompt + passed)


# A world in which every answer is known, and rules as the policy.


def _world() -> tuple[list[str], list[str], list[list[str]]]:
    """Questions, documents, and the answers that are right for each question."""
    dice = random.Random(_SEED)
    namer = Namer(dice)
    people = [(namer.person(), namer.name("burg")) for _ in range(_MOST)]
    questions = [f"Where was {person} born?" for person, _ in people]
    texts = []
    for person, town in people:
        said = [f"{person} was born in {town}."]
        said += [f"{namer.person()} met {person} at the {namer.name()} fair." for _ in range(4)]
        said += [f"{namer.person()} sells boats in {namer.name('burg')}." for _ in range(4)]
        dice.shuffle(said)
        texts.append(" ".join(said))
    return questions, texts, [[town] for _, town in people]


def _asked(
    questions: Sequence[str], texts: Sequence[str], right: Sequence[Sequence[str]]
) -> tuple[float, tuple[int, int], float, int]:
    """Exact answers, peak and all tokens, exact answers with little room, and what was kept."""
    with Memory.open(":memory:", embedder="none", model="none", durability="off") as outside:
        outside.add([{"role": "tool", "content": text} for text in texts])

        def searched(query: str) -> list[str]:
            return [each["memory"] for each in outside.search(query, top_k=3)["results"]]

        task = "; ".join(questions)
        with Memory.open(":memory:", embedder="none", model="none", durability="off") as kept:
            done = ConstantMemoryAgent(None, searched, _MOST + 1, 3, kept).run(task)
            seen = [
                kept.search(each, top_k=1, run_id=run_of(task))["results"] for each in questions
            ]
        narrow = ConstantMemoryAgent(Extractive(20), searched, _MOST + 1).run(task)
    again = sum(
        town in found[0]["memory"] for found, (town,) in zip(seen, right, strict=True) if found
    )
    peak = done.peak_tokens, _everything(done)
    return em_multi(done.answers, right), peak, em_multi(narrow.answers, right), again


# A decoder of random weights in float64: three layers, one head, rotary positions.


def _deviations(mode: Mode) -> list[float]:
    """For each turn, the largest difference between packed and alone."""
    weights, turns = _weights(), _turns()
    packed = pack(turns, _letters, mode)
    places, learned = predictors(packed), np.flatnonzero(packed.loss_mask)
    together = _logprobs(weights, packed)[places, packed.ids[learned]]
    alone = [_alone(weights, turn) for turn in turns.turns]
    ends = np.cumsum([len(each) for each in alone])[:-1]
    return [
        float(np.abs(one - other).max())
        for one, other in zip(np.split(together, ends), alone, strict=True)
    ]


def _turns() -> Trajectory:
    """Five turns of odd lengths."""
    dice = random.Random(_SEED)
    prompt, last, turns = _babble(dice, 9), "", list[Turn]()
    for size in (5, 7, 3, 11, 6):
        turns.append(Turn(prompt + last, _babble(dice, size), _babble(dice, size + 2)))
        last = turns[-1].output + turns[-1].observation
    return Trajectory(prompt, tuple(turns))


def _babble(dice: random.Random, size: int) -> str:
    return "".join(dice.choices("abcdefghijklmnopqrstuvwxyz ", k=size))


def _letters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def _weights() -> dict[str, Numbers]:
    dice = np.random.default_rng(_SEED)
    shapes = {"in": (_LETTERS, _WIDTH), "out": (_WIDTH, _LETTERS)}
    shapes |= {f"{name}{at}": (_WIDTH, _WIDTH) for name in "qkvo" for at in range(_LAYERS)}
    return {name: dice.normal(size=shape) / 3 for name, shape in shapes.items()}


def _alone(weights: dict[str, Numbers], turn: Turn) -> Numbers:
    """The log-probability of each token of an output, in its own context."""
    ids = np.array(_letters(turn.context + turn.output))
    size, before = len(ids), len(turn.context)
    every = np.ones(size, dtype=np.bool_)
    told = _logprobs(weights, Packed(ids, np.arange(size), np.tri(size, dtype=np.bool_), every))
    chosen: Numbers = told[np.arange(before, size) - 1, ids[before:]]
    return chosen


def _logprobs(weights: dict[str, Numbers], packed: Packed) -> Numbers:
    """(N, letters): what may come after each token."""
    x = weights["in"][packed.ids]
    for at in range(_LAYERS):
        q, k = (_turned(x @ weights[f"{name}{at}"], packed.position_ids) for name in "qk")
        scores = np.where(packed.mask_2d, q @ k.T / np.sqrt(_WIDTH), -np.inf)
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        x = x + np.tanh(share @ (x @ weights[f"v{at}"]) @ weights[f"o{at}"])
    logits = x @ weights["out"]
    logits -= logits.max(axis=1, keepdims=True)
    told: Numbers = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return told


def _turned(x: Numbers, positions: NDArray[np.int64]) -> Numbers:
    """Pairs of numbers, turned by their position."""
    angles = positions[:, None] * 100.0 ** (-np.arange(_WIDTH // 2) / (_WIDTH // 2))
    one, other = x[:, ::2], x[:, 1::2]
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([one * cos - other * sin, one * sin + other * cos], axis=1)
