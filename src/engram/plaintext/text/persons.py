"""Persons: a sentence about somebody in the third person, said to them in the second."""

_AFTER = (" ", "'", "’")
_FORMS = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go"}


def starts_with(sentence: str, head: str) -> str:
    """The head as it is written at the start of a sentence; "" where it does not stand there."""
    for shown in (head, f"the {head}"):
        size = len(shown)
        if (
            shown
            and sentence[:size].lower() == shown.lower()
            and sentence[size:].startswith(_AFTER)
        ):
            return sentence[:size]
    return ""


def addressed(sentence: str, head: str) -> str:
    """The sentence as said to the one it is about; unchanged where it is about another.

    Args:
        sentence: such as "Ana lives in Oslo" or "Ana's birthday is in May".
        head: whom it is about, in any case; "user" is found as "the user" too.
    """
    shown = starts_with(sentence, head)
    if not shown:
        return sentence
    rest = sentence[len(shown) :]
    if rest.startswith(("'s ", "’s ")):
        return f"Your{rest[2:]}"
    verb, _, tail = rest.strip().partition(" ")
    return f"You {_base(verb)} {tail}".rstrip()


def _base(verb: str) -> str:
    """A verb of the third person in the second."""
    if verb in _FORMS:
        return _FORMS[verb]
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb
