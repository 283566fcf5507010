"""Layers without parameters for nets over patches: x (N, T, C), T tokens (patches), C channels.

Each moves or averages numbers, so that its backward pass moves them back or spreads them out.
"""

import numpy as np

from numpy_nn.module import Module


class Patches(Module):
    """Images (N, H, W) or (N, H W) -> (N, T, size size), T = (H / size) (W / size).

    Squares of size x size pixels that do not overlap, row by row, each flattened row by row. A
    permutation of the pixels: backward is its inverse. height and width are those of the images.
    Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, section 3.1.
    """

    def __init__(self, height: int, width: int, size: int):
        self.height, self.width, self.size = height, width, size
        if size < 1 or height < size or width < size or height % size or width % size:
            self._fail("a size that divides height and width", f"{size}")
        self.tokens, self.channels = height * width // size**2, size * size

    def forward(self, x: np.ndarray) -> np.ndarray:
        pixels = self.height * self.width
        if x.shape[1:] not in ((self.height, self.width), (pixels,)) or len(x) == 0:
            self._fail(f"shape (N, {self.height}, {self.width}) or (N, {pixels})", f"{x.shape}")
        self.shape = x.shape
        y = self._buffer("y", (len(x), self.tokens, self.channels), x.dtype)
        np.copyto(self._grid(y), self._cut(x))
        return y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        grad_input = self._buffer("grad_input", self.shape, grad_output.dtype)
        np.copyto(self._cut(grad_input), self._grid(grad_output))
        return grad_input

    def _cut(self, images: np.ndarray) -> np.ndarray:
        """A view (N, rows, columns, size, size) of images."""
        rows, columns, size = self.height // self.size, self.width // self.size, self.size
        return images.reshape(-1, rows, size, columns, size).transpose(0, 1, 3, 2, 4)

    def _grid(self, tokens: np.ndarray) -> np.ndarray:
        """The same view of tokens (N, T, size size)."""
        rows, columns, size = self.height // self.size, self.width // self.size, self.size
        return tokens.reshape(-1, rows, columns, size, size)

    def __repr__(self) -> str:
        return f"Patches({self.height}, {self.width}, {self.size})"


class Transpose(Module):
    """(N, T, C) -> (N, C, T), as a copy, which a matrix product along T needs; backward likewise.

    A Linear between two of these mixes tokens instead of channels.
    """

    def forward(self, x: np.ndarray) -> np.ndarray:
        if x.ndim != 3:
            self._fail("shape (N, T, C)", f"{x.shape}")
        return self._swap("y", x)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return self._swap("grad_input", grad_output)

    def _swap(self, role: str, x: np.ndarray) -> np.ndarray:
        n, rows, columns = x.shape
        swapped = self._buffer(role, (n, columns, rows), x.dtype)
        np.copyto(swapped, x.transpose(0, 2, 1))
        return swapped


class Flatten(Module):
    """(N, ...) -> (N, D), D the product of the other axes; backward restores the shape."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        if x.ndim < 2 or x.size == 0:
            self._fail("shape (N, ...) with N >= 1", f"{x.shape}")
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        return grad_output.reshape(self.shape)


class MeanOverTokens(Module):
    """(N, T, C) -> (N, C), y = sum_t x_t / T;  dL/dx_t = dL/dy / T for every t."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        if x.ndim != 3 or x.size == 0:
            self._fail("shape (N, T, C) with N >= 1", f"{x.shape}")
        self.shape = n, tokens, channels = x.shape
        y = np.sum(x, axis=1, out=self._buffer("y", (n, channels), x.dtype))
        y *= 1 / tokens
        return y

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        grad_input = self._buffer("grad_input", self.shape, grad_output.dtype)
        return np.multiply(grad_output[:, None, :], 1 / self.shape[1], out=grad_input)
