"""Dropout: noise while training, nothing afterwards."""

import numpy as np

from numpy_nn.module import Module


class Dropout(Module):
    """Training: y = x m / (1 - rate), m in {0, 1} with P(m = 0) = rate.  Evaluation: y = x.

    dL/dx = dL/dy m / (1 - rate). Scaling while training ("inverted" dropout) keeps E[y] = x and
    leaves evaluation alone. Srivastava et al., Dropout, JMLR 15 (2014), section 10.

    m compares 16 random bits an element with the rate, which is therefore rounded to a multiple of
    1/65536 below 1 (exactly so in the scale too). frozen=True keeps the last m, for inputs of its
    shape: a gradient check needs the same function at every call. inplace: as for ReLU.
    """

    passes_on_non_finite = True
    hands_on = True  # in evaluation

    LEVELS = 1 << 16
    # Elements drawn at a time: their bits stay in the cache, and are small enough for malloc to
    # take from memory that it has.
    BLOCK = 1 << 14
    # Of 64 random bits a word; MT19937 has 32, and the other half of its words is 0.
    GENERATORS = (np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)

    def __init__(self, rate: float, rng: np.random.Generator, inplace: bool = False):
        self.inplace = inplace
        self.rate, self.rng, self.frozen = float(rate), rng, False
        if not 0 <= rate < 1:
            self._fail("a rate in [0, 1)", f"{rate}")
        bits = getattr(rng, "bit_generator", None)
        if not isinstance(bits, self.GENERATORS):
            self._fail(
                "a Generator of " + ", ".join(kind.__name__ for kind in self.GENERATORS),
                type(bits or rng).__name__,
            )
        self.dropped_levels = min(round(rate * self.LEVELS), self.LEVELS - 1)
        self.scale = self.LEVELS / (self.LEVELS - self.dropped_levels)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        self.active = self.training and self.dropped_levels > 0
        if not self.active:
            return x
        self._set_mask(self._kept(x.shape), x.dtype, self.scale)
        y = x if self.inplace else self._buffer("y", x.shape, x.dtype)
        return np.multiply(x, self.mask, out=y)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        if not self.active:
            return grad_output
        grad_input = grad_output
        if not self.inplace:
            grad_input = self._buffer("grad_input", grad_output.shape, grad_output.dtype)
        return np.multiply(grad_output, self.mask, out=grad_input)

    def _kept(self, shape: tuple[int, ...]) -> np.ndarray:
        """m as bool, of `shape`: drawn, or the last one if frozen."""
        if self.frozen:
            if (known := np.shape(getattr(self, "kept", None))) != shape:
                self._fail(f"the shape of the frozen mask, {known or 'none yet'}", f"{shape}")
            return self.kept
        self.kept = self._buffer("kept", shape, bool)
        flat = self.kept.reshape(-1)
        for start in range(0, len(flat), self.BLOCK):
            part = flat[start : start + self.BLOCK]
            words = self.rng.bit_generator.random_raw((len(part) + 3) // 4)
            bits = words.view(np.uint16)[: len(part)]
            np.greater_equal(bits, self.dropped_levels, out=part)
        return self.kept

    def _set_mask(self, kept: np.ndarray, dtype: np.dtype, scale: float) -> None:
        """Set `mask`, what forward and backward multiply with, to the scale where kept, else 0."""
        # By way of numbers: a product with bool is several times slower.
        self.mask = self._buffer("mask", kept.shape, dtype)
        np.copyto(self.mask, kept)
        if scale != 1:
            # An array () takes half the time of a Python float in a call.
            self.mask *= np.array(scale, dtype)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.rate})"
