"""In which precision a device multiplies matrices: bfloat16 where that is faster, else float32."""

from collections.abc import Mapping

import torch


def _capabilities() -> Mapping[str, bool]:
    """Names of instruction sets and whether the processor has them: avx512_bf16, amx_bf16 ..."""
    if hasattr(torch.cpu, "get_capabilities"):
        return torch.cpu.get_capabilities()
    return {"avx512_bf16": torch.cpu._is_avx512_bf16_supported()}


def use_bfloat16(wanted: bool, device: torch.device) -> bool:
    """Whether to multiply in bfloat16: if it is wanted and `device` has units for it.

    Prints the choice and why. The same weights come only from the same precision; the history of a
    training says which it was (`precision`).
    """
    if not wanted:
        print("precision: float32, as the settings say")
        return False
    if device.type == "cuda":
        units = ["GPU"] if torch.cuda.is_bf16_supported(including_emulation=False) else []
    else:
        units = [name for name, has in _capabilities().items() if name.endswith("bf16") and has]
    if units:
        print(f"precision: bfloat16, since the device has units for it ({', '.join(units)})")
    else:
        print("precision: float32 instead of bfloat16, since the device has no units for bfloat16")
    return bool(units)


def precision_name(bfloat16: bool) -> str:
    """What the history of a training calls it."""
    return "bfloat16" if bfloat16 else "float32"
