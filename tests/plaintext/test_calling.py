"""Calls that hang, raise, come late, and are given up."""

import threading
from concurrent.futures import Future

import pytest

from engram.errors import ModelFailed, StoreClosed
from engram.plaintext.calling import Blamed, Calls


def test_a_call_gives_what_it_returns_and_raises_what_it_raises() -> None:
    """As if it had been made here, though it ran in a thread of its own."""
    calls: Calls[str] = Calls()

    def fail(_: Future[str]) -> str:
        raise LookupError("nothing there")

    assert calls.made(lambda _: threading.current_thread().name, 10.0, "m") == "engram-model"
    with pytest.raises(LookupError, match="nothing there"):
        calls.made(fail, 10.0, "m")


def test_a_call_that_takes_too_long_is_not_waited_for() -> None:
    """Whatever it gives later is heard by nobody, and harms nobody."""
    calls: Calls[str] = Calls()
    go, gone = threading.Event(), threading.Event()

    def late(reply: Future[str]) -> str:
        go.wait(10)
        assert reply.done()
        gone.set()
        return "too late"

    with pytest.raises(ModelFailed, match=r"small must answer in 0\.01 s"):
        calls.made(late, 0.01, "small")
    go.set()
    assert gone.wait(10)
    assert calls.made(lambda _: "again", 10.0, "small") == "again"


def test_giving_up_frees_everyone_who_waits() -> None:
    """And whoever comes later, so that closing is quick."""
    calls: Calls[str] = Calls()
    under_way, over = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    def hang(_: Future[str]) -> str:
        under_way.set()
        over.wait(10)
        return "never heard"

    def wait() -> None:
        with pytest.raises(StoreClosed) as caught:
            calls.made(hang, 60.0, "m")
        raised.append(caught.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert under_way.wait(10)
    calls.give_up()
    waiting.join(10)
    over.set()

    assert len(raised) == 1
    with pytest.raises(StoreClosed):
        calls.made(lambda _: "x", 1.0, "m")
    with pytest.raises(StoreClosed):
        calls.pause(60.0)


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_model_raises_is_its_failure(error: BaseException) -> None:
    """Not even a model that wants to end the program does."""
    with pytest.raises(ModelFailed, match="small raised") as caught, Blamed("small"):
        raise error
    assert caught.value.taken


def test_a_failure_keeps_what_it_knows_of_itself() -> None:
    """Whether it may pass, and whether it is to be paid."""
    failure = ModelFailed("down")
    failure.wait, failure.taken = 1.5, False

    with pytest.raises(ModelFailed) as caught, Blamed("small"):
        raise failure
    assert caught.value is failure


@pytest.mark.parametrize(
    "key", ["sk-a1b2c3d4e5f6a7b8", "AIzaSyA1234567890abcdefghijk", "gsk_0123456789abcdefABCDEF"]
)
def test_what_looks_like_a_key_is_hidden_in_the_words_of_other_code(key: str) -> None:
    """Libraries like to print the client that they were called with."""
    with pytest.raises(ModelFailed, match="<hidden>") as caught, Blamed("small"):
        raise RuntimeError(f"Client(key='{key}') refused")
    assert key not in str(caught.value)
