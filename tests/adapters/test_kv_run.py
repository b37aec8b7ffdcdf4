"""A run through a cache: what is written, told and counted."""

from collections.abc import Sequence
from typing import Any

import pytest

from engram.adapters.kv_reading import Reader
from engram.adapters.kv_run import run
from engram.errors import InvalidInput

torch = pytest.importorskip("torch")


def reader_of(model: Any, ends: frozenset[int] = frozenset()) -> Reader:
    """Token 7 is the word ``7``; a space stands before every word but the first."""
    return Reader(model, lambda text, _: [*map(int, text.split())], words, ends)


def words(ids: Sequence[int]) -> str:
    """Ids as words."""
    return " ".join(map(str, ids))


def cache_of(model: Any, preset: str = "full", budget: Any = None) -> Any:
    """An empty cache."""
    from engram import MemoryCache

    return MemoryCache.for_model(model, preset, budget=budget, attach=False)


def test_a_run_writes_what_generate_writes(tiny: Any, prompt: Any) -> None:
    """Token for token, however the prompt was read."""
    model, ids = tiny(), prompt(20)
    wanted = model.generate(ids, max_new_tokens=6, do_sample=False)[0, 20:].tolist()

    for chunk in (None, 7):
        ran = run(reader_of(model), cache_of(model), ids[0].tolist(), 6, chunk=chunk)
        assert list(ran.ids) == wanted
        assert ran.text == words(wanted)
        assert (ran.prompt, ran.seen, ran.kept) == (20, 25, 25)


def test_a_run_counts_what_a_cache_keeps(tiny: Any, prompt: Any) -> None:
    """Also where heads hold different counts: filling does not count."""
    model, ids = tiny(), prompt(40)[0].tolist()

    ran = run(reader_of(model), cache_of(model, "adakv", 16), ids, 1)

    assert ran.kept == 16
    assert ran.total == sum(ran.usage.values()) > 0
    assert ran.pace != ran.pace


def test_nothing_is_written_after_an_end(tiny: Any, prompt: Any) -> None:
    """The end itself is no part of the text."""
    model, ids = tiny(), prompt(20)[0].tolist()
    said = run(reader_of(model), cache_of(model), ids, 6).ids
    end = said[2]
    first = said.index(end)

    ran = run(reader_of(model, frozenset({end})), cache_of(model), ids, 6)

    assert ran.ids == said[:first]
    assert ran.seen == 20 + first


def test_a_listener_hears_every_piece(tiny: Any, prompt: Any) -> None:
    """First how much was read, then what is written; together that is the text."""
    model, told = tiny(), []

    ran = run(
        reader_of(model),
        cache_of(model),
        prompt(8)[0].tolist(),
        3,
        chunk=4,
        heard=lambda *said: told.append(said),
    )

    assert [said[:3] for said in told if said[0] == "reading"] == [
        ("reading", done, 8) for done in (0, 2, 4, 6, 8)
    ]
    assert [said[1:3] for said in told if said[0] == "writing"] == [(1, 3), (2, 3), (3, 3)]
    assert "".join(said[3] for said in told) == ran.text


def test_a_character_waits_until_it_is_whole(tiny: Any, prompt: Any) -> None:
    """Tokens may be parts of one; at the very end it is shown as it is."""
    model = tiny()

    def bytes_of(ids: Sequence[int]) -> str:
        return bytes([0xC3, 0xA9] * len(ids))[: len(ids)].decode(errors="replace")

    for most, pieces in ((4, ["", "é", "", "é"]), (3, ["", "é", "\ufffd"])):
        told: list[str] = []
        ran = run(
            Reader(model, lambda *_: [], bytes_of),
            cache_of(model),
            prompt(5)[0].tolist(),
            most,
            heard=lambda stage, _, __, text, told=told: (
                told.append(text)  # type: ignore[misc]
                if stage == "writing"
                else None
            ),
        )
        assert told == pieces
        assert ran.text == "".join(pieces)


@pytest.mark.parametrize(("ids", "most"), [([], 1), ([3], 0)])
def test_a_run_of_nothing_is_refused(ids: list[int], most: int, tiny: Any) -> None:
    """There is no next token after nothing."""
    with pytest.raises(InvalidInput, match="at least 1 token each"):
        run(reader_of(tiny()), cache_of(tiny()), ids, most)
