"""Calls that may hang: each in a thread of its own, so that none can hold who waits for it."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from types import TracebackType
from typing import Generic, TypeVar

from engram.errors import ModelFailed, StoreClosed, brief

Said = TypeVar("Said")

_SECRET = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{16,}")


class Calls(Generic[Said]):
    """The calls that are under way.

    A thread of a call that is given up runs on until its library comes back; nobody hears it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[Future[Said]] = set()
        self._over = threading.Event()

    def made(self, call: Callable[[Future[Said]], Said], timeout: float, who: str) -> Said:
        """What a call returns.

        Args:
            call: told the future that its value goes to; one that is done waits no longer.
            timeout: seconds.
            who: is called, for the message.

        Raises:
            ModelFailed: it took longer.
            StoreClosed: ``give_up`` was called meanwhile.
            BaseException: whatever the call raised.
        """
        reply: Future[Said] = Future()
        with self._lock:
            self._check()
            self._under_way.add(reply)
        threading.Thread(target=_run, args=(call, reply), name="engram-model", daemon=True).start()
        try:
            reply.exception(timeout)
        except TimeoutError:
            _settle(reply, ModelFailed(f"{who} must answer in {timeout:g} s, it did not"))
        finally:
            with self._lock:
                self._under_way.discard(reply)
        return reply.result()

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            StoreClosed: ``give_up`` was called meanwhile.
        """
        self._over.wait(seconds)
        self._check()

    def give_up(self) -> None:
        """Let every call that waits, and every later one, raise ``StoreClosed``."""
        with self._lock:
            self._over.set()
            for reply in self._under_way:
                _settle(reply, _closed())

    def _check(self) -> None:
        if self._over.is_set():
            raise _closed()


class Blamed:
    """Whatever the block raises is a failure of the model that it asks."""

    def __init__(self, who: str) -> None:
        self._who = who

    def __enter__(self) -> None:
        """Nothing is needed to begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, ModelFailed):
            # What other people's code says may hold the key that it was given.
            told = _SECRET.sub("<hidden>", brief(error, 200))
            raise ModelFailed(f"{self._who} raised {told}") from error


class _Into:
    """Whatever the block raises goes to a future, where somebody waits for it."""

    def __init__(self, reply: Future[Said]) -> None:
        self._reply = reply

    def __enter__(self) -> None:
        """Nothing is needed to begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is not None:
            _settle(self._reply, error)
        return True


def _run(call: Callable[[Future[Said]], Said], reply: Future[Said]) -> None:
    with _Into(reply):
        reply.set_result(call(reply))


def _settle(reply: Future[Said], error: BaseException) -> None:
    with suppress(InvalidStateError):  # it came after all, or was given up before
        reply.set_exception(error)


def _closed() -> StoreClosed:
    return StoreClosed(
        "the memory is closed; what the model was asked for is done at the next open"
    )
