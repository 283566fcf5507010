"""Train one image classifier (MLP or CNN) under one seed; write its weights and its history.

A part of the training images, drawn by the seed, is held out for validation. An interrupted run
goes on from its checkpoint and ends with the same bytes.
"""

import math
import time
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from vision_model import Architecture

from pipeline import settings
from pipeline.atomic import write_json
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.image_data import load_meta, load_part, split_by_seed
from pipeline.provenance import provenance
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.weights import restore_training_state, save_weights, training_state
from torch_nn import image_classifier as classifier
from torch_nn.schedules import one_cycle


class Spec(Architecture):
    seed: int = Field(1, ge=0, description="of the split, the weights, the order, augmentation")
    threads: int = Field(1, ge=1, description="of PyTorch; another number gives other last bits")
    validation_size: int = Field(5000, ge=1, description="training images held out")
    epochs: float = Field(12, gt=0, description="passes over the training images")
    batch_size: int = Field(250, ge=2, description="images a step")
    lr: float = Field(0.2, gt=0, description="peak learning rate, for the mean loss of a batch")
    momentum: float = Field(0.9, ge=0, lt=1, description="of Nesterov's SGD")
    weight_decay: float = Field(5e-4, ge=0, description="of matrices and kernels, a step")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="share spread over the classes")
    warmup: float = Field(0.2, ge=0, lt=1, description="share of the steps with a rising rate")
    decay: Literal["cosine", "linear"] = Field("cosine", description="of the rate, down to 0")
    flips: bool = Field(True, description="mirror images at random")
    crop: int = Field(3, ge=0, description="pixels by which an image moves at most")
    cutout: int = Field(0, ge=0, description="width of the hole in each image; 0: none")
    checkpoint_seconds: float = Field(30.0, gt=0, description="between two checkpoints")


def evaluate(model, images, labels, spec, flips=False) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy of uint8 images (N, C, H, W), labels (N,)."""
    found = classifier.probabilities(model, images, bfloat16=spec.bfloat16, flips=flips)
    nats = -found.gather(1, labels[:, None]).clamp_min(1e-12).log().double().mean().item()
    return nats, (found.argmax(1) == labels).double().mean().item()


def train(spec: Spec, images, labels, classes: int, checkpoint: Checkpoint):
    """Train; return the model and its history's curve, seconds, parameters and validation."""
    device = setup(spec.seed, spec.threads)
    kept, held_out = split_by_seed(len(images), spec.validation_size, spec.seed)
    train_x, train_y = torch.from_numpy(images[kept]), torch.from_numpy(labels[kept])
    val_x, val_y = torch.from_numpy(images[held_out]), torch.from_numpy(labels[held_out])
    model = spec.build(images.shape[1:], classes).to(device)
    model.normalise.fit(train_x)
    optimizer = classifier.make_optimizer(model, spec.lr, spec.momentum, spec.weight_decay)
    per_epoch = len(train_x) // spec.batch_size
    if per_epoch == 0:
        raise InputError(f"batch_size: {spec.batch_size} of only {len(train_x)} training images")
    total = max(1, round(spec.epochs * per_epoch))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, one_cycle(total, int(spec.warmup * total), spec.decay)
    )
    random = torch.Generator(device).manual_seed(spec.seed)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "augment": random}

    step, curve, window, seconds = 0, [], [], 0.0
    if stored := checkpoint.load():
        arrays, meta = stored
        restore_training_state(parts, arrays, meta["torch"], device)
        step, curve, window, seconds = (meta[k] for k in ("step", "curve", "window", "seconds"))
        print(f"resumed at step {step} of {total}")
    started = saved = time.perf_counter()
    ordered = None
    for step in range(step, total):  # noqa: B020  goes on from the checkpoint's step
        epoch, position = divmod(step, per_epoch)
        if epoch != ordered:
            ordered = epoch
            order = torch.from_numpy(generator(spec.seed, "order", epoch).permutation(len(train_x)))
        chosen = order[position * spec.batch_size :][: spec.batch_size]
        batch = classifier.augment(
            train_x[chosen].to(device), flips=spec.flips, crop=spec.crop, hole=spec.cutout,
            generator=random,
        )  # fmt: skip
        lr = schedule.get_last_lr()[0]
        window.append(classifier.train_step(
            model, optimizer, batch, train_y[chosen].to(device),
            label_smoothing=spec.label_smoothing, bfloat16=spec.bfloat16,
        ))  # fmt: skip
        if not math.isfinite(window[-1][0]):
            raise InputError(f"the loss is {window[-1][0]} at step {step}, lr {lr:.4g}: lower lr")
        schedule.step()
        if position == per_epoch - 1 or step == total - 1:
            loss, accuracy = np.mean(window, axis=0)
            val_loss, val_accuracy = evaluate(model, val_x, val_y, spec)
            curve.append({
                "step": step + 1, "epoch": (step + 1) / per_epoch, "lr": lr,
                "train_loss": loss, "train_accuracy": accuracy,
                "val_loss": val_loss, "val_accuracy": val_accuracy,
            })  # fmt: skip
            window = []
            spent = seconds + time.perf_counter() - started
            print(f"step {step + 1}/{total} epoch {(step + 1) / per_epoch:.2f} loss {loss:.4f} "
                  f"accuracy {accuracy:.4f} val_loss {val_loss:.4f} "
                  f"val_accuracy {val_accuracy:.4f} {spent:.0f} s", flush=True)  # fmt: skip
        if time.perf_counter() - saved > spec.checkpoint_seconds:
            arrays, state = training_state(parts, device)
            now = time.perf_counter()
            checkpoint.save(arrays, {
                "torch": state, "step": step + 1, "curve": curve, "window": window,
                "seconds": seconds + now - started,
            })  # fmt: skip
            saved = now
    return model, {
        "curve": curve,
        "seconds": seconds + time.perf_counter() - started,
        "parameters": classifier.parameter_count(model),
        "validation": {
            "accuracy": evaluate(model, val_x, val_y, spec)[1],
            "accuracy_flips": evaluate(model, val_x, val_y, spec, flips=True)[1],
        },
    }


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"images": "images.npz (train_x, train_y are read)", "meta": "its meta.json"},
        outputs={
            "weights": "model.safetensors",
            "history": "history.json",
            "checkpoint": "directory of the checkpoint, removed at the end",
        },
    )
    spec = args.spec
    meta = load_meta(args.meta)
    images, labels = load_part(args.images, "train", len(meta["classes"]))
    checkpoint = Checkpoint(args.checkpoint, args.spec_key, args.images)
    model, history = train(spec, images, labels, len(meta["classes"]), checkpoint)
    device = next(model.parameters()).device.type
    save_weights(args.weights, model)
    write_json(args.history, {
        "task": "image_classification", "dataset": meta["dataset"], "model": spec.title(),
        "seed": spec.seed, **history,
        "provenance": provenance(spec.threads, device, ("torch", "numpy")),
    })  # fmt: skip
    checkpoint.clear()


if __name__ == "__main__":
    settings.run(main)
