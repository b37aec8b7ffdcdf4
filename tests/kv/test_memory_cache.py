"""The front door of caches: presets, their budgets, and errors that say what to do."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
transformers = pytest.importorskip("transformers", reason="needs engram[hf]")

from engram import InvalidInput, MemoryCache, ShapeError, UnknownMethod  # noqa: E402
from engram.activation.rating import surprise  # noqa: E402
from engram.kv.settings import Settings  # noqa: E402


@pytest.fixture(scope="module")
def model() -> Any:
    """A tiny Llama."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
    )
    return transformers.LlamaForCausalLM(config).eval().requires_grad_(False)


def fed(model: Any, cache: Any, length: int = 50) -> Any:
    """The cache after a prompt."""
    drawn = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 40, (1, length), generator=drawn)
    logits = model(ids, past_key_values=cache).logits
    cache.observe_logits(ids, logits)
    return cache


def test_presets_are_joined_by_a_plus(model: Any) -> None:
    """Each gives the parts that it is about."""
    cache = MemoryCache.for_model(model, "kivi+think+pyramidkv", budget=12)

    policies = cache.ours[0].policies

    names = [policies.codec, policies.thinner, policies.budget, policies.scorer, policies.pager]
    assert [type(each).__name__ for each in names] == [
        "Asymmetric",
        "Channels",
        "Pyramid",
        "ObservedWindow",
        "Growing",
    ]


@pytest.mark.parametrize(
    ("preset", "budget", "error", "says"),
    [
        ("snapkw", 5, UnknownMethod, "nearest: snapkv"),
        ("hybrid", None, UnknownMethod, "hybrid"),
        ("", None, UnknownMethod, "no method is called"),
        ("snapkv", None, InvalidInput, r"needs a budget.*budget=0\.25"),
        ("kivi", 5, InvalidInput, r"keeps every entry, got budget=5.*'kivi\+snapkv'"),
        ("snapkv+h2o", 5, InvalidInput, "two for 'scorer'.*'snapkv' and 'h2o'"),
        ("snapkv", 0, InvalidInput, "at least 1"),
        (3, None, InvalidInput, r"joined by '\+', got 3"),
        ("kivi+flashattention", None, InvalidInput, "'flashattention' is no policy of a cache"),
    ],
)
def test_what_cannot_be_opened_says_why(
    preset: str, budget: Any, error: type[Exception], says: str, model: Any
) -> None:
    """In one line that names the way out."""
    with pytest.raises(error, match=says) as caught:
        MemoryCache.for_model(model, preset, budget=budget)

    assert "\n" not in str(caught.value)


def test_settings_of_a_method_can_differ(model: Any) -> None:
    """By role, in place of the row's."""
    settings = Settings("kivi", parts={"codec": {"bits_keys": 4, "bits_values": 8}})

    codec: Any = MemoryCache.for_model(model, settings=settings).ours[0].policies.codec

    assert (codec.bits_keys, codec.bits_values, codec.group_size) == (4, 8, 32)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"codec": {"bits": 4}}, "settings must be those of .*got {'bits': 4}"),
        ({"scorer": {"window": 4}}, r"roles of 'kivi', budget, codec, pager, got \['scorer'\]"),
        ({"codec": {"bits_keys": 5}}, "bits must be 2, 4, 8 or 16"),
    ],
)
def test_settings_that_no_method_has_are_refused(
    parts: dict[str, Any], says: str, model: Any
) -> None:
    """With those that it has."""
    with pytest.raises(InvalidInput, match=says):
        MemoryCache.for_model(model, settings=Settings("kivi", parts=parts))


def test_heads_that_a_codec_cannot_pack_are_refused_at_once(model: Any) -> None:
    """And not in the middle of a text, when the first group is full."""
    with pytest.raises(ShapeError, match="a multiple of group_size=64 wide, got D=32"):
        MemoryCache.for_model(
            model, settings=Settings("kivi", parts={"codec": {"group_size": 64, "residual": 64}})
        )


def test_layers_can_differ(model: Any) -> None:
    """Each by its number among the layers of full attention."""
    settings = Settings("streaming", 10, per_layer={0: {"preset": "full"}, 2: {"budget": 20}})

    cache = fed(model, MemoryCache.for_model(model, settings=settings))

    assert [len(layer) for layer in cache.ours] == [50, 10, 20]
    with pytest.raises(InvalidInput, match=r"may differ in preset.*got \['colour'\]"):
        MemoryCache.for_model(model, settings=Settings(per_layer={1: {"colour": 3}}))


def test_a_talk_goes_on_by_turns(model: Any) -> None:
    """Surprises are told, room is made, and what is kept has the right ones."""
    cache = fed(model, MemoryCache.for_model(model, "sirllm", budget=30))
    before = cache.ours[0].told().ledger["surprisal"]

    cache.begin_turn(10)

    told = cache.ours[0].told()
    assert told.ledger["surprisal"].shape[-1] == 20
    assert bool((told.ledger["surprisal"] <= 0.7 * before.max() + 1e-6).all())
    assert (before >= 0).all()


def test_a_prompt_waits_until_its_surprises_are_told(model: Any) -> None:
    """Then every layer keeps the first tokens and those that surprised most."""
    cache = MemoryCache.for_model(model, "sirllm", budget=20)
    ids = torch.randint(3, 40, (1, 50), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        logits = model(ids, past_key_values=cache).logits

    untold = [len(layer) for layer in cache.ours]
    cache.observe_logits(ids, logits)

    rest = surprise(ids, logits, None)[0, 4:]
    wanted = [0, 1, 2, 3, *sorted((rest.topk(16).indices + 4).tolist())]
    assert untold == [50] * len(cache.ours)
    assert [layer.told().positions[0, 0].tolist() for layer in cache.ours] == [wanted] * len(
        cache.ours
    )


def test_logits_of_some_tokens_are_not_enough(model: Any) -> None:
    """Generation computes the last alone, and that says nothing of the others."""
    cache = MemoryCache.for_model(model, "sirllm", budget=30)
    ids = torch.zeros(1, 6, dtype=torch.long)

    logits = model(ids, past_key_values=cache, logits_to_keep=1).logits

    with pytest.raises(ShapeError, match=r"tokens \(1, 6\), got \(1, 1, 40\).*logits_to_keep=0"):
        cache.observe_logits(ids, logits)


def test_a_model_that_is_gone_is_missed(model: Any) -> None:
    """A cache does not keep a model alive."""
    gone = type(model)(model.config)
    cache = MemoryCache.for_model(gone)

    del gone

    with pytest.raises(InvalidInput, match="must be there, got none"):
        cache.fork()
