"""Part 1's MLP in NumPy beside PyTorch and scikit-learn.

    python benchmarks/mlp_step.py --out mlp_step.csv                            (or: make bench)

The net is 784-512-256-10 in float32. Beside PyTorch eager: a training step with dropout 0.2, SGD
with momentum and weight decay. Beside scikit-learn's MLPClassifier: an epoch of 12,800 examples
with SGD and momentum, without dropout, which it lacks; ours is Training.run_epoch, as the pipeline
calls it. NumPy and scikit-learn share one OpenBLAS, which chooses its kernels by the processor;
PyTorch has a BLAS of its own.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from side_by_side import Case, main
from sklearn.neural_network import MLPClassifier
from torch import nn

from numpy_nn import SGD, Sequential, SoftmaxCrossEntropy, Training, build_mlp, constant

WIDTHS = (784, 512, 256, 10)
SIZES = (32, 128, 512)  # examples in a batch
EPOCH = 12_800


def bare_mlp(dropout: float) -> Sequential:
    """Our net without its first layer, which standardises: the peers take inputs as they are."""
    model = build_mlp(WIDTHS, dropout, np.random.default_rng(1), np.random.default_rng(2))
    return Sequential(*model.layers[1:])


def numpy_step(x: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """Our training step on one batch x (B, 784) float32, y (B,)."""
    model, loss = bare_mlp(0.2), SoftmaxCrossEntropy()
    optimiser = SGD(model.parameters(), 0.01, 0.9, weight_decay=5e-4)

    def step() -> None:
        loss.forward(model.forward(x), y)
        model.backward(loss.backward())
        optimiser.step()

    return step


def torch_step(x: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """The same step in PyTorch eager."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in zip(WIDTHS[:-2], WIDTHS[1:-1], strict=True):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU(), nn.Dropout(0.2)]
    model = nn.Sequential(*layers, nn.Linear(*WIDTHS[-2:]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()

    return step


def numpy_epoch(x: np.ndarray, y: np.ndarray, size: int) -> Callable[[], object]:
    """Our epoch over x in batches of `size`, without dropout."""
    model = bare_mlp(0.0)
    optimiser = SGD(model.parameters(), 0.01, 0.9, weight_decay=1e-4)
    parts = model, SoftmaxCrossEntropy(), optimiser, constant
    rng = np.random.default_rng(4)
    return Training(*parts, x, y, batch_size=size, epochs=10**6, rng=rng).run_epoch


def sklearn_epoch(x: np.ndarray, y: np.ndarray, size: int) -> Callable[[], object]:
    """The same epoch in scikit-learn."""
    model = MLPClassifier(
        WIDTHS[1:-1], solver="sgd", alpha=1e-4, batch_size=size, learning_rate_init=0.01,
        momentum=0.9, nesterovs_momentum=False, random_state=0,
    )  # fmt: skip
    model.partial_fit(x, y, classes=np.arange(WIDTHS[-1]))
    return lambda: model.partial_fit(x, y)


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((EPOCH, WIDTHS[0]), dtype=np.float32)
    y = rng.integers(0, WIDTHS[-1], EPOCH)
    for size in SIZES:
        batch = x[:size], y[:size]
        calls = numpy_step(*batch), torch_step(*batch)
        yield Case(f"training step, batch {size}", "PyTorch eager", *calls, size, "examples")
    for size in SIZES:
        calls = numpy_epoch(x, y, size), sklearn_epoch(x, y, size)
        yield Case(f"epoch, batch {size}", "scikit-learn MLPClassifier", *calls, EPOCH, "examples")


if __name__ == "__main__":
    main(__doc__, cases, ("numpy", "torch", "scikit-learn"))
