"""Filters: a small boolean language over metadata and record fields, compiled to SQL.

``{"city": "Oslo"}`` · ``{"age": {"gte": 30, "lt": 40}}`` · ``{"AND": [...]}``, ``{"OR": [...]}``,
``{"NOT": [...]}`` · several keys in one object must all hold. Operators: eq ne gt gte lt lte in
nin contains icontains exists. A key is a record field (``kind``, ``state``, ``event_time``,
``created_at``, ``updated_at``, ``expires_at``, ``valid_from``, ``valid_to``, ``user_id``,
``agent_id``, ``run_id``, ``speaker``, ``role``, ``trust``, ``importance``, ``confidence``,
``tags``, ``id``) or else a metadata key;
``metadata.kind`` reaches a metadata key of a field's name. A missing value makes every comparison
false but ``ne`` and ``nin``, and values of different types are never equal, less or greater.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from engram.errors import InvalidFilter, brief
from engram.plaintext.text.times import seconds

Sql = tuple[str, list[Any]]
DEEPEST = 12
BUNDLE = 100
MOST_VALUES = 30_000
"""What SQLite binds in one statement, less some room."""

_FIELDS: Mapping[str, str] = {
    "id": "r.record",
    "kind": "r.kind",
    "state": "r.state",
    "run_id": "r.run",
    "agent_id": "r.agent",
    "speaker": "r.speaker",
    "event_time": "r.event",
    "created_at": "(SELECT f.known_from FROM rows f WHERE f.record=r.record AND f.version=1)",
    "updated_at": "r.known_from",
    "valid_from": "r.valid_from",
    "valid_to": "r.valid_to",
    "expires_at": "r.expires",
    "user_id": "json_extract(l.body,'$.scope.user')",
    "role": "coalesce(json_extract(l.body,'$.fields.role'),'user')",
    "trust": "coalesce(json_extract(l.body,'$.trust'),'user')",
    "importance": "coalesce(json_extract(l.body,'$.importance'),0.5)",
    "confidence": "coalesce(json_extract(l.body,'$.confidence'),1.0)",
}
_TIMES = frozenset(
    {"event_time", "created_at", "updated_at", "valid_from", "valid_to", "expires_at"}
)
_ENTRY = "(SELECT {} FROM json_each(l.body,'$.metadata') WHERE key=?)"
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_OPERATORS = ("eq", "ne", *_COMPARE, "in", "nin", "contains", "icontains", "exists")


def compile_filter(filters: Mapping[str, Any], depth: int = 0) -> Sql:
    """SQL over ``rows r`` and ``log l`` that is true where the filter holds, and its values.

    Raises:
        InvalidFilter: an operator is unknown, or a value does not fit it.
    """
    if not isinstance(filters, Mapping):
        raise InvalidFilter(f"a filter must be an object, got {brief(filters)}")
    if depth > DEEPEST:
        raise InvalidFilter(f"a filter may nest {DEEPEST} deep, got more; flatten it")
    if not all(isinstance(key, str) for key in filters):
        raise InvalidFilter(f"the keys of a filter must be text, got {brief(list(filters))}")
    parts = [_part(_encodable(key), value, depth) for key, value in filters.items()]
    sql, values = _joined(parts, " AND ", "1")
    if len(values) > MOST_VALUES:
        raise InvalidFilter(
            f"a filter may compare {MOST_VALUES} values, got {len(values)}; search in parts"
        )
    return sql, values


def _part(key: str, value: Any, depth: int) -> Sql:
    word = key.upper()
    if word in ("AND", "OR", "NOT"):
        return _boolean(word, value, depth)
    if isinstance(value, Mapping):
        return _joined([_test(key, op, v) for op, v in value.items()], " AND ", "1")
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return _test(key, "in", value)
    return _test(key, "eq", value)


def _boolean(word: str, value: Any, depth: int) -> Sql:
    parts = [value] if isinstance(value, Mapping) else value
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        raise InvalidFilter(f"{word} needs a list of filters, got {brief(value)}")
    compiled = [compile_filter(part, depth + 1) for part in parts]
    if word == "NOT":
        sql, values = _joined(compiled, " OR ", "0")
        return f"NOT ({sql})", values
    return _joined(compiled, f" {word} ", "1" if word == "AND" else "0")


def _joined(parts: Sequence[Sql], word: str, empty: str) -> Sql:
    """The parts in bundles: each part is a level, and SQLite reads a thousand levels."""
    while len(parts) > BUNDLE:
        starts = range(0, len(parts), BUNDLE)
        parts = [_joined(parts[at : at + BUNDLE], word, empty) for at in starts]
    sql = word.join(f"({part})" for part, _ in parts) if len(parts) != 1 else parts[0][0]
    return sql or empty, [value for _, values in parts for value in values]


def _test(key: str, op: Any, value: Any) -> Sql:
    if not isinstance(op, str) or op not in _OPERATORS:
        near = get_close_matches(op[:20], _OPERATORS, n=1) if isinstance(op, str) else []
        hint = f"; did you mean {near[0]!r}?" if near else f"; use one of {', '.join(_OPERATORS)}"
        raise InvalidFilter(f"{brief(op)} is not a filter operator{hint}")
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
    name = key.removeprefix("metadata.")
    if '"' in name:  # which a path can hold in no version of SQLite before 3.46
        return _ENTRY.format("value"), _ENTRY.format("type"), [name]
    path = "$.metadata." + json.dumps(name, ensure_ascii=False)
    return "json_extract(l.body,?)", "json_type(l.body,?)", [path]


def _literal(key: str, op: str, value: Any) -> Any:
    if op in ("in", "nin"):
        return [_literal(key, "eq", item) for item in _listed(op, value)]
    if op == "exists" and not isinstance(value, bool):
        raise InvalidFilter(f"exists needs true or false, got {brief(value)}")
    if op in ("contains", "icontains") and not isinstance(value, str):
        raise InvalidFilter(f"{op} needs text, got {brief(value)}")
    if value is None and op in ("eq", "ne"):
        return None
    return _scalar(key, value)


def _listed(op: str, value: Any) -> Sequence[Any]:
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise InvalidFilter(f"{op} needs a list, got {brief(value)}")
    return value


def _scalar(key: str, value: Any) -> Any:
    if key in _TIMES and not isinstance(value, bool):
        return seconds(value, f"the filter on {key}")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if not isinstance(value, (str, int, float, bool)):
        raise InvalidFilter(
            f"a filter compares text, numbers and true or false, got {brief(value)}"
        )
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidFilter(f"a filter's number must fit 64 bits, got {brief(value)}")
    return _encodable(value) if isinstance(value, str) else value


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidFilter(
            f"the text of a filter must be valid Unicode, got {brief(text)}"
        ) from None
    return text


_TYPES = (
    (str, "IN ('text')"),
    (bool, "IN ('true','false')"),  # before int, which it is one of
    ((int, float), "IN ('integer','real')"),
)


def _type(plain: Any) -> str:
    """SQL that holds for the JSON types that a value can be compared with; "" for None."""
    return next((sql for kinds, sql in _TYPES if isinstance(plain, kinds)), "")


def _equal(target: str, kind: str, values: list[Any], plain: Any, op: str) -> Sql:
    return _among(target, kind, values, [plain], "nin" if op == "ne" else "in")


def _order(target: str, kind: str, values: list[Any], plain: Any, op: str) -> Sql:
    sign = _COMPARE[op]
    return f"coalesce({kind} {_type(plain)} AND {target}{sign}?,0)", [*values, *values, plain]


def _among(target: str, kind: str, values: list[Any], plain: Any, op: str) -> Sql:
    alike: dict[str, list[Any]] = {}
    for item in plain:
        alike.setdefault(_type(item), []).append(item)
    parts: list[Sql] = []
    for same_type, items in alike.items():
        marks = ",".join("?" * len(items))
        held = f"coalesce({kind} {same_type} AND {target} IN ({marks}),0)"
        none = f"coalesce({kind},'null')='null'", [*values]
        parts.append((held, [*values, *values, *items]) if same_type else none)
    sql, bound = _joined(parts, " OR ", "0")
    return (f"NOT ({sql})" if op == "nin" else sql), bound


def _contains(target: str, kind: str, values: list[Any], plain: Any, op: str) -> Sql:
    lower = op == "icontains"
    held = f"folded({target})" if lower else target
    wanted = plain.casefold() if lower else plain
    text = f"{kind} IN ('text') AND instr({held},?)>0"
    if not values:
        return f"coalesce({text},0)", [wanted]
    # CASE, for SQLite may look into what is no list before it looks whether it is one.
    item = f"EXISTS(SELECT 1 FROM json_each({target}) WHERE value=?)"
    return (
        f"coalesce(CASE WHEN {kind}='array' THEN {item} ELSE {text} END,0)",
        [*values, *values, plain, *values, *values, wanted],
    )


def _exists(_target: str, kind: str, values: list[Any], plain: Any, _op: str) -> Sql:
    return f"(coalesce({kind},'null')!='null')={int(plain)}", [*values]


def _on_list(path: str, op: str, value: Any) -> Sql:
    wanted = _listed(op, value) if op in ("in", "nin") else [value]
    texts = [_encodable(item) for item in wanted if isinstance(item, str)]
    if op not in ("eq", "ne", "in", "nin", "contains") or len(texts) < len(wanted):
        raise InvalidFilter(
            f"tags are compared with eq, ne, in, nin or contains text, got {brief(value)}"
        )
    marks = ",".join("?" * len(texts))
    sql = f"EXISTS(SELECT 1 FROM json_each(l.body,'{path}') WHERE value IN ({marks}))"
    return (f"NOT {sql}" if op in ("ne", "nin") else sql), texts


_OPS: Mapping[str, Callable[[str, str, list[Any], Any, str], Sql]] = {
    "eq": _equal, "ne": _equal, "in": _among, "nin": _among, "contains": _contains,
    "icontains": _contains, "exists": _exists, **dict.fromkeys(_COMPARE, _order),
}  # fmt: skip
