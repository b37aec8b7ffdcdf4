"""Words for made conversations: what people tell of themselves, and talk about nothing.

Facts and small talk share their vocabulary on purpose (work, food, trips, flats), so that a
question cannot be answered by the topic alone. Values that are planted never occur in small talk.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

NAMES = ("Ana", "Bruno", "Chidi", "Dora", "Emil", "Farah", "Goran", "Hanna", "Ivo", "Jun")
KIN = ("sister", "brother", "cousin", "neighbour", "flatmate", "colleague")

COUNTRY_OF: Mapping[str, str] = {
    "Oslo": "Norway",
    "Porto": "Portugal",
    "Kyoto": "Japan",
    "Lyon": "France",
    "Tampere": "Finland",
    "Bologna": "Italy",
    "Krakow": "Poland",
    "Valparaiso": "Chile",
    "Mombasa": "Kenya",
    "Galway": "Ireland",
    "Graz": "Austria",
    "Leipzig": "Germany",
}


@dataclass(frozen=True, slots=True)
class Relation:
    """One thing that is true of a person, one value at a time.

    ``{v}`` is the value, ``{who}`` a name. ``own`` is said of oneself, ``other`` of somebody
    else, ``changed`` when it is no longer what it was; ``asked`` is the question.
    """

    key: str
    values: tuple[str, ...]
    own: tuple[str, ...]
    other: str
    changed: str
    asked: str


RELATIONS = (
    Relation(
        "home",
        tuple(COUNTRY_OF),
        (
            "I signed the lease, the flat in {v} is mine.",
            "The boxes are unpacked and {v} feels like home already.",
        ),
        "{who} has settled in {v} by now.",
        "I gave the old flat up and moved to {v} on Monday.",
        "Which city does {who} live in now?",
    ),
    Relation(
        "job",
        ("nurse", "welder", "baker", "surveyor", "tram driver", "bookbinder", "radiographer"),
        (
            "They offered me the post as a {v} and I said yes.",
            "These days I earn my bread as a {v}.",
        ),
        "{who} was taken on as a {v}.",
        "I handed in my notice, next week I begin to work as a {v}.",
        "What does {who} do for a living now?",
    ),
    Relation(
        "pet",
        ("tortoise", "ferret", "greyhound", "parrot", "hedgehog", "rabbit", "gecko"),
        ("We brought a {v} home from the shelter.", "There is a {v} asleep on my sofa."),
        "{who} takes care of a {v}.",
        "The old pet went to my parents, now we keep a {v}.",
        "What kind of animal does {who} keep now?",
    ),
    Relation(
        "instrument",
        ("cello", "accordion", "oboe", "banjo", "trombone", "harp", "clarinet"),
        ("I practise the {v} every evening.", "My {v} needs new keys and pads, it never rests."),
        "{who} plays the {v} in a small band.",
        "I sold the old instrument and play the {v} instead.",
        "Which instrument does {who} play now?",
    ),
    Relation(
        "allergy",
        ("peanuts", "shellfish", "penicillin", "sesame", "celery", "wasp stings", "latex"),
        ("The doctor says I must never go near {v} again.", "My skin swells up from {v}."),
        "{who} ends up in hospital from {v}.",
        "The old test was wrong, what I am allergic to is {v}.",
        "What is {who} allergic to?",
    ),
    Relation(
        "language",
        ("Finnish", "Swahili", "Korean", "Basque", "Welsh", "Turkish", "Quechua"),
        ("I joined an evening class in {v}.", "My {v} vocabulary grows by ten words a day."),
        "{who} takes lessons in {v}.",
        "I dropped the old class, these days I am learning {v}.",
        "Which language is {who} learning now?",
    ),
    Relation(
        "sport",
        ("fencing", "rowing", "climbing", "judo", "archery", "curling", "orienteering"),
        ("Three times a week I go {v}.", "My knees ache, {v} is no joke."),
        "{who} spends the weekends with {v}.",
        "My knees made me change my sport, it is {v} from here on.",
        "What sport does {who} do now?",
    ),
    Relation(
        "car",
        ("Saab", "Lada", "Peugeot", "Volvo", "Skoda", "Subaru", "Renault"),
        ("I drive a {v}, older than my nephew.", "The garage says my {v} has one winter left."),
        "{who} drives around in a {v}.",
        "I traded the old car in, a {v} stands in the yard today.",
        "Which make of car does {who} have now?",
    ),
)

TRIPS = ("Malta", "Iceland", "Corfu", "Madeira", "Tunis", "Riga", "Jersey", "Zadar", "Lofoten")
TRIP_SAID = ("We were in {v} for a long weekend.", "Just back from {v}, my suitcase is still full.")
TRIP_ASKED = "Which places has {who} travelled to?"

EVENTS = (
    ("ran the city marathon", "run the city marathon"),
    ("painted the kitchen yellow", "paint the kitchen"),
    ("lost my passport on a ferry", "lose the passport"),
    ("met my old maths teacher", "meet the old maths teacher"),
    ("planted a cherry tree", "plant a cherry tree"),
    ("gave a speech at a wedding", "give a speech"),
    ("repaired the roof", "repair the roof"),
    ("broke a finger", "break a finger"),
    ("sold my first drawing", "sell the first drawing"),
    ("saw a total eclipse", "see an eclipse"),
)
AGO: Mapping[str, int] = {"Yesterday": 1, "Two days ago": 2, "Three days ago": 3, "A week ago": 7}

PREFERENCES = (
    ("hotel", "I sleep badly near lifts, I always take a quiet room on the top floor.", "a hotel"),
    ("film", "Slow black and white films calm me, explosions give me a headache.", "a film"),
    ("dinner", "I never eat after seven and I like it without garlic.", "a place for dinner"),
    ("gift", "I would rather get something to read than something to wear.", "a gift for me"),
)

ADVICE = (
    ("noodle soup near the harbour", "noodle place", ("Golden Ladle", "Blue Pagoda", "Nine Bowls")),
    ("a podcast about history", "podcast", ("Old Maps", "The Long Bridge", "Dust and Ink")),
    ("a walk outside of town", "walk", ("Heron Trail", "Quarry Loop", "Mill Path")),
    ("a board game for two", "board game", ("Stone Garden", "Night Ferry", "Paper Kings")),
)

_OPENINGS = ("Honestly,", "By the way,", "You know,", "Well,", "Funny thing:", "Anyway,", "Oh,", "")
_MIDDLES = (
    "work was long today and the coffee machine gave up again",
    "the flat upstairs is being renovated, the drilling starts at seven",
    "I cooked far too much on Sunday and ate the rest all week",
    "the weather cannot decide between rain and wind",
    "my phone battery dies whenever I travel",
    "the meeting about the meeting was moved once more",
    "I keep promising myself to do more sport and then it is Friday",
    "the bus was late so I walked through the park",
    "somebody practised an instrument next door until midnight",
    "I read half a book on the train and forgot who the murderer was",
    "the shop around the corner changed hands and the bread got worse",
    "the doctor only said to drink more water",
    "I slept through my alarm and nobody noticed",
    "prices at the market went up again, even for apples",
    "the cat of the house next door visits our balcony",
    "my evening class was cancelled, the teacher had a cold",
    "I watched three episodes in a row and regret nothing",
    "the car park at work is full before eight now",
    "my parents called to ask how to send a photo",
    "the concert was sold out before I found my card",
)
_ENDINGS = (
    "How was your week?",
    "What about you?",
    "Tell me something good.",
    "I should complain less.",
    "But I cannot complain.",
    "It will pass.",
    "Do you know that feeling?",
    "",
)
_REPLIES = (
    "That sounds like a full week. Would you like a plan for the next one?",
    "I understand. Small steps help: pick one thing and give it twenty minutes.",
    "Thanks for telling me. Shall I make a short list of options?",
    "Here are three ideas: rest early, move a little, and write down what went well.",
    "Good question. It depends on your budget and on how much time you have.",
    "Noted. I can help you compare, or we can leave it for today.",
)


def small_talk(rng: random.Random) -> str:
    """Say something that answers no question."""
    parts = (rng.choice(_OPENINGS), rng.choice(_MIDDLES) + ".", rng.choice(_ENDINGS))
    text = " ".join(part for part in parts if part)
    return text[0].upper() + text[1:]


def reply(rng: random.Random) -> str:
    """Say what an assistant says when nothing was asked."""
    return rng.choice(_REPLIES)
