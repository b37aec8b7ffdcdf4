"""The closed vocabulary of the long prompts as a tokenizer that transformers can load."""

from typing import Any

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from engram.evals.lexicon import END, PAD, START, TOKEN, UNKNOWN, WORDS


def tokenizer(window: int) -> Any:
    """One word, digit or mark is one token; a text begins with the start token."""
    made = Tokenizer(
        WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token=WORDS[UNKNOWN])
    )
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Split(Regex(TOKEN), behavior="removed", invert=True)
    made.post_processor = processors.TemplateProcessing(
        single=f"{WORDS[START]} $A", special_tokens=[(WORDS[START], START)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=window,
        pad_token=WORDS[PAD],
        bos_token=WORDS[START],
        eos_token=WORDS[END],
        unk_token=WORDS[UNKNOWN],
    )
