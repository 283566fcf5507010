"""How Part 1 trains a net: the settings that cross-validation and final training share."""

from typing import Literal

import numpy as np
from pydantic import Field

from numpy_nn.losses import SoftmaxCrossEntropy
from numpy_nn.mlp import build_mlp
from numpy_nn.optimisers import SGD
from numpy_nn.schedules import SCHEDULES
from numpy_nn.standardise import Standardise
from numpy_nn.training import Training
from pipeline.seeds import generator
from pipeline.settings import Settings


class Candidate(Settings):
    """One point of the grid that cross-validation searches."""

    lr: float = Field(0.1, gt=0, description="peak learning rate")
    batch_size: int = Field(128, ge=1, description="examples a step")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of hidden activations set to 0")


class Recipe(Settings):
    """What every candidate has in common."""

    hidden: list[int] = Field([512, 256], description="widths of the hidden layers")
    schedule: Literal["constant", "step", "cosine", "one_cycle"] = Field(
        "one_cycle", description="course of the learning rate over the run"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="of SGD")
    nesterov: bool = Field(True, description="Nesterov's momentum instead of the heavy ball")
    weight_decay: float = Field(5e-4, ge=0, description="of SGD; biases are not decayed")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="of the cross-entropy")

    def build_training(
        self,
        candidate: Candidate,
        x: np.ndarray,
        y: np.ndarray,
        *,
        classes: int,
        epochs: int,
        seed: int,
    ) -> Training:
        """A training that is ready to run, on images x (N, ...) uint8 and labels y (N,)."""
        dropout_rng = generator(seed, "dropout")
        model = build_mlp(
            [x[0].size, *self.hidden, classes],
            candidate.dropout,
            generator(seed, "weights"),
            dropout_rng,
            Standardise().fit(x),
        )
        return Training(
            model,
            SoftmaxCrossEntropy(self.label_smoothing),
            SGD(
                model.parameters(),
                candidate.lr,
                self.momentum,
                self.nesterov and self.momentum > 0,
                self.weight_decay,
            ),
            SCHEDULES[self.schedule],
            x,
            y,
            batch_size=candidate.batch_size,
            epochs=epochs,
            rng=generator(seed, "order"),
            generators=[dropout_rng],
        )
