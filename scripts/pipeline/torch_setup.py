"""PyTorch made repeatable: device, seeds, threads and deterministic kernels in one place."""

import os

import torch


def setup(seed: int, threads: int) -> torch.device:
    """Make PyTorch deterministic and return the device: the GPU if there is one, else the CPU.

    threads comes from the spec, never from the cores that happen to be given: sums are split by
    thread, so that another number of threads gives other last bits. Prints the choice and why.
    Operations without a deterministic kernel raise RuntimeError instead of drifting.
    """
    # cuBLAS reads this when its first handle is made; without it its matmuls are refused.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # deterministic mode fills every new tensor with NaN, a debugging aid that costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        device = torch.device("cuda")
        print(f"device: cuda ({torch.cuda.get_device_name()}), since a GPU is there")
    else:
        device = torch.device("cpu")
        print(f"device: cpu, {threads} thread(s), since no CUDA device is visible")
    return device
