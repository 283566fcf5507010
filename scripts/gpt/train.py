"""Train a GPT on a stream of tokens; keep the weights that are best on validation."""

import copy
import time
from typing import Literal

import numpy as np
import torch
from pydantic import Field, ValidationInfo, field_validator

from gpt.settings import ModelSettings, vocab_size
from gpt.token_windows import covering_windows, load_tokens, random_windows
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.precision import precision_name, use_bfloat16
from pipeline.provenance import provenance
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.weights import restore_training_state, save_weights, training_state
from torch_nn.gpt import GPT, decay_groups, next_token_loss
from torch_nn.optimisation import clipped_step
from torch_nn.perplexity import window_nats
from torch_nn.schedules import one_cycle


class Spec(settings.Settings):
    """Settings of the training."""

    dataset: str = Field("tinyshakespeare", description="name of the data set")
    model: ModelSettings = Field(ModelSettings(), description="shape of the model")
    steps: int = Field(1000, ge=1, description="optimiser steps")
    batch_size: int = Field(32, ge=1, description="windows a step")
    lr: float = Field(1e-3, gt=0, description="highest learning rate of AdamW")
    warmup_steps: int = Field(
        50, ge=0, validate_default=True, description="steps of linear warm-up, fewer than steps"
    )
    min_lr_share: float = Field(0.1, ge=0, le=1, description="last learning rate, share of lr")
    weight_decay: float = Field(0.1, ge=0, description="decay of matrices")
    beta2: float = Field(0.99, gt=0, lt=1, description="AdamW's second-moment decay")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of matrix products in training; evaluation is float32"
    )
    eval_every: int = Field(100, ge=1, description="steps between validations")
    eval_tokens: int = Field(50_000, ge=1, description="validation tokens read each time")
    seed: int = Field(1, ge=0, description="of weights, batches and dropout")
    threads: int = Field(1, ge=1, description="threads of PyTorch")

    @field_validator("warmup_steps")
    @classmethod
    def _warm_up_ends(cls, value: int, info: ValidationInfo) -> int:
        if value >= info.data.get("steps", value + 1):
            raise ValueError(f"expected fewer than steps {info.data['steps']}")
        return value


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"train": "train.npy", "val": "val.npy", "meta": "meta.json of the text"},
        outputs={
            "model": "weights, safetensors",
            "history": "history.json",
            "checkpoint": "directory of the checkpoint while training",
        },
    )
    spec = args.spec
    device = setup(spec.seed, spec.threads)
    bfloat16 = use_bfloat16(spec.precision == "bfloat16", device)
    context = spec.model.context
    train = load_tokens(args.train, context)
    val = load_tokens(args.val, context)[: spec.eval_tokens + 1]
    model = GPT(vocab_size(args.meta), **spec.model.model_dump()).to(device)
    optimizer = torch.optim.AdamW(
        decay_groups(model, spec.weight_decay), lr=spec.lr, betas=(0.9, spec.beta2)
    )
    rate = one_cycle(spec.steps, spec.warmup_steps, final=spec.min_lr_share)
    best = copy.deepcopy(model)
    parts = {"model": model, "optimizer": optimizer, "best": best}
    checkpoint = Checkpoint(args.checkpoint, args.spec_key, args.train, args.val, args.meta)
    step, curve, seconds, losses = 0, [], 0.0, []
    if stored := checkpoint.load():
        arrays, meta = stored
        restore_training_state(parts, arrays, meta["torch"], device)
        step, curve, seconds, losses = (meta[k] for k in ("step", "curve", "seconds", "losses"))
        print(f"resumed at step {step}")
    started = saved = time.monotonic()
    while step < spec.steps:
        lr = spec.lr * rate(step)
        batch = random_windows(train, generator(spec.seed, "batch", step), spec.batch_size, context)
        inputs, targets = (torch.from_numpy(array).to(device) for array in batch)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            loss = next_token_loss(model, inputs, targets)
        try:
            losses.append(clipped_step(model, optimizer, loss, lr, spec.clip))
        except FloatingPointError as error:
            raise InputError(f"step {step}, lr {lr:.3g}: {error}. Lower lr or clip.") from None
        step += 1
        if step % spec.eval_every == 0 or step == spec.steps:
            nats, counts = window_nats(model, covering_windows(val, context, context))
            point = {
                "step": step,
                "epoch": step * spec.batch_size * context / len(train),
                "lr": lr,
                "train_loss": float(np.mean(losses)),
                "val_loss": float(nats.sum() / counts.sum()),
            }
            if not curve or point["val_loss"] < min(old["val_loss"] for old in curve):
                best.load_state_dict(model.state_dict())
            curve.append(point)
            losses = []
            print(" ".join(f"{k} {v:.5g}" for k, v in point.items()), flush=True)
        due = time.monotonic() - saved > 30 or checkpoint.stopping
        if due and step < spec.steps:
            arrays, structure = training_state(parts, device)
            now = time.monotonic()
            progress = {"step": step, "curve": curve, "losses": losses}
            progress["seconds"] = seconds + now - started
            checkpoint.save(arrays, {**progress, "torch": structure})
            saved = now
    seconds += time.monotonic() - started
    save_weights(args.model, best)
    chosen = min(curve, key=lambda point: point["val_loss"])
    history = {
        "task": "language_modelling",
        "dataset": spec.dataset,
        "model": spec.model.name(),
        "seed": spec.seed,
        "curve": curve,
        "best_step": chosen["step"],
        "seconds": seconds,
        "precision": precision_name(bfloat16),
        "parameters": model.parameter_count(),
        "provenance": provenance(spec.threads, device.type, ("torch", "numpy")),
    }
    write_json(args.history, history)
    checkpoint.clear()
    print(f"best val {chosen['val_loss']:.4f} at step {chosen['step']}, {seconds:.0f} s")


if __name__ == "__main__":
    settings.run(main)
