"""Processes that train one model together; pipeline.torchrun has those of several GPUs."""

from typing import TypeVar

T = TypeVar("T")


class Group:
    """This process is number `rank` of `size`: alone, 0 of 1."""

    rank, size = 0, 1

    @property
    def leads(self) -> bool:
        """Whether this process reads the checkpoint and writes all files."""
        return self.rank == 0

    def share(self, value: T) -> T:
        """What the leading process gave, for all."""
        return value

    def mean(self, value: float) -> float:
        """The mean over the processes."""
        return value

    def wrap(self, model: T) -> T:
        """The model to call in training: its backward pass averages the gradients of all."""
        return model
