"""Made chat turns and questions about them, in the proportions of real chat.

A few words are in half of the turns and most words in hardly any: names, places and things are
drawn by Zipf's law, as words are. A turn has 24 words at the median and a question 5 to 10, where
LoCoMo's have 23 and 10. The shares of turns that hold a question's words, leaving out grammar, add
up to 0.12 for a question here and to 0.15 there. About one turn in a hundred states a fact.
"""

import random
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

_START = 1_735_689_600.0  # 2025-01-01
_GAP = 420.0  # seconds between turns


def _crossed(first: str, second: str) -> list[str]:
    """Every word of the one joined with every word of the other, the common ones first."""
    pairs = [(a, b) for a in first.split() for b in second.split()]
    random.Random(first).shuffle(pairs)
    return [f"{a}{b}" for a, b in pairs]


_NAMES = (
    "Anna Ben Carla David Emma Felix Grace Hugo Irene Jonas Karen Leo Maria Noah Olga Paul Rosa "
    "Simon Tara Victor Wendy Yusuf Zoe Amir Bianca Cyril Dina Elias Fatima Georg"
).split() + _crossed("Ab Bel Cor Dar El Fen Gal Hal Il Jar Kel Lor Mar Nor", "ina ric essa on ette")
_PLACES = (
    "school work home town Paris Berlin London Rome Madrid Vienna Lisbon Prague Dublin Athens"
).split() + _crossed(
    "Ash Brook Clay Dun East Fair Glen High Iron Kings Long Mill New Oak Port",
    "ford ton bury mouth field dale ham wick",
)
_BRANDS = _crossed(
    "Vel Tri Mon Sol Az Kor Lum Nex Ori Pal Quin Rav Sten Tal Ul Vor Wex Yar Zen Bra Cal Del Er",
    "onta exa ivo umi aris endo ilo anza etta ovia uno issa amo eron alto ika oris enna ubi ax",
)
_KINDS = (
    "old new small green wooden cheap heavy broken favourite Italian electric woollen silver "
    "second-hand plastic round yellow antique foldable striped"
).split()
_THINGS = (
    "book car phone dog bike camera guitar coat table cake laptop lamp ticket garden recipe "
    "photo jacket kettle puzzle tent carpet violin mirror vase drill saw blanket printer helmet "
    "compass hammock accordion telescope typewriter kayak sewing-machine barometer anvil"
).split()
_DOINGS = (
    "cooking running painting reading swimming hiking dancing gardening singing skiing knitting "
    "sailing fishing climbing boxing yoga chess pottery archery surfing drawing cycling juggling "
    "carpentry astronomy genealogy calligraphy beekeeping origami falconry"
).split()
_TOPICS = (
    "work money health family travel music weather politics football school history movies taxes "
    "design physics insurance climate elections opera chemistry grammar philosophy nutrition "
    "architecture statistics linguistics geology ceramics cryptography mycology"
).split()
_FEELINGS = "happy tired nervous proud calm worried excited lonely grateful bored curious".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = "January February March April May June July August September October November".split()
_SLOTS: Mapping[str, list[str]] = {
    "who": _NAMES, "place": _PLACES, "kind": _KINDS, "thing": _THINGS, "doing": _DOINGS,
    "topic": _TOPICS, "feel": _FEELINGS, "brand": _BRANDS, "day": _DAYS, "month": _MONTHS,
    "n": [str(n) for n in (2, 3, 10, 5, 20, 4, 15, 100, *range(6, 90))],
}  # fmt: skip
_WEIGHTS = {
    name: list(accumulate(1 / (rank + 6) for rank in range(len(words))))
    for name, words in _SLOTS.items()
}

_SENTENCES = (
    "I bought a {kind} {thing} in {place} on {day} and it cost me {n} euros.",
    "{who} told me about {doing}, and honestly I would love to try it with you.",
    "We are going to {place} in {month} with {who} and the {kind} {thing}.",
    "My {thing} broke again, so {who} lent me a {kind} one for the week.",
    "Since {month} I have been doing a lot of {doing} at the club in {place}.",
    "It was {n} degrees in {place} and {who} still wanted to go {doing}!",
    "I feel so {feel} about {topic} these days, do you know what I mean?",
    "{who} {brand} moved to {place} and works on {topic} there, which sounds amazing.",
    "That is great, {who} must be really {feel} about the {thing}.",
    "How did the {doing} go on {day}, did {who} come along in the end?",
    "I read a {kind} book about {topic} and it made me think of {who}.",
    "You should ask {who}, the {thing} from {place} is better than mine.",
    "Yesterday I lost the {kind} {thing} on the train to {place}, can you believe that?",
    "My sister is {feel} because the {topic} exam is on {day} the {n}th.",
    "My neighbour {who} in {place} has a {kind} {thing}, I hear it at night.",
    "My favourite thing about {doing} is that I stop thinking about {topic}.",
    "Wow, that is wonderful! I am {feel} for you, it will be fun.",
    "Thanks, I needed to hear that, it has been a long week for me.",
    "We talked about {topic} for {n} hours and then {who} made us tea.",
    "The {brand} app keeps crashing whenever I open the {topic} page.",
    "Our landlord painted the hallway and now everything smells like {kind} varnish.",
    "Have you tried the {brand} bakery near the station, their bread is delicious?",
    "{who} got an offer from {brand} and has to decide until {day}.",
    "Grandma called, she remembers the summer in {place} better than I do.",
    "I forgot my umbrella at the dentist and got soaked, typical.",
    "The kids built a {thing} out of cardboard, it took them {n} minutes.",
    "There is a concert of {brand} in {place}, should I get tickets?",
    "Could you send me the address of that {brand} shop again, please?",
    "Dinner was lentils and rice, nothing special, but {who} loved it.",
    "Parking near the hospital costs a fortune, next time we take the bus.",
    "They cancelled the {doing} course because the teacher caught a cold.",
    "After the storm a tree fell on {who}'s balcony, nobody was hurt.",
    "Finally finished the {brand} puzzle, {n} hundred pieces of grey sky!",
    "Remember to water the tomatoes while we visit {place}, okay?",
    "A colleague from {brand} recommended stretching before {doing}.",
    "I want to sell my {thing} before {month}, {who} offered {n} for it.",
)
_QUESTIONS = (
    "What did {who} say about {doing}?",
    "When did I buy the {kind} {thing} in {place}?",
    "Who went to {place} with me in {month}?",
    "How much did the {kind} {thing} cost?",
    "Where does {who} {brand} live now?",
    "What was the weather like in {place} with {who}?",
    "Why is {who} so {feel} about the {thing}?",
    "Which book about {topic} did I read?",
    "Who lent me a {thing} when mine broke?",
    "How long did we talk about {topic} with {who}?",
    "What happened on the train to {place} with the {thing}?",
    "Which job did {who} get offered at {brand}?",
    "Where is the {brand} shop that I asked for?",
    "Why did they cancel the {doing} course?",
    "Who recommended stretching before {doing}?",
    "Did {who} come along to {doing} on {day}?",
)
_SLOT = re.compile(r"\{(\w+)\}")


def turns(rng: random.Random, count: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """Messages for ``Memory.add``, in order of time; ``first`` goes on after so many."""
    for at in range(first, first + count):
        said = " ".join(_filled(rng, s) for s in rng.sample(_SENTENCES, rng.choice((1, 2, 2))))
        role = "assistant" if at % 2 else "user"
        yield {"role": role, "content": said, "time": _START + at * _GAP}


def questions(rng: random.Random, count: int) -> list[str]:
    """Different questions, 5 to 12 words each."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[_filled(rng, rng.choice(_QUESTIONS))] = None
    return list(found)


def _filled(rng: random.Random, sentence: str) -> str:
    return _SLOT.sub(lambda slot: _drawn(rng, slot[1]), sentence)


def _drawn(rng: random.Random, slot: str) -> str:
    return rng.choices(_SLOTS[slot], cum_weights=_WEIGHTS[slot])[0]
