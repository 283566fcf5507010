"""PyTorch made repeatable: device, seeds, threads and deterministic kernels in one place."""

import os

import torch

from pipeline.errors import InputError


def setup(seed: int, threads: int, wanted: str = "auto") -> torch.device:
    """Make PyTorch deterministic and return the device: `wanted` ("cpu", "cuda" or "mps"), or with
    "auto" the GPU if there is one, else the CPU. Prints the choice and why.

    threads comes from the spec, never from the cores that happen to be given: sums are split by
    thread, so that another number of threads gives other last bits.
    Operations without a deterministic kernel raise RuntimeError instead of drifting.
    Raises InputError if the wanted device is not there.
    """
    # cuBLAS reads this when its first handle is made; without it its matmuls are refused.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # deterministic mode fills every new tensor with NaN, a debugging aid that costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(seed)
    device, why = _choose(wanted)
    if wanted != "auto":
        why = "as the settings say"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        print(f"device: {device} ({torch.cuda.get_device_name(device)}), {why}")
    else:
        print(f"device: {device}, {threads} thread(s), {why}")
    return device


def _choose(wanted: str) -> tuple[torch.device, str]:
    """The device and, for "auto", why it was chosen."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(wanted, True):
        found = [name for name, is_there in there.items() if is_there] + ["cpu"]
        raise InputError(f"device: expected one that is there ({', '.join(found)}), found {wanted}")
    if wanted == "cuda" or (wanted == "auto" and there["cuda"]):
        # torchrun gives each of its processes a GPU of its own.
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))), "since a GPU is there"
    if wanted == "mps" or (wanted == "auto" and there["mps"]):
        return torch.device("mps"), "since Apple's GPU is there"
    return torch.device("cpu"), "since no GPU is visible"
