"""The object in a model's reply, or what is wrong with it."""

import json
import math
from collections.abc import Mapping
from typing import Any

from engram.extras import require

LONGEST = 400_000
"""Characters of a reply that are looked at; a longer one is no answer to any question of ours."""

_STARTS = 20  # places where the object may begin, among braces that belong to something else
_THOUGHT = "</think>"  # what models that think aloud end it with

Read = tuple[Mapping[str, Any] | None, str]


def object_in(text: str, schema: Mapping[str, Any]) -> Read:
    """The first object in a reply that fits a schema.

    Around it may stand what models like to put there: fences, thoughts, courtesies.

    Args:
        text: of the reply.
        schema: JSON Schema of an object.

    Returns:
        The object and ""; or None and what is wrong, in one line.
    """
    if len(text) > LONGEST:
        return None, f"it is of {len(text)} characters, at most {LONGEST} are read"
    said = text.rpartition(_THOUGHT)[2]
    told = said if "{" in said else text
    wrong, at = "it holds no JSON object", -1
    for tried in range(_STARTS):
        at = told.find("{", at + 1)
        if at < 0:
            break
        found, why = _read(told, at, schema)
        if found is not None:
            return found, ""
        wrong = wrong if tried else why  # the outermost object is the one that was meant
    return None, wrong


def _read(told: str, at: int, schema: Mapping[str, Any]) -> Read:
    checker = require("jsonschema", extra="llm", purpose="checking a model's answers")
    try:
        found, _ = _DECODER.raw_decode(told, at)
        json.dumps(found, ensure_ascii=False).encode()  # half a character can be stored nowhere
        wrong = next(checker.Draft202012Validator(schema).iter_errors(found), None)
    except (ValueError, RecursionError) as error:
        return None, f"it is not JSON ({error!s:.100})"
    if wrong is not None:
        return None, f"{'/'.join(map(str, wrong.path)) or 'the object'}: {wrong.message:.200}"
    return found, ""


def _number(digits: str) -> int | float:
    """A number that is whole is an integer, however it is written: it may choose from a list."""
    value = float(digits)
    if not math.isfinite(value):
        _nothing(digits)
    return int(value) if value.is_integer() else value


def _nothing(name: str) -> float:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_nothing)
