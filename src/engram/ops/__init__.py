"""Pure functions over tensors: exact attention in tiles, which tiles to skip, rotary positions.

They take tensors and give tensors, keep nothing and know nothing of models. Each has a slow form
in its test. This room needs torch.

| module | what |
| --- | --- |
| `attention` | exact attention without a T x T matrix, forward and backward; joining parts |
| `sparse` | block masks: which tiles are looked at |
| `rotary` | rotary positions: set, moved, taken off |
| `triton_attention` | the same attention as one kernel for GPUs; needs triton |
"""

from engram.extras import require

require("torch", extra="hf", purpose=__name__)
