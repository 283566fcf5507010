"""Several processes that train one model, each on its share of every batch.

    torchrun --nproc_per_node 2 -m gpt.train --spec ...

Each runs the whole program; gradients are averaged in each backward pass, so that all take the same
steps. The first reads the checkpoint and writes all files.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from pipeline.group import Group


class TorchGroup(Group):
    """The processes that torchrun started: NCCL connects their GPUs, gloo their CPUs."""

    def __init__(self, device: torch.device):
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def share(self, value: Any) -> Any:
        found = [value]
        dist.broadcast_object_list(found)
        return found[0]

    def mean(self, value: float) -> float:
        found = [value] * self.size
        dist.all_gather_object(found, value)
        return sum(found) / self.size

    def wrap(self, model: Any) -> Any:
        return DistributedDataParallel(model)


@contextmanager
def group_of_torchrun(device: torch.device) -> Iterator[Group]:
    """The group that this process was started in: alone, where it was not by torchrun."""
    if "WORLD_SIZE" not in os.environ:
        yield Group()
        return
    group = TorchGroup(device)
    try:
        yield group
    finally:
        dist.destroy_process_group()
