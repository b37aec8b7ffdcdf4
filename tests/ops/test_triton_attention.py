"""The kernels for GPUs give what the tiles give. They run in triton's interpreter, on a CPU.

The interpreter is chosen when triton is first imported, so a process of its own runs them: this
file, as a script.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from engram.errors import InvalidInput, MissingExtra
from engram.ops.attention import tiled_attention
from engram.ops.triton_attention import triton_attention


class Case(NamedTuple):
    """Shapes and settings of one call."""

    heads: int
    groups: int
    length: int
    tokens: int
    width: int = 8
    causal: Any = None
    dtype: Any = torch.float32
    scale: float | None = None


CASES = {
    "no-queries": Case(2, 1, 0, 3),
    "no-keys": Case(2, 1, 3, 0),
    "one-key": Case(2, 2, 3, 1),
    "decode": Case(4, 2, 1, 63, causal="lower_right"),
    "square": Case(1, 1, 63, 63, causal="lower_right"),
    "chunk": Case(2, 1, 33, 70, causal="lower_right"),
    "rows-that-see-nothing": Case(1, 1, 63, 40, causal="lower_right"),
    "all": Case(2, 1, 33, 40, width=20),
    "scaled": Case(2, 1, 3, 63, scale=0.7),
    "float16": Case(2, 1, 33, 40, width=16, causal="lower_right", dtype=torch.float16),
    "bfloat16": Case(4, 2, 33, 70, width=16, dtype=torch.bfloat16),
}
INTERPRETED = {name: case for name, case in CASES.items() if case.dtype is not torch.bfloat16}
"""The interpreter multiplies bfloat16 as whole numbers, so the kernels refuse it there."""


def drawn(case: Case) -> list[Tensor]:
    """Queries, keys and values, the last two as views that do not lie together; two flows back."""
    dice = torch.Generator().manual_seed(list(CASES.values()).index(case))

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=dice).to(case.dtype)

    queries = draw(2, case.heads, case.length, case.width)
    both = draw(2, case.tokens, 2 * case.groups, case.width).transpose(1, 2)
    keys, values = both[:, : case.groups], both[:, case.groups :].flip(2)
    lse = draw(2, case.heads, case.length).float()
    return [queries, keys, values, draw(*queries.shape), lse]


def answered(attend: Any, case: Case) -> list[Tensor]:
    """The output, its lse, and the three gradients of both."""
    *given, of_out, of_lse = drawn(case)
    for each in given:
        each.requires_grad_()
    out, lse = attend(*given, causal=case.causal, scale=case.scale)
    of_out, of_lse = of_out.to(out.dtype), of_lse.masked_fill(lse.isinf(), 0.0)
    return [out, lse, *torch.autograd.grad((out, lse), given, (of_out, of_lse))]


def by_tiles(*given: Tensor, **how: Any) -> tuple[Tensor, Tensor]:
    """The same in float64, whatever came in."""
    one, two, three = (each.double() for each in given)
    return tiled_attention(one, two, three, return_lse=True, path="tiles", **how)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Tensor]]:
    """What the kernels give for every case."""
    pytest.importorskip("triton", reason="needs triton: pip install triton")
    target = tmp_path_factory.mktemp("kernels") / "found.pt"
    surroundings = os.environ | {"TRITON_INTERPRET": "1"}
    subprocess.run([sys.executable, __file__, str(target)], env=surroundings, check=True)
    kept: dict[str, list[Tensor]] = torch.load(target)
    return kept


@pytest.mark.parametrize("name", INTERPRETED)
def test_the_kernels_give_what_the_tiles_give(name: str, found: dict[str, list[Tensor]]) -> None:
    """Output, lse and gradients of both, at awkward sizes and strides."""
    case = CASES[name]
    most = 1e-5 if case.dtype is torch.float32 else 4e-3

    expected = answered(by_tiles, case)

    assert [each.dtype for each in found[name]] == [case.dtype, torch.float32, *3 * [case.dtype]]
    for ours, theirs in zip(found[name], expected, strict=True):
        torch.testing.assert_close(ours.double(), theirs.double(), atol=most, rtol=most)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", CASES)
def test_the_compiled_kernels_give_what_the_tiles_give(name: str) -> None:
    """The same on a GPU."""
    case = CASES[name]
    most = {torch.float32: 1e-5, torch.float16: 4e-3, torch.bfloat16: 4e-2}[case.dtype]

    ours = answered(lambda *given, **how: triton_attention(*(e.cuda() for e in given), **how), case)

    for one, other in zip(ours, answered(by_tiles, case), strict=True):
        torch.testing.assert_close(one.cpu().double(), other.double(), atol=most, rtol=most)


def test_the_kernels_refuse_what_they_cannot_do() -> None:
    """What must hold, what came, and what to use in its place."""
    queries, keys, values, *_ = drawn(CASES["chunk"])

    with pytest.raises(InvalidInput, match=r"D 1 to 256, got .* use tiled_attention"):
        triton_attention(*(each.repeat(1, 1, 1, 64) for each in (queries, keys, values)))
    with pytest.raises(InvalidInput, match=r"takes one of .* got torch.float64"):
        triton_attention(queries.double(), keys.double(), values.double())
    with pytest.raises(InvalidInput, match="causal must be 'lower_right' or None, got 'upper'"):
        triton_attention(queries, keys, values, causal="upper")  # type: ignore[arg-type]


def test_without_a_gpu_the_error_says_what_to_use() -> None:
    """Neither a crash in the compiler nor a slow run that nobody asked for."""
    given = drawn(CASES["chunk"])[:3]

    with pytest.raises((InvalidInput, MissingExtra), match=r"tiled_attention|engram\[hf\]"):
        triton_attention(*given)


def test_bfloat16_is_refused_by_the_interpreter(found: dict[str, list[Tensor]]) -> None:
    """It would give noise, and no error."""
    assert [each.shape for each in found["refused"]] == [(0,)]


def main(arguments: Sequence[str]) -> None:
    """Run every case and keep what came out."""
    torch.set_num_threads(1)
    answers = {name: answered(triton_attention, case) for name, case in INTERPRETED.items()}
    detached = {name: [each.detach() for each in found] for name, found in answers.items()}
    with pytest.raises(InvalidInput, match="multiplies bfloat16 as whole numbers"):
        answered(triton_attention, CASES["bfloat16"])
    detached["refused"] = [torch.empty(0)]
    torch.save(detached, Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
