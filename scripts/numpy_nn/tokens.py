"""What nets over tokens, x (N, T, C), are made of besides Linear: T tokens, C channels.

All but Residual move numbers, so that their backward passes move them back.
"""

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.module import Module


class Gather(Module):
    """x (N, D) -> y (N, T, C), y[n, t, c] = x[n, table[t, c]], and 0 where table is -1.

    table: integers (T, C), from -1 to D - 1; a feature may be in several tokens, so that they
    overlap, and -1 is what lies outside of an image. Each feature's gradient is the sum over its
    places: dL/dx[n, d] = sum over (t, c) with table[t, c] = d of dL/dy[n, t, c].
    Raises ValueError for a table with other numbers.
    """

    def __init__(self, table: np.ndarray, features: int):
        table = np.asarray(table)
        if table.ndim != 2 or table.size == 0 or table.dtype.kind not in "iu":
            refuse("Gather", "a table (T, C) of integers", f"{table.shape} {table.dtype}")
        if table.min() < -1 or table.max() >= features:
            refuse("Gather", f"a table of -1 to {features - 1}", f"{table.min()} to {table.max()}")
        self.table, self.features = table.astype(np.int64), features
        self.axes = ("N", features)

    def buffers(self) -> dict[str, np.ndarray]:
        return {"table": self.table}

    def forward(self, x: np.ndarray) -> np.ndarray:
        # One more column, of zeros: the place that -1 names, counted from the end.
        padded = np.concatenate([x, np.zeros((len(x), 1), x.dtype)], axis=1)
        return np.take(padded, self.table, axis=1, mode="wrap")

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        count = len(grad_output)
        padded = np.zeros((self.features + 1, count), grad_output.dtype)
        np.add.at(padded, self.table.ravel(), grad_output.reshape(count, -1).T)
        return np.ascontiguousarray(padded[:-1].T)

    def __repr__(self) -> str:
        return f"Gather({', '.join(map(str, self.table.shape))})"


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

    shown = ("side", "window", "stride")

    def __init__(self, side: int, window: int, stride: int = 1):
        self.side, self.window, self.stride = int(side), int(window), int(stride)
        self.margin = (window - 1) // 2
        if min(side, window, stride) < 1 or window > side + 2 * self.margin:
            expected = "side, a window within the padded side and stride, each >= 1"
            refuse("Unfold", expected, f"{side}, {window} and {stride}")
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


class Transpose(Module):
    """(N, T, C) -> (N, C, T), as a copy, which a matrix product along T needs; backward likewise.

    A Linear between two of these mixes tokens instead of channels.
    """

    axes = ("N", "T", "C")

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(x.transpose(0, 2, 1))

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(grad_output.transpose(0, 2, 1))


class Flatten(Module):
    """(N, ...) -> (N, D), D the product of the other axes; backward restores the shape."""

    axes = ("N", "D", "...")

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output.reshape(self.shape)


class Residual(Module):
    """y = x + f(x);  dL/dx = dL/dy + (dL/dy through f).  f keeps the shape.

    He, Zhang, Ren and Sun, Deep Residual Learning, CVPR 2016, equation 1.
    """

    shown = ("inner",)

    def __init__(self, inner: Module):
        self.inner = inner

    def forward(self, x: np.ndarray) -> np.ndarray:
        y = self.inner.forward(x)
        if y.shape != x.shape:
            refuse(self, f"an inner module that keeps the shape {x.shape}", y.shape)
        return x + y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        grad = self.inner.backward(grad_output)
        if grad is None:
            refuse(self, "an inner module that returns dL/dx", "None")
        return grad_output + grad
