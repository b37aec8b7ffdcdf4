"""A causal language model in a folder of this machine, through transformers. Needs torch."""

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from engram.adapters.folders import BROKEN, fingerprint, model_folder
from engram.errors import ModelFailed
from engram.extras import require
from engram.ports import Completion

_GREEDY: Mapping[str, Any] = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}


class Causal:
    """One model, loaded when it is first asked; never downloads, never runs code of the folder.

    Args:
        path: folder of the model.
        device: as torch names it, such as ``cuda:0``.

    Raises:
        InvalidInput: there is no such folder.
        MissingExtra: transformers or torch is not installed.
    """

    def __init__(self, path: str, device: str = "cpu") -> None:
        self.folder = model_folder(path, "hf")
        self.device = device
        self.name = f"hf:{self.folder.name}@{fingerprint(self.folder)}"
        for package in ("torch", "transformers"):
            if find_spec(package) is None:  # loading them takes seconds, and many never ask
                require(package, extra="hf", purpose="the model 'hf'")
        self._lock = threading.Lock()

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,  # noqa: ARG002 - the prompt says it
        max_tokens: int = 1024,
    ) -> Completion:
        """What the model says: at each step the likeliest token, at most ``max_tokens``.

        Raises:
            ModelFailed: the folder holds no model that can be loaded, or the prompt with the answer
                is longer than it can read.
        """
        with self._lock:  # a model and a fast tokenizer may not be shared while they are in use
            try:
                return self._said(messages, max_tokens)
            except BROKEN as fault:
                raise ModelFailed(
                    f"the model must write text, {self.folder.name!r} raised {fault!r:.200}; "
                    "check the folder"
                ) from fault

    def _said(self, messages: Sequence[Mapping[str, str]], max_tokens: int) -> Completion:
        tokenizer, model = self._loaded
        prompt = _tokens(tokenizer, messages).to(self.device)  # (1, T)
        length = prompt.shape[1]
        most = getattr(model.config, "max_position_embeddings", None)
        if most is not None and length + max_tokens > most:
            failure = ModelFailed(
                f"the model {self.folder.name!r} reads {most} tokens, got {length} and "
                f"{max_tokens} to write; ask for less"
            )
            failure.taken = False
            raise failure
        torch = import_module("torch")
        with torch.inference_mode():
            told = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=max_tokens,
                pad_token_id=_padding(tokenizer),
                **_GREEDY,
            )
        fresh = told[0, length:]  # (at most max_tokens,)
        return Completion(tokenizer.decode(fresh, skip_special_tokens=True), length, len(fresh))

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        library: Any = import_module("transformers")
        local = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = library.AutoTokenizer.from_pretrained(self.folder, **local)
        model = library.AutoModelForCausalLM.from_pretrained(self.folder, **local)
        return tokenizer, model.to(self.device).eval()


def _tokens(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> Any:
    """The prompt: as the model was taught to be spoken to, or plainly."""
    turns = [dict(message) for message in messages]
    if getattr(tokenizer, "chat_template", None):
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
    plain = [f"{turn['role'].title()}: {turn['content']}" for turn in turns]
    return tokenizer("\n\n".join([*plain, "Assistant:"]), return_tensors="pt").input_ids


def _padding(tokenizer: Any) -> Any:
    held = tokenizer.pad_token_id
    return tokenizer.eos_token_id if held is None else held
