"""How much arithmetic a forward pass takes, counted from the shapes: the same on every machine."""

import numpy as np

from numpy_nn.module import Module


def forward_flops(model: Module, x: np.ndarray) -> int:
    """Floating-point operations of the matrix products in model(x), x (N, ...).

    A multiplication and the addition after it count as two: a Linear takes 2 x rows x inputs x
    outputs. Biases, norms and activations do not count. Backward takes twice as much, once for the
    weights and once for the inputs, so that a training costs 3 x forward x examples (Kaplan et al.
    2020, arXiv:2001.08361, section 2.1). The pass is one of evaluation: no mask is drawn, no
    running average moves.
    """
    with model.evaluating():
        model(x)
    return sum(module.flops() for module in model.modules())
