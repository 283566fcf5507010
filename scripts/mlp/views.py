"""What a net of Part 1 is asked at test time: an image, its mirror image, and both moved.

Its answer is then the mean of the probabilities: test-time augmentation (Krizhevsky et al.,
ImageNet Classification, NIPS 2012, section 4.1). The views are those that its training drew from.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from mlp.inputs import Inputs
from mlp.recipe import Recipe
from mlp.shifts import shifted
from mlp.training import probabilities
from numpy_nn.module import Module


def moved(x: Inputs, down: int, right: int) -> Inputs:
    """The images of x moved by `down` and `right` pixels, black coming in; pixels alone.

    Raises ValueError if x has features: theirs would have to be computed anew.
    """
    if x.features is not None:
        raise ValueError("moved: expected inputs of pixels alone, found features")
    images = x.images[x.rows]  # (N, C, H, W)
    flat = images.reshape(-1, *images.shape[2:])
    return Inputs(shifted(flat, down, right).reshape(images.shape), turned=x.turned)


@dataclass(frozen=True)
class Views:
    """mirrors: mirror images too; shift: all moves of up to so many pixels down and right too."""

    mirrors: bool
    shift: int

    @classmethod
    def of(cls, recipe: Recipe, *, mirrors: bool, shifts: bool) -> "Views":
        """Those of `recipe`'s training that are asked for; a net on features has no shifts."""
        on_pixels = recipe.inputs == "pixels"
        return cls(mirrors and recipe.flips, recipe.shift if shifts and on_pixels else 0)

    @property
    def readings(self) -> dict[str, str]:
        """What `answers` gives -> what it adds to a model's name."""
        found = {"p": ""}
        if self.mirrors:
            found["flips"] = " + flips"
        if self.shift:
            found["shifts"] = " + flips and shifts" if self.mirrors else " + shifts"
        return found

    def answers(self, net: Module, x: Inputs) -> dict[str, np.ndarray]:
        """Probabilities (N, K) float32 by reading: of x alone, of it and its mirror image, of all.

        Raises InputError if a probability is not a number.
        """
        p, flips = probabilities(net, x, self.mirrors)
        found = {"p": p} | ({"flips": flips} if self.mirrors else {})
        if self.shift:
            steps = range(-self.shift, self.shift + 1)
            views = [moved(x, *step) for step in product(steps, repeat=2) if any(step)]
            several = [(p, flips), *(probabilities(net, view, self.mirrors) for view in views)]
            found["shifts"] = np.mean([q if both is None else both for q, both in several], axis=0)
        return found
