"""Several forms before one query: read together, or joined as they are.

Forms that were made apart know nothing of one another: what stands in the second was never looked
at with the first before it. Joined, its keys are turned to where they now stand, and the first
tokens of it may be read again; that is near to the truth and not the truth, except in a model of
one layer.

Source: Yao et al. 2024, CacheBlend, arXiv:2405.16444, section 4, which reads again the tokens that
    deviate most.
Differs: the first tokens of each form are read again, which needs no look into every layer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engram.activation.cache import Layer
from engram.adapters.kv import check_turning, rotary_of
from engram.errors import InvalidInput, brief
from engram.kv.memory_cache import MemoryCache
from engram.lifecycle import encoding, making, prompts
from engram.lifecycle.attaching import Attached, Told, attach, true_form
from engram.lifecycle.encoding import Held
from engram.lifecycle.making import Wish, Workshop
from engram.plaintext.roles import Scope

_JOINT = 4
"""Tokens at the start of a form that may be other ones behind another form."""


@dataclass(frozen=True, slots=True)
class How:
    """How several forms become one prompt; see ``engram.forming.Joining``."""

    approximate: bool = False
    recompute: int = 0
    measure: bool = False

    def __post_init__(self) -> None:
        """Refuse what has no meaning.

        Raises:
            InvalidInput: ``recompute`` is no count, or is asked for where nothing is joined.
        """
        count: object = self.recompute
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise InvalidInput(
                f"recompute must be a count of tokens, got {brief(self.recompute, 40)}"
            )
        if (self.recompute or self.measure) and not self.approximate:
            raise InvalidInput(
                "recompute and measure are about forms joined with approximate=True, which was "
                "not asked for; leave them out"
            )


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens ``start`` to ``end`` of a prompt, which stand in a form from ``of`` on."""

    start: int
    end: int
    of: int
    held: Held


def join(
    shop: Workshop, form_ids: Sequence[str], query: str, scope: Scope | None, how: How
) -> Attached:
    """Several forms before a query.

    Raises:
        NotFound: there is no such form in the scope, or nothing in it is recalled any more.
        InvalidInput: one was made for another model, they cannot become one, or the model's
            positions cannot be moved.
    """
    told = [true_form(shop, form_id, scope) for form_id in form_ids]
    if how.approximate:
        return _approximate(shop, told, query, how)
    ids = tuple(dict.fromkeys(record.id for each in told for record in each.records))
    form, _ = making.make(shop, Wish(ids, told[0].form.preset))
    return attach(shop, form.id, query, scope)


def _approximate(shop: Workshop, told: Sequence[Told], query: str, how: How) -> Attached:
    if len({each.form.space for each in told}) != 1:
        raise InvalidInput("forms that are joined must be of one user and one app; name others")
    check_turning(shop.reader.model, rotary_of(shop.reader.model))
    records = {record.id: record for each in told for record in each.records}
    text = prompts.told(list(records.values()), shop.reader.tokenizer)
    ids = prompts.whole(shop.reader.tokenizer, text, query)
    bare = prompts.beginning(shop.reader.tokenizer, prompts.told((), shop.reader.tokenizer))
    pieces = _pieces([each.held for each in told], ids, bare)
    cache = joined(pieces, ids, recompute=how.recompute)
    twin = cache.fork() if how.measure else None
    prompt = torch.tensor([ids], device=shop.reader.model.device)  # (1, T)
    return Attached(
        cache=cache,
        ids=prompt,
        held=pieces[-1].end,
        model=shop.reader.model,
        forms=tuple(each.form.id for each in told),
        records=tuple(records),
        source="+".join(dict.fromkeys(each.source for each in told)),
        why="; ".join(dict.fromkeys(each.why for each in told if each.why)),
        approximate=True,
        error=None if twin is None else error(twin, prompt, pieces[-1].end),
    )


def _pieces(held: Sequence[Held], ids: Sequence[int], bare: Sequence[int]) -> list[Piece]:
    """Where the memories of each form stand in the prompt that tells them all.

    Where two meet, a tokenizer may have joined signs in another way; these tokens are read again.

    Args:
        held: the forms.
        ids: of the prompt.
        bare: the beginning of a prompt without memories.

    Raises:
        InvalidInput: a form has layers that cannot be joined.
    """
    if any(len(each.cache.ours) < len(each.cache.layers) for each in held):
        raise InvalidInput(
            "forms are joined only where all layers have full attention, some have a window; leave "
            "approximate=True out"
        )
    end = min(prompts.shared(held[0].tokens, ids), len(ids) - 1)
    pieces = [Piece(0, end, 0, held[0])]
    for each in held[1:]:
        head = prompts.shared(each.tokens, bare)
        alike, skip, of = max(
            (prompts.shared(each.tokens[head + of :], ids[end + skip : -1]), -skip, -of)
            for skip in range(_JOINT)
            for of in range(_JOINT)
        )
        start = end - skip
        end = start + alike
        pieces.append(Piece(start, end, head - of, each))
    return pieces


def joined(pieces: Sequence[Piece], ids: Sequence[int], *, recompute: int = 0) -> MemoryCache:
    """One cache of pieces that follow one another.

    Args:
        pieces: the first begins the prompt.
        ids: of the prompt.
        recompute: tokens at the start of each later piece that are read again.
    """
    first = pieces[0]
    held = encoding.cut(first.held.cache, first.held.tokens, first.end)
    cache = encoding.empty(held.model, "full")
    for layer, other in zip(cache.ours, held.ours, strict=True):
        keys, values = other.present()
        layer.append(keys, values)
        layer.scale, layer.softcap = other.scale, other.softcap
    for piece in pieces[1:]:
        fresh = min(piece.end, piece.start + recompute)
        encoding.read(cache, ids[:fresh], cache.get_seq_length())
        rest = replace(piece, start=fresh, of=piece.of + fresh - piece.start)
        for layer, other in zip(cache.ours, piece.held.cache.ours, strict=True):
            layer.append(*moved(other, rest))
            layer.settle()
    return cache


def moved(layer: Layer, piece: Piece) -> tuple[Tensor, Tensor]:
    """Keys and values of a piece, (B, G, T, D), the keys turned to where they stand."""
    assert layer.rotary is not None, "a model that cannot turn them was refused"
    keys, values = layer.present()
    count = piece.end - piece.start
    at = torch.arange(count, device=keys.device)
    keys, values = (each[:, :, piece.of : piece.of + count] for each in (keys, values))
    return layer.rotary.move(keys, at + piece.of, at + piece.start), values


def error(cache: MemoryCache, ids: Tensor, held: int) -> Mapping[str, float]:
    """How far a prompt that begins in a cache is from the same read as a whole.

    Returns:
        ``kl``: from the whole, in nats, the mean over the tokens that are not held; ``logit``: the
        largest difference of one.
    """
    model = cache.model
    count = ids.shape[1] - held
    with torch.no_grad():
        whole = model(ids, use_cache=False, logits_to_keep=count).logits[0]  # (Q, vocabulary)
        ours = model(ids[:, held:], past_key_values=cache, use_cache=True).logits[0]
    truth, said = whole.float().log_softmax(-1), ours.float().log_softmax(-1)
    kl = (truth.exp() * (truth - said)).sum(-1).mean()
    return {"kl": float(kl), "logit": float((ours - whole).abs().max())}
