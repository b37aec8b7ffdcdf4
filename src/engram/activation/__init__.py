"""What a model holds while it runs: keys and values, and the policies that choose among them.

Pure torch, and no model: ``engram.adapters.kv`` joins it to transformers. A policy sees a
``LayerCache`` and returns a value; only ``cache`` drops, packs or moves entries.

Axes: B batch, T tokens, P entries that are held, H query heads, G key-value heads, D head width,
W window. This room needs torch.
"""

from engram.extras import require

require("torch", extra="hf", purpose=__name__)
