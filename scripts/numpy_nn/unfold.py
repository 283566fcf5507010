"""The layer that puts each token's neighbours beside it."""

import numpy as np

from numpy_nn.module import Module


class Unfold(Module):
    """x (N, side^2, C) -> y (N, side'^2, window^2 C): every window of tokens as one longer token.

    Tokens lie row by row on a square of `side`. Windows are window x window tokens, `stride` apart,
    zeros beyond the edge: (window - 1) // 2 of them on each side, so that side' = side for odd
    windows and stride 1, about side / stride else. A token's gradient is the sum over the windows
    that it stands in:

        y[n, t', k] = x[n, t, c],   dL/dx[n, t, c] = sum over its places (t', k) of dL/dy[n, t', k]

    A Linear behind it works on all windows alike, which is a convolution, written as the product
    that it is: Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for
    Document Processing, 2006; torch.nn.Unfold, whose order of numbers is (C, window^2).
    """

    passes_on_non_finite = True

    # Numbers of the padded squares that are worked on at a time: they stay in a core's L2 cache.
    BLOCK = 1 << 16

    def __init__(self, side: int, window: int, stride: int = 1):
        self.side, self.window, self.stride = int(side), int(window), int(stride)
        self.margin = (window - 1) // 2
        if min(side, window, stride) < 1 or window > side + 2 * self.margin:
            self._fail(
                "side, a window within the padded side and stride, each >= 1",
                f"{side}, {window} and {stride}",
            )
        self.out_side = (side + 2 * self.margin - window) // stride + 1

    def forward(self, x: np.ndarray) -> np.ndarray:
        side, window, margin = self.side, self.window, self.margin
        self._receive(x, f"(N, {side**2}, C)", x.ndim == 3 and x.shape[1] == side**2)
        count, _, channels = x.shape
        padded = self._padded(channels, x.dtype)
        padded.fill(0)
        inner = slice(margin, margin + side)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(1, 2))
        windows = windows[:, :: self.stride, :: self.stride].transpose(0, 1, 2, 4, 5, 3)
        y = self._buffer("y", (count, *windows.shape[1:]), x.dtype)
        images = x.reshape(count, side, side, channels)
        for start in range(0, count, len(padded)):
            part = images[start : start + len(padded)]
            padded[: len(part), inner, inner] = part
            np.copyto(y[start : start + len(part)], windows[: len(part)])
        return y.reshape(count, self.out_side**2, window**2 * channels)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        (count, _, channels), dtype = self._received or ((0, 0, 0), None)
        window, margin, out = self.window, self.margin, self.out_side
        self._check_gradient(grad_output, (count, out**2, window**2 * channels))
        grads = grad_output.reshape(count, out, out, window, window, channels)
        grad_input = self._buffer("grad_input", (count, self.side, self.side, channels), dtype)
        padded = self._padded(channels, dtype)
        inner = slice(margin, margin + self.side)
        for start in range(0, count, len(padded)):
            part = grads[start : start + len(padded)]
            sums = padded[: len(part)]
            sums.fill(0)
            for row in range(window):
                for column in range(window):
                    sums[:, self._places(row), self._places(column)] += part[:, :, :, row, column]
            np.copyto(grad_input[start : start + len(part)], sums[:, inner, inner])
        return grad_input.reshape(count, self.side**2, channels)

    def _places(self, offset: int) -> slice:
        """Where the windows' tokens of this offset lie, along one axis of the padded square."""
        return slice(offset, offset + self.stride * (self.out_side - 1) + 1, self.stride)

    def _padded(self, channels: int, dtype: np.dtype) -> np.ndarray:
        """Memory (some examples, side + 2 margin, side + 2 margin, C) of both passes."""
        side = self.side + 2 * self.margin
        examples = max(1, self.BLOCK // (side**2 * channels))
        return self._buffer("padded", (examples, side, side, channels), dtype)

    def __repr__(self) -> str:
        if "out_side" not in vars(self):
            return "Unfold()"
        return f"Unfold({self.side}, {self.window}, stride={self.stride})"
