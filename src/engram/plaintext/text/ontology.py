"""A fixed set of topics, each known by a few dozen words: what a text is about, at a glance.

The set is versioned: a text that was tagged by another version can be tagged anew.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from engram.plaintext.columns import Floats
from engram.plaintext.text.words import terms
from engram.ports import Embedder

VERSION = "1"
WORDS: Mapping[str, str] = {
    "art": "art artist painting paint draw drawing sketch gallery exhibition sculpture pottery"
    " ceramic canvas watercolour craft knit sew photography photo camera museum museums",
    "books": "book novel read reading reader author library poem poetry story writer chapter"
    " bookshop bookstore memoir fiction publish manuscript literature",
    "celebration": "birthday party wedding anniversary celebrate celebration christmas easter"
    " halloween gift present holiday festival ceremony graduation toast fireworks invitation",
    "clothes": "clothes dress shirt shoe jacket coat outfit fashion wear jeans sweater hat scarf"
    " wardrobe tailor sneakers jewellery",
    "faith": "church pray prayer god faith religion religious temple mosque meditate meditation"
    " spiritual bible priest monk soul belief",
    "family": "family mother father mom dad mum parent sister brother son daughter grandma"
    " grandmother grandfather grandpa aunt uncle cousin niece nephew child kid baby toddler",
    "film": "film movie cinema actor actress director series episode netflix television show"
    " documentary trailer theatre theater play stage scene",
    "food": "food cook cooking recipe dinner lunch breakfast restaurant bake cake bread soup pasta"
    " pizza cheese coffee tea wine beer vegetable fruit kitchen meal dish taste delicious vegan",
    "friends": "friend friendship buddy neighbour neighbor roommate colleague company hangout"
    " gathering reunion together visitor guest",
    "games": "game gaming console chess puzzle videogame tournament player board card dice level"
    " nintendo playstation xbox esports strategy",
    "health": "health doctor hospital sick illness pain headache fever medicine pill dentist"
    " therapy therapist diet sleep allergy vaccine injury recover recovery flu nurse symptom",
    "home": "home house apartment flat furniture room garden kitchen sofa rent landlord move moving"
    " roof paint repair renovate renovation clean cleaning laundry neighbourhood bathroom plumber",
    "love": "love date dating boyfriend girlfriend partner wife husband fiance marry married"
    " marriage relationship breakup divorce romantic crush kiss valentine propose",
    "money": "money bank loan debt salary budget tax price invest investment savings save pay bill"
    " mortgage rent cost expensive cheap credit insurance pension stock",
    "music": "music song sing singer band concert guitar piano violin drum album orchestra choir"
    " playlist melody festival opera jazz rock lyrics rehearsal cello",
    "nature": "nature hike hiking mountain forest lake river beach sea ocean tree flower garden"
    " bird camping camp trail sunset weather rain snow park plant wildlife",
    "pets": "pet dog cat puppy kitten rabbit hamster parrot fish aquarium vet leash paw bark fur"
    " shelter breed turtle",
    "politics": "politics politician election vote government president parliament law protest"
    " campaign policy minister rights activist activism party mayor news",
    "sport": "sport run running marathon gym workout yoga swim swimming football soccer basketball"
    " tennis match team coach training race bike cycling climb climbing ski score goal league",
    "study": "study school university college class course exam teacher professor student homework"
    " degree thesis lecture learn lesson grade semester scholarship research",
    "technology": "computer laptop phone software app code coding program programming internet"
    " website robot printer screen battery update server data device gadget keyboard bug",
    "transport": "car drive driving bus train bicycle traffic garage engine tyre tire mechanic"
    " licence license parking road motorcycle commute tram subway",
    "travel": "travel trip journey flight fly airport hotel passport visa vacation tour tourist"
    " abroad country city luggage suitcase itinerary train sightseeing visit hostel backpack",
    "work": "work job office boss meeting project deadline career interview promotion client"
    " company manager colleague shift hire hired resign business contract presentation salary",
}
"""Topic -> words that speak for it; a word may speak for several."""

TOPICS = tuple(WORDS)
_SPEAKING: dict[str, list[str]] = {}
for _topic, _words in WORDS.items():
    for _term in dict.fromkeys([*terms(_words).stems, *terms(_topic).stems]):
        _SPEAKING.setdefault(_term, []).append(_topic)


def spoken_of(text: str) -> list[str]:
    """The topics that words of the text speak for, those with most to say first."""
    shares = dict.fromkeys(TOPICS, 0.0)
    for term in dict.fromkeys(terms(text).content):
        for topic in _SPEAKING.get(term, ()):
            shares[topic] += 1 / len(_SPEAKING[term])
    return sorted(filter(shares.get, TOPICS), key=lambda topic: -shares[topic])


def nearest(vector: Floats, embedder: Embedder) -> list[str]:
    """All topics, those first whose words lie nearest to a unit vector.

    Every topic's words have something in common, which is taken out before they are compared.
    """
    around = _centres(embedder) @ vector  # type: ignore[arg-type]  # an object, so it has a hash
    return [TOPICS[at] for at in np.argsort(-around, kind="stable")]


@lru_cache(maxsize=8)
def _centres(embedder: Embedder) -> Floats:
    """(topics, D) unit vectors of the words of each topic around their mean."""
    made = embedder.embed(list(WORDS.values()))
    around = made - made.mean(axis=0)
    lengths = np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-9)
    return (around / lengths).astype(np.float32)
