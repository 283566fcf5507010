"""Neural networks from scratch: NumPy and the standard library, every backward pass by hand.

Read in this order: module, initialisers, linear, activations, dropout, relu_dropout, losses; then
gradcheck, which proves them; flat, optimisers, schedules, batches; standardise, normalisation,
architecture, mlp; averaging, clipping, early_stopping, mixup, prediction, training. More layers:
residual, tokens, gather, unfold, which token_mixer puts together. stored_model loads what was
trained.

`_receive` and `_check_gradient` look for mistakes of the caller, `_buffer` gives memory of the call
before: none of the three belongs to the mathematics, so pass over them at first reading.

Throughout, N is the number of examples of a batch, D of features, K of classes.

All of it in twenty lines: do the two coordinates of a point have the same sign?

    >>> import numpy as np
    >>> from numpy_nn.activations import ReLU
    >>> from numpy_nn.gradcheck import gradcheck
    >>> from numpy_nn.linear import Linear
    >>> from numpy_nn.losses import SoftmaxCrossEntropy
    >>> from numpy_nn.module import Sequential
    >>> from numpy_nn.optimisers import SGD
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1, 1, (400, 2)).astype(np.float32)
    >>> y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    >>> def build():
    ...     return Sequential(Linear(2, 32, rng), ReLU(), Linear(32, 2, rng))
    ...
    >>> bool(max(gradcheck(build(), x[:5]).values()) < 1e-6)  # backward is forward's derivative
    True
    >>> model, loss = build(), SoftmaxCrossEntropy()
    >>> optimiser = SGD(model.parameters(), lr=0.5)
    >>> for step in range(300):
    ...     value = loss.forward(model.forward(x), y)
    ...     grad_x = model.backward(loss.backward())  # fills each Parameter.grad
    ...     optimiser.step()
    ...
    >>> bool((model.eval()(x).argmax(axis=1) == y).mean() > 0.95)
    True

tests/numpy_nn/test_part1_examples.py runs this text as it stands.
"""
