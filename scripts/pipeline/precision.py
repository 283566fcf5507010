"""The precision of matrix products: 16 bits where the device is faster with them, else float32."""

from collections.abc import Mapping

import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# How the instruction sets that multiply a dtype end: avx512_bf16, amx_fp16 ...
UNITS = {torch.bfloat16: "bf16", torch.float16: "fp16"}


def _capabilities() -> Mapping[str, bool]:
    """Names of instruction sets and whether the processor has them: avx512_bf16, amx_bf16 ..."""
    if hasattr(torch.cpu, "get_capabilities"):
        return torch.cpu.get_capabilities()
    return {"avx512_bf16": torch.cpu._is_avx512_bf16_supported()}


def _units(dtype: torch.dtype, device: torch.device) -> list[str]:
    """What of the device is fast at it."""
    if device.type == "cpu":
        return [
            name for name, has in _capabilities().items() if has and name.endswith(UNITS[dtype])
        ]
    if device.type == "cuda" and dtype is torch.bfloat16:
        return ["GPU"] if torch.cuda.is_bf16_supported(including_emulation=False) else []
    return ["GPU"]


def choose_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """The dtype to multiply in: `wanted` ("float32", "bfloat16" or "float16") if `device` has units
    for it, else float32.

    Prints the choice and why. The same weights come only from the same precision; the history of a
    training says which it was (`precision`).
    """
    if wanted == "float32":
        print("precision: float32, as the settings say")
    elif units := _units(DTYPES[wanted], device):
        print(f"precision: {wanted}, since the device has units for it ({', '.join(units)})")
        return DTYPES[wanted]
    else:
        print(f"precision: float32 instead of {wanted}, since the device has no units for {wanted}")
    return torch.float32


def precision_name(dtype: torch.dtype) -> str:
    """What the history of a training calls it."""
    return str(dtype).removeprefix("torch.")
