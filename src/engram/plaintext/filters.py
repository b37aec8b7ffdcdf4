"""Filters: a small boolean language over metadata and record fields, compiled to SQL.

``{"city": "Oslo"}`` · ``{"age": {"gte": 30, "lt": 40}}`` · ``{"AND": [...]}``, ``{"OR": [...]}``,
``{"NOT": [...]}`` · several keys in one object must all hold. Operators: eq ne gt gte lt lte in
nin contains icontains exists. A key is a record field (``kind``, ``state``, ``event_time``,
``created_at``, ``valid_from``, ``valid_to``, ``user_id``, ``agent_id``, ``run_id``, ``speaker``,
``role``, ``trust``, ``importance``, ``confidence``, ``tags``, ``id``) or else a metadata key;
``metadata.kind`` reaches a metadata key of a field's name. A missing value makes every comparison
false but ``ne`` and ``nin``, and values of different types are never equal, less or greater.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from engram.errors import InvalidFilter
from engram.plaintext.text.times import seconds

type_of = type
Sql = tuple[str, list[Any]]
DEEPEST = 32
_FIELDS: Mapping[str, str] = {
    "id": "r.record",
    "kind": "r.kind",
    "state": "r.state",
    "run_id": "r.run",
    "agent_id": "r.agent",
    "speaker": "r.speaker",
    "event_time": "r.event",
    "created_at": "r.known_from",
    "valid_from": "r.valid_from",
    "valid_to": "r.valid_to",
    "expires_at": "r.expires",
    "user_id": "json_extract(l.body,'$.scope.user')",
    "role": "coalesce(json_extract(l.body,'$.fields.role'),'user')",
    "trust": "coalesce(json_extract(l.body,'$.trust'),'user')",
    "importance": "coalesce(json_extract(l.body,'$.importance'),0.5)",
    "confidence": "coalesce(json_extract(l.body,'$.confidence'),1.0)",
}
_TIMES = frozenset({"event_time", "created_at", "valid_from", "valid_to", "expires_at"})
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_OPERATORS = ("eq", "ne", *_COMPARE, "in", "nin", "contains", "icontains", "exists")


def compile_filter(filters: Mapping[str, Any], depth: int = 0) -> Sql:
    """SQL over ``rows r`` and ``log l`` that is true where the filter holds, and its values.

    Raises:
        InvalidFilter: an operator is unknown, or a value does not fit it.
    """
    if not isinstance(filters, Mapping):
        raise InvalidFilter(f"a filter must be an object, got {filters!r}")
    if depth > DEEPEST:
        raise InvalidFilter(f"a filter may nest {DEEPEST} deep, got more; flatten it")
    parts = [_part(str(key), value, depth) for key, value in filters.items()]
    return _joined(parts, " AND ", "1")


def _part(key: str, value: Any, depth: int) -> Sql:
    word = key.upper()
    if word in ("AND", "OR", "NOT"):
        return _boolean(word, value, depth)
    if isinstance(value, Mapping):
        return _joined([_test(key, str(op), v) for op, v in value.items()], " AND ", "1")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _test(key, "in", value)
    return _test(key, "eq", value)


def _boolean(word: str, value: Any, depth: int) -> Sql:
    parts = [value] if isinstance(value, Mapping) else value
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        raise InvalidFilter(f"{word} needs a list of filters, got {value!r}")
    compiled = [compile_filter(part, depth + 1) for part in parts]
    if word == "NOT":
        sql, values = _joined(compiled, " OR ", "0")
        return f"NOT ({sql})", values
    return _joined(compiled, f" {word} ", "1" if word == "AND" else "0")


def _joined(parts: Sequence[Sql], word: str, empty: str) -> Sql:
    if not parts:
        return empty, []
    sql = word.join(f"({part})" for part, _ in parts)
    return sql, [value for _, values in parts for value in values]


def _test(key: str, op: str, value: Any) -> Sql:
    if op not in _OPERATORS:
        near = get_close_matches(op, _OPERATORS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; use one of {', '.join(_OPERATORS)}"
        raise InvalidFilter(f"{op!r} is not a filter operator{hint}")
    if key == "tags":
        return _on_list("$.tags", op, value)
    target, kind, values = _target(key)
    plain = _literal(key, op, value)
    return _OPS[op](target, kind, values, plain, op)


def _target(key: str) -> tuple[str, str, list[Any]]:
    """SQL for the value, SQL for its JSON type, and the values one use of either binds."""
    if key in _FIELDS:
        sql = _FIELDS[key]
        return sql, f"typeof({sql})", []
    path = "$.metadata." + json.dumps(key.removeprefix("metadata."), ensure_ascii=False)
    return "json_extract(l.body,?)", "json_type(l.body,?)", [path]


def _literal(key: str, op: str, value: Any) -> Any:
    if op in ("in", "nin"):
        return [_literal(key, "eq", item) for item in _listed(op, value)]
    if op == "exists" and not isinstance(value, bool):
        raise InvalidFilter(f"exists needs true or false, got {value!r}")
    if op in ("contains", "icontains") and not isinstance(value, str):
        raise InvalidFilter(f"{op} needs text, got {value!r}")
    if value is None and op in ("eq", "ne"):
        return None
    return _scalar(key, value)


def _listed(op: str, value: Any) -> Sequence[Any]:
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidFilter(f"{op} needs a list, got {value!r}")
    return value


def _scalar(key: str, value: Any) -> Any:
    if key in _TIMES and not isinstance(value, bool):
        return seconds(value, f"the filter on {key}")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if not isinstance(value, (str, int, float, bool)):
        raise InvalidFilter(f"a filter compares text, numbers and true or false, got {value!r}")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidFilter(f"a filter's number must fit 64 bits, got {value!r}")
    return value


_TYPES: Mapping[type, str] = {
    str: "IN ('text')",
    bool: "IN ('true','false')",
    int: "IN ('integer','real')",
    float: "IN ('integer','real')",
}


def _equal(target: str, kind: str, values: list[Any], plain: Any, _op: str) -> Sql:
    if plain is None:
        return f"coalesce({kind},'null')='null'", [*values]
    same_type = _TYPES[type_of(plain)]
    return f"coalesce({kind} {same_type} AND {target}=?,0)", [*values, *values, plain]


def _unequal(target: str, kind: str, values: list[Any], plain: Any, op: str) -> Sql:
    sql, bound = _equal(target, kind, values, plain, op)
    return f"NOT {sql}", bound


def _order(target: str, kind: str, values: list[Any], plain: Any, op: str) -> Sql:
    sign = _COMPARE[op]
    same_type = _TYPES[type_of(plain)]
    return f"coalesce({kind} {same_type} AND {target}{sign}?,0)", [*values, *values, plain]


def _among(target: str, kind: str, values: list[Any], plain: Any, op: str) -> Sql:
    sql, bound = _joined([_equal(target, kind, values, p, op) for p in plain], " OR ", "0")
    return (f"NOT ({sql})" if op == "nin" else sql), bound


def _contains(target: str, kind: str, values: list[Any], plain: Any, op: str) -> Sql:
    lower = op == "icontains"
    held = f"lower({target})" if lower else target
    wanted = plain.lower() if lower else plain
    text = f"{kind} IN ('text') AND instr({held},?)>0"
    item = f"{kind}='array' AND EXISTS(SELECT 1 FROM json_each({target}) WHERE value=?)"
    if not values:
        return f"coalesce({text},0)", [wanted]
    return (
        f"coalesce(({text}) OR ({item}),0)",
        [*values, *values, wanted, *values, *values, plain],
    )


def _exists(_target: str, kind: str, values: list[Any], plain: Any, _op: str) -> Sql:
    return f"(coalesce({kind},'null')!='null')={int(plain)}", [*values]


def _on_list(path: str, op: str, value: Any) -> Sql:
    wanted = value if op in ("in", "nin") else [value]
    if op not in ("eq", "ne", "in", "nin", "contains") or not all(
        isinstance(item, str) for item in wanted
    ):
        raise InvalidFilter(
            f"tags are compared with eq, ne, in, nin or contains text, got {value!r}"
        )
    marks = ",".join("?" * len(wanted))
    sql = f"EXISTS(SELECT 1 FROM json_each(l.body,'{path}') WHERE value IN ({marks}))"
    return (f"NOT {sql}" if op in ("ne", "nin") else sql), list(wanted)


_OPS: Mapping[str, Callable[[str, str, list[Any], Any, str], Sql]] = {
    "eq": _equal, "ne": _unequal, "in": _among, "nin": _among, "contains": _contains,
    "icontains": _contains, "exists": _exists, **dict.fromkeys(_COMPARE, _order),
}  # fmt: skip
