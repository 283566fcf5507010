"""One training run: it resumes, watches the clock and signals, saves, and keeps the history.

    parts = TorchParts(device, model=model, optimizer=optimizer)
    run = TrainingRun("history.json", parts, checkpoint, steps=1000, provenance=origin)
    for step in run:
        loss = ...                                   # the batch, the loss, the step: the program's
        run.record_step(lr, loss=loss)
        if run.due(every=100):
            run.record(val_loss=...)
    save_weights(path, model)
    run.finish(task=..., dataset=..., model=..., seed=...)

A run that was stopped at any moment continues to the same weights: all that a step reads is in the
parts, in the run itself, or in a generator that is seeded by the step's number.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.atomic import write_json
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.group import Group
from pipeline.provenance import changed_since, loaded_code

# The options of every training for what it writes.
TRAINING_OUTPUTS = {
    "weights": "model.safetensors",
    "history": "history.json",
    "checkpoint?": "directory of the checkpoint while training",
}
SAVE_EVERY = 30.0  # seconds between two checkpoints
SHOW_EVERY = 2.0  # seconds between two notes of the progress

Point = dict[str, Any]


class Parts(Protocol):
    """What a checkpoint holds of a training: models, optimisers, generators."""

    def state(self) -> tuple[dict[str, np.ndarray], Any]:
        """(arrays, JSON): copies."""

    def load_state(self, arrays: Mapping[str, np.ndarray], meta: Any) -> None:
        """Set every part, in place, to what `state` returned."""


class TrainingRun:
    """Iterate over it: it yields the numbers of the steps that are left, from 0 to steps - 1.

    history: where `finish` writes history.json; until then .progress.json beside it says how far
    the run is, for the terminal. parts: what the checkpoint holds; checkpoint: None for a run that
    is not to be resumed; steps_per_epoch: for the `epoch` of the history; provenance: what made the
    numbers (pipeline.provenance), asked before the first step. group: processes that train
    together (pipeline.torchrun): the one that leads is given the checkpoint, from which all resume,
    and finishes. `curve` is the history so far, a point for each `record`.
    """

    def __init__(
        self,
        history: str | Path,
        parts: Parts,
        checkpoint: Checkpoint | None,
        steps: int,
        steps_per_epoch: float = 1.0,
        *,
        provenance: Mapping[str, Any],
        group: Group | None = None,
    ):
        self.history, self.parts, self.checkpoint = Path(history), parts, checkpoint
        self.steps, self.steps_per_epoch = steps, steps_per_epoch
        self.provenance, self.group = provenance, group or Group()
        self.step = 0  # steps that are done
        self.curve: list[Point] = []
        self._window: list[tuple[float, Point]] = []  # (weight, values) of the steps since a point
        self._lr = 0.0
        self._loss: float | None = None  # the last one
        self._seconds = 0.0  # of this run's earlier processes
        self._code = loaded_code()
        if stored := self.group.share(checkpoint.load() if checkpoint else None):
            arrays, meta = stored
            parts.load_state(arrays, meta["parts"])
            self.step, self.curve, self._seconds = meta["step"], meta["curve"], meta["seconds"]
            self._window, self._lr = [(w, v) for w, v in meta["window"]], meta["lr"]
            self._code = meta["code"]
            if self.group.leads:
                print(f"resumed after step {self.step} of {steps}", flush=True)
        self._resumed_at = self.step
        self._progress = self.history.with_name(".progress.json")
        self._started = self._saved = self._shown = time.monotonic()

    def __iter__(self) -> Iterator[int]:
        while self.step < self.steps:
            yield self.step
            self.step += 1
            now = time.monotonic()
            if now - self._shown > SHOW_EVERY and self.group.leads:
                self._show(now)
            late = now - self._saved > SAVE_EVERY
            if self.checkpoint and (late or self.checkpoint.stopping) and self.step < self.steps:
                self._save(self.checkpoint)

    @property
    def seconds(self) -> float:
        """Wall seconds since the start, those of interrupted processes included."""
        return self._seconds + time.monotonic() - self._started

    def record_step(self, lr: float, weight: float = 1.0, **values: float) -> None:
        """Keep what a step gave (loss, accuracy) for the means of the next `record`.

        weight: the share of the step in these means, such as the examples of its batch.
        Raises InputError if a value is not finite: the training has diverged.
        """
        if broken := [name for name, value in values.items() if not math.isfinite(value)]:
            raise InputError(
                f"step {self.step}, lr {lr:.3g}: expected a finite {broken[0]} and gradient, found"
                f" {values[broken[0]]}: the training diverged. Lower lr or clip."
            )
        self._lr, self._loss = lr, values.get("loss")
        self._window.append((weight, values))

    def due(self, every: int) -> bool:
        """Whether the step that is being done is an `every`th one, or the last."""
        return (self.step + 1) % every == 0 or self.step + 1 == self.steps

    def record(self, **values: float) -> Point:
        """Add a point to the curve: step, epoch, lr, the means of the steps since the last point
        (as train_loss ...), then `values`. Prints it and returns it."""
        done = self.step + 1
        point: Point = {"step": done, "epoch": done / self.steps_per_epoch, "lr": self._lr}
        weights = [weight for weight, _ in self._window]
        for name in self._window[0][1] if self._window else ():
            column = [step[name] for _, step in self._window]
            point[f"train_{name}"] = float(np.average(column, weights=weights))
        point |= values
        self._window = []
        self.append(point)
        return point

    def append(self, point: Point) -> None:
        """Add to the curve, and print, a point that comes ready: an epoch's of numpy_nn."""
        self.curve.append(point)
        self._loss = point.get("train_loss", self._loss)
        if self.group.leads:
            print(" ".join(f"{name} {value:.5g}" for name, value in point.items()), flush=True)

    def best(self, key: Callable[[Point], Any]) -> Point:
        """The point of the curve with the smallest key; the first of several."""
        return min(self.curve, key=key)

    def _save(self, checkpoint: Checkpoint) -> None:
        arrays, parts = self.parts.state()
        meta = {"parts": parts, "step": self.step, "curve": self.curve, "window": self._window}
        meta |= {"lr": self._lr, "seconds": self.seconds, "code": self._code}
        checkpoint.save(arrays, meta)
        self._saved = time.monotonic()

    def _show(self, now: float) -> None:
        """Say how far the run is, for whoever watches; a disk that takes nothing is no matter."""
        self._shown = now
        pace = (now - self._started) / (self.step - self._resumed_at)
        left = round(pace * (self.steps - self.step), 1)
        told = {"step": self.step, "steps": self.steps, "seconds_left": left}
        told |= {} if self._loss is None else {"loss": self._loss}
        with suppress(OSError):
            self._progress.write_text(json.dumps(told), encoding="utf-8")

    def finish(self, **about: Any) -> None:
        """Write the history, then remove the checkpoint: the last thing that a training does.

        about: what the history says besides curve, seconds and provenance: task, dataset, model,
        seed, parameters, train_flops ... The provenance gets `code_changed_meanwhile: true` if the
        code on the disk is no longer that of the start: it then says what was loaded, not what is
        there.
        """
        changed = {"code_changed_meanwhile": True} if changed_since(self._code) else {}
        history = {"curve": self.curve, "seconds": self.seconds}
        history["provenance"] = {**self.provenance, **changed}
        write_json(self.history, {**history, **about})
        with suppress(OSError):
            self._progress.unlink(missing_ok=True)
        if self.checkpoint:
            self.checkpoint.clear()
