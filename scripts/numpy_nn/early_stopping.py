"""Early stopping: train until the validation score has not improved for a while."""

from collections.abc import Mapping

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.module import Module


class EarlyStopping:
    """Remembers the best weights by validation; stops after `patience` epochs without a better one.

    monitor: "val_accuracy" (higher is better) or "val_loss" (lower is better). Prechelt, Early
    Stopping - But When?, 1998.
    What validation chooses is biased towards it: report such a model on data of its own.
    """

    SIGNS = {"val_accuracy": 1.0, "val_loss": -1.0}

    def __init__(self, patience: int, monitor: str = "val_loss"):
        if patience < 1 or monitor not in self.SIGNS:
            expected = f"patience >= 1 and a monitor of {sorted(self.SIGNS)}"
            refuse("EarlyStopping", expected, f"{patience} and {monitor!r}")
        self.patience, self.monitor = patience, monitor
        self.best_score: float | None = None
        self.best_epoch, self.waited = 0, 0
        self.best_weights: dict[str, np.ndarray] = {}

    @property
    def stopped(self) -> bool:
        return self.waited >= self.patience

    def update(self, entry: Mapping, model: Module) -> None:
        """Look at an epoch's entry {"epoch", monitor, ...} and at the weights that it scored."""
        score = self.SIGNS[self.monitor] * entry[self.monitor]
        if self.best_score is None or score > self.best_score:
            self.best_score, self.best_epoch, self.waited = score, entry["epoch"], 0
            self.best_weights = model.state_dict()
        else:
            self.waited += 1

    def state(self) -> tuple[dict[str, np.ndarray], dict]:
        """(arrays, JSON): all that `load_state` needs."""
        meta = {"best_score": self.best_score, "best_epoch": self.best_epoch, "waited": self.waited}
        return dict(self.best_weights), meta

    def load_state(self, arrays: Mapping[str, np.ndarray], meta: Mapping) -> None:
        self.best_weights, self.waited = dict(arrays), meta["waited"]
        self.best_score, self.best_epoch = meta["best_score"], meta["best_epoch"]
