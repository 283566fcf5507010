"""All parameters of a model as one vector, so that an optimiser needs no loop over layers."""

import math
from collections.abc import Sequence

import numpy as np

from numpy_nn.checks import refuse
from numpy_nn.module import Parameter


class FlatParameters:
    """Moves `parameters` into one vector of values and one of gradients, both (P,).

    Each `Parameter.value` and `.grad` becomes a view into them, of its old shape and contents: the
    layers notice nothing, and what runs over all parameters (a step, a norm, an average) is a few
    calls over contiguous memory instead of a few per layer. Parameters that weight decay applies to
    come first: they are [0, decayed). `state` holds as many further vectors, zeros, as asked for.

    All vectors are rows of one array. From 4 MB on NumPy asks Linux for memory in pages of 2 MB
    instead of 4 kB, and a step that walks through every vector then waits less for addresses. A
    parameter keeps the whole array in memory, gradients and state too: copy what is to outlive it.

    Raises ValueError if dtypes differ, or if a parameter is given twice. `Module.astype`
    afterwards would leave the views behind.
    """

    # Numbers of whose multiple a row is long, so that all rows lie alike on cache lines.
    ALIGNED = 64

    def __init__(self, parameters: Sequence[Parameter], state: int = 0):
        if len({id(parameter) for parameter in parameters}) < len(parameters):
            refuse("parameters", "each once", "one several times")
        ordered = sorted(parameters, key=lambda parameter: not parameter.decay)
        dtypes = {parameter.value.dtype for parameter in ordered} or {np.dtype(np.float32)}
        if len(dtypes) > 1:
            refuse("parameters", "one dtype", sorted(map(str, dtypes)))
        (dtype,) = dtypes
        size = sum(parameter.value.size for parameter in ordered)
        rows = np.zeros((2 + state, math.ceil(size / self.ALIGNED) * self.ALIGNED), dtype)
        self.value, self.grad, *self.state = rows[:, :size]
        self.decayed = sum(parameter.value.size for parameter in ordered if parameter.decay)
        start = 0
        for parameter in ordered:
            stop, shape = start + parameter.value.size, parameter.value.shape
            for name, flat in (("value", self.value), ("grad", self.grad)):
                view = flat[start:stop].reshape(shape)
                view[...] = getattr(parameter, name)
                setattr(parameter, name, view)
            start = stop
