"""Several forms before one query: exact when read together, approximate and measured otherwise."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
pytest.importorskip("transformers", reason="needs engram[hf]")

from engram.errors import InvalidInput, NotFound  # noqa: E402
from engram.lifecycle import encoding, joining  # noqa: E402
from engram.lifecycle.encoding import Held  # noqa: E402
from engram.lifecycle.joining import Piece  # noqa: E402
from engram.memory import Memory  # noqa: E402

Make = Callable[..., Any]
WHERE = "Where do I live?"


@pytest.fixture
def two(memory: Memory, said: Make, reading: Any) -> list[str]:
    """Two forms of memories that have nothing to do with one another."""
    ids = said("I live in Bergen.", "The boat is called Ada.", "My cat hates the rain.", "Tea.")
    return [memory.promote(part, **reading)["id"] for part in (ids[:2], ids[2:])]


def prompt(attached: Any, tokenizer: Any) -> str:
    """The prompt as text."""
    return str(tokenizer.decode(attached.ids[0]))


def test_by_default_forms_are_read_together(memory: Memory, two: list[str], reading: Any) -> None:
    """As one form of all their memories, which is kept for the next time; exact."""
    attached = memory.attach(two, WHERE, **reading)

    rest = attached.ids[:, attached.held :]
    ours = attached.model(rest, past_key_values=attached.cache).logits
    whole = attached.model(attached.ids).logits[:, attached.held :]
    assert float((ours - whole).abs().max()) <= 1e-5
    assert (attached.approximate, attached.error) == (False, None)
    assert len(attached.records) == 4
    assert sorted(len(form["records"]) for form in memory.forms()) == [2, 2, 4]
    assert memory.attach(two, WHERE, **reading).source == "held"


def test_joined_forms_say_how_wrong_they_are(memory: Memory, two: list[str], reading: Any) -> None:
    """On the query, against the same prompt read as a whole; nothing is kept of it."""
    joint = memory.attach(two, WHERE, **reading)
    memory.demote(joint.forms[0])

    attached = memory.attach(two, WHERE, approximate=True, measure=True, **reading)

    assert attached.ids.tolist() == joint.ids.tolist()
    assert attached.held > 0.8 * joint.held
    assert attached.approximate
    assert attached.error is not None
    assert 1e-6 < attached.error["kl"] < 1
    assert attached.error["logit"] > 1e-3
    assert attached.forms == tuple(two)
    assert len(memory.forms()) == 2
    said = attached.model.generate(
        attached.ids, past_key_values=attached.cache, max_new_tokens=3, do_sample=False
    )
    assert said.shape[1] == attached.ids.shape[1] + 3


def test_reading_tokens_again_brings_it_nearer(
    memory: Memory, two: list[str], reading: Any
) -> None:
    """All of them, and nothing is approximate but in name."""
    errors = [
        memory.attach(two, WHERE, approximate=True, measure=True, recompute=count, **reading).error[
            "kl"
        ]
        for count in (0, 60, 9999)
    ]

    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6


def test_without_measuring_nothing_is_said(memory: Memory, two: list[str], reading: Any) -> None:
    """The whole prompt is not read then."""
    assert memory.attach(two, WHERE, approximate=True, **reading).error is None


def test_in_a_model_of_one_layer_joining_is_exact(
    memory: Memory, said: Make, words: Make, tiny: Make
) -> None:
    """Its keys and values depend on nothing but the token and where it stands."""
    reading = {"model": tiny(num_hidden_layers=1), "tokenizer": words()}
    ids = said("I live in Bergen.", "The boat is called Ada.", "My cat hates the rain.")
    forms = [memory.promote([each], **reading)["id"] for each in ids]

    attached = memory.attach(forms, WHERE, approximate=True, measure=True, **reading)

    assert attached.error is not None
    assert attached.error["logit"] < 1e-4


def test_keys_are_turned_to_where_they_stand(tiny: Make) -> None:
    """Joined as they are, the second piece would stand where the first does."""
    model = tiny(num_hidden_layers=1)
    ids = torch.randint(2, 400, (60,), generator=torch.Generator().manual_seed(3)).tolist()
    held = []
    for part in (ids[:30], ids[30:]):
        cache = encoding.empty(model, "full")
        encoding.read(cache, part)
        held.append(Held(cache, part, lambda: model))
    pieces = [Piece(0, 30, 0, held[0]), Piece(30, 60, 0, held[1])]
    whole = encoding.empty(model, "full")
    encoding.read(whole, ids)

    cache = joining.joined(pieces, ids)

    shown, truth = cache.ours[0].present()[0], whole.ours[0].present()[0]
    unturned = held[1].cache.ours[0].present()[0]
    assert torch.allclose(shown, truth, atol=1e-5)
    assert not torch.allclose(unturned, truth[:, :, 30:], atol=1e-2)


@pytest.mark.parametrize(
    ("differs", "says"),
    [
        ({"recompute": -1}, "recompute must be a count of tokens, got -1"),
        ({"recompute": True}, "recompute must be a count of tokens, got True"),
        ({"approximate": False, "measure": True}, "joined with approximate=True"),
        ({"approximate": False, "recompute": 3}, "joined with approximate=True"),
    ],
)
def test_what_has_no_meaning_is_refused(
    differs: dict[str, Any], says: str, memory: Memory, two: list[str], reading: Any
) -> None:
    """Before anything is read."""
    with pytest.raises(InvalidInput, match=says):
        memory.attach(two, WHERE, **{"approximate": True, **differs}, **reading)


def test_positions_that_cannot_be_moved_are_refused(
    memory: Memory, said: Make, words: Make, tiny: Make
) -> None:
    """Those that change with the length, and layers that look at a window."""
    ids = said("I live in Bergen.", "The boat is called Ada.")
    config = deepcopy(tiny().config)
    config.rope_parameters = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}
    models = {
        "positions are fixed rotations": type(tiny())(config).eval(),
        "full attention": tiny("Gemma2", sliding_window=64),
    }

    for says, model in models.items():
        reading = {"model": model, "tokenizer": words()}
        forms = [memory.promote([each], **reading)["id"] for each in ids]
        with pytest.raises(InvalidInput, match=says):
            memory.attach(forms, WHERE, approximate=True, **reading)
        assert memory.attach(forms, WHERE, **reading).held > 0


def test_forms_of_two_users_are_never_joined(memory: Memory, said: Make, reading: Any) -> None:
    """In either way, with a scope or without."""
    forms = [
        memory.promote(said("I live in Bergen.", user_id=user), **reading)["id"]
        for user in ("ana", "ben")
    ]

    for approximate in (True, False):
        with pytest.raises(InvalidInput, match="of one user"):
            memory.attach(forms, WHERE, approximate=approximate, **reading)
        with pytest.raises(NotFound):
            memory.attach(forms, WHERE, approximate=approximate, user_id="ana", **reading)


def test_a_stale_form_is_made_anew_before_it_is_joined(
    memory: Memory, two: list[str], reading: Any
) -> None:
    """The others go on as they are."""
    (first,) = (form for form in memory.forms() if form["id"] == two[0])
    memory.update(first["records"][0]["id"], "I live in Oslo.")

    attached = memory.attach(two, WHERE, approximate=True, **reading)

    assert attached.source == "text+held"
    assert attached.why == "its memories have changed"
    assert "Oslo" in prompt(attached, reading["tokenizer"])
