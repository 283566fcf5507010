"""What every layer is: a forward pass, a backward pass, parameters with their gradients."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NoReturn

import numpy as np


class NonFiniteError(ValueError):
    """A NaN or an infinity where numbers are needed; the message names the layer."""


def all_finite(x: np.ndarray) -> bool:
    """Whether x, floating-point numbers of any shape, holds neither NaN nor infinity.

    The sum of squares costs microseconds, and is finite unless an element is not, or it overflows.
    Only then every element is looked at.
    """
    return math.isfinite(np.vdot(x, x)) or bool(np.isfinite(x).all())


def load_arrays(
    owner: str, arrays: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray]
) -> None:
    """Copy the arrays of `state` into `arrays`, in place.

    Raises ValueError, which names `owner`, if a name is missing or unknown, or if a shape differs;
    nothing was copied then.
    """
    missing, unknown = sorted(arrays.keys() - state.keys()), sorted(state.keys() - arrays.keys())
    if missing or unknown:
        raise ValueError(
            f"{owner}: expected {len(arrays)} arrays;"
            f" missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
        )
    for name, array in arrays.items():
        if array.shape != (given := np.shape(state[name])):
            raise ValueError(f"{owner}: {name}: expected shape {array.shape}, given {given}")
    for name, array in arrays.items():
        array[...] = state[name]


class Parameter:
    """An array that training changes, and the gradient of the loss with respect to it.

    value, grad: arrays of one shape and dtype (float32 unless asked otherwise). `backward` of the
    layer that owns it overwrites `grad`; nothing accumulates, so nothing has to be zeroed.
    decay: whether weight decay applies; it does to weights, not to biases and gains.
    """

    def __init__(self, value: np.ndarray, decay: bool = True):
        self.value = value
        self.grad = np.zeros_like(value)
        self.decay = decay


class Module:
    """Base of layers and of models.

    A layer writes `forward(x)`, which keeps what `backward` needs, and right under it
    `backward(grad_output)`, which takes dL/dy (shape of the output), writes dL/dparameter into each
    `Parameter.grad` (`grad[...] = ...`: an optimiser reads that very array) and returns dL/dx (the
    shape of the input).

    An array that `forward` or `backward` returns belongs to the layer: the next call overwrites
    it. Copy what must last.

        first, second = model(x1), model(x2)              # wrong: both are the outputs for x2
        first, second = model(x1).copy(), model(x2)       # right
        loss = sum_of(model(x1)), sum_of(model(x2))       # right: used before the next call
    """

    training = True
    # Whether forward looks for NaN and infinity in its input. A Model does it for its layers that
    # pass on what is not finite, so that it reaches the output.
    watchful = True
    passes_on_non_finite = False
    # Whether forward may return its very input, or a view of it, and backward its dL/dy.
    hands_on = False
    # Shape and dtype of the last input; what `_buffer` has of each role, and what it gave last.
    _received: tuple[tuple[int, ...], np.dtype] | None = None
    _memory: dict[str, np.ndarray] | None = None
    _last: Mapping[str, np.ndarray] = MappingProxyType({})
    # The smallest batch that training can do with.
    smallest_batch = 1

    def forward(self, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def backward(self, grad_output: np.ndarray) -> np.ndarray | None:
        raise NotImplementedError

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """`forward`, for use by hand: refuses what is no array, and what is not finite, always."""
        if not isinstance(x, np.ndarray):
            self._fail("a NumPy array", type(x).__name__)
        if not self.watchful and x.dtype.kind == "f" and not all_finite(x):
            self._refuse_non_finite()
        return self.forward(x)

    def children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules among the attributes, lists of modules included, with their names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, Module):
                        yield f"{name}.{index}", item

    def modules(self) -> Iterator["Module"]:
        """This module and all below it."""
        yield self
        for _, child in self.children():
            yield from child.modules()

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter of this module and of its children, in the order of definition."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value
        for prefix, child in self.children():
            for name, parameter in child.named_parameters():
                yield f"{prefix}.{name}", parameter

    def parameters(self) -> list[Parameter]:
        return [parameter for _, parameter in self.named_parameters()]

    def buffers(self) -> dict[str, np.ndarray]:
        """Arrays of this module that are state but are not trained (running means)."""
        return {}

    def named_buffers(self) -> Iterator[tuple[str, np.ndarray]]:
        """The buffers of this module and of its children."""
        yield from self.buffers().items()
        for prefix, child in self.children():
            for name, array in child.named_buffers():
                yield f"{prefix}.{name}", array

    def not_finite(self) -> list[str]:
        """Names of the parameters and float buffers that hold a NaN or an infinity."""
        floats = ((name, a) for name, a in self._arrays() if a.dtype.kind == "f")
        return [name for name, array in floats if not np.isfinite(array).all()]

    def train(self, training: bool = True) -> "Module":
        """Switch to training behaviour (dropout drops), or with False to evaluation."""
        self.training = training
        for _, child in self.children():
            child.train(training)
        return self

    def eval(self) -> "Module":
        return self.train(False)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers by name: `np.savez(path, **model.state_dict())`."""
        return {name: array.copy() for name, array in self._arrays()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Set all parameters and buffers, in place.

        Raises ValueError if a name is missing or unknown, or if a shape differs.
        """
        load_arrays("state", dict(self._arrays()), state)

    def astype(self, dtype: type) -> "Module":
        """Change the dtype of all parameters and gradients (float64 for gradient checks).

        Before an optimiser is built, not afterwards: it would go on with the arrays of before.
        """
        for parameter in self.parameters():
            parameter.value = parameter.value.astype(dtype)
            parameter.grad = parameter.grad.astype(dtype)
        return self

    def _arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        for name, parameter in self.named_parameters():
            yield name, parameter.value
        yield from self.named_buffers()

    def _buffer(self, role: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """Memory that is kept between steps: one array for each role.

        It is as long as the longest that was asked for, in the last dtype; a smaller batch gets the
        beginning of it.
        """
        last = self._last.get(role)
        if last is not None and last.shape == shape and last.dtype == dtype:
            return last
        if self._memory is None:
            self._memory, self._last = {}, {}
        size, whole = math.prod(shape), self._memory.get(role)
        if whole is None or whole.size < size or whole.dtype != dtype:
            whole = self._memory[role] = np.empty(size, dtype)
        self._last[role] = whole[:size].reshape(shape)
        return self._last[role]

    def _receive(self, x: np.ndarray, expected: str = "(N, ...)", fits: bool = True) -> None:
        """Refuse an input that does not fit, is empty, or (if watchful) not of finite floats.

        Its shape and dtype are what `_check_gradient` asks of the gradient, unless it is told.
        """
        shape, dtype = x.shape, x.dtype
        if not (fits and shape and x.size):
            self._fail(f"shape {expected} with N >= 1", f"{shape}")
        if dtype.kind != "f":
            self._fail("floating-point numbers", f"{dtype}")
        if self.watchful and not all_finite(x):
            self._refuse_non_finite()
        self._received = shape, dtype

    def _check_gradient(
        self, grad_output: np.ndarray, shape: tuple[int, ...] | None = None
    ) -> None:
        """Refuse a dL/dy that has not the shape (default: that of the input) and dtype of y."""
        if self._received is None:
            self._fail("forward before backward", "none")
        received, dtype = self._received
        shape = received if shape is None else shape
        if grad_output.shape != shape:
            self._fail(f"dL/dy {shape}", f"{grad_output.shape}")
        if grad_output.dtype != dtype:
            self._fail(f"dL/dy {dtype}", f"{grad_output.dtype}")

    def _refuse_non_finite(self) -> NoReturn:
        raise NonFiniteError(f"{self!r}: expected finite input, given NaN or infinity")

    def _fail(self, expected: str, given: str) -> NoReturn:
        raise ValueError(f"{self!r}: expected {expected}, given {given}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Sequential(Module):
    """Layers one after another, y = f_n(... f_1(x)); by the chain rule, backward in reverse."""

    def __init__(self, *layers: Module):
        if len(set(map(id, layers))) < len(layers):
            raise ValueError("Sequential: expected each layer once, given one several times")
        self.layers = list(layers)
        # Taken from a Model, they do not look for NaN by themselves any more.
        for module in self.modules():
            module.watchful = True

    def forward(self, x: np.ndarray) -> np.ndarray:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_output: np.ndarray) -> np.ndarray | None:
        """Stops early, returning None, at a layer that was told not to compute dL/dx."""
        grad: np.ndarray | None = grad_output
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
            if grad is None:
                break
        return grad

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"
