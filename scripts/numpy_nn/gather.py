"""The layer that cuts any row of features into tokens, by a table."""

import numpy as np

from numpy_nn.module import Module


class Gather(Module):
    """x (N, D) -> y (N, T, C), y[n, t, c] = x[n, table[t, c]], and 0 where table is -1.

    table: integers (T, C), from -1 to D - 1; a feature may stand in several tokens, so that they
    overlap, and -1 is what lies outside of an image. Each feature's gradient is the sum over its
    places: dL/dx[n, d] = sum over (t, c) with table[t, c] = d of dL/dy[n, t, c].
    With input_grad=False backward returns None: before the first Linear nobody needs it.
    Raises ValueError for a table with other numbers.
    """

    def __init__(self, table: np.ndarray, features: int, input_grad: bool = True):
        table = np.asarray(table)
        if table.ndim != 2 or table.size == 0 or table.dtype.kind not in "iu":
            self._fail("a table (T, C) of integers", f"{table.shape} of {table.dtype}")
        self.table = table.astype(np.int64)
        self.features, self.input_grad = features, input_grad
        if self.table.min() < -1 or self.table.max() >= features:
            self._fail(f"-1 to {features - 1}", f"{self.table.min()} to {self.table.max()}")

    def buffers(self) -> dict[str, np.ndarray]:
        return {"table": self.table}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._receive(x, f"(N, {self.features})", x.shape[1:] == (self.features,))
        # One more column, of zeros: the place that -1 names, counted from the end.
        padded = self._buffer("padded", (len(x), self.features + 1), x.dtype)
        padded[:, :-1], padded[:, -1] = x, 0
        y = self._buffer("y", (len(x), *self.table.shape), x.dtype)
        return np.take(padded, self.table, axis=1, out=y, mode="wrap")

    def backward(self, grad_output: np.ndarray) -> np.ndarray | None:
        (count, _), _ = self._received or ((0, 0), None)
        self._check_gradient(grad_output, (count, *self.table.shape))
        if not self.input_grad:
            return None
        padded = self._buffer("padded_grad", (self.features + 1, count), grad_output.dtype)
        padded.fill(0)
        np.add.at(padded, self.table.ravel(), grad_output.reshape(count, -1).T)
        grad_input = self._buffer("grad_input", (count, self.features), grad_output.dtype)
        np.copyto(grad_input, padded[:-1].T)
        return grad_input

    def __repr__(self) -> str:
        shape = self.table.shape if "table" in vars(self) else ()
        return f"Gather({', '.join(map(str, shape))})"
