"""Where networks compute, and in which precision: bf16 where the processor does, else fp32."""

import functools
from typing import Final

import torch

_CPU_BF16: Final = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""What processors that multiply in bf16 tell of themselves (x86 and ARM)."""


def best_device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device | str, *, cache: bool = True) -> torch.autocast:
    """The context in which networks compute on a device: under bf16 autocast, or plainly in fp32.

    Args:
        device: where the network is.
        cache: whether weights are cast once for all that is inside.
    """
    kind = torch.device(device).type
    fast = computes_bf16(kind)
    return torch.autocast(kind, torch.bfloat16, enabled=fast, cache_enabled=cache)


@functools.cache
def computes_bf16(kind: str) -> bool:
    """Whether a kind of device multiplies in bf16 by itself.

    Where it is emulated, training takes nine times as long as in fp32 (`benchmarks/training.py`).

    Args:
        kind: ``"cpu"`` or ``"cuda"``.
    """
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    told = torch.cpu.get_capabilities()
    return any(told.get(name, False) for name in _CPU_BF16)
