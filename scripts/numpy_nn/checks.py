"""What is refused: wrong shapes and dtypes, around every layer's forward and backward; labels."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

if TYPE_CHECKING:
    from numpy_nn.module import Module


def refuse(who: object, expected: str, found: object) -> NoReturn:
    """Raise ValueError, which names who refuses, what was expected and what was found."""
    raise ValueError(f"{who}: expected {expected}, found {found}")


def check_labels(who: object, y: np.ndarray, count: int, classes: int | None = None) -> None:
    """Refuse all but `count` >= 1 integer labels (count,), in [0, classes) where that is known."""
    if count == 0:
        refuse(who, "at least one example", "none")
    if y.shape != (count,) or y.dtype.kind not in "iu":
        refuse(who, f"integer labels of shape ({count},)", f"{y.dtype} {y.shape}")
    if classes and not 0 <= y.min() <= y.max() < classes:
        refuse(who, f"labels in [0, {classes})", f"{y.min()} to {y.max()}")


def checked_forward(forward: Callable) -> Callable:
    """`forward` with a check of x. The layer keeps what it returned, and x's shape and dtype."""

    @wraps(forward)
    def checked(self: "Module", x: np.ndarray, *more: Any) -> np.ndarray:
        # What was right at the last step is right at this one: looking each time takes a quarter of
        # a step of 64-64-32-10 at batches of 32.
        if not isinstance(x, np.ndarray) or (x.shape, x.dtype) != self.received:
            check_input(self, x)
        self.output = forward(self, x, *more)
        self.received = x.shape, x.dtype
        return self.output

    return checked


def checked_backward(backward: Callable) -> Callable:
    """`backward` with a check that dL/dy has the shape and dtype of y."""

    @wraps(backward)
    def checked(self: "Module", grad_output: np.ndarray) -> np.ndarray | None:
        y = self.output
        if y is None:
            refuse(self, "forward before backward", "none")
        if grad_output.shape != y.shape or grad_output.dtype != y.dtype:
            found = f"{grad_output.shape} {grad_output.dtype}"
            refuse(self, f"dL/dy {y.shape} {y.dtype}", found)
        return backward(self, grad_output)

    return checked


def check_input(layer: "Module", x: np.ndarray) -> None:
    """Refuse what is no array, or has other axes or another dtype than `layer` takes."""
    if not isinstance(x, np.ndarray):
        refuse(layer, "a NumPy array", type(x).__name__)
    if not has_axes(x.shape, layer.axes):
        refuse(layer, f"shape ({', '.join(map(str, layer.axes))}) with N >= 1", x.shape)
    if layer.kinds == "f" and (dtype := layer.dtype) and x.dtype != dtype:
        refuse(layer, f"{dtype}", x.dtype)
    if x.dtype.kind not in layer.kinds:
        kinds = "floating-point numbers" if layer.kinds == "f" else "real numbers"
        refuse(layer, kinds, x.dtype)


def has_axes(shape: tuple[int, ...], axes: tuple[int | str, ...]) -> bool:
    """Whether `shape` fits `axes`: a number is itself, a name any from 1, "..." any axes."""
    if "..." in axes:
        at = axes.index("...")
        between = ("...",) * (len(shape) - len(axes) + 1)
        axes = (*axes[:at], *between, *axes[at + 1 :])
    return len(shape) == len(axes) and all(
        length >= 1 and (isinstance(axis, str) or length == axis)
        for length, axis in zip(shape, axes, strict=True)
    )
