"""Train a language model on a stream of tokens; keep its last weights, or the best on validation.

Several GPUs: torchrun --nproc_per_node N -m gpt.train ..., each on its share of every batch.
"""

import argparse
import copy
from collections.abc import Iterator
from operator import itemgetter

import torch
from torch import Tensor

from gpt.model import build, optimizer_of, title
from gpt.settings import TrainSpec
from gpt.stored_model import describe
from gpt.token_windows import covering_windows, load_tokens, random_windows
from pipeline import settings
from pipeline.checkpoint import Checkpoint
from pipeline.compilation import compiled
from pipeline.errors import InputError
from pipeline.group import Group
from pipeline.precision import choose_dtype, precision_name
from pipeline.provenance import provenance
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.torchrun import group_of_torchrun
from pipeline.training_run import TRAINING_OUTPUTS, TrainingRun
from pipeline.weights import TorchParts, save_weights
from raw.prepared import load_json
from torch_nn.flops import forward_flops
from torch_nn.gpt import next_token_loss
from torch_nn.optimisation import clipped_step, weight_average
from torch_nn.parameters import parameter_count
from torch_nn.perplexity import window_nats
from torch_nn.schedules import one_cycle

INPUTS = {
    "train": "train.npy",
    "val": "val.npy",
    "tokenizer": "tokenizer.json, to travel with the weights",
    "meta": "meta.json of the text",
}


def train(args: argparse.Namespace, device: torch.device, group: Group) -> None:
    """The training of one process of the group."""
    spec = args.spec
    dtype = choose_dtype(spec.precision, device)
    context = spec.model.context
    tokens = load_tokens(args.train, context)
    val = load_tokens(args.val, context)[: spec.eval_tokens + 1]
    if spec.batch_size % (spec.accumulation * group.size):
        raise InputError(
            f"batch_size: expected a multiple of {spec.accumulation} parts x {group.size}"
            f" processes, found {spec.batch_size}"
        )

    about = describe(spec.model, args.meta, args.tokenizer)
    vocab_size = load_json(args.meta, ("vocab_size",))["vocab_size"]
    model = build(spec.model, vocab_size).to(device)
    called = group.wrap(compiled(model, spec.compile, device))
    average, best = weight_average(model, spec.average_decay), copy.deepcopy(model)
    optimizer = optimizer_of(model, spec)
    scaler = torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)
    rate = one_cycle(
        spec.steps,
        spec.warmup_steps,
        spec.decay,
        spec.min_lr_share,
        constant_steps=max(0, int(spec.constant_share * spec.steps) - spec.warmup_steps),
    )

    per_epoch = len(tokens) / (spec.batch_size * context)
    precision = precision_name(dtype)
    origin = provenance(spec.threads, device.type, ("torch", "numpy"), precision)
    changing = {"model": model, "average": average, "best": best, "optimizer": optimizer}
    parts = TorchParts(device, **changing, scaler=scaler)
    checkpoint = (
        Checkpoint.of(args, args.train, args.val, args.tokenizer, args.meta)
        if group.leads
        else None
    )
    run = TrainingRun(
        args.history, parts, checkpoint, spec.steps, per_epoch, provenance=origin, group=group
    )

    def losses(step: int) -> Iterator[Tensor]:
        """Of the parts of this process's share of the batch; they add up to its mean."""
        # Dropout depends on the step and the process alone, however often the run was stopped.
        torch.manual_seed(int(generator(spec.seed, "dropout", step, group.rank).integers(2**63)))
        batch = random_windows(
            tokens, generator(spec.seed, "batch", step), spec.batch_size, context
        )
        windows = (torch.from_numpy(array[group.rank :: group.size]) for array in batch)
        pieces = (array.to(device).chunk(spec.accumulation) for array in windows)  # (B, T) each
        for inputs, targets in zip(*pieces, strict=True):
            with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
                loss = next_token_loss(called, inputs, targets)
            yield loss / spec.accumulation

    for step in run:
        lr = spec.lr * rate(step)
        value = clipped_step(model, optimizer, losses(step), lr, spec.clip, scaler)
        run.record_step(lr, loss=group.mean(value))
        average.update_parameters(model)
        if run.due(spec.eval_every):
            nats, counts = window_nats(average.module, covering_windows(val, context, context))
            point = run.record(val_loss=float(nats.sum() / counts.sum()))
            if point is run.best(itemgetter("val_loss")):
                best.load_state_dict(average.module.state_dict())

    if not group.leads:
        return
    save_weights(args.weights, average.module if spec.keep == "last" else best, about)
    chosen = run.curve[-1] if spec.keep == "last" else run.best(itemgetter("val_loss"))
    window = torch.zeros(1, context, dtype=torch.int64, device=device)
    run.finish(
        task="language_modelling",
        dataset=spec.dataset,
        model=title(spec.model),
        seed=spec.seed,
        best_step=chosen["step"],
        precision=precision,
        compiled=called is not model,
        processes=group.size,
        parameters=parameter_count(model),
        train_flops=3 * forward_flops(model, window) * run.step * spec.batch_size,
    )
    print(f"val {chosen['val_loss']:.4f} at step {chosen['step']}, {run.seconds:.0f} s")


def main() -> None:
    args = settings.arguments(__doc__, TrainSpec, INPUTS, TRAINING_OUTPUTS)
    device = setup(args.spec.seed, args.spec.threads, args.spec.device)
    with group_of_torchrun(device) as group:
        train(args, device, group)


if __name__ == "__main__":
    settings.run(main)
