"""How much of a training step of Part 1's MLP is spent in its matrix products.

    python benchmarks/mlp_products.py --out mlp_products.csv                    (or: make bench)

The step of mlp_step.py beside its eight matrix products alone, in NumPy: the ratio is their share
of the step's time.
"""

from collections.abc import Callable, Iterator

import numpy as np
from mlp_step import SIZES, WIDTHS, numpy_step
from side_by_side import Case, main


def matrix_products(size: int) -> Callable[[], None]:
    """The products of a step on a batch of `size`: forward, and both gradients of each layer."""
    rng = np.random.default_rng(3)
    layers = []
    for fan_in, fan_out in zip(WIDTHS[:-1], WIDTHS[1:], strict=True):
        shapes = (size, fan_in), (fan_in, fan_out), (size, fan_out)
        layers.append([rng.standard_normal(shape, dtype=np.float32) for shape in shapes])
    weight_grads = [np.empty_like(weight) for _, weight, _ in layers]

    def multiply() -> None:
        for index, (x, weight, grad) in enumerate(layers):
            np.matmul(x, weight)
            np.matmul(x.T, grad, out=weight_grads[index])
            if index:  # nobody needs the gradient of the images
                np.matmul(grad, weight.T)

    return multiply


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for size in SIZES:
        x = rng.standard_normal((size, WIDTHS[0]), dtype=np.float32)
        y = rng.integers(0, WIDTHS[-1], size)
        calls = numpy_step(x, y), matrix_products(size)
        yield Case(f"training step, batch {size}", "its products alone", *calls, size, "examples")


if __name__ == "__main__":
    main(__doc__, cases, ("numpy",))
