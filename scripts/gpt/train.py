"""Train a GPT on a stream of tokens; keep the weights that are best on validation."""

import copy
from operator import itemgetter

import torch

from gpt.model import build, title
from gpt.settings import TrainSpec
from gpt.token_windows import covering_windows, load_tokens, random_windows
from pipeline import settings
from pipeline.checkpoint import Checkpoint
from pipeline.precision import precision_name, use_bfloat16
from pipeline.provenance import provenance
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.training_run import TRAINING_OUTPUTS, TrainingRun
from pipeline.weights import TorchParts, save_weights
from raw.prepared import load_json
from torch_nn.flops import forward_flops
from torch_nn.gpt import next_token_loss
from torch_nn.optimisation import clipped_step, decay_groups
from torch_nn.parameters import parameter_count
from torch_nn.perplexity import window_nats
from torch_nn.schedules import one_cycle


def main() -> None:
    inputs = {"train": "train.npy", "val": "val.npy", "meta": "meta.json of the text"}
    args = settings.arguments(__doc__, TrainSpec, inputs, TRAINING_OUTPUTS)
    spec = args.spec
    device = setup(spec.seed, spec.threads)
    bfloat16 = use_bfloat16(spec.precision == "bfloat16", device)
    context = spec.model.context
    train = load_tokens(args.train, context)
    val = load_tokens(args.val, context)[: spec.eval_tokens + 1]

    vocab_size = load_json(args.meta, ("vocab_size",))["vocab_size"]
    model = build(spec.model, vocab_size).to(device)
    best = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(
        decay_groups(model, spec.weight_decay), lr=spec.lr, betas=(0.9, spec.beta2)
    )
    rate = one_cycle(spec.steps, spec.warmup_steps, final=spec.min_lr_share)

    per_epoch = len(train) / (spec.batch_size * context)
    precision = precision_name(bfloat16)
    origin = provenance(spec.threads, device.type, ("torch", "numpy"), precision)
    parts = TorchParts(device, model=model, optimizer=optimizer, best=best)
    checkpoint = Checkpoint.of(args, args.train, args.val, args.meta)
    run = TrainingRun(args.history, parts, checkpoint, spec.steps, per_epoch, provenance=origin)

    for step in run:
        lr = spec.lr * rate(step)
        batch = random_windows(train, generator(spec.seed, "batch", step), spec.batch_size, context)
        inputs, targets = (torch.from_numpy(array).to(device) for array in batch)  # (B, T) each
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            loss = next_token_loss(model, inputs, targets)
        run.record_step(lr, loss=clipped_step(model, optimizer, loss, lr, spec.clip))
        if run.due(spec.eval_every):
            nats, counts = window_nats(model, covering_windows(val, context, context))
            point = run.record(val_loss=float(nats.sum() / counts.sum()))
            if point is run.best(itemgetter("val_loss")):
                best.load_state_dict(model.state_dict())

    save_weights(args.weights, best)
    chosen = run.best(itemgetter("val_loss"))
    window = torch.zeros(1, context, dtype=torch.int64, device=device)
    run.finish(
        task="language_modelling",
        dataset=spec.dataset,
        model=title(spec.model),
        seed=spec.seed,
        best_step=chosen["step"],
        precision=precision,
        parameters=parameter_count(model),
        train_flops=3 * forward_flops(model, window) * run.step * spec.batch_size,
    )
    print(f"best val {chosen['val_loss']:.4f} at step {chosen['step']}, {run.seconds:.0f} s")


if __name__ == "__main__":
    settings.run(main)
