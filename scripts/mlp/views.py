"""The views of an image that a net answers about at test time: as it is, flipped, and shifted.

Its answer is then the mean of the probabilities: test-time augmentation (Krizhevsky et al.,
ImageNet Classification, NIPS 2012, section 4.1). The views are those that its training drew from.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from mlp.inputs import Inputs
from mlp.settings import Recipe
from numpy_nn.module import Module, NonFiniteError
from numpy_nn.prediction import predict
from pipeline.errors import InputError


def probabilities(net: Module, x: Inputs) -> np.ndarray:
    """p (N, K) float32 of the images x. Raises InputError if one is not a number."""
    try:
        return predict(net, x)
    except NonFiniteError as error:
        raise InputError(f"{error}. The training diverged: lower lr and train again.") from None


class Views(NamedTuple):
    """flips: flipped images too; shift: all shifts of up to so many pixels down and right too."""

    flips: bool
    shift: int

    @classmethod
    def of(cls, recipe: Recipe, *, flips: bool, shifts: bool) -> "Views":
        """The views of `recipe`'s training, where asked for; a net on features has no shifts."""
        on_pixels = recipe.inputs == "pixels"
        return cls(flips and recipe.flips, recipe.shift if shifts and on_pixels else 0)

    @property
    def names(self) -> dict[str, str]:
        """The arrays that `answers` returns: their name -> the leaderboard's column `views`."""
        flips = {"flips": "flips"} if self.flips else {}
        shifts = {"shifts": "flips and shifts" if self.flips else "shifts"} if self.shift else {}
        return {"p": "none", **flips, **shifts}

    def answers(self, net: Module, x: Inputs) -> dict[str, np.ndarray]:
        """Probabilities (N, K) float32 by name: of x alone, of it and its flipped images, of all.

        Raises InputError if a probability is not a number.
        """

        def with_flips(view: Inputs, p: np.ndarray) -> np.ndarray:
            return (p + probabilities(net, view.flip())) / 2 if self.flips else p

        found = {"p": probabilities(net, x)}
        several = [with_flips(x, found["p"])]
        if self.flips:
            found["flips"] = several[0]
        if self.shift:
            for step in product(range(-self.shift, self.shift + 1), repeat=2):
                if any(step):
                    view = x.shift(*step)
                    several.append(with_flips(view, probabilities(net, view)))
            found["shifts"] = np.mean(several, axis=0)
        return found
