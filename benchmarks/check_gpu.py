"""Does a training on the GPU agree with one on the CPU, and how fast is it?

Three small models of the project (GPT, CNN, DNA encoder) are trained on made-up data that they can
learn, without dropout, whose masks differ between devices. From the same weights and batches

1. the CPU and the GPU train in float32: the losses of the first 20 steps agree within 0.001 of the
   loss (the sums differ in their order, and training magnifies that);
2. the GPU goes on in bfloat16, where it has units for it: the mean loss of the last 50 of 300 steps
   is within 0.05 nats of the CPU's;
3. a training that stops on the GPU goes on on the CPU, and the other way round: the next 10 losses
   agree within 0.001 with those of the device that it left.

Then a GPT of 6 layers and width 384 is timed in the same precision: tokens per second, and what
share that is of the card's own matrix products. All of it takes at most six minutes. Without a GPU
it says "skipped", and nothing fails.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gpt.story_grammar import tell
from pipeline.precision import choose_dtype, precision_name
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.weights import TorchParts
from torch_nn.cnn import CNN
from torch_nn.dna_classifier import DNAClassifier
from torch_nn.flops import forward_flops
from torch_nn.gpt import next_token_loss
from torch_nn.modern_gpt import ModernGPT
from torch_nn.optimisation import clipped_step

STEPS, FIRST, LAST, RESUMED = 300, 20, 50, 10
FLOAT32, BFLOAT16 = 1e-3, 0.05
CPU = torch.device("cpu")
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Task:
    """A model, its learning rate, and the batch (inputs, labels) of each step, drawn on the CPU."""

    name: str
    build: Callable[[], nn.Module]
    lr: float
    batch: Callable[[np.random.Generator], Batch]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        if self.name == "GPT":
            return next_token_loss(model, *batch)
        return cross_entropy(model(batch[0]).float(), batch[1])


def tasks() -> Iterator[Task]:
    stories = np.random.default_rng(0)
    text = "\n\n".join(tell(stories) for _ in range(200))  # ASCII
    letters = np.frombuffer(text.encode(), np.uint8).astype(np.int64)

    def windows(random: np.random.Generator) -> Batch:
        starts = random.integers(len(letters) - 65, size=(16, 1)) + np.arange(65)
        tokens = torch.from_numpy(letters[starts])  # (B, T + 1)
        return tokens[:, :-1], tokens[:, 1:]

    def images(random: np.random.Generator) -> Batch:
        y = random.integers(10, size=64)
        pictures = np.random.default_rng(0).random((10, 3, 32, 32), np.float32)  # one of each class
        x = 0.3 * pictures[y] + 0.7 * random.random((64, 3, 32, 32), np.float32)
        return torch.from_numpy(255 * x), torch.from_numpy(y)

    def sequences(random: np.random.Generator) -> Batch:
        x, y = random.integers(4, size=(64, 40)), random.integers(2, size=64)
        x[y == 1, 15:21] = [3, 0, 3, 0, 0, 0]  # TATAAA
        return torch.from_numpy(x), torch.from_numpy(y)

    yield Task("GPT", lambda: ModernGPT(128, 64, 2, 4, 64), 3e-3, windows)
    yield Task("CNN", lambda: CNN((3, 32, 32), 10, (16, 32), 64, 0.0), 3e-3, images)

    def encoder() -> nn.Module:
        shape = {"d_model": 32, "d_ff": 64, "n_layers": 1, "stem_kernel": 3}
        return DNAClassifier(40, 2, dropout=0.0, head_dropout=0.0, **shape)

    yield Task("DNA", encoder, 2e-3, sequences)


class Trained:
    """A training of `task` on `device`, from the weights of seed 0: step by step."""

    def __init__(self, task: Task, device: torch.device, dtype: torch.dtype = torch.float32):
        torch.manual_seed(0)
        self.task, self.device, self.dtype = task, device, dtype
        self.model = task.build().to(device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), task.lr)
        self.parts = TorchParts(device, model=self.model, optimizer=self.optimizer)
        self.losses: list[float] = []

    def run(self, steps: int) -> list[float]:
        """Train for `steps` more; returns their losses."""
        for step in range(len(self.losses), len(self.losses) + steps):
            batch = self.task.batch(generator(1, "batch", step))
            inputs, labels = (tensor.to(self.device) for tensor in batch)
            mixed = self.dtype is not torch.float32
            with torch.autocast(self.device.type, self.dtype, enabled=mixed):
                loss = self.task.loss(self.model, (inputs, labels))
            value = clipped_step(self.model, self.optimizer, loss, self.task.lr, 1.0)
            self.losses.append(value)
        return self.losses[-steps:]

    def resumed_on(self, device: torch.device) -> "Trained":
        """The same training, gone on from its state on another device."""
        other = Trained(self.task, device, self.dtype)
        other.parts.load_state(self.parts.state()[0])
        other.losses = list(self.losses)
        return other


def difference(first: list[float], second: list[float]) -> float:
    """The largest relative difference of two losses of the same step; NaN if one is not finite."""
    pairs = zip(first, second, strict=True)
    differences = [abs(a - b) / max(abs(a), abs(b), 1e-12) for a, b in pairs]
    return max(differences) if all(map(math.isfinite, differences)) else math.nan


def check(task: Task, device: torch.device, dtype: torch.dtype, steps: int = STEPS) -> list[str]:
    """Print what was measured of one task; returns what is out of its tolerance."""
    cpu, gpu = Trained(task, CPU), Trained(task, device)
    found = {"float32, first steps": (difference(cpu.run(FIRST), gpu.run(FIRST)), FLOAT32)}
    for name, left, to in (("GPU to CPU", gpu, CPU), ("CPU to GPU", cpu, device)):
        other = left.resumed_on(to)
        stayed = left.resumed_on(left.device)
        found[f"resumed, {name}"] = difference(other.run(RESUMED), stayed.run(RESUMED)), FLOAT32
    cpu.run(steps - FIRST)
    mixed = Trained(task, device, dtype)
    mixed.run(steps)
    ends = [float(np.mean(training.losses[-LAST:])) for training in (cpu, mixed)]
    found[f"{precision_name(dtype)}, last steps"] = abs(ends[0] - ends[1]), BFLOAT16
    start = f"{task.name}: loss {cpu.losses[0]:.3f}"
    print(f"{start} -> {ends[0]:.3f} on the CPU, {ends[1]:.3f} on the GPU")
    wrong = []
    for name, (value, limit) in found.items():
        ok = value <= limit
        print(f"  {name:24} {value:.2e}, at most {limit:g}{'' if ok else '   WRONG'}")
        if not ok:
            wrong.append(f"{task.name}: {name}")
    return wrong


def seconds(call: Callable[[], object], times: int) -> float:
    """Wall seconds of a call on the GPU, the mean over `times`."""
    call()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(times):
        call()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / times


def speed(device: torch.device, dtype: torch.dtype) -> None:
    """Print tokens per second of a GPT's training, and the share of the card's products."""
    size = 8192
    square = torch.randn(size, size, device=device, dtype=dtype)
    peak = 2 * size**3 / seconds(lambda: square @ square, 20)
    batch_size, context = 64, 256
    model = ModernGPT(128, context, 6, 6, 384).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    tokens = torch.randint(128, (batch_size, context), device=device)

    def step() -> None:
        with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
            loss = next_token_loss(model, tokens, tokens)
        clipped_step(model, optimizer, loss, 1e-3, 1.0)

    took = seconds(step, 20)
    flops = 3 * forward_flops(model, tokens[:1]) * batch_size / took
    print(
        f"GPT 6x6x384, context {context}, batch {batch_size}, {precision_name(dtype)}:"
        f" {batch_size * context / took:,.0f} tokens per second, {flops / 1e12:.1f} TFLOP/s,"
        f" {flops / peak:.1%} of the {peak / 1e12:.0f} TFLOP/s of its matrix products"
    )


def main() -> int:
    device = setup(seed=0, threads=torch.get_num_threads())
    if device.type != "cuda":
        print("skipped: check-gpu needs an NVIDIA GPU and PyTorch's build for it")
        return 0
    dtype = choose_dtype("bfloat16", device)
    wrong = [line for task in tasks() for line in check(task, device, dtype)]
    speed(device, dtype)
    print("\n".join(["out of tolerance:", *wrong]) if wrong else "the two devices agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
