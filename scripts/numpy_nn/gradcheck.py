"""The gradient check: does `backward` compute the derivative of `forward`?"""

import math
from collections.abc import Callable

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.losses import Loss
from numpy_nn.module import Module


def gradcheck(module: Module, x: np.ndarray, step: float = 1e-5, seed: int = 0) -> dict[str, float]:
    """Compare `backward` with central differences: the worst relative error per array.

    The output y is made a number by L = sum(w y), w random and fixed, so that dL/dy = w. Then for
    each element t of each parameter and of x

        dL/dt = (L(t + h) - L(t - h)) / 2 h + O(h^2),   h = step max(1, |t|)

    and error = |analytic - numeric| / max(|analytic|, |numeric|, scale), where scale, a hundredth
    of the array's largest gradient, keeps elements that are nearly 0 from dividing by nothing. It
    is at least 1e-3: gradients that are 0 by construction (of a bias that a norm takes out again)
    are rounding errors of size eps |L| / h, about 1e-10, in the differences.

    Everything runs in float64, and the module stays so: its parameters get new arrays. Build an
    optimiser afterwards, not before. A Model of mlp or token_mixer begins with Standardise, which
    makes float32 of everything: check Sequential(*model.layers[1:]). Every pass draws the same
    dropout masks; at the end, also if a layer raises, generators and buffers (BatchNorm's running
    averages) are what they were. x (N, ...) float should keep away from kinks (ReLU at 0) by more
    than h.

    Returns {"x": error, "<parameter>": error, ...}; "x" only if `backward` returns dL/dx. The error
    is inf where a gradient is not finite, and where `backward` adds to `Parameter.grad` or leaves
    it alone instead of overwriting it. Raises ValueError if `backward` puts another array into
    `Parameter.grad` instead of writing into the one that is there, which an optimiser reads.
    """
    buffers = {name: array.copy() for name, array in module.named_buffers()}
    owned = [value for part in module.modules() for value in vars(part).values()]
    bits = [value.bit_generator for value in owned if isinstance(value, np.random.Generator)]
    states = [generator.state for generator in bits]

    def rewind() -> None:
        for generator, state in zip(bits, states, strict=True):
            generator.state = state

    def value() -> float:
        rewind()
        return float(np.vdot(w, module.forward(x)))

    module.astype(np.float64)
    if x.dtype.kind == "f":  # tokens stay what they are
        x = x.astype(np.float64)
    try:
        w = np.random.default_rng(seed).standard_normal(module.forward(x).shape)
        return {
            name: relative_error(grad, numeric_gradient(value, array, step))
            for name, (array, grad) in _analytic(module, x, w).items()
        }
    finally:
        rewind()
        for name, array in module.named_buffers():
            array[...] = buffers[name]


def _analytic(
    module: Module, x: np.ndarray, w: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By name: x and the parameters, and their gradients by `backward`, after a forward pass."""
    grads = {name: parameter.grad for name, parameter in module.named_parameters()}
    # `backward` has to overwrite: one that adds to what is there leaves a NaN.
    for grad in grads.values():
        grad.fill(math.nan)
    grad_x = module.backward(w)
    checked = {} if grad_x is None else {"x": (x, grad_x.copy())}
    for name, parameter in module.named_parameters():
        if parameter.grad is not grads[name]:
            found = f"another array {np.shape(parameter.grad)}"
            refuse(name, "backward to write into grad (grad[...] = ...)", found)
        checked[name] = parameter.value, parameter.grad.copy()
    return checked


def gradcheck_loss(
    loss: Loss, outputs: np.ndarray, targets: np.ndarray, step: float = 1e-4
) -> float:
    """The worst relative error of a loss's gradient with respect to its outputs, as above."""
    outputs = outputs.astype(np.float64)
    if targets.dtype.kind == "f":
        targets = targets.astype(np.float64)
    loss(outputs, targets)
    grad = loss.backward().copy()
    numeric = numeric_gradient(lambda: loss(outputs, targets), outputs, step)
    return relative_error(grad, numeric)


def numeric_gradient(value: Callable[[], float], array: np.ndarray, step: float) -> np.ndarray:
    """Central differences of value() with respect to each element of `array` (float64)."""
    grad = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = float(array[index])
        h = step * max(1.0, abs(kept))
        array[index] = kept + h
        above = value()
        array[index] = kept - h
        below = value()
        array[index] = kept
        grad[index] = (above - below) / (2 * h)
    return grad


def relative_error(analytic: np.ndarray, numeric: np.ndarray) -> float:
    """The largest error of an element, relative as `gradcheck` says; inf if one is not finite."""
    if not (np.isfinite(analytic).all() and np.isfinite(numeric).all()):
        return math.inf
    size = np.maximum(np.abs(analytic), np.abs(numeric))
    scale = max(1e-2 * float(size.max(initial=0.0)), 1e-3)
    return float((np.abs(analytic - numeric) / np.maximum(size, scale)).max(initial=0.0))
