"""Dropout: noise while training, nothing afterwards."""

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.module import Module


class Dropout(Module):
    """Training: y = x m / (1 - rate), m in {0, 1} with P(m = 0) = rate.  Evaluation: y = x.

    dL/dx = dL/dy m / (1 - rate). Scaling while training ("inverted" dropout) keeps E[y] = x and
    leaves evaluation alone. Srivastava et al., Dropout, JMLR 15 (2014), section 10.

    m compares 16 random bits per element with the rate, which is therefore rounded to a multiple of
    1/65536 below 1 (exactly so in the scale too).
    """

    shown = ("rate",)
    LEVELS = 1 << 16
    # Of 64 random bits a word; MT19937 has 32, and the other half of its words is 0.
    GENERATORS = (np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)

    def __init__(self, rate: float, rng: np.random.Generator):
        self.rate, self.rng = float(rate), rng
        if not 0 <= rate < 1:
            refuse(self, "a rate in [0, 1)", rate)
        bits = getattr(rng, "bit_generator", None)
        if not isinstance(bits, self.GENERATORS):
            names = ", ".join(kind.__name__ for kind in self.GENERATORS)
            refuse(self, f"a Generator of {names}", type(bits or rng).__name__)
        self.dropped_levels = min(round(rate * self.LEVELS), self.LEVELS - 1)
        self.scale = self.LEVELS / (self.LEVELS - self.dropped_levels)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.mask = None
        if not (self.training and self.dropped_levels):
            return x
        words = self.rng.bit_generator.random_raw((x.size + 3) // 4)
        bits = words.view(np.uint16)[: x.size].reshape(x.shape)
        self.mask = (bits >= self.dropped_levels).astype(x.dtype) * self.scale
        return x * self.mask

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output if self.mask is None else grad_output * self.mask
