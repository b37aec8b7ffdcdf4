"""Memories as the beginning of a prompt: quoted as data, in one order, in the model's own shape.

The beginning is what all prompts with these memories share, token by token. What follows is found
by comparing it with the whole prompt, so that beginning and rest are the ids of the whole, however
a tokenizer joins what stands side by side.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from jinja2 import TemplateError

from engram.plaintext.roles import Record
from engram.plaintext.text.quoting import line, wrapped

_QUERIES = ("What now?", "a", "0", " 7", "\nAnd?", "«Ж")
"""Ends that begin in different ways: what stays the same before all of them is the beginning."""


def in_order(records: Iterable[Record]) -> list[Record]:
    """As they happened, so that what is told later comes behind and leaves the beginning alike."""
    return sorted(records, key=lambda each: (_when(each), each.id))


def _when(record: Record) -> float:
    return record.created if record.event_time is None else record.event_time


def told(records: Sequence[Record], tokenizer: Any) -> str:
    """The memories as text in which no word is a sign that steers the model."""
    lines = [line(record) for record in records]
    for sign in sorted(_signs(tokenizer), key=len, reverse=True):
        lines = [each.replace(sign, f"\\u{ord(sign[0]):04x}{sign[1:]}") for each in lines]
    return wrapped(lines)


def _signs(tokenizer: Any) -> set[str]:
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    special = {str(token) for token in added if token.special}
    return {sign for sign in special if len(sign) > 1 and sign.strip()}


def whole(tokenizer: Any, text: str, query: str) -> list[int]:
    """The ids of the prompt that tells the memories and asks the query."""
    prompt = _in_a_template(tokenizer, text, query)
    if prompt is None:
        return list(tokenizer(f"{text}\n\n{query}")["input_ids"])
    return list(tokenizer(prompt, add_special_tokens=False)["input_ids"])


def beginning(tokenizer: Any, text: str) -> list[int]:
    """The ids that every prompt with these memories begins with."""
    prompts = [whole(tokenizer, text, query) for query in _QUERIES]
    return reduce(lambda one, other: one[: shared(one, other)], prompts)


def _in_a_template(tokenizer: Any, text: str, query: str) -> str | None:
    """As the model was taught to be spoken to; None where it was not, or cannot be told so."""
    if not getattr(tokenizer, "chat_template", None):
        return None
    turns = (
        [{"role": "system", "content": text}, {"role": "user", "content": query}],
        [{"role": "user", "content": f"{text}\n\n{query}"}],  # some know no system message
    )
    for each in turns:
        try:
            prompt = tokenizer.apply_chat_template(each, tokenize=False, add_generation_prompt=True)
        except TemplateError:
            continue
        if text in prompt:
            return str(prompt)
    return None


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two prompts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
