"""The room ``lifecycle``: text becomes activation, and is told again from the text when it changed.

::

    making      records ─► prompt ─► model ─► file and row
    attaching   form + query ─► a cache that holds the prompt's beginning, and the ids
    joining     forms that were made apart ─► one cache, approximate
    scheduling  use and a budget ─► what is made, and what goes

Needs torch and transformers.
"""

from engram.extras import require

for _package in ("torch", "transformers"):
    require(_package, extra="hf", purpose="a form of memories")
