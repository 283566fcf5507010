"""Train the encoder-only Transformer to classify DNA sequences, with one seed.

Training sequences are shifted, mutated and partly hidden at random, anew at each step. The dev
split chooses: the weights (averaged over steps) of the epoch with the lowest dev loss are kept, and
training ends early after `patience` epochs without a lower one. The test split is never opened.
"""

import copy
import time

import numpy as np
import torch
from pydantic import Field
from torch import nn

from dna.model import TITLE, Architecture, predict, read_split
from dna.sequences import UNKNOWN
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.checkpoint import Checkpoint
from pipeline.classification_metrics import matthews
from pipeline.errors import InputError
from pipeline.provenance import provenance
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.weights import restore_training_state, save_weights, training_state
from raw.prepared import load_json
from torch_nn.dna_augmentation import augment
from torch_nn.optimisation import clipped_step, weight_average
from torch_nn.schedules import one_cycle

SECONDS_BETWEEN_CHECKPOINTS = 15


class Spec(settings.Settings):
    seed: int = Field(1, ge=0, description="seed of weights, batches, dropout and augmentation")
    threads: int = Field(1, ge=1, description="threads of PyTorch")
    model: Architecture = Field(Architecture(), description="see dna/model.py")
    epochs: int = Field(15, ge=1, description="passes over the training split, at most")
    patience: int = Field(15, ge=1, description="epochs without a lower dev loss until the end")
    batch_size: int = Field(64, ge=1, description="sequences a step")
    lr: float = Field(1e-3, gt=0, description="highest learning rate")
    warmup_share: float = Field(0.05, ge=0, lt=1, description="share of the steps with rising rate")
    min_lr_share: float = Field(0.01, ge=0, le=1, description="last learning rate, share of lr")
    weight_decay: float = Field(0.05, ge=0, description="decoupled weight decay of AdamW")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the label spread evenly")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    average_decay: float = Field(0.99, ge=0, lt=1, description="memory of the averaged weights")
    hidden_share: float = Field(0.1, ge=0, lt=1, description="nucleotides replaced by unknown")
    mutated_share: float = Field(0.0, ge=0, lt=1, description="nucleotides replaced by random ones")
    largest_shift: int = Field(0, ge=0, description="places a sequence is moved by, at most")
    both_strands: bool = Field(False, description="classes do not depend on the strand")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"data": "sequences.npz", "meta": "meta.json"},
        outputs={"weights": "model", "history": "history.json", "checkpoint?": "directory"},
    )
    spec, device = args.spec, setup(args.spec.seed, args.spec.threads)
    meta = load_json(args.meta, ("dataset", "classes"))
    x, y = read_split(args.data, "train", device)
    dev_x, dev_y = read_split(args.data, "dev", device)
    model = spec.model.build(x.size(1), len(meta["classes"])).to(device)
    average, best = weight_average(model, spec.average_decay), copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), spec.lr, weight_decay=spec.weight_decay)
    criterion = nn.CrossEntropyLoss(label_smoothing=spec.label_smoothing)
    parts = {"model": model, "average": average, "best": best, "optimizer": optimizer}
    checkpoint = args.checkpoint and Checkpoint(
        args.checkpoint, args.spec_key, args.data, args.meta
    )
    curve, seconds, saved, started = [], 0.0, time.monotonic(), time.monotonic()
    if checkpoint and (stored := checkpoint.load()):
        restore_training_state(parts, stored[0], stored[1]["torch"], device)
        curve, seconds = stored[1]["curve"], stored[1]["seconds"]
        print(f"resumed after epoch {len(curve)}")
    per_epoch = -(-len(x) // spec.batch_size)
    steps = spec.epochs * per_epoch
    rate = one_cycle(steps, int(spec.warmup_share * steps), final=spec.min_lr_share)
    for epoch in range(len(curve), spec.epochs):
        losses = [point["val_loss"] for point in curve]
        if len(losses) - (np.argmin(losses) if losses else 0) > spec.patience:
            break
        order = torch.from_numpy(generator(spec.seed, "batches", epoch).permutation(len(x)))
        total = 0.0
        model.train()
        for number, batch in enumerate(order.to(device).split(spec.batch_size)):
            step = epoch * per_epoch + number
            tokens = augment(
                x[batch],
                UNKNOWN,
                spec.largest_shift,
                spec.mutated_share,
                spec.hidden_share,
                spec.both_strands,
            )
            lr = spec.lr * rate(step)
            try:
                loss = criterion(model(tokens), y[batch])
                total += clipped_step(model, optimizer, loss, lr, spec.clip) * len(batch)
            except FloatingPointError as error:
                raise InputError(f"step {step}, lr {lr:.3g}: {error}. Lower lr or clip.") from None
            average.update_parameters(model)
        dev = predict(average.module, dev_x, spec.both_strands).clamp_min(1e-12)
        point = {
            "step": (epoch + 1) * per_epoch,
            "epoch": epoch + 1,
            "lr": lr,
            "train_loss": total / len(x),
            "val_loss": nn.functional.nll_loss(dev.log(), dev_y).item(),
            "val_accuracy": (dev.argmax(1) == dev_y).double().mean().item(),
            "val_mcc": matthews(dev_y.cpu().numpy(), dev.argmax(1).cpu().numpy()),
        }
        if point["val_loss"] < min(losses, default=np.inf):
            best.load_state_dict(average.module.state_dict())
        curve.append(point)
        print(" ".join(f"{name} {value:.4g}" for name, value in point.items()))
        due = time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS
        if checkpoint and (due or checkpoint.stopping):
            arrays, state = training_state(parts, device)
            elapsed = seconds + time.monotonic() - started
            checkpoint.save(arrays, {"curve": curve, "seconds": elapsed, "torch": state})
            saved = time.monotonic()
    seconds += time.monotonic() - started
    save_weights(args.weights, best)
    history = {
        "task": "dna_classification",
        "dataset": meta["dataset"],
        "model": TITLE,
        "seed": spec.seed,
        "curve": curve,
        "seconds": seconds,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "provenance": provenance(spec.threads, device.type, ("torch", "numpy")),
    }
    write_json(args.history, history)
    if checkpoint:
        checkpoint.clear()


if __name__ == "__main__":
    settings.run(main)
