"""Filters: compared with a slow reading of the same language, and their errors."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram.errors import InvalidFilter, InvalidInput
from engram.memory import Memory
from engram.plaintext.filters import compile_filter
from engram.plaintext.roles import State
from engram.plaintext.text.times import seconds
from engram.testing.ports import Hand

KEYS = ("a", "b", 'quo"te', "back\\slash", "dot.ted", "new\nline", "", "état", "or")
VALUES = (0, 1, 2.5, -1, True, False, "", "Oslo", "oslo", "ÅLESUND", "ålesund", "1", "true")
HELD: tuple[dict[str, Any], ...] = (
    *({key: value} for key, value in zip(KEYS, VALUES, strict=False)),
    *({"a": value} for value in VALUES),
    {"a": None},
    {"a": ["Oslo", 1, "x"], "b": {"c": 1}},
    {"a": []},
    {},
)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """Records with every kind of metadata, an hour apart, some of a run or an agent."""
    clock = Hand()
    path = tmp_path_factory.mktemp("filters") / "memory.db"
    with Memory.open(path, embedder="none", durability="off", clock=clock) as memory:
        for at, metadata in enumerate(HELD):
            clock.at = at * 3600.0
            said = {"content": f"note {at}", "metadata": metadata, "name": f"speaker {at % 3}"}
            timed = said | {"time": clock.at} if at % 2 else said
            memory.add(timed, run_id=("r", None)[at % 2], agent_id=(None, "g", "h")[at % 3])
        yield memory


def found(memory: Memory, filters: Any) -> list[str]:
    """The texts that a filter lets through."""
    return [record["memory"] for record in memory.get_all(filters=filters)["results"]]


def slow(record: dict[str, Any], filters: dict[str, Any]) -> bool:
    """The filter language, read record by record."""
    return all(_part(record, key, value) for key, value in filters.items())


def _part(record: dict[str, Any], key: str, value: Any) -> bool:
    if key in ("AND", "OR", "NOT"):
        each = [slow(record, part) for part in value]
        return {"AND": all(each), "OR": any(each), "NOT": not any(each)}[key]
    held = record.get(key) if key in ("run_id", "agent_id") else record["metadata"].get(key)
    if isinstance(value, dict):
        return all(_test(held, op, wanted) for op, wanted in value.items())
    return _test(held, "in" if isinstance(value, list) else "eq", value)


def _test(held: Any, op: str, wanted: Any) -> bool:
    if op == "exists":
        return (held is not None) is wanted
    if op in ("in", "nin"):
        return any(_same(held, each) for each in wanted) is (op == "in")
    if op in ("eq", "ne"):
        return _same(held, wanted) is (op == "eq")
    if op in ("contains", "icontains"):
        fold = str.casefold if op == "icontains" else str
        if isinstance(held, list):
            return wanted in held
        return isinstance(held, str) and fold(wanted) in fold(held)
    ordered = {"gt": "__gt__", "gte": "__ge__", "lt": "__lt__", "lte": "__le__"}[op]
    return _kind(held) == _kind(wanted) and bool(getattr(_plain(held), ordered)(_plain(wanted)))


def _same(held: Any, wanted: Any) -> bool:
    return _kind(held) == _kind(wanted) and held == wanted


def _plain(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else float(value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


_SCALARS = st.sampled_from(VALUES)
_TESTS = st.one_of(
    _SCALARS,
    st.none(),
    st.lists(_SCALARS | st.none(), max_size=3),
    st.dictionaries(st.sampled_from(["eq", "ne"]), _SCALARS | st.none(), max_size=2),
    st.dictionaries(st.sampled_from(["in", "nin"]), st.lists(_SCALARS, max_size=3), max_size=2),
    st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), _SCALARS, max_size=2),
    st.dictionaries(st.just("exists"), st.booleans()),
    st.dictionaries(
        st.sampled_from(["contains", "icontains"]),
        st.sampled_from(["Oslo", "o", "ÅL", "ål", ""]),
    ),
)
_LEAVES = st.dictionaries(
    st.sampled_from([key for key in KEYS if key != "or"] + ["run_id", "agent_id"]),
    _TESTS,
    max_size=2,
)
FILTERS = st.recursive(
    _LEAVES,
    lambda inner: st.dictionaries(
        st.sampled_from(["AND", "OR", "NOT"]), st.lists(inner, max_size=3), max_size=2
    ),
    max_leaves=6,
)


@settings(max_examples=250)
@given(FILTERS)
def test_a_filter_lets_through_what_its_slow_reading_does(
    memory: Memory, filters: dict[str, Any]
) -> None:
    """Every operator on every type, missing values too, alone and combined."""
    everything = memory.get_all()["results"]
    expected = [record["memory"] for record in everything if slow(record, filters)]

    assert found(memory, filters) == expected


@pytest.mark.parametrize("key", KEYS)
def test_any_metadata_key_can_be_asked_for(memory: Memory, key: str) -> None:
    """Quotes, dots, signs and the names of fields and operators with ``metadata.`` before them."""
    at = KEYS.index(key)

    assert f"note {at}" in found(memory, {f"metadata.{key}": VALUES[at]})


def test_fields_are_compared_like_metadata(memory: Memory) -> None:
    """Each field that the module names is one that can be asked for."""
    first, last = 3 * 3600, (len(HELD) - 1) * 3600
    one = memory.get_all(limit=1)["results"][0]

    assert found(memory, {"id": one["id"]}) == ["note 0"]
    assert len(found(memory, {"kind": "raw", "state": State.ACTIVE})) == len(HELD)
    assert found(memory, {"created_at": {"lt": first}}) == ["note 0", "note 1", "note 2"]
    assert found(memory, {"updated_at": {"gte": last}}) == [f"note {len(HELD) - 1}"]
    assert found(memory, {"event_time": 3600.0}) == ["note 1"]
    assert found(memory, {"event_time": "1970-01-01T03:00:00"}) == ["note 3"]
    assert found(memory, {"speaker": "speaker 1", "run_id": "r"}) != []
    assert found(memory, {"user_id": "default", "role": "user", "trust": "user"}) != []
    assert found(memory, {"user_id": "other"}) == []
    assert len(found(memory, {"importance": 0.5, "confidence": {"gte": 1}})) == len(HELD)
    assert found(memory, {"valid_to": {"exists": True}}) == []
    assert found(memory, {"expires_at": {"gt": 0}}) == []
    assert found(memory, {"tags": {"contains": "x"}}) == []
    assert len(found(memory, {"tags": {"nin": ["x", "y"]}})) == len(HELD)


def test_created_is_when_it_was_first_stored(tmp_path: Any) -> None:
    """An update changes ``updated_at`` alone, as the results show."""
    clock = Hand()
    with Memory.open(tmp_path / "a.db", embedder="none", durability="off", clock=clock) as memory:
        clock.set("2026-01-01")
        (added,) = memory.add("tea")["results"]
        clock.set("2026-02-01")
        memory.update(added["id"], "milk")

        before = seconds("2026-01-15")
        assert found(memory, {"created_at": {"lt": before}}) == ["milk"]
        assert found(memory, {"updated_at": {"lt": before}}) == []


@pytest.mark.parametrize("count", [0, 1, 3, 63, 2000])
def test_a_long_list_is_one_question(memory: Memory, count: int) -> None:
    """More values than SQLite allows of levels in an expression."""
    ids = [record["id"] for record in memory.get_all()["results"][:3]]
    padding = [f"none {at}" for at in range(count)]

    assert len(found(memory, {"id": [*padding, *ids]})) == 3
    assert len(found(memory, {"OR": [{"id": each} for each in [*padding, *ids]]})) == 3
    assert len(found(memory, {"id": {"nin": [*padding, *ids]}})) == len(HELD) - 3


def test_filters_may_nest_and_not_without_end(memory: Memory) -> None:
    """Twelve deep is more than anyone reads."""
    deep: dict[str, Any] = {"a": "Oslo"}
    for _ in range(12):
        deep = {"NOT": [deep]}

    assert found(memory, deep) == found(memory, {"a": "Oslo"}) != []
    with pytest.raises(InvalidFilter, match="may nest 12 deep"):
        memory.search("note", filters={"NOT": [deep]})


def test_a_filter_that_the_database_cannot_read_is_refused(memory: Memory) -> None:
    """Wide and deep at once is more than its parser holds."""
    deep: dict[str, Any] = {"a": "Oslo"}
    for _ in range(12):
        deep = {"b": 1, "état": 2, "NOT": [{"b": 1}, {"b": 2}, deep]}

    with pytest.raises(InvalidFilter, match=r"too large \(.*\); search in parts"):
        memory.search("note", filters=deep)
    assert memory.check()["ok"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (5, "a filter must be an object, got 5"),
        ([], r"got \[\]"),
        ({5: 1}, r"keys of a filter must be text, got \[5\]"),
        ({"a": {"equals": 1}}, "'equals' is not a filter operator; use one of eq, ne"),
        ({"a": {"gtt": 1}}, "'gtt' is not a filter operator; did you mean 'gt'"),
        ({"a": {5: 1}}, "5 is not a filter operator"),
        ({"AND": 5}, "AND needs a list of filters, got 5"),
        ({"OR": "ab"}, "OR needs a list of filters, got 'ab'"),
        ({"NOT": [5]}, "a filter must be an object, got 5"),
        ({"a": {"in": "ab"}}, "in needs a list, got 'ab'"),
        ({"a": {"nin": b"ab"}}, "nin needs a list, got b'ab'"),
        ({"a": {"exists": 1}}, "exists needs true or false, got 1"),
        ({"a": {"contains": 1}}, "contains needs text, got 1"),
        ({"a": {"gt": None}}, "compares text, numbers and true or false, got None"),
        ({"a": object()}, "compares text, numbers"),
        ({"a": {"eq": {"b": 1}}}, "compares text, numbers"),
        ({"a": 2**63}, "must fit 64 bits, got 9223372036854775808"),
        pytest.param({"a": 10**5000}, "must fit 64 bits, got a int that is too large", id="huge"),
        ({"a": "\ud800"}, "must be valid Unicode"),
        ({"\ud800": "a"}, "must be valid Unicode"),
        ({"tags": 5}, "tags are compared with eq, ne, in, nin or contains text, got 5"),
        ({"tags": {"in": 5}}, "in needs a list, got 5"),
        ({"tags": {"gt": "a"}}, "tags are compared with"),
    ],
)
def test_a_filter_that_cannot_be_read_says_why(filters: Any, message: str) -> None:
    """What must hold, and what came."""
    with pytest.raises(InvalidFilter, match=message):
        compile_filter(filters)


def test_a_time_that_is_none_is_refused(memory: Memory) -> None:
    """Fields that hold times are compared with times."""
    with pytest.raises(InvalidInput, match="the filter on event_time must be ISO 8601"):
        memory.search("note", filters={"event_time": {"gt": "soon"}})


def test_more_values_than_a_statement_can_bind_are_refused() -> None:
    """A clear error in place of the database's."""
    with pytest.raises(InvalidFilter, match="may compare 30000 values, got 30001"):
        compile_filter({"id": [str(at) for at in range(30_001)]})
