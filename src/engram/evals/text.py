"""Words and tokens as the baselines and metrics count them.

On purpose not engram's own analysis: a baseline that shares the product's stemmer is no baseline,
and a metric that shares it flatters the product.
"""

import re

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_CHARS_PER_TOKEN = 4  # of English under the usual subword vocabularies, to within a fifth
_DENSE = re.compile(rf"[{_UNSPACED}]")


def words(text: str) -> list[str]:
    """Lower-case words, and single characters of scripts that are written without spaces."""
    return _WORD.findall(text.lower())


def tokens(text: str) -> int:
    """Estimate the tokens of a text: one for four characters, one for each unspaced character."""
    dense = len(_DENSE.findall(text))
    return dense + -(-(len(text) - dense) // _CHARS_PER_TOKEN)
