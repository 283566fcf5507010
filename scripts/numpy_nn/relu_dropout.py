"""ReLU and dropout as one layer, which is what most hidden layers end in."""

import numpy as np

from numpy_nn.dropout import Dropout


class ReLUDropout(Dropout):
    """Training: y = x m [x > 0] / (1 - rate), m as in Dropout.  Evaluation: y = x [x > 0].

    dL/dx = dL/dy times the same factor: to the last bit what ReLU and Dropout give one after the
    other. Both multiply by a mask; here the two are one, which saves two passes over the batch and
    the memory of a mask.
    """

    hands_on = False

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        drops = self.training and self.dropped_levels > 0
        positive = np.greater(x, 0, out=self._buffer("positive", x.shape, bool))
        if drops:
            positive &= self._kept(x.shape)
        self._set_mask(positive, x.dtype, self.scale if drops else 1)
        self.active = True  # There is a mask in evaluation too; backward is Dropout's.
        y = x if self.inplace else self._buffer("y", x.shape, x.dtype)
        return np.multiply(x, self.mask, out=y)
