"""The training loop, one epoch at a time, with everything that a checkpoint has to hold."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

import numpy as np

from numpy_nn.checks import check_labels, refuse
from numpy_nn.early_stopping import EarlyStopping
from numpy_nn.losses import Loss
from numpy_nn.module import Module, NonFiniteError, diagnose
from numpy_nn.normalisation import BatchNorm
from numpy_nn.optimisers import Optimiser, WeightAverage
from numpy_nn.optimisers import clip_norm as clip_by_norm
from numpy_nn.prediction import evaluate, predict
from numpy_nn.schedules import Schedule


class TrainingDiverged(ArithmeticError):
    """Loss or weights became NaN or infinite; the message names step, learning rate and batch."""


class Training:
    """Trains `model` on x (N, ...), y (N,) integer labels, for `epochs` epochs.

        while not training.finished:
            print(training.run_epoch())

    The optimiser's `lr` as it is now is the peak that `schedule` multiplies. rng shuffles;
    generators: every other generator that the model draws from (dropout). Optional:

    clip_norm       the largest norm of a step's gradient
    ema_decay       decay of the weights' moving average; it is what validation scores
    validation      (x, y), scored after every epoch
    early_stopping  by that score
    mix             (x, y of a batch, rng) -> (x, targets (N, K)), in training only
    augment_rng     what it draws from; `rng` if not given

    An epoch shows each example once; with BatchNorm a last batch of one is left out.
    When training ends, the model holds the weights to use: the best by validation with early
    stopping, else the average with ema_decay, else the last. Everything is in `state`, so that a
    run that was loaded from it goes on exactly, to the last bit, as if it had never stopped.
    """

    PROGRESS = ("step", "epoch", "seconds", "ended")

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimiser: Optimiser,
        schedule: Schedule,
        x: np.ndarray,
        y: np.ndarray,
        *,
        batch_size: int,
        epochs: int,
        rng: np.random.Generator,
        generators: Sequence[np.random.Generator] = (),
        clip_norm: float | None = None,
        ema_decay: float | None = None,
        validation: tuple[np.ndarray, np.ndarray] | None = None,
        early_stopping: EarlyStopping | None = None,
        mix: Callable[..., tuple[np.ndarray, np.ndarray]] | None = None,
        augment_rng: np.random.Generator | None = None,
    ):
        y = np.asarray(y)
        check_labels("Training", y, len(x))
        if validation is not None:
            check_labels("Training: validation", validation[1], len(validation[0]))
        elif early_stopping:
            refuse("EarlyStopping", "validation data", "none")
        # BatchNorm learns nothing from a single example.
        normalised = any(isinstance(module, BatchNorm) for module in model.modules())
        self._smallest = smallest = 2 if normalised else 1
        if min(len(x), batch_size) < smallest or epochs < 1:
            expected = f"at least {smallest} examples, batches of {smallest} and 1 epoch"
            refuse("Training", expected, f"{len(x)}, {batch_size} and {epochs}")
        self.model, self.loss, self.optimiser, self.schedule = model, loss, optimiser, schedule
        self.x, self.y, self.batch_size, self.epochs = x, y, batch_size, epochs
        self.clip_norm, self.validation, self.early_stopping = clip_norm, validation, early_stopping
        self.mix, self.augment_rng = mix, augment_rng or rng
        self.average = WeightAverage(model, optimiser.flat, ema_decay) if ema_decay else None
        self.rng = rng
        self.generators = (rng, *generators, *([augment_rng] if augment_rng else []))
        self.peak_lr = optimiser.lr
        whole, rest = divmod(len(x), batch_size)
        self.steps = epochs * (whole + (rest >= smallest))
        self.step = self.epoch = self.clipped = 0
        self.seconds, self.ended = 0.0, False
        self._batch = np.empty((min(batch_size, len(x)), *x.shape[1:]), x.dtype)

    @property
    def finished(self) -> bool:
        stopped = self.early_stopping is not None and self.early_stopping.stopped
        return self.epoch >= self.epochs or stopped

    def run_epoch(self) -> dict:
        """One pass over all examples. Returns the epoch's means under dropout, as trained:

        {"step", "epoch", "lr", "train_loss", "train_accuracy"}, with clipping also "clipped", the
        share of steps, and with validation "val_loss" and "val_accuracy".
        Raises ValueError if the training has finished, TrainingDiverged as soon as a loss or a
        clipped gradient is not finite, and at the end if a weight is not.
        """
        if self.ended:
            refuse("Training", f"an epoch of {self.epochs} that is left", f"{self.epoch} made")
        started = time.perf_counter()
        self.model.train()
        loss_sum, correct, seen, before, self.clipped = 0.0, 0, 0, self.step, 0
        for index in batches(len(self.x), self.batch_size, self.rng, self._smallest):
            loss, hits = self._step(index)
            loss_sum += loss * len(index)
            correct += hits
            seen += len(index)
        if broken := self.model.not_finite():
            what = f"{', '.join(broken)}: expected finite weights, found NaN or infinity"
            self._diverged(index, what, self.step - 1)
        self.epoch += 1
        self.seconds += time.perf_counter() - started
        entry: dict = {"step": self.step, "epoch": self.epoch, "lr": self.optimiser.lr}
        entry |= {"train_loss": loss_sum / seen, "train_accuracy": correct / seen}
        if self.clip_norm is not None:
            entry["clipped"] = self.clipped / (self.step - before)
        if self.validation is not None:
            self._validate(entry, *self.validation)
        if self.finished:
            self._finish()
        return entry

    def _step(self, index: np.ndarray) -> tuple[float, int]:
        """Forward, loss, backward, update on one batch. Returns its loss and how many it got."""
        # "clip" never has to clip here; the default mode would copy once more.
        x = np.take(self.x, index, axis=0, out=self._batch[: len(index)], mode="clip")
        y = targets = self.y[index]
        if self.mix:
            x, targets = self.mix(x, y, self.augment_rng)
        self.optimiser.lr = self.peak_lr * self.schedule(self.step, self.steps)
        # Overflow needs no warning: its NaN or infinity stops the training here.
        with np.errstate(over="ignore", invalid="ignore"):
            logits = self.model(x)
            loss = self.loss(logits, targets)
            if not math.isfinite(loss):
                what = f"expected a finite loss, found {loss}: {diagnose(self.model, x)}"
                self._diverged(index, what, self.step)
            self.model.backward(self.loss.backward())
            if self.clip_norm is not None:
                norm = clip_by_norm(self.optimiser.flat.grad, self.clip_norm)
                if not math.isfinite(norm):
                    what = "expected finite gradients, found NaN or infinity"
                    self._diverged(index, what, self.step)
                self.clipped += norm > self.clip_norm
            self.optimiser.step()
        if self.average:
            self.average.update()
        self.step += 1
        return loss, int(np.count_nonzero(logits.argmax(axis=1) == y))

    def _diverged(self, index: np.ndarray, what: str, step: int) -> NoReturn:
        raise TrainingDiverged(
            f"training diverged at step {step} (epoch {self.epoch}), lr {self.optimiser.lr:.4g},"
            f" batch of {len(index)} beginning with example {index[0]}: {what}."
            " Lower the learning rate or look at the input."
        )

    def _validate(self, entry: dict, x: np.ndarray, y: np.ndarray) -> None:
        with self.evaluation_weights():
            try:
                entry["val_loss"], entry["val_accuracy"] = evaluate(predict(self.model, x), y)
            except NonFiniteError as error:
                where = f"in validation after step {self.step} (epoch {self.epoch})"
                raise TrainingDiverged(f"training diverged, seen {where}: {error}") from error
            if self.early_stopping:
                self.early_stopping.update(entry, self.model)

    @contextmanager
    def evaluation_weights(self) -> Iterator[None]:
        """Within this context the model holds the averaged weights, if there is an average."""
        average = None if self.ended else self.average
        if average:
            average.swap()
        try:
            yield
        finally:
            if average:
                average.swap()

    def _finish(self) -> None:
        self.ended = True
        if self.early_stopping:
            self.model.load_state_dict(self.early_stopping.best_weights)
        elif self.average:
            self.average.swap()

    def state(self) -> tuple[dict[str, np.ndarray], dict]:
        """(arrays, JSON): all that `load_state` needs, to be called between epochs."""
        meta: dict = {name: getattr(self, name) for name in self.PROGRESS}
        meta["generators"] = [generator.bit_generator.state for generator in self.generators]
        parts = {name: owner.state_dict() for name, owner in self._owners()}
        if self.early_stopping:
            parts["early_stopping"], meta["early_stopping"] = self.early_stopping.state()
        arrays = {f"{part}.{name}": a for part, owned in parts.items() for name, a in owned.items()}
        return arrays, meta

    def load_state(self, arrays: Mapping[str, np.ndarray], meta: Mapping) -> None:
        """Continue from what `state` returned, in a Training that was built in the same way."""
        for name, owner in self._owners():
            owner.load_state_dict(_below(name, arrays))
        if self.early_stopping:
            stored = _below("early_stopping", arrays)
            self.early_stopping.load_state(stored, meta["early_stopping"])
        for generator, stored in zip(self.generators, meta["generators"], strict=True):
            generator.bit_generator.state = stored
        for name in self.PROGRESS:
            setattr(self, name, meta[name])

    def _owners(self) -> Iterator[tuple[str, Module | Optimiser | WeightAverage]]:
        yield "model", self.model
        yield "optimiser", self.optimiser
        if self.average:
            yield "average", self.average


def batches(
    count: int, batch_size: int, rng: np.random.Generator, smallest: int = 1
) -> Iterator[np.ndarray]:
    """Yield index arrays (int64) that together hold each of 0 .. count - 1 once, in random order.

    The last batch is smaller where batch_size does not divide count. One of fewer than `smallest`
    is left out, as PyTorch's drop_last does: other examples each time, since the order is random.
    All randomness is drawn before the first batch.
    """
    order = rng.permutation(count)
    for start in range(0, count, batch_size):
        if count - start >= smallest:
            yield order[start : start + batch_size]


def _below(part: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    prefix = f"{part}."
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
