"""The layer that cuts any row of features into tokens, by a table."""

import numpy as np

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
            raise ValueError(
                f"Gather: expected a table (T, C) of integers, found {table.shape} {table.dtype}"
            )
        if table.min() < -1 or table.max() >= features:
            raise ValueError(
                f"Gather: expected a table of -1 to {features - 1},"
                f" found {table.min()} to {table.max()}"
            )
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
