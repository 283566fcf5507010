"""In which precision a device multiplies matrices: bfloat16 where that is faster, else float32."""

from collections.abc import Mapping

import torch


def multiplies_bfloat16(device: torch.device) -> tuple[bool, str]:
    """(whether `device` has units that multiply bfloat16, which or that it has none)."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return native, "the GPU has units for it" if native else "this GPU has no units for it"
    units = [name for name, there in _capabilities().items() if name.endswith("bf16") and there]
    if units:
        return True, f"the processor has units for it ({', '.join(units)})"
    return False, "this processor has no units for it and would emulate it, many times slower"


def _capabilities() -> Mapping[str, bool]:
    """Names of instruction sets and whether the processor has them: avx512_bf16, amx_bf16 ..."""
    if hasattr(torch.cpu, "get_capabilities"):
        return torch.cpu.get_capabilities()
    return {"avx512_bf16": torch.cpu._is_avx512_bf16_supported()}


def use_bfloat16(wanted: bool, device: torch.device) -> bool:
    """Whether to multiply in bfloat16: if it is wanted and `device` does it itself.

    Prints the choice and why. The same weights come only from the same precision; the history of a
    training says which it was (`precision`).
    """
    if not wanted:
        print("precision: float32, as the settings say")
        return False
    native, why = multiplies_bfloat16(device)
    print(f"precision: {'bfloat16' if native else 'float32 instead of bfloat16'}, since {why}")
    return native


def precision_name(bfloat16: bool) -> str:
    """What the history of a training calls it."""
    return "bfloat16" if bfloat16 else "float32"
