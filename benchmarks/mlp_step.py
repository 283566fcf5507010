"""A training step of the NumPy MLP beside that of PyTorch and scikit-learn, in one process.

    python benchmarks/mlp_step.py --out mlp_step.csv          (or: make bench-mlp)

The net is 784-512-256-10 in float32, one thread. Blocks of ours and of the peer alternate; a figure
is the median over the blocks, and the ratio is the median of the ratios block by block, so that a
machine whose speed drifts does not favour either. Time is the process's CPU time, in which waiting
for a core that others use does not count. Against PyTorch eager: dropout 0.2, SGD with
momentum and weight decay. Against scikit-learn's MLPClassifier: an epoch of 12,800 examples with
SGD and momentum, no dropout, which it lacks; ours is Training.run_epoch, as the pipeline calls it.
`matmul_share` is the time of our step's eight matrix products, run by themselves, over the step's.

`blas_kernel` names the kernels that OpenBLAS used: those that it chose by the processor, or those
of OPENBLAS_CORETYPE, which pins them. Where that is set, everything is measured a second time in a
process without it. NumPy and scikit-learn share that OpenBLAS; PyTorch has a BLAS of its own.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# Before NumPy is imported: it reads them once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from threadpoolctl import threadpool_info  # noqa: E402
from torch import nn  # noqa: E402

from numpy_nn import (  # noqa: E402
    SGD,
    Sequential,
    SoftmaxCrossEntropy,
    Training,
    build_mlp,
    constant,
)
from pipeline.atomic import write_csv  # noqa: E402
from pipeline.provenance import provenance  # noqa: E402

WIDTHS = (784, 512, 256, 10)
PIN = "OPENBLAS_CORETYPE"
STEPS = {32: 60, 128: 25, 512: 8}  # steps of one block: about a tenth of a second each
EPOCH = 12_800
COLUMNS = (
    "peer", "batch_size", "ours_ms", "peer_ms", "ratio", "matmul_share", "blas_kernel",
    "blocks", "threads",
    "commit", "processor", "numpy", "torch", "scikit-learn",
)  # fmt: skip


def blas_kernels() -> str:
    """The kernels of NumPy's OpenBLAS, and who chose them: "Haswell, chosen by OpenBLAS"."""
    blas = [pool for pool in threadpool_info() if "numpy" in pool["filepath"]]
    name = blas[0].get("architecture", blas[0]["internal_api"]) if blas else "unknown"
    return f"{name}, {'pinned' if PIN in os.environ else 'chosen by OpenBLAS'}"


def bare_mlp(dropout: float) -> Sequential:
    """Our net without its first layer, which standardises: the peers take inputs as they are."""
    model = build_mlp(WIDTHS, dropout, np.random.default_rng(1), np.random.default_rng(2))
    return Sequential(*model.layers[1:])


def numpy_step(x: np.ndarray, y: np.ndarray, dropout: float, decay: float) -> Callable[[], None]:
    """Our training step on one batch x (B, 784) float32, y (B,)."""
    model = bare_mlp(dropout)
    loss, optimiser = SoftmaxCrossEntropy(), SGD(model.parameters(), 0.01, 0.9, weight_decay=decay)

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


def matrix_products(size: int) -> Callable[[], None]:
    """The eight matrix products of our step on a batch of `size`, and nothing else."""
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


def alternate(*calls: Callable[[], object], times: int, blocks: int) -> np.ndarray:
    """Seconds of one call, (blocks, calls): each block calls every one of them `times` times."""
    for call in calls:
        call()
    seconds = np.empty((blocks, len(calls)))
    for block in seconds:
        for index, call in enumerate(calls):
            started = time.process_time()
            for _ in range(times):
                call()
            block[index] = (time.process_time() - started) / times
    return seconds


def epoch_of_ours(x: np.ndarray, y: np.ndarray, size: int) -> Callable[[], object]:
    """An epoch over x in batches of `size`, without dropout."""
    rng = np.random.default_rng
    model = bare_mlp(0.0)
    optimiser = SGD(model.parameters(), 0.01, 0.9, weight_decay=1e-4)
    parts = model, SoftmaxCrossEntropy(), optimiser, constant
    return Training(*parts, x, y, batch_size=size, epochs=10**6, rng=rng(4)).run_epoch


def measure(blocks: int) -> list[dict]:
    """One row for each peer and batch size."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((EPOCH, WIDTHS[0]), dtype=np.float32)
    y = rng.integers(0, WIDTHS[-1], EPOCH)
    origin = provenance(1, "cpu", ("numpy", "torch", "scikit-learn"))
    common = {
        "blas_kernel": blas_kernels(), "blocks": blocks, "threads": 1, "commit": origin["commit"],
        "processor": origin["processor"],
        **{name: origin["versions"][name] for name in ("numpy", "torch", "scikit-learn")},
    }  # fmt: skip
    rows = []

    def add(peer: str, size: int, seconds: np.ndarray, share: float | None = None) -> None:
        middle = np.median(seconds, axis=0) * 1e3
        rows.append(
            {
                "peer": peer,
                "batch_size": size,
                "ours_ms": round(middle[0], 3),
                "peer_ms": round(middle[1], 3),
                "ratio": round(float(np.median(seconds[:, 0] / seconds[:, 1])), 3),
                "matmul_share": share if share is None else round(share, 3),
                **common,
            }
        )
        print(*(f"{key} {rows[-1][key]}" for key in COLUMNS[:7]), sep="  ", flush=True)

    for size, times in STEPS.items():
        batch = x[:size], y[:size]
        calls = numpy_step(*batch, 0.2, 5e-4), torch_step(*batch), matrix_products(size)
        seconds = alternate(*calls, times=times, blocks=blocks)
        share = float(np.median(seconds[:, 2] / seconds[:, 0]))
        add("PyTorch eager, a step", size, seconds[:, :2], share)
    for size in STEPS:
        theirs = MLPClassifier(
            WIDTHS[1:-1], solver="sgd", alpha=1e-4, batch_size=size, learning_rate_init=0.01,
            momentum=0.9, nesterovs_momentum=False, random_state=0,
        )  # fmt: skip
        theirs.partial_fit(x, y, classes=np.arange(WIDTHS[-1]))
        calls = epoch_of_ours(x, y, size), lambda theirs=theirs: theirs.partial_fit(x, y)
        add("scikit-learn MLPClassifier, an epoch", size, alternate(*calls, times=1, blocks=blocks))
    return rows


def measure_unpinned(blocks: int) -> list[dict]:
    """The rows of a process in which OpenBLAS chooses its kernels; it reads the variable once."""
    free = {name: value for name, value in os.environ.items() if name != PIN}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.csv"
        command = [sys.executable, __file__, "--out", str(out), "--blocks", str(blocks)]
        subprocess.run(command, env=free, check=True)
        with out.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="CSV to write")
    parser.add_argument("--blocks", type=int, default=45, help="blocks to take medians over")
    args = parser.parse_args()
    rows = measure(args.blocks)
    if PIN in os.environ:
        rows += measure_unpinned(args.blocks)
    write_csv(args.out, rows, COLUMNS)


if __name__ == "__main__":
    main()
