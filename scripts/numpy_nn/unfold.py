"""The layer that puts each token's neighbours beside it."""

import numpy as np

from numpy_nn.module import Module


class Unfold(Module):
    """x (N, side^2, C) -> y (N, side'^2, window^2 C): every window of tokens as one longer token.

    Tokens lie row by row on a square of `side`. Windows are window x window tokens, `stride` apart,
    zeros beyond the edge: (window - 1) // 2 of them on each side, so that side' = side for odd
    windows and stride 1, about side / stride else. A token's gradient is the sum over the windows
    that it is in:

        y[n, t', k] = x[n, t, c],   dL/dx[n, t, c] = sum over its places (t', k) of dL/dy[n, t', k]

    A Linear after it works on all windows alike, which is a convolution, written as the product
    that it is: Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for
    Document Processing, 2006; torch.nn.Unfold, whose order of numbers is (C, window^2).
    """

    def __init__(self, side: int, window: int, stride: int = 1):
        self.side, self.window, self.stride = int(side), int(window), int(stride)
        self.margin = (window - 1) // 2
        if min(side, window, stride) < 1 or window > side + 2 * self.margin:
            raise ValueError(
                "Unfold: expected side, a window within the padded side and stride, each >= 1,"
                f" found {side}, {window} and {stride}"
            )
        self.out_side = (side + 2 * self.margin - window) // stride + 1
        self.axes = ("N", self.side**2, "C")

    def forward(self, x: np.ndarray) -> np.ndarray:
        count, _, channels = x.shape
        side, window = self.side, self.window
        padded, inner = self._padded(x)
        padded[:, inner, inner] = x.reshape(count, side, side, channels)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(1, 2))
        windows = windows[:, :: self.stride, :: self.stride]  # (N, side', side', C, window, window)
        y = np.ascontiguousarray(windows.transpose(0, 1, 2, 4, 5, 3))
        return y.reshape(count, self.out_side**2, window**2 * channels)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        count, side, window, out = len(grad_output), self.side, self.window, self.out_side
        grads = grad_output.reshape(count, out, out, window, window, -1)
        sums, inner = self._padded(grads)
        for row in range(window):
            for column in range(window):
                sums[:, self._places(row), self._places(column)] += grads[:, :, :, row, column]
        return sums[:, inner, inner].reshape(count, side**2, -1)

    def _places(self, offset: int) -> slice:
        """Where the windows' tokens of this offset lie, along one axis of the padded square."""
        return slice(offset, offset + self.stride * (self.out_side - 1) + 1, self.stride)

    def _padded(self, x: np.ndarray) -> tuple[np.ndarray, slice]:
        """Zeros (N, padded side, padded side, C) for an x (N, ..., C), and where x is in there."""
        side = self.side + 2 * self.margin
        padded = np.zeros((len(x), side, side, x.shape[-1]), x.dtype)
        return padded, slice(self.margin, self.margin + self.side)

    def __repr__(self) -> str:
        return f"Unfold({self.side}, {self.window}, stride={self.stride})"
