"""Asking a model within a window, a number of calls and a time; whatever it does can only fail."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from engram.errors import BudgetSpent, ModelFailed, brief
from engram.plaintext.calling import Blamed, Calls
from engram.plaintext.text.tokens import estimated
from engram.ports import Completion, LanguageModel

Messages: TypeAlias = Sequence[Mapping[str, str]]
Schema: TypeAlias = Mapping[str, Any]

ATTEMPTS = 3
"""Calls that one question takes where a failure may pass."""

_AROUND = 4  # tokens that a protocol puts around a message
_LEFT_OUT = "\n[...]\n"


class Asking:
    """A model, and what it has taken so far.

    Attributes:
        window: tokens that a question and its answer may take together, estimated by length.
        calls: that may still be made.
        made: calls that were made.
        largest: tokens of the largest question, with the room for its answer.
    """

    def __init__(self, model: LanguageModel, window: int, calls: int, timeout: float) -> None:
        self.window, self.calls = window, calls
        self.made = self.largest = 0
        self._model, self._timeout = model, timeout
        self._who = str(getattr(model, "name", type(model).__name__))
        self._waiting: Calls[Completion] = Calls()

    def ask(self, messages: Messages, schema: Schema, tokens: int) -> str:
        """What the model says, in at most so many tokens.

        Raises:
            BudgetSpent: no calls are left.
            ModelFailed: it raised, took too long, or gave no text.
        """
        size = sized(messages, schema) + tokens
        assert size <= self.window, f"{size} tokens do not fit a window of {self.window}"
        self.largest = max(self.largest, size)
        failed = 0
        while True:
            try:
                return self._once(messages, schema, tokens)
            except ModelFailed as failure:
                failed += 1
                if failure.wait is None or failed == ATTEMPTS:
                    raise
                self._waiting.pause(failure.wait * failed)

    def _once(self, messages: Messages, schema: Schema, tokens: int) -> str:
        if self.calls < 1:
            raise BudgetSpent(f"{self._who} may be called {self.made} times, all were; allow more")
        self.calls -= 1
        self.made += 1

        def call(_reply: object) -> Completion:
            with Blamed(self._who):
                return self._model.complete(messages, schema=schema, max_tokens=tokens)

        said: Any = self._waiting.made(call, self._timeout, self._who)
        if not isinstance(said, Completion) or not isinstance(said.text, str):
            raise ModelFailed(f"{self._who} must give a Completion with text, got {brief(said)}")
        return said.text


def sized(messages: Messages, schema: Schema) -> int:
    """Tokens of a question, estimated by length."""
    shape = estimated(json.dumps(schema))
    return shape + sum(estimated(each["content"]) + _AROUND for each in messages)


def clipped(text: str, most: int) -> str:
    """A text of at most so many tokens, its middle left out; never empty, which servers refuse."""
    left = text
    while (tokens := estimated(left)) > most:
        half = (len(left) - len(_LEFT_OUT)) * (most - 1) // tokens // 2
        left = text[:half] + _LEFT_OUT + text[len(text) - half :] if half > 0 else text[:most]
    return left or "(nothing)"
