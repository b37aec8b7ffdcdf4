"""Attaching: the prompt that the text would make, without reading it; never another text."""

import asyncio
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs engram[hf]")
transformers = pytest.importorskip("transformers", reason="needs engram[hf]")

from engram import MemoryCache  # noqa: E402
from engram.errors import InvalidInput, NotFound  # noqa: E402
from engram.memory import Memory  # noqa: E402
from engram.plaintext.store import parts  # noqa: E402
from engram.testing.ports import Hand  # noqa: E402

Make = Callable[..., Any]
BERGEN, BOAT, CAT = "I live in Bergen.", "The boat is called Ada.", "My cat hates the rain."
WHERE = "Where do I live?"
KINDS = {
    "llama": ("Llama", {}),
    "qwen2": ("Qwen2", {}),
    "neox": ("GPTNeoX", {"num_attention_heads": 2, "hidden_size": 64}),
    "gemma2": ("Gemma2", {"sliding_window": 512}),
    "gemma2, a window that is full": ("Gemma2", {"sliding_window": 16}),
}


def own_model() -> Any:
    """A model that a test may change."""
    config = transformers.LlamaConfig(
        vocab_size=400, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=1,
    )  # fmt: skip
    model: Any = transformers.LlamaForCausalLM(config)
    return model.eval().requires_grad_(False)


def text_of(attached: Any, tokenizer: Any) -> str:
    """The prompt as text."""
    return str(tokenizer.decode(attached.ids[0]))


def gap(attached: Any) -> float:
    """Largest difference of a logit from the prompt that is read as a whole."""
    rest = attached.ids[:, attached.held :]
    ours = attached.model(rest, past_key_values=attached.cache.fork()).logits
    whole = attached.model(attached.ids).logits[:, attached.held :]
    return float((ours - whole).abs().max())


def written(attached: Any, tokens: int = 8) -> list[int]:
    """What the model says, the likeliest token at each step."""
    told = attached.model.generate(
        attached.ids, past_key_values=attached.cache, max_new_tokens=tokens, do_sample=False
    )
    return [int(each) for each in told[0]]


def plainly(attached: Any, tokens: int = 8) -> list[int]:
    """The same with the prompt as text."""
    told = attached.model.generate(attached.ids, max_new_tokens=tokens, do_sample=False)
    return [int(each) for each in told[0]]


@pytest.mark.parametrize("kind", KINDS)
def test_an_attached_form_is_the_prompt_as_text(
    kind: str, memory: Memory, said: Make, words: Make, tiny: Make
) -> None:
    """Logits within 1e-5 and the same words, out of memory and out of the file."""
    name, differs = KINDS[kind]
    reading = {"model": tiny(name, **differs), "tokenizer": words()}
    form = memory.promote(said(BERGEN, BOAT), **reading)

    for source in ("held", "file"):
        attached = memory.attach(form["id"], WHERE, **reading)

        assert attached.source == source
        assert attached.held >= form["tokens"] - 2
        assert gap(attached) <= 1e-5
        assert written(attached) == plainly(attached)
        memory.store.forget_caches()


@pytest.mark.parametrize("template", ["chat", "no system", "deaf", "plain"])
@pytest.mark.parametrize("query", [WHERE, "\n\nAnd?", '"', " x", "а ещё?", "<|end|>"])
def test_prefix_and_query_are_the_ids_of_the_whole_prompt(
    template: str, query: str, memory: Memory, said: Make, words: Make, tiny: Make
) -> None:
    """To the token, whatever a query begins with and however the model is spoken to."""
    from engram.lifecycle import prompts

    tokenizer = words(template)
    form = memory.promote(said(BERGEN, BOAT), model=tiny(), tokenizer=tokenizer)

    attached = memory.attach(form["id"], query, model=tiny(), tokenizer=tokenizer)

    with memory.store.snapshot() as db:
        from engram.plaintext.store import forms

        row = forms.find(db, form["id"])
        assert row is not None
        text = prompts.told(forms.records_of(db, row), tokenizer)
    assert attached.ids.tolist() == [prompts.whole(tokenizer, text, query)]
    assert attached.cache.get_seq_length() == attached.held
    assert 0 < attached.ids.shape[1] - attached.held < 40
    assert gap(attached) <= 1e-5


def test_a_packed_form_is_attached_too(memory: Memory, said: Make, reading: Any) -> None:
    """With a small error, which its two bits have."""
    form = memory.promote(said(*(f"{BOAT} {at}." for at in range(12))), preset="kivi", **reading)

    held = memory.attach(form["id"], WHERE, **reading)
    memory.store.forget_caches()
    read = memory.attach(form["id"], WHERE, **reading)

    assert (held.source, read.source) == ("held", "file")
    assert written(held) == written(read)
    assert 0 < gap(memory.attach(form["id"], WHERE, **reading)) < 3


def test_a_hundred_turns_leave_a_form_as_it_was(memory: Memory, said: Make, reading: Any) -> None:
    """Neither its file nor what is held in memory grows or changes."""
    form = memory.promote(said(BERGEN, BOAT), **reading)
    (file,) = parts.listed(memory.path).values()
    before = file.read_bytes()
    first = written(memory.attach(form["id"], WHERE, **reading))
    (held,) = memory.store.forms.values()
    usage = held.cache.memory_usage()

    for turn in range(100):
        attached = memory.attach(form["id"], f"{WHERE} {turn}", **reading)
        attached.model(attached.ids[:, attached.held :], past_key_values=attached.cache)

    assert file.read_bytes() == before
    assert held.cache.memory_usage() == usage
    assert written(memory.attach(form["id"], WHERE, **reading)) == first
    assert memory.forms()[0]["uses"] == 102


def test_an_edit_is_told_by_the_next_attach(memory: Memory, said: Make, reading: Any) -> None:
    """The form is stale at once, and made anew of what the memory says now."""
    bergen, boat = said(BERGEN, BOAT)
    form = memory.promote([bergen, boat], **reading)
    memory.update(bergen, "I live in Oslo.")
    (stale,) = memory.forms()

    attached = memory.attach(form["id"], WHERE, **reading)

    assert (stale["state"], stale["bytes"], stale["id"]) == ("stale", 0, form["id"])
    assert (attached.source, attached.why) == ("text", "its memories have changed")
    assert "Oslo" in text_of(attached, reading["tokenizer"])
    assert BERGEN not in text_of(attached, reading["tokenizer"])
    assert gap(attached) <= 1e-5
    assert memory.forms()[0]["records"] == [
        {"id": bergen, "version": 2},
        {"id": boat, "version": 1},
    ]
    assert len(parts.listed(memory.path)) == 1


def test_what_is_deleted_is_left_out_and_comes_back(
    memory: Memory, said: Make, reading: Any
) -> None:
    """The form goes on with the others; with none left it is gone."""
    bergen, boat = said(BERGEN, BOAT)
    form = memory.promote([bergen, boat], **reading)
    memory.delete(bergen)

    assert memory.attach(form["id"], WHERE, **reading).records == (boat,)
    memory.delete(boat)
    with pytest.raises(NotFound, match=r"nothing that the form .* is recalled any more"):
        memory.attach(form["id"], WHERE, **reading)
    with pytest.raises(NotFound, match="no form has the id"):
        memory.attach(form["id"], WHERE, **reading)
    assert parts.listed(memory.path) == {}


def test_what_expires_is_told_no_longer(
    memory: Memory, said: Make, reading: Any, clock: Hand
) -> None:
    """From the second on, though nobody has tended the file yet."""
    (bergen,) = said(BERGEN)
    late = memory.add({"content": CAT, "expires_at": "2026-06-02"})["results"][0]["id"]
    form = memory.promote([bergen, late], **reading)
    before = memory.attach(form["id"], WHERE, **reading)
    clock.set("2026-06-02")

    after = memory.attach(form["id"], WHERE, **reading)

    assert set(before.records) == {bergen, late}
    assert after.records == (bergen,)
    assert CAT not in text_of(after, reading["tokenizer"])


@pytest.mark.parametrize("harm", ["missing", "empty", "one byte", "another's"])
def test_a_damaged_file_is_made_anew(harm: str, memory: Memory, said: Make, reading: Any) -> None:
    """Neither an error nor garbage: the text is there. The result says so."""
    bergen, boat = said(BERGEN, BOAT)
    form = memory.promote([bergen], **reading)
    (file,) = parts.listed(memory.path).values()
    whole = file.read_bytes()
    other = memory.promote([boat], **reading)
    (foreign,) = (each for each in parts.listed(memory.path).values() if each != file)
    hurt = {
        "empty": b"",
        "one byte": whole[:-1] + bytes([whole[-1] ^ 1]),
        "another's": foreign.read_bytes(),
    }
    file.unlink() if harm == "missing" else file.write_bytes(hurt[harm])
    memory.store.forget_caches()

    attached = memory.attach(form["id"], WHERE, **reading)

    assert (attached.source, attached.why) == ("text", "its file is missing or damaged")
    assert BERGEN in text_of(attached, reading["tokenizer"])
    assert gap(attached) <= 1e-5
    memory.store.forget_caches()
    assert memory.attach(form["id"], WHERE, **reading).source == "file"
    assert memory.attach(other["id"], WHERE, **reading).source == "file"
    assert memory.check()["problems"] == []


def test_a_form_of_another_user_is_not_there(memory: Memory, said: Make, reading: Any) -> None:
    """Neither to attach, nor to demote, nor to list; nor one of another agent."""
    ana = memory.promote(said(BERGEN, user_id="ana", agent_id="a"), user_id="ana", **reading)

    others: list[dict[str, Any]] = [{"user_id": "ben"}, {"user_id": "ana", "app_id": "x"}]
    for ids in others:
        with pytest.raises(NotFound, match="no form has the id"):
            memory.attach(ana["id"], WHERE, **ids, **reading)
        with pytest.raises(NotFound, match="no form has the id"):
            memory.demote(ana["id"], **ids)
        assert memory.forms(**ids) == []
    with pytest.raises(NotFound):
        memory.attach(ana["id"], WHERE, user_id="ana", agent_id="b", **reading)
    assert memory.attach(ana["id"], WHERE, user_id="ana", **reading).forms == (ana["id"],)
    assert memory.forms(user_id="ana", agent_id="a")[0]["user_id"] == "ana"


def test_a_form_fits_its_model_only(memory: Memory, said: Make, words: Make, tiny: Make) -> None:
    """A sibling of the same shapes, another type of number and another template are refused."""
    form = memory.promote(said(BERGEN), model=tiny(), tokenizer=words())
    others = [
        {"model": tiny(seed=1), "tokenizer": words()},
        {"model": tiny(rope_theta=5000.0), "tokenizer": words()},
        {"model": type(tiny())(tiny().config).to(torch.bfloat16), "tokenizer": words()},
        {"model": tiny(), "tokenizer": words("plain")},
    ]

    for other in others:
        with pytest.raises(InvalidInput, match="fits only the model and tokenizer") as caught:
            memory.attach(form["id"], WHERE, **other)
        assert "\n" not in str(caught.value)


def test_a_weight_that_changed_in_place_makes_another_model(
    memory: Memory, said: Make, words: Make
) -> None:
    """Though the object is the same and its name was known."""
    reading = {"model": own_model(), "tokenizer": words()}
    form = memory.promote(said(BERGEN), **reading)
    memory.attach(form["id"], WHERE, **reading)
    with torch.no_grad():
        reading["model"].model.layers[0].mlp.up_proj.weight[3, 3] += 1

    with pytest.raises(InvalidInput, match="fits only"):
        memory.attach(form["id"], WHERE, **reading)


def test_a_model_whose_attention_is_attached_is_the_same_model(
    memory: Memory, said: Make, words: Make
) -> None:
    """A cache of ours that reads queries does not end its forms."""
    reading = {"model": own_model(), "tokenizer": words()}
    form = memory.promote(said(BERGEN), **reading)
    MemoryCache.for_model(reading["model"], "snapkv", budget=9)

    attached = memory.attach(form["id"], WHERE, **reading)

    assert attached.source == "held"
    assert gap(attached) <= 1e-5


def test_a_template_that_tells_another_text_is_noticed(
    memory: Memory, said: Make, words: Make, tiny: Make
) -> None:
    """One that writes the date into the prompt, a day later: the form is made anew."""
    from copy import deepcopy

    tokenizer = deepcopy(words())

    class Dated:
        """A tokenizer whose template asks what day it is."""

        day = "Monday"
        chat_template = tokenizer.chat_template
        added_tokens_decoder = tokenizer.added_tokens_decoder

        def __call__(self, text: str, **how: Any) -> Any:
            return tokenizer(text, **how)

        def get_vocab(self) -> Any:
            return tokenizer.get_vocab()

        def apply_chat_template(self, turns: Any, **how: Any) -> str:
            return f"{self.day}.\n{tokenizer.apply_chat_template(turns, **how)}"

    dated = Dated()
    form = memory.promote(said(BERGEN), model=tiny(), tokenizer=dated)
    assert memory.attach(form["id"], WHERE, model=tiny(), tokenizer=dated).source == "held"
    dated.day = "Tuesday"

    attached = memory.attach(form["id"], WHERE, model=tiny(), tokenizer=dated)

    assert (attached.source, attached.why) == ("text", "the prompt is written in another way")
    assert attached.held >= form["tokens"]
    assert gap(attached) <= 1e-5


def test_attached_memories_count_as_used(memory: Memory, said: Make, reading: Any) -> None:
    """As those do that ``context`` packs, so that they are not forgotten."""
    (bergen,) = said(BERGEN)
    form = memory.promote([bergen], **reading)

    memory.attach(form["id"], WHERE, **reading)
    memory.attach(form["id"], WHERE, **reading)
    memory.store.flush(memory.clock())

    assert memory.get(bergen)["uses"] == 2
    (found,) = memory.forms(bergen)
    assert (found["uses"], found["last_used_at"]) == (2, "2026-06-01T00:00:00Z")


def test_an_erase_takes_the_form_out_of_memory_too(
    memory: Memory, said: Make, reading: Any
) -> None:
    """Row, file and what was read of it."""
    bergen, boat = said(BERGEN, BOAT)
    form = memory.promote([bergen, boat], **reading)
    memory.attach(form["id"], WHERE, **reading)

    receipt = memory.erase(bergen)

    assert receipt["scrubbed"]
    assert memory.forms() == []
    assert parts.listed(memory.path) == {}
    assert not memory.store.forms
    with pytest.raises(NotFound, match="no form has the id"):
        memory.attach(form["id"], WHERE, **reading)


def test_an_edit_in_another_thread_is_told_before_or_after(
    memory: Memory, said: Make, reading: Any
) -> None:
    """Each prompt is the text of one moment, and its cache is of that text."""
    (bergen, _) = said("I live in town 0.", BOAT)
    form = memory.promote([bergen], **reading)
    over = threading.Event()

    def move() -> None:
        for at in range(1, 15):
            memory.update(bergen, f"I live in town {at}.")
        over.set()

    mover = threading.Thread(target=move)
    mover.start()
    seen: list[int] = []
    while not over.is_set() or len(seen) < 3:
        attached = memory.attach(form["id"], WHERE, **reading)
        (town,) = re.findall(r"town (\d+)", text_of(attached, reading["tokenizer"]))
        seen.append(int(town))
        assert gap(attached) <= 1e-5
    mover.join()

    assert seen == sorted(seen)
    last = memory.attach(form["id"], WHERE, **reading)
    assert "town 14." in text_of(last, reading["tokenizer"])
    assert memory.check()["problems"] == []


def test_forms_can_be_awaited(memory: Memory, said: Make, reading: Any) -> None:
    """As everything that a memory does."""

    async def live() -> Any:
        form = await memory.aio.promote(said(BERGEN), **reading)
        return await memory.aio.attach(form["id"], WHERE, **reading)

    assert gap(asyncio.run(live())) <= 1e-5
