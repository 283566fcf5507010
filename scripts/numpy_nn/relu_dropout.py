"""ReLU and dropout as one layer, which is what most hidden layers end in."""

import numpy as np

from numpy_nn.dropout import Dropout


class ReLUDropout(Dropout):
    """Training: y = x m [x > 0] / (1 - rate), m as in Dropout.  Evaluation: y = x [x > 0].

    dL/dx = dL/dy times the same factor: to the last bit what ReLU and Dropout give one after the
    other. Both multiply by a mask; here the two are one, which saves two passes over the batch and
    the memory of a mask.
    """

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x)
        active = self.training and self.dropped_levels > 0
        positive = np.greater(x, 0, out=self._buffer("positive", x.shape, bool))
        if active:
            positive &= self._kept(x.shape)
        self._set_mask(positive, x.dtype, self.scale if active else 1)
        y = x if self.inplace else self._buffer("y", x.shape, x.dtype)
        return np.multiply(x, self.mask, out=y)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self._check_gradient(grad_output)
        grad_input = grad_output
        if not self.inplace:
            grad_input = self._buffer("grad_input", grad_output.shape, grad_output.dtype)
        return np.multiply(grad_output, self.mask, out=grad_input)
