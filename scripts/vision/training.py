"""Training an image classifier from its settings: data split, steps, curve, exact resume."""

import math
import time
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.precision import precision_name, use_bfloat16
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.weights import restore_training_state, training_state
from raw.image_data import split_by_seed
from torch_nn import image_classifier as classifier
from torch_nn.parameters import parameter_count
from torch_nn.schedules import one_cycle
from vision.model import Architecture


class Spec(Architecture):
    dataset: str = Field("cifar10", description="name of the data set, for the record")
    seed: int = Field(1, ge=0, description="of the split, the weights, the order, augmentation")
    threads: int = Field(1, ge=1, description="of PyTorch; another number gives other last bits")
    validation_size: int = Field(5000, ge=1, description="training images held out")
    epochs: float = Field(10, gt=0, description="passes over the training images")
    batch_size: int = Field(250, ge=2, description="images a step")
    lr: float = Field(0.1, gt=0, description="peak learning rate, for the mean loss of a batch")
    momentum: float = Field(0.9, ge=0, lt=1, description="of Nesterov's SGD")
    weight_decay: float = Field(5e-4, ge=0, description="of matrices and kernels, a step")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="share spread over the classes")
    warmup: float = Field(0.2, ge=0, lt=1, description="share of the steps with a rising rate")
    decay: Literal["cosine", "linear"] = Field("cosine", description="of the rate, down to 0")
    flips: bool = Field(True, description="mirror images at random")
    crop: int = Field(2, ge=0, description="pixels by which an image moves at most")
    cutout: int = Field(0, ge=0, description="width of the hole in each image; 0: none")
    checkpoint_seconds: float = Field(30.0, gt=0, description="between two checkpoints")


def evaluate(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    bfloat16: bool,
    flips: bool = False,
) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy on uint8 images (N, C, H, W), labels (N,)."""
    found = classifier.probabilities(model, images, bfloat16=bfloat16, flips=flips)  # (N, K)
    nats = -found.gather(1, labels[:, None]).clamp_min(1e-12).log().double().mean().item()
    return nats, (found.argmax(1) == labels).double().mean().item()


def train(
    spec: Spec, images: np.ndarray, labels: np.ndarray, classes: int, checkpoint: Checkpoint
) -> tuple[torch.nn.Module, dict]:
    """Train on uint8 images (N, C, H, W), labels (N,), from `checkpoint` if it holds a state.

    Returns the model and its history's curve (a point an epoch), seconds, parameters and
    validation accuracies. The whole data set is one tensor; a step augments its own batch.
    Raises InputError if the settings do not suit the data, or the loss is no longer finite.
    """
    device = setup(spec.seed, spec.threads)
    bfloat16 = use_bfloat16(spec.bfloat16, device)
    kept, held_out = split_by_seed(len(images), spec.validation_size, spec.seed)
    train_x, train_y = torch.from_numpy(images[kept]), torch.from_numpy(labels[kept])
    val_x, val_y = torch.from_numpy(images[held_out]), torch.from_numpy(labels[held_out])
    model = spec.build(images.shape[1:], classes).to(device)
    model.normalise.fit(train_x)
    optimizer = classifier.make_optimizer(model, spec.lr, spec.momentum, spec.weight_decay)
    epoch_steps = len(train_x) // spec.batch_size
    if epoch_steps == 0:
        raise InputError(f"batch_size: {spec.batch_size} of only {len(train_x)} training images")
    if spec.crop >= (side := min(images.shape[2:])):
        raise InputError(
            f"crop: expected fewer than the {side} pixels of a side, found {spec.crop}"
        )
    total_steps = max(1, round(spec.epochs * epoch_steps))
    # A step more than there are: the rate reaches 0 after the last one, which still learns.
    rate = one_cycle(total_steps + 1, int(spec.warmup * total_steps), spec.decay)
    random = torch.Generator(device).manual_seed(spec.seed)
    parts = {"model": model, "optimizer": optimizer, "augment": random}

    # What a checkpoint holds beside `parts`; `window`: loss and accuracy of the epoch's steps.
    state = {"step": 0, "curve": [], "window": [], "seconds": 0.0}
    if stored := checkpoint.load():
        arrays, meta = stored
        restore_training_state(parts, arrays, meta["torch"], device)
        state = meta["state"]
        print(f"resumed at step {state['step']} of {total_steps}")
    resumed = saved = time.perf_counter()
    seconds_before = state["seconds"]
    order, order_epoch = torch.empty(0), -1
    while state["step"] < total_steps:
        epoch, position = divmod(state["step"], epoch_steps)
        if epoch != order_epoch:
            shuffled = generator(spec.seed, "order", epoch).permutation(len(train_x))
            order, order_epoch = torch.from_numpy(shuffled), epoch
        chosen = order[position * spec.batch_size : (position + 1) * spec.batch_size]
        batch = classifier.augment(
            train_x[chosen].to(device),
            flips=spec.flips,
            crop=spec.crop,
            hole=spec.cutout,
            generator=random,
        )
        lr = spec.lr * rate(state["step"])
        loss, accuracy = classifier.train_step(
            model,
            optimizer,
            batch,
            train_y[chosen].to(device),
            lr=lr,
            label_smoothing=spec.label_smoothing,
            bfloat16=bfloat16,
        )
        if not math.isfinite(loss):
            raise InputError(
                f"the loss is {loss} at step {state['step']}, lr {lr:.4g}: train with a lower lr"
            )
        state["step"] += 1
        state["window"].append((loss, accuracy))
        if position == epoch_steps - 1 or state["step"] == total_steps:
            loss, accuracy = np.mean(state["window"], axis=0).tolist()
            val_loss, val_accuracy = evaluate(model, val_x, val_y, bfloat16)
            point = {
                "step": state["step"],
                "epoch": state["step"] / epoch_steps,
                "lr": lr,
                "train_loss": loss,
                "train_accuracy": accuracy,
                "val_loss": val_loss,
                "val_accuracy": val_accuracy,
            }
            state["curve"].append(point)
            state["window"] = []
            print(" ".join(f"{name} {value:.4g}" for name, value in point.items()), flush=True)
        now = time.perf_counter()
        state["seconds"] = seconds_before + now - resumed
        if now - saved > spec.checkpoint_seconds or checkpoint.stopping:
            arrays, torch_state = training_state(parts, device)
            checkpoint.save(arrays, {"torch": torch_state, "state": state})
            saved = now
    return model, {
        "curve": state["curve"],
        "seconds": state["seconds"],
        "precision": precision_name(bfloat16),
        "parameters": parameter_count(model),
        "validation": {
            "accuracy": evaluate(model, val_x, val_y, bfloat16)[1],
            "accuracy_flips": evaluate(model, val_x, val_y, bfloat16, flips=True)[1],
        },
    }
