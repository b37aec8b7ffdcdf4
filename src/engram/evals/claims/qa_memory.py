"""QA-Memory: what is known is kept as questions with their answers, and found by the question.

A question is more like another question than like the text that answers it. So the memory holds
pairs of a question and an answer, and a query finds the pairs that ask the same. Where one pair is
not enough, a second round is asked with what the first round found: the capital of the country
where somebody was born is reached through the pair that names the country.

What differs: the paper generates millions of pairs and trains a reader that attends to them. Here
no reader is trained. Pairs come from what messages state and define, from headings and from lists
of questions, by rules, and from a model where there is one. An answer is always words of its
message, and a pair is kept only where reading the message again gives that answer, whoever made it.
The messages are kept and searched beside the pairs. A newer answer ends an older one, and a pair
that repeats a better one makes room. The second round follows names. ``abstain`` is the memory's
own confidence under a floor.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="qa-memory")
memory.add("Ana Berg was born in Norland. The capital of Norland is Osk.")
for pair in memory.get_all(filters={"kind": "qa"})["results"]:
    print(pair["fields"]["question"], "|", pair["fields"]["answer"])
```

```text
Where was Ana Berg born? | Norland
What is the capital of Norland? | Osk
```
"""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engram.evals.claims.figures import Figure
from engram.evals.claims.worlds import NOW, Namer, filled, reader
from engram.memory import Memory
from engram.plaintext.read import Ask
from engram.plaintext.roles import Scope

_PEOPLE, _COUNTRIES, _ASKED, _FORMS, _SHOWN, _SEED = 60, 20, 10, 5, 4, 3
_FLOORS = tuple(step / 10 for step in range(10))
_WORDINGS: Mapping[str, Sequence[str]] = {
    "home": (
        "Where was {x} born?",
        "What is the birthplace of {x}?",
        "In which town did {x} come into the world?",
        "What town was {x} born in?",
        "Which town is {x}'s place of birth?",
    ),
    "work": (
        "Who employs {x}?",
        "Where does {x} work?",
        "What company does {x} work for?",
        "Which firm is {x} employed at?",
        "What is {x}'s employer?",
    ),
    "pet": (
        "What is {x}'s pet called?",
        "What is the name of {x}'s pet?",
        "How is the pet of {x} named?",
        "Which name does {x}'s animal have?",
        "What does {x} call the pet?",
    ),
    "dish": (
        "What is {x}'s favourite dish?",
        "Which dish does {x} like best?",
        "What does {x} like to eat most?",
        "What food does {x} love most?",
        "Which meal is {x}'s favourite?",
    ),
}
"""Five ways to ask for each of four things."""


class World(NamedTuple):
    """Who was born in which country, and the capital of each."""

    born: Mapping[str, str]
    capital: Mapping[str, str]


def claim() -> list[Figure]:
    """Two rounds answer what one cannot; other words find the pair; a floor buys accuracy."""
    recall, curve = _paraphrases(), _curve()
    crowded, spread = _crowding("hybrid"), _crowding("qa-memory")
    rising = [accuracy for _, accuracy in curve]
    return [
        *_hops(),
        {
            "what": "recall@1 of the fifth wording where four are stored, mean of all five",
            "published": ">= 0.90",
            "measured": round(recall, 3),
            "ok": recall >= 0.9,
        },
        {
            "what": f"coverage and accuracy at confidence floors of {_FLOORS}",
            "published": "accuracy never falls",
            "measured": ", ".join(f"{part:.2f}/{right:.2f}" for part, right in curve),
            "ok": rising == sorted(rising) and rising[-1] > rising[0],
        },
        {
            "what": "different answers among the first four, where one was told in four wordings",
            "published": "more than without the pairs",
            "measured": f"{spread}, with hybrid {crowded}",
            "ok": spread > crowded,
        },
    ]


def _hops() -> list[Figure]:
    """What one round and two rounds find at the end of a chain."""
    world, chance = _world(), 1 / _COUNTRIES
    with _filled(world) as memory:
        one, two = (_two_hops(memory, world, rounds=rounds) for rounds in (1, 2))
    return [
        {
            "what": "capital of the country where somebody was born, one round",
            "published": f"<= chance + leakage, {chance:.2f} each",
            "measured": round(one, 3),
            "ok": one <= 2 * chance,
        },
        {
            "what": "the same with a second round",
            "published": ">= 0.95",
            "measured": round(two, 3),
            "ok": two >= 0.95,
        },
    ]


def _world() -> World:
    namer = Namer(random.Random(_SEED))
    countries = [namer.name("nia") for _ in range(_COUNTRIES)]
    capital = {country: namer.name("burg") for country in countries}
    born = {namer.person(): countries[at % _COUNTRIES] for at in range(_PEOPLE)}
    return World(born, capital)


def _filled(world: World) -> Memory:
    texts = [f"{person} was born in {country}." for person, country in world.born.items()]
    texts += [f"The capital of {country} is {city}." for country, city in world.capital.items()]
    random.Random(_SEED).shuffle(texts)
    return filled(texts, "qa-memory")


def _two_hops(memory: Memory, world: World, *, rounds: int) -> float:
    """Share of people for whom the best result that speaks of a capital names theirs."""
    search = reader(memory, "qa-memory", without=() if rounds > 1 else ("Bridges",)).search
    right = 0
    for person, country in world.born.items():
        query = f"What is the capital of the country where {person} was born?"
        found = search(Ask(query, Scope(), NOW)).answers
        said = [each.record.text for each in found if "capital" in each.record.text]
        right += bool(said) and world.capital[country] in said[0]
    return right / len(world.born)


def _paraphrases() -> float:
    """How often the first result answers a wording that was not stored, of each in turn."""
    namer = Namer(random.Random(_SEED))
    people = [namer.person() for _ in range(_ASKED)]
    answer = {(person, about): namer.name() for person in people for about in _WORDINGS}
    right = 0
    for held in range(_FORMS):
        texts = [
            f"Q: {wording.format(x=person)}\nA: {name}"
            for (person, about), name in answer.items()
            for at, wording in enumerate(_WORDINGS[about])
            if at != held
        ]
        random.Random(_SEED).shuffle(texts)
        with filled(texts, "qa-memory") as memory:
            for (person, about), name in answer.items():
                query = _WORDINGS[about][held].format(x=person)
                (first,) = memory.search(query, top_k=1)["results"]
                right += name in first["memory"]
    return right / (_FORMS * len(answer))


def _curve() -> list[tuple[float, float]]:
    """Coverage and accuracy at each floor, where half of what is asked was never said."""
    namer = Namer(random.Random(_SEED))
    born = {namer.person(): namer.name("nia") for _ in range(_PEOPLE)}
    strangers = [namer.person() for _ in range(_PEOPLE)]
    texts = [f"{person} was born in {country}." for person, country in born.items()]
    texts += [f"{person} came to the market." for person in strangers]
    answered = []
    with filled(texts, "qa-memory") as memory:
        for person in (*born, *strangers):
            found = memory.search(f"In which country was {person} born?", top_k=1)
            right = person in born and born[person] in found["results"][0]["memory"]
            answered.append((found["confidence"], right))
    return [_at(floor, answered) for floor in _FLOORS if any(sure >= floor for sure, _ in answered)]


def _at(floor: float, answered: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """The share that is answered, and the share of that which is right."""
    given = [right for sure, right in answered if sure >= floor]
    return len(given) / len(answered), sum(given) / len(given)


def _crowding(preset: str) -> int:
    """Different answers among the first results to a question whose answer was told often."""
    texts = [
        "Q: Where was Mara Voss born?\nA: Norland",
        "Q: In which country was Mara Voss born?\nA: Norland",
        "Q: What country was Mara Voss born in?\nA: Norland",
        "Q: Where was Mara Voss born?\nA: Norland!",
        "Q: When was Mara Voss born?\nA: In 1971",
        "Q: What was Mara Voss trained as?\nA: A glazier",
        "Q: Who were the parents of Mara Voss?\nA: Two sailors",
    ]
    with filled(texts, preset) as memory:
        found = memory.search("Where was Mara Voss born?", top_k=_SHOWN)["results"]
    ends = {each["memory"].split("A: ")[-1].split("? ")[-1].rstrip("!") for each in found}
    return len(ends)
