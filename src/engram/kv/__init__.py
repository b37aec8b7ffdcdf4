"""The front door of the room ``activation``: a cache for a transformers model, by preset.

::

    cache = MemoryCache.for_model(model, preset="kivi+snapkv", budget=0.25)
    model.generate(**inputs, past_key_values=cache)

Needs torch and transformers.
"""

from engram.extras import require

for _package in ("torch", "transformers"):
    require(_package, extra="hf", purpose="MemoryCache")
