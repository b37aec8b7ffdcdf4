"""One face for two worlds: any object's methods as coroutines, each run in a thread."""

from collections.abc import Callable, Coroutine
from typing import Any


class Async:
    """The public methods of an object, to be awaited.

    There is no second implementation to fall behind: what the object can do, this can await.
    """

    def __init__(self, target: object) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self._target, name)
        if name.startswith("_") or not callable(method):
            raise AttributeError(f"{type(self._target).__name__} has no method {name!r} to await")

        async def call(*args: Any, **named: Any) -> Any:
            import asyncio  # only who awaits pays for it: it takes 35 ms to import

            return await asyncio.to_thread(method, *args, **named)

        return call
