"""FlashAttention: exact attention tile by tile, with no matrix of all queries and all keys.

The softmax runs along the keys: each tile corrects what was mixed so far, and the result is that of
plain attention. The backward pass computes each tile again. So the memory grows with the length and
not with its square, and tiles that a block mask leaves out cost nothing. The log of the sum of
exponents that is left of each row joins attention over parts of the keys, wherever these are held.

What differs: on a CPU torch has such a kernel, which `tiled_attention` takes wherever it can do
what is asked; `attention_path` says so beforehand. The loop over tiles does the rest. A kernel for
GPUs is in `engram.ops.triton_attention`. Speed on a GPU, the paper's headline, is not claimed here.
"""

from engram.evals.claims.figures import Figure
from engram.extras import require


def claim() -> list[Figure]:
    """Exact, forward and backward; linear in memory; parts join; tiles left out cost nothing."""
    # Not at the top: this page is read, and the module imported, where torch is not installed.
    require("torch", extra="hf", purpose="the claim of FlashAttention")
    from engram.evals.claims.exact_attention import figures

    return figures()
