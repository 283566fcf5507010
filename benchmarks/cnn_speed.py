"""How well a training step of our fast CNN uses the processor, beside torchvision's ResNet-18.

    python benchmarks/cnn_speed.py --out cnn_speed.csv                          (or: make bench)

Both are in float32, on the same batch of 32x32 images in the layout channels_last; ours has the
shape of config.yaml, the ResNet a 3x3 stem and no max-pooling, as is usual on CIFAR-10. A step is
forward, backward and the optimiser: Muon in ours, Nesterov's SGD in the ResNet. Work is what
torch_nn.flops counts for both: the operations of convolutions and matrix products, three times
those of a forward pass. The last row sets our step beside the processor's peak, the product of two
large matrices in NumPy or PyTorch, whichever is faster; its ratio is the share of the peak that the
step reaches.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import yaml
from side_by_side import Case, main, seconds
from torch import Tensor, nn
from torchvision.models import resnet18

from torch_nn.flops import forward_flops
from torch_nn.optimisation import Optimizers, clipped_step
from vision.model import build, optimizer
from vision.settings import TrainSpec

CONFIG = Path(__file__).resolve().parents[1] / "config" / "config.yaml"
BATCH, CLASSES, SIDE = 64, 10, 2048


def small_resnet18() -> nn.Module:
    """torchvision's ResNet-18 for images of 32x32 pixels."""
    model = resnet18(num_classes=CLASSES)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model.to(memory_format=torch.channels_last)


def step(
    model: nn.Module,
    stepper: torch.optim.Optimizer | Optimizers,
    images: Tensor,
    labels: Tensor,
) -> tuple[Callable[[], object], int]:
    """A training step on images (B, C, H, W), labels (B,), and its FLOPs."""

    def call() -> None:
        loss = nn.functional.cross_entropy(model(images), labels)
        clipped_step(model, stepper, loss, 0.01, clip=math.inf)

    return call, 3 * forward_flops(model, images[:1]) * len(images)


def fastest_product() -> tuple[str, Callable[[], object]]:
    """The name of the library that multiplies two large matrices faster here, and the call."""
    a, b, out = torch.rand(3, SIDE, SIDE)
    x, y, z = a.numpy(), b.numpy(), out.numpy()
    calls = {
        "NumPy": lambda: np.matmul(x, y, out=z),
        "PyTorch": lambda: torch.mm(a, b, out=out),
    }
    return min(calls.items(), key=lambda item: min(seconds(item[1], 1) for _ in range(5)))


def cases() -> Iterator[Case]:
    torch.manual_seed(0)
    settings = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["vision"]["fast_cnn"]
    known = {name: settings[name] for name in TrainSpec.model_fields if name in settings}
    spec = TrainSpec(model="fast_cnn", **known)
    images, labels = torch.rand(BATCH, 3, 32, 32) * 255, torch.randint(CLASSES, (BATCH,))
    images = images.contiguous(memory_format=torch.channels_last)
    net, resnet = build(spec, (3, 32, 32), CLASSES), small_resnet18()
    sgd = torch.optim.SGD(resnet.parameters(), 0.01, momentum=0.9, nesterov=True)
    ours, flops = step(net, optimizer(net, spec), images, labels)
    theirs, their_flops = step(resnet, sgd, images, labels)
    work = f"training step of our fast CNN, batch {BATCH}"
    yield Case(work, "torchvision resnet18", ours, theirs, flops, "FLOP", their_flops)
    library, product = fastest_product()
    peak = f"{library}'s product of {SIDE} x {SIDE} matrices, the peak"
    yield Case(work, peak, ours, product, flops, "FLOP", 2 * SIDE**3)


if __name__ == "__main__":
    main(__doc__, cases, ("numpy", "torch", "torchvision"))
