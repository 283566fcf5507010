"""What every layer is: a forward pass, a backward pass, parameters with their gradients."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from numpy_nn.checks import checked_backward, checked_forward, refuse


class NonFiniteError(ValueError):
    """A NaN or an infinity where numbers are needed."""


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

    Around both, this class puts checks of shape and dtype (see checks): ValueError names the layer,
    what it expected and what it found. They do not ask whether numbers are finite: see `diagnose`.

    No pass changes an array that it was given. Arrays are new at every call: keeping their memory
    for the next one saved at most 4 % of a step.
    """

    training = True
    # What forward takes: its axes, where "..." is any number of them, and its kinds of dtype. Of
    # floating-point numbers a layer with parameters takes their dtype alone.
    axes: tuple[int | str, ...] = ("N", "...")
    kinds = "f"
    shown: tuple[str, ...] = ()  # the attributes that its name is printed with
    output: np.ndarray | None = None  # what forward returned last
    received: tuple[tuple[int, ...], np.dtype] | None = None  # shape and dtype of what it took last

    def __init_subclass__(cls, checked: bool = True, **options: Any):
        """Put the checks around what the class computes, unless its parts do that themselves."""
        super().__init_subclass__(**options)
        for name, check in (("forward", checked_forward), ("backward", checked_backward)):
            if checked and name in vars(cls):
                setattr(cls, name, check(vars(cls)[name]))

    def forward(self, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def backward(self, grad_output: np.ndarray) -> np.ndarray | None:
        raise NotImplementedError

    def __call__(self, x: np.ndarray, *more: Any) -> np.ndarray:
        return self.forward(x, *more)

    def children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules among the attributes, lists of modules included, with their names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, Module):
                        yield f"{name}.{index}", item

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """All modules below this one, parts before what they are part of, and itself as ""."""
        for prefix, child in self.children():
            for name, module in child.named_modules():
                yield f"{prefix}.{name}" if name else prefix, module
        yield "", self

    def modules(self) -> list["Module"]:
        return [module for _, module in self.named_modules()]

    def own_parameters(self) -> dict[str, Parameter]:
        """Those of this module itself, in the order of definition."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Parameter)}

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter of this module, then of its children."""
        yield from self.own_parameters().items()
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

    def train(self, training: bool = True) -> Self:
        """Switch to training behaviour (dropout drops), or with False to evaluation."""
        for module in self.modules():
            module.training = training
        return self

    def eval(self) -> Self:
        return self.train(False)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Within this context all modules are in evaluation; afterwards each is as before."""
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers by name: `np.savez(path, **model.state_dict())`."""
        return {name: array.copy() for name, array in self._arrays()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Set all parameters and buffers, in place.

        Raises ValueError if a name is missing or unknown, or if a shape differs.
        """
        load_arrays("state", dict(self._arrays()), state)

    def astype(self, dtype: DTypeLike) -> Self:
        """Change the dtype of all parameters and gradients (float64 for gradient checks).

        Before an optimiser is built, not afterwards: it would go on with the arrays of before.
        """
        for parameter in self.parameters():
            parameter.value = parameter.value.astype(dtype)
            parameter.grad = parameter.grad.astype(dtype)
        for module in self.modules():
            module.received = None
        return self

    def not_finite(self) -> list[str]:
        """Names of the parameters and float buffers that hold a NaN or an infinity."""
        floats = ((name, a) for name, a in self._arrays() if a.dtype.kind == "f")
        return [name for name, array in floats if not np.isfinite(array).all()]

    def _arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        for name, parameter in self.named_parameters():
            yield name, parameter.value
        yield from self.named_buffers()

    def flops(self) -> int:
        """Floating-point operations of its own matrix products in the last forward pass: a
        multiplication and the addition after it count as two."""
        return 0

    @property
    def dtype(self) -> np.dtype | None:
        """That of the layer's own parameters, if it has any."""
        return next((own.value.dtype for own in self.own_parameters().values()), None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(str(getattr(self, n)) for n in self.shown)})"


class Sequential(Module, checked=False):
    """Layers one after another, y = f_n(... f_1(x)); by the chain rule, backward in reverse."""

    def __init__(self, *layers: Module):
        if len(set(map(id, layers))) < len(layers):
            refuse("Sequential", "each layer once", "one several times")
        self.layers = list(layers)

    def forward(self, x: np.ndarray) -> np.ndarray:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_output: np.ndarray) -> np.ndarray | None:
        """Stops early, returning None, at a layer that does not compute dL/dx."""
        for layer in reversed(self.layers):
            grad_input = layer.backward(grad_output)
            if grad_input is None:
                return None
            grad_output = grad_input
        return grad_output

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


def diagnose(model: Module, x: np.ndarray) -> str:
    """Where the forward pass that `model` has just made on x first left the finite numbers.

    It looks at the outputs that the layers still hold, in the order of the pass. Nothing is
    computed again, so that no mask is drawn and no running average moves. For when a loss or a
    prediction is NaN; until then nobody has to look.
    """
    if not np.isfinite(x).all():
        return "the input holds NaN or infinity"
    for name, module in model.named_modules():
        if module.output is not None and not np.isfinite(module.output).all():
            return (
                f"{module!r} ({name or 'all of it'}) is the first to return NaN or infinity;"
                f" weights that are not finite: {', '.join(model.not_finite()) or 'none'}"
            )
    return "the output of every layer is finite"


def load_arrays(
    owner: str, arrays: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray]
) -> None:
    """Copy the arrays of `state` into `arrays`, in place.

    Raises ValueError, which names `owner`, if a name is missing or unknown, or if a shape differs;
    nothing was copied then.
    """
    missing, unknown = sorted(arrays.keys() - state.keys()), sorted(state.keys() - arrays.keys())
    if missing or unknown:
        found = f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
        refuse(owner, f"{len(arrays)} arrays", found)
    for name, array in arrays.items():
        if array.shape != (shape := np.shape(state[name])):
            refuse(f"{owner}: {name}", f"shape {array.shape}", shape)
    for name, array in arrays.items():
        array[...] = state[name]
