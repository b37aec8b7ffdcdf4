"""The law of the port LanguageModel, tried on every protocol against a server that misbehaves."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from engram.adapters.anthropic import Anthropic
from engram.adapters.chat import Chat
from engram.adapters.ollama_chat import OllamaChat
from engram.adapters.server import Server
from engram.errors import ModelFailed
from engram.plaintext.advice import choices, fields
from engram.plaintext.text.replies import object_in
from engram.ports import Completion
from engram.testing.model_server import FAULTS, KEY, WORDS, Answer, ModelServer, model_server

Model: TypeAlias = Chat | Anthropic | OllamaChat
Maker: TypeAlias = Callable[..., Model]

ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is Oslo?"}]
SCHEMA = fields({"ids": choices(3), "text": {"type": "string"}})

KINDS: dict[str, tuple[type[Model], str]] = {
    "openai": (Chat, "/v1"),
    "anthropic": (Anthropic, ""),
    "ollama": (OllamaChat, ""),
}
every_fault = pytest.mark.parametrize("fault", FAULTS)

PASSING = {
    "too many requests", "broken", "loading", "overloaded", "hangs up", "hangs", "closed mid-body",
}  # fmt: skip
UNPAID = {
    "bad request", "wrong key", "no such model", "too many requests", "too many for long",
    "loading", "overloaded", "redirect",
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server of its own for each test."""
    with model_server() as made:
        yield made


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, server: ModelServer) -> Maker:
    """Makes a model of each protocol that does not wait between attempts."""
    kind, path = KINDS[request.param]

    def made(**settings: Any) -> Model:
        patience = {"pause": 0.0, "timeout": 5.0, "attempts": 1, "key": KEY, **settings}
        return kind("small", Server(server.url + path, **patience))

    return made


def patience(fault: str) -> float:
    """Seconds: few where nothing comes, and many where a busy machine only needs them."""
    return 0.1 if fault in {"hangs", "drips"} else 10.0


def streamed(model: Model) -> tuple[Completion, list[str]]:
    """What a model says, and the pieces that were told."""
    told: list[str] = []
    return model.stream(ASK, told.append), told


def test_a_model_gives_its_words_and_its_counts(make: Maker, server: ModelServer) -> None:
    """In every protocol they stand elsewhere."""
    server.script = ["It is in Norway."]

    said = make().complete(ASK)

    assert said.text == "It is in Norway."
    assert (said.tokens_in, said.tokens_out) == server.served[0]


def test_a_model_that_counts_nothing_says_so(make: Maker, server: ModelServer) -> None:
    """None is no zero: somebody has to estimate."""
    server.counts = False

    assert make().complete(ASK) == Completion(WORDS, None, None)
    assert streamed(make())[0] == Completion(WORDS, None, None)


@pytest.mark.parametrize("counts", [{"prompt_tokens": -5}, {"prompt_tokens": "9"}, [], None, True])
def test_counts_that_are_none_are_not_believed(server: ModelServer, counts: Any) -> None:
    """A negative count would widen a budget."""
    told = {"choices": [{"message": {"content": "x"}}], "usage": counts}
    server.script = [Answer(body=json.dumps(told).encode())]

    said = Chat("small", Server(f"{server.url}/v1")).complete(ASK)

    assert said.tokens_in is None


def test_a_schema_reaches_the_model_and_an_object_comes_back(
    make: Maker, server: ModelServer
) -> None:
    """As a format, or as a tool that must be called."""
    server.script = [{"ids": [2], "text": "Oslo"}]

    said = make().complete(ASK, schema=SCHEMA, max_tokens=99)

    assert object_in(said.text, SCHEMA) == ({"ids": [2], "text": "Oslo"}, "")
    assert str(SCHEMA) in str(server.requests[0])
    assert 99 in [*server.requests[0].values(), *server.requests[0].get("options", {}).values()]


def test_a_stream_is_heard_in_pieces(make: Maker, server: ModelServer) -> None:
    """And is put together as if it had come at once."""
    server.script = ["Oslo lies by a fjord in the south of Norway."]

    said, told = streamed(make())

    assert said.text == "".join(told) == "Oslo lies by a fjord in the south of Norway."
    assert len(told) == 10
    assert (said.tokens_in, said.tokens_out) == server.served[0]


@every_fault
def test_a_fault_is_one_clear_error_without_the_key(
    make: Maker, server: ModelServer, fault: str
) -> None:
    """Whatever the server does, the caller gets one kind of error, in one line."""
    server.script = [FAULTS[fault]] * 5

    with pytest.raises(ModelFailed) as caught:
        make(timeout=patience(fault)).complete(ASK)
    assert "must" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


@every_fault
def test_a_fault_in_a_stream_is_one_clear_error_too(
    make: Maker, server: ModelServer, fault: str
) -> None:
    """A stream that breaks off is no answer, however much of it came."""
    server.script = [FAULTS[fault]] * 5

    with pytest.raises(ModelFailed) as caught:
        streamed(make(timeout=patience(fault)))
    assert KEY not in str(caught.value)


@every_fault
def test_only_what_may_pass_is_tried_again(make: Maker, server: ModelServer, fault: str) -> None:
    """Three attempts, and then the server's own words, or at once."""
    server.script = [FAULTS[fault]] * 5

    with pytest.raises(ModelFailed) as caught:
        make(timeout=patience(fault), attempts=3).complete(ASK)
    again = caught.value.wait is not None
    assert len(server.seen) == (3 if again else 1)
    assert again or fault not in PASSING


@every_fault
def test_what_no_model_has_worked_on_is_not_to_be_paid(
    make: Maker, server: ModelServer, fault: str
) -> None:
    """A refusal costs nothing; an answer that got lost may have to be paid."""
    server.script = [FAULTS[fault]] * 5

    with pytest.raises(ModelFailed) as caught:
        make(timeout=patience(fault)).complete(ASK)
    assert caught.value.taken == (fault not in UNPAID)


def test_a_fault_that_passes_is_not_noticed(make: Maker, server: ModelServer) -> None:
    """Two bad moments, then the answer; in a stream as well."""
    server.script = [FAULTS["broken"], FAULTS["hangs up"], "Norway"]
    assert make(attempts=3).complete(ASK).text == "Norway"

    server.script = [FAULTS["loading"], FAULTS["too many requests"], "Norway"]
    assert streamed(make(attempts=3))[1] == ["Norway"]


def test_a_stream_is_not_begun_anew_once_it_was_heard(make: Maker, server: ModelServer) -> None:
    """Nobody wants to read the first half twice."""
    server.script = [Answer(cut=150)]
    told: list[str] = []

    with pytest.raises(ModelFailed, match="were announced"):
        make(attempts=3).stream(ASK, told.append)
    assert told[0] == "I "
    assert len(server.seen) == 1


def test_a_server_that_is_not_there_takes_nothing(make: Maker, server: ModelServer) -> None:
    """It is named, and it is worth trying again later."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"  # bound, and it does not listen
        model = make()
        model.server = replace(model.server, url=nobody)

        with pytest.raises(ModelFailed, match=r"did not .*start it") as caught:
            model.complete(ASK)
    assert not caught.value.taken
    assert caught.value.wait is not None


def test_the_name_says_which_model_and_where(make: Maker, server: ModelServer) -> None:
    """Kind, model, host; never the key."""
    made = make()

    assert f":small@{server.url.removeprefix('http://')}" in made.name
    assert KEY not in made.name + repr(made.server)
