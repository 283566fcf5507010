"""Train the GPT by hand and its twin in PyTorch side by side: one start, one order of batches.

The twins compute the same function in another order of sums; so their losses differ by rounding
errors alone, which training makes larger step by step.
"""

from argparse import Namespace

import torch
import torch.nn.functional as F
from torch import Tensor

from gpt.numpy_model import build, optimiser_of, rate, title, train_step
from gpt.settings import CompareTwinsSpec
from gpt.token_windows import load_tokens, random_windows
from gpt.twin import build_twin, to_torch
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.provenance import provenance
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from raw.prepared import load_json
from torch_nn.gpt import GPT
from torch_nn.optimisation import decay_groups

INPUTS = {"train": "train.npy", "meta": "meta.json of the text"}
# In float64 differences are small enough to be seen as rounding within a few steps.
STEPS_IN_FLOAT64 = 50


def torch_step(
    model: GPT, optimizer: torch.optim.Optimizer, tokens: Tensor, targets: Tensor, clip: float
) -> float:
    """What gpt.numpy_model.train_step does, by autograd.

    torch.nn.utils.clip_grad_norm_ divides by the norm + 1e-6: a millionth that training would make
    a ten-thousandth within 50 steps, and the curves would be two.
    """
    optimizer.zero_grad()
    loss = F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())  # (B T, V), (B T,)
    loss.backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(grads)
    if norm > clip:
        for grad in grads:
            grad *= clip / norm
    optimizer.step()
    return loss.item()


def losses(args: Namespace, dtype: str, steps: int) -> dict[str, list[float]]:
    """The losses (nats) of both at each of the first `steps` steps, before the step."""
    spec, context = args.spec, args.spec.model.context
    tokens = load_tokens(args.train, context)
    vocab_size = load_json(args.meta, ("vocab_size",))["vocab_size"]
    ours = build(spec.model, vocab_size, generator(spec.seed, "weights")).astype(dtype)
    theirs = build_twin(spec.model, vocab_size).to(getattr(torch, dtype))
    theirs.load_state_dict(to_torch(ours.state_dict()))
    optimiser = optimiser_of(ours, spec)
    betas = spec.beta1, spec.beta2
    optimizer = torch.optim.AdamW(decay_groups(theirs, spec.weight_decay), spec.lr, betas)

    found: dict[str, list[float]] = {"numpy": [], "torch": []}
    for step in range(steps):
        optimiser.lr = lr = rate(step, spec)
        drawn = generator(spec.seed, "batch", step)
        inputs, targets = random_windows(tokens, drawn, spec.batch_size, context)  # (B, T) each
        found["numpy"].append(train_step(ours, optimiser, inputs, targets, spec.clip))
        for group in optimizer.param_groups:
            group["lr"] = lr
        batch = torch.from_numpy(inputs), torch.from_numpy(targets)
        found["torch"].append(torch_step(theirs, optimizer, *batch, spec.clip))
    return found


def main() -> None:
    args = settings.arguments(__doc__, CompareTwinsSpec, INPUTS, {"out": "twins.json"})
    spec = args.spec
    setup(spec.seed, spec.threads, "cpu")
    found = {"task": "language_modelling", "dataset": spec.dataset, "model": title(spec.model)}
    for dtype, steps in (("float32", spec.steps), ("float64", min(spec.steps, STEPS_IN_FLOAT64))):
        both = losses(args, dtype, steps)
        pairs = zip(both["numpy"], both["torch"], strict=True)
        largest = max(abs(ours - theirs) for ours, theirs in pairs)
        print(f"{dtype}: {len(both['numpy'])} steps, largest difference {largest:.3g}", flush=True)
        found[dtype] = {**both, "largest_difference": largest}
    found["provenance"] = provenance(spec.threads, "cpu", ("numpy", "torch"))
    write_json(args.out, found)


if __name__ == "__main__":
    settings.run(main)
