"""The views of an image that a net answers about at test time: as it is, flipped, and shifted.

Its answer is then the mean of the probabilities: test-time augmentation (Krizhevsky et al.,
ImageNet Classification, NIPS 2012, section 4.1). The views are those that its training drew from.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from mlp.inputs import Inputs
from mlp.settings import Recipe
from mlp.shifts import shifted
from numpy_nn.module import Module, NonFiniteError
from numpy_nn.prediction import predict
from pipeline.errors import InputError


def probabilities(net: Module, x: Inputs) -> np.ndarray:
    """p (N, K) float32 of the images x as they are.

    Raises InputError if a probability is not a number.
    """
    try:
        return predict(net, x)
    except NonFiniteError as error:
        raise InputError(
            f"{error}. The training diverged: lower the learning rate and train again."
        ) from None


def shift(x: Inputs, down: int, right: int) -> Inputs:
    """The images of x moved by `down` and `right` pixels, black coming in; pixels alone.

    Raises ValueError if x has features: they would have to be computed again.
    """
    if x.features is not None:
        raise ValueError("shift: expected inputs of pixels alone, found features")
    images = x.images[x.rows]  # (N, C, H, W)
    flat = images.reshape(-1, *images.shape[2:])
    return Inputs(shifted(flat, down, right).reshape(images.shape), flipped=x.flipped)


def answer_names(flips: bool, shifts: bool) -> dict[str, str]:
    """The arrays of a net's answers: their name -> the leaderboard's column `views`."""
    shifted = {"shifts": "flips and shifts" if flips else "shifts"} if shifts else {}
    return {"p": "none", **({"flips": "flips"} if flips else {}), **shifted}


@dataclass(frozen=True)
class Views:
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
        return answer_names(self.flips, self.shift > 0)

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
                    view = shift(x, *step)
                    several.append(with_flips(view, probabilities(net, view)))
            found["shifts"] = np.mean(several, axis=0)
        return found
