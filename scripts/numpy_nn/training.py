"""The training loop, one epoch at a time, with everything that a checkpoint has to hold."""

import time
from collections.abc import Mapping, Sequence

import numpy as np

from numpy_nn.batches import batch_count, batches
from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.module import Module, NonFiniteError
from numpy_nn.optimisers import Optimiser
from numpy_nn.schedules import Schedule


class TrainingDiverged(ArithmeticError):
    """The loss became NaN or infinite; the message names step, learning rate and batch."""


class Training:
    """Trains `model` on x (N, ...), y (N,) integer labels, for `epochs` epochs.

        while not training.finished:
            print(training.run_epoch())

    rng shuffles; generators: every other generator that the model draws from (dropout). All of
    them, the model and the optimiser are in `state`, so that a run that was loaded from it goes on
    exactly, to the last bit, as if it had never stopped.
    """

    def __init__(
        self,
        model: Module,
        loss: SoftmaxCrossEntropy,
        optimiser: Optimiser,
        schedule: Schedule,
        x: np.ndarray,
        y: np.ndarray,
        *,
        batch_size: int,
        epochs: int,
        rng: np.random.Generator,
        generators: Sequence[np.random.Generator] = (),
    ):
        if len(x) != len(y) or len(x) == 0:
            raise ValueError(f"expected as many labels as examples, given {len(y)} and {len(x)}")
        self.model, self.loss, self.optimiser, self.schedule = model, loss, optimiser, schedule
        self.x, self.y, self.batch_size, self.epochs = x, y, batch_size, epochs
        self.rng, self.generators = rng, (rng, *generators)
        self.peak_lr = optimiser.lr
        self.steps = epochs * batch_count(len(x), batch_size)
        self.step = self.epoch = 0
        self.seconds = 0.0

    @property
    def finished(self) -> bool:
        return self.epoch >= self.epochs

    def run_epoch(self) -> dict:
        """One pass over all examples. Returns the epoch's means under dropout, as trained:

        {"step", "epoch", "lr", "train_loss", "train_accuracy"}.
        Raises TrainingDiverged as soon as a loss is not finite.
        """
        started = time.perf_counter()
        self.model.train()
        loss_sum, correct = 0.0, 0
        for index in batches(len(self.x), self.batch_size, self.rng):
            loss, hits = self._step(index)
            loss_sum += loss * len(index)
            correct += hits
        self.epoch += 1
        self.seconds += time.perf_counter() - started
        return {
            "step": self.step,
            "epoch": self.epoch,
            "lr": self.optimiser.lr,
            "train_loss": loss_sum / len(self.x),
            "train_accuracy": correct / len(self.x),
        }

    def _step(self, index: np.ndarray) -> tuple[float, int]:
        """Forward, loss, backward, update on one batch. Returns its loss and how many it got."""
        x, y = self.x[index], self.y[index]
        self.optimiser.lr = self.peak_lr * self.schedule(self.step, self.steps)
        # Overflow needs no warning: every layer and the loss stop at what is not finite.
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                logits = self.model.forward(x)
                loss = self.loss.forward(logits, y)
            except NonFiniteError as error:
                raise TrainingDiverged(self._where(index, str(error))) from error
            if not np.isfinite(loss):
                raise TrainingDiverged(self._where(index, f"loss {loss}"))
            self.model.backward(self.loss.backward())
            self.optimiser.step()
        self.step += 1
        return loss, int(np.count_nonzero(logits.argmax(axis=1) == y))

    def _where(self, index: np.ndarray, what: str) -> str:
        return (
            f"training diverged at step {self.step} (epoch {self.epoch}), lr"
            f" {self.optimiser.lr:.4g}, batch of {len(index)} beginning with example {index[0]}:"
            f" {what}. Lower the learning rate or look at the input."
        )

    def state(self) -> tuple[dict[str, np.ndarray], dict]:
        """(arrays, JSON): all that `load_state` needs, to be called between epochs."""
        arrays = {f"model.{name}": array for name, array in self.model.state_dict().items()}
        arrays |= {f"optimiser.{name}": a for name, a in self.optimiser.state_dict().items()}
        return arrays, {
            "step": self.step,
            "epoch": self.epoch,
            "seconds": self.seconds,
            "generators": [generator.bit_generator.state for generator in self.generators],
        }

    def load_state(self, arrays: Mapping[str, np.ndarray], meta: Mapping) -> None:
        """Continue from what `state` returned, in a Training that was built in the same way."""
        for prefix, owner in (("model.", self.model), ("optimiser.", self.optimiser)):
            owner.load_state_dict(
                {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
            )
        for generator, stored in zip(self.generators, meta["generators"], strict=True):
            generator.bit_generator.state = stored
        self.step, self.epoch, self.seconds = meta["step"], meta["epoch"], meta["seconds"]


def predict(model: Module, x: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """The class probabilities (N, K), float32, of x (N, ...), with dropout off."""
    model.eval()
    parts = []
    for start in range(0, len(x), batch_size):
        logits = model.forward(x[start : start + batch_size])
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        parts.append(p / p.sum(axis=1, keepdims=True))
    return np.concatenate(parts)


def evaluate(p: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """(mean cross-entropy in nats, accuracy) of probabilities p (N, K) against labels y (N,)."""
    at_label = p[np.arange(len(y)), y].astype(np.float64)
    nats = -np.log(np.maximum(at_label, np.finfo(np.float32).tiny)).mean()
    return float(nats), float((p.argmax(axis=1) == y).mean())
